//! Limits by address, on real sockets from several addresses of this machine. A server that
//! trusts a proxy limits loopback addresses like any other; `addresses` and `forwarded` have the
//! rules.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use tickwire::protocol::{ClientMessage, CloseCode};

use crate::support::{
    GOOD, Server, connect_from, hello, read_head, read_message, read_to_end, say, serve, until,
};

/// The proxy that these servers trust.
const PROXY: &str = "127.0.0.9";

async fn connect(server: &Server, from: &str) -> TcpStream {
    connect_from(from, server.public).await
}

/// The status of a handshake over `stream` with one more header line.
async fn shake(stream: &mut TcpStream, line: &str) -> u16 {
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}{line}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read_head(stream).await.status
}

/// The same on a connection of its own, which is kept.
async fn open(server: &Server, from: &str, forwarded_for: &str) -> (TcpStream, u16) {
    let mut stream = connect(server, from).await;
    let line = match forwarded_for {
        "" => String::new(),
        list => format!("X-Forwarded-For: {list}\r\n"),
    };
    let status = shake(&mut stream, &line).await;
    (stream, status)
}

#[tokio::test]
async fn one_address_is_held_and_the_others_are_not() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 3;
    });
    let mut held = Vec::new();
    for _ in 0..3 {
        let (stream, status) = open(&server, "127.0.0.2", "").await;
        assert_eq!(status, 101);
        held.push(stream);
    }
    let mut beyond = connect(&server, "127.0.0.2").await;
    assert_eq!(read_to_end(&mut beyond).await, b"");
    assert_eq!(open(&server, "127.0.0.3", "").await.1, 101);
    let hits = "tickwire_address_limits_hit_total{limit=\"connections\"}";
    assert_eq!(server.figure(hits).await, 1.0);
    // A place comes back with its connection, which the server hears of in its own time.
    held.pop();
    until(async || {
        let mut stream = connect(&server, "127.0.0.2").await;
        let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
        stream.write_all(head.as_bytes()).await.is_ok() && stream.readable().await.is_ok() && {
            let mut first = [0; 12];
            stream.try_read(&mut first).is_ok_and(|size| size == 12)
        }
    })
    .await;
}

#[tokio::test]
async fn connecting_fast_is_held_too() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.connects_per_second = 1;
    });
    let flood = async {
        loop {
            let mut stream = connect(&server, "127.0.0.2").await;
            let hits = "tickwire_address_limits_hit_total{limit=\"connects\"}";
            if server.figure(hits).await > 0.0 {
                return read_to_end(&mut stream).await;
            }
        }
    };
    // The operator's port is asked from another address, and has limits of its own.
    let answer = tokio::time::timeout(crate::support::PATIENCE, flood).await;
    assert_eq!(answer.unwrap(), b"");
    assert_eq!(open(&server, "127.0.0.3", "").await.1, 101);
}

