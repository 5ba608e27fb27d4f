//! Many addresses at their limits at once, on real sockets: what is everybody's is shared, so that
//! who comes from elsewhere gets in and plays. The rules one by one are in
//! `server/src/admission/shares.rs` and `server/src/admission/crowd.rs`.

use tickwire::codec::decode_server;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{ClientMessage, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{GOOD, PATIENCE, Server, connect_from, hello, say, serve};

/// Addresses that attack, each of a network of its own.
const ATTACKERS: usize = 120;
/// Addresses from which somebody comes to play.
const NEWCOMERS: usize = 20;

/// The next frame's payload; `None` at the connection's end.
async fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let read = async {
        let (head, short) = (stream.read_u8().await.ok()?, stream.read_u8().await.ok()?);
        let length = match short {
            126 => stream.read_u16().await.ok()?.into(),
            127 => stream.read_u64().await.ok()? as usize,
            short => short.into(),
        };
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.ok()?;
        (head == 0x82).then_some(payload)
    };
    tokio::time::timeout(PATIENCE, read).await.expect("a frame")
}

/// The next control message.
async fn control(stream: &mut TcpStream) -> Option<ServerMessage> {
    loop {
        if let Ok(Some(message)) = decode_server(&frame(stream).await?) {
            return Some(message);
        }
    }
}

/// A WebSocket from an address; `None` if it is not let in.
async fn open(server: &Server, from: &str) -> Option<TcpStream> {
    let mut stream = connect_from(from, server.public).await;
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.ok()?);
    }
    answer.starts_with(b"HTTP/1.1 101 ").then_some(stream)
}

/// The same once it was welcomed, and what came of a request.
async fn ask(
    server: &Server,
    from: &str,
    request: &ClientMessage,
) -> Option<(TcpStream, ServerMessage)> {
    let mut stream = open(server, from).await?;
    stream.write_all(&hello("somebody")).await.ok()?;
    let welcome = control(&mut stream).await?;
    assert!(
        matches!(welcome, ServerMessage::Welcome { .. }),
        "{welcome:?}"
    );
    stream.write_all(&say(request)).await.ok()?;
    let answer = control(&mut stream).await?;
    Some((stream, answer))
}

/// All that one address may have: rooms that nobody else can enter, idle members of the lobby,
/// WebSockets that say nothing.
async fn attack(server: &Server, from: String) -> Vec<TcpStream> {
    let mut held = Vec::new();
    let room = ClientMessage::CreateRoom(NewRoom {
        name: "spam".into(),
        private: false,
        seats: 1,
        kicks: false,
        ..NewRoom::default()
    });
    for _ in 0..5 {
        held.extend(ask(server, &from, &room).await.map(|(stream, _)| stream));
    }
    for _ in 0..4 {
        let ping = ClientMessage::Ping { nonce: 1 };
        held.extend(ask(server, &from, &ping).await.map(|(stream, _)| stream));
    }
    for _ in 0..4 {
        held.extend(open(server, &from).await);
    }
    held
}

#[tokio::test]
async fn a_hundred_and_twenty_addresses_at_their_limits_keep_nobody_out() {
    let server = serve(|config| {
        // Loopback addresses are limited like any others then.
        config.trusted_proxies = vec!["127.0.0.9".parse().unwrap()];
        // More than there are rooms: nobody with a seat goes for others, so some must be left when
        // all rooms are taken.
        config.max_connections = 560;
        config.max_connections_per_address = 13;
        config.max_ungreeted = 32;
        config.max_rooms = 500;
        config.max_rooms_per_address = 5;
        config.hello_timeout = PATIENCE * 10;
        config.stall_timeout = PATIENCE * 10;
        // Who acknowledges nothing is closed; the seat stays taken, and the room.
        config.resume_grace = PATIENCE * 20;
        config.idle_after = std::time::Duration::from_secs(2);
    });
    let mut held = Vec::new();
    for n in 0..ATTACKERS {
        held.extend(attack(&server, format!("127.1.{n}.1")).await);
    }
    let figure = async |name: &str| server.figure(name).await;
    let sent_away = |limit: &str| format!("tickwire_sockets_sent_away_total{{limit=\"{limit}\"}}");
    let sockets = figure("tickwire_connections_open").await;
    let rooms = figure("tickwire_rooms").await;
    let pre_hello = figure("tickwire_sockets_ungreeted").await;
    assert!(sockets >= 550.0, "{sockets} sockets");
    assert!((375.0..500.0).contains(&rooms), "{rooms} rooms");
    for limit in ["connections", "ungreeted"] {
        assert!(figure(&sent_away(limit)).await > 0.0, "{limit}");
    }
    let mut players = Vec::new();
    for n in 0..NEWCOMERS {
        // They go on meanwhile.
        for again in 0..6 {
            let from = format!("127.1.{}.1", 6 * n + again);
            held.extend(open(&server, &from).await);
        }
        let from = format!("127.2.{n}.1");
        let joined = ask(&server, &from, &ClientMessage::quick_join()).await;
        let Some((stream, ServerMessage::Joined { .. })) = joined else {
            panic!("newcomer {n}: {:?}", joined.map(|(_, answer)| answer));
        };
        players.push(stream);
    }
    println!(
        "{} of {NEWCOMERS} newcomers play, against {ATTACKERS} addresses that opened {} WebSockets; {sockets} sockets, {pre_hello} of them without a \
         hello, {rooms} rooms; sent away: {} for the limit of sockets, {} for the limit of those without a hello",
        players.len(),
        held.len(),
        figure(&sent_away("connections")).await,
        figure(&sent_away("ungreeted")).await,
    );
}