#[tokio::test]
async fn forwarded_addresses_count_if_a_trusted_proxy_says_so() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 2;
    });
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(open(&server, PROXY, "198.51.100.7").await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
    assert_eq!(open(&server, PROXY, "198.51.100.7").await.1, 429);
    assert_eq!(open(&server, PROXY, "1.2.3.4, 198.51.100.7").await.1, 429);
    assert_eq!(open(&server, PROXY, "198.51.100.8").await.1, 101);
    let refused = "tickwire_handshakes_refused_total{reason=\"address\"}";
    assert_eq!(server.figure(refused).await, 2.0);
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 2;
    });
    let mut held = Vec::new();
    for host in 0..2 {
        let claimed = format!("198.51.100.{host}");
        held.push(open(&server, "127.0.0.2", &claimed).await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
    let mut beyond = connect(&server, "127.0.0.2").await;
    assert_eq!(read_to_end(&mut beyond).await, b"");
    assert_eq!(open(&server, PROXY, "198.51.100.1").await.1, 101);
}

#[tokio::test]
async fn without_a_proxy_this_machine_is_free() {
    let server = serve(|config| config.max_connections_per_address = 1);
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(open(&server, "127.0.0.1", "198.51.100.7").await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
}

/// Whoever comes is let in, and who has said nothing for longest goes.
#[tokio::test]
async fn who_says_nothing_takes_one_of_few_places() {
    let server = serve(|config| {
        config.max_ungreeted = 2;
        config.hello_timeout = crate::support::PATIENCE * 2;
    });
    let (mut greeted, _) = open(&server, "127.0.0.1", "").await;
    greeted.write_all(&hello("ann")).await.unwrap();
    read_message(&mut greeted).await;
    let (mut first, _) = open(&server, "127.0.0.1", "").await;
    let (mut second, _) = open(&server, "127.0.0.1", "").await;
    let (mut third, status) = open(&server, "127.0.0.1", "").await;
    assert_eq!(status, 101);
    let end = read_to_end(&mut first).await;
    assert_eq!(end[..4], close(CloseCode::ServerFull), "{end:?}");
    let sent_away = "tickwire_sockets_sent_away_total{limit=\"ungreeted\"}";
    assert_eq!(server.figure(sent_away).await, 1.0);
    for (stream, name) in [(&mut second, "bo"), (&mut third, "cy")] {
        stream.write_all(&hello(name)).await.unwrap();
        read_message(stream).await;
    }
    assert_eq!(server.figure("tickwire_sockets_ungreeted").await, 0.0);
}

/// A close frame's head and code.
fn close(code: CloseCode) -> [u8; 4] {
    let [high, low] = code.number().to_be_bytes();
    [0x88, 2 + code.reason().len() as u8, high, low]
}

/// All seats are players': whoever comes is answered, and told that there is none, however many do.
#[tokio::test]
async fn the_limit_of_players_is_not_exceeded_and_a_browser_that_comes_is_answered() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections = 2;
        config.header_timeout = crate::support::PATIENCE * 2;
    });
    let mut players = Vec::new();
    for from in ["127.0.1.1", "127.0.2.1"] {
        let (mut player, _) = open(&server, from, "").await;
        player.write_all(&hello("ann")).await.unwrap();
        let join = say(&ClientMessage::quick_join());
        player.write_all(&join).await.unwrap();
        players.push(player);
        let seated = players.len() as f64;
        until(async || server.figure("tickwire_players").await == seated).await;
    }
    let mut browser = Vec::new();
    for _ in 0..6 {
        browser.push(connect(&server, "127.0.3.1").await);
    }
    for socket in &mut browser {
        let request = b"GET /style.css HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        socket.write_all(request).await.unwrap();
        let answer = read_to_end(socket).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{answer:?}");
    }
    for from in ["127.0.3.1", "127.0.3.1", "127.0.4.1", "127.0.5.1"] {
        // Each while the one before may still be there.
        let (mut newcomer, status) = open(&server, from, "").await;
        assert_eq!(status, 101);
        let end = read_to_end(&mut newcomer).await;
        assert_eq!(end[..4], close(CloseCode::ServerFull), "{from}: {end:?}");
    }
    assert_eq!(server.figure("tickwire_sockets_open").await, 2.0);
    assert_eq!(server.figure("tickwire_players").await, 2.0);
}

/// At the limit of sockets those go that hold one and no seat, the oldest of the address with most
/// of them, whatever they are at: no request, a handshake, an idle lobby. Nobody with a seat does.
#[tokio::test]
async fn at_the_limit_who_has_no_seat_makes_room() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections = 4;
        config.header_timeout = crate::support::PATIENCE * 2;
    });
    let (mut player, _) = open(&server, "127.0.1.1", "").await;
    player.write_all(&hello("ann")).await.unwrap();
    player
        .write_all(&say(&ClientMessage::quick_join()))
        .await
        .unwrap();
    until(async || server.figure("tickwire_players").await == 1.0).await;
    let mut silent = connect(&server, "127.0.2.1").await;
    let (mut idle, _) = open(&server, "127.0.2.1", "").await;
    idle.write_all(&hello("idle")).await.unwrap();
    read_message(&mut idle).await;
    let (mut honest, _) = open(&server, "127.0.3.1", "").await;
    honest.write_all(&hello("bo")).await.unwrap();
    read_message(&mut honest).await;
    let (_newcomer, status) = open(&server, "127.0.4.1", "").await;
    assert_eq!(status, 101);
    assert_eq!(read_to_end(&mut silent).await, b"");
    let (_another, status) = open(&server, "127.0.4.2", "").await;
    assert_eq!(status, 101);
    // Two of one network by now: the older of them.
    let (_third, status) = open(&server, "127.0.5.1", "").await;
    assert_eq!(status, 101);
    let sent_away = "tickwire_sockets_sent_away_total{limit=\"connections\"}";
    assert_eq!(server.figure(sent_away).await, 3.0);
    let end = read_to_end(&mut idle).await;
    assert_eq!(end[..4], close(CloseCode::ServerFull), "{end:?}");
    assert_eq!(server.figure("tickwire_players").await, 1.0);
    until(async || server.figure("tickwire_connections_open").await == 4.0).await;
}
