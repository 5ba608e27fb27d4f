//! Bots that are sent elsewhere by a door: a server that welcomes whoever comes and, when they ask
//! for a room, says where it is. Behind it stands a real server. They end where `PROTOCOL.md` §2
//! says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use indicatif::ProgressBar;
use tickwire::codec::{decode_client, encode_server};
use tickwire::ids::RoomId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{ClientMessage, CloseCode, SUBPROTOCOL, ServerMessage};
use tickwire::session::{Event, Session};
use tickwire_arena::Arena;
use tickwire_bots::flags::Flags;
use tickwire_bots::report::Report;
use tickwire_bots::swarm;
use tickwire_harness::Server;
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::game::GameDef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Longest that a run of this file may take.
const BOUND: Duration = Duration::from_secs(60);
const PROTOCOL_HEADER: &str = "sec-websocket-protocol";

/// Where a door sends its visitors, the first one first; the last place is the others' too.
struct Door {
    addr: SocketAddr,
    /// Visitors who said goodbye.
    left: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Door {
    async fn open(listener: TcpListener, places: Vec<String>, ticket: &str, room: RoomId) -> Door {
        let addr = listener.local_addr().expect("a bound port");
        let (ticket, came) = (ticket.to_owned(), AtomicUsize::new(0));
        let left = Arc::new(AtomicUsize::new(0));
        let goodbyes = left.clone();
        let game = GameDef::<Arena>::new(30).expect("the arena can be played");
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let nth = came.fetch_add(1, Ordering::Relaxed).min(places.len() - 1);
                let redirect = encode_server(&ServerMessage::Redirect {
                    url: places[nth].clone(),
                    ticket: ticket.clone(),
                    room,
                    valid_ms: 1500,
                });
                let welcome = game.welcome("visitor");
                tokio::spawn(greet(stream, welcome, redirect, goodbyes.clone()));
            }
        });
        Door { addr, left, task }
    }
}

/// One visitor; whether they say goodbye is counted.
async fn greet(stream: TcpStream, welcome: Vec<u8>, redirect: Vec<u8>, goodbyes: Arc<AtomicUsize>) {
    #[allow(clippy::result_large_err)]
    let speak = |_: &Request, mut response: Response| {
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert(PROTOCOL_HEADER, protocol);
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, speak).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        let answer = match &message {
            Message::Close(Some(frame)) => {
                let is_goodbye = u16::from(frame.code) == CloseCode::Normal.number();
                goodbyes.fetch_add(usize::from(is_goodbye), Ordering::Relaxed);
                return;
            }
            Message::Binary(bytes) => match decode_client(bytes) {
                Ok(Some(ClientMessage::Hello { .. })) => &welcome,
                Ok(Some(ClientMessage::CreateRoom(_) | ClientMessage::JoinRoom { .. })) => {
                    &redirect
                }
                _ => continue,
            },
            _ => continue,
        };
        if socket.send(Message::binary(answer.clone())).await.is_err() {
            return;
        }
    }
}

/// A real server, with a room that somebody is in.
struct Target {
    server: Server,
    room: RoomId,
    _landlord: WebSocketStream<TcpStream>,
}

impl Target {
    async fn start() -> Target {
        let config = Config {
            seed: Some(11),
            ..Config::default()
        };
        let server = Server::start::<Arena>(config, Site::new());
        let stream = TcpStream::connect(server.public).await.expect("a server");
        let mut request = format!("ws://{}/ws", server.public)
            .into_client_request()
            .expect("a good URL");
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        request.headers_mut().insert(PROTOCOL_HEADER, protocol);
        let opened = tokio_tungstenite::client_async(request, stream).await;
        let (mut socket, _) = opened.expect("a WebSocket");
        let mut session = Session::new("landlord", "");
        let room = loop {
            while let Some(bytes) = session.poll_transmit() {
                socket
                    .send(Message::binary(bytes))
                    .await
                    .expect("it is open");
            }
            if let Some(room) = session.room() {
                break room.info.id;
            }
            if let Some(Ok(Message::Binary(bytes))) = socket.next().await {
                session.handle_message(&bytes, 0).expect("a good message");
            }
            while let Some(event) = session.poll_event() {
                if matches!(event, Event::Welcome) {
                    session.create(&NewRoom::default()).expect("in the lobby");
                }
            }
        };
        Target {
            server,
            room,
            _landlord: socket,
        }
    }

    fn url(&self) -> String {
        format!("ws://{}/ws", self.server.public)
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/ws", listener.local_addr().expect("a bound port"));
    (listener, url)
}

/// A URL at which nobody answers.
async fn dead() -> String {
    listener().await.1
}

async fn swarm_at(door: &Door) -> Report {
    let line = format!(
        "bots --url ws://{}/ws --bots 3 --duration 1s --ramp 100ms --max-gap-p99-ms 60000",
        door.addr
    );
    let flags = Flags::try_parse_from(line.split_whitespace()).expect("good flags");
    let bar = ProgressBar::hidden();
    let report = tokio::time::timeout(BOUND, swarm::run(flags, &bar)).await;
    door.task.abort();
    report
        .expect("a run is bounded")
        .expect("the door is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_hop_and_two_lead_into_the_room() {
    let target = Target::start().await;
    for hops in 1..=2 {
        let mut places = vec![target.url()];
        let mut doors = Vec::new();
        for _ in 0..hops {
            let (listener, url) = listener().await;
            doors.push(Door::open(listener, places.clone(), "", target.room).await);
            places = vec![url];
        }
        let report = swarm_at(doors.last().expect("a door")).await;
        assert!(report.passed(), "{hops}: {report}");
        assert_eq!((report.bots_connected, report.desyncs), (3, 0), "{report}");
        for door in &doors {
            assert_eq!(door.left.load(Ordering::Relaxed), 3, "all said goodbye");
        }
    }
    target.server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_that_leads_to_itself_is_left_after_three_hops() {
    let (listener, url) = listener().await;
    let door = Door::open(listener, vec![url], "", RoomId(1)).await;
    let report = swarm_at(&door).await;
    assert!(!report.passed());
    assert_eq!(report.bots_connected, 0);
    let text = report.to_string();
    assert!(text.contains("redirected time and again"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_is_not_taken_ends_it_with_the_targets_code() {
    let target = Target::start().await;
    let (listener, _) = listener().await;
    let door = Door::open(listener, vec![target.url()], "forged", target.room).await;
    let report = swarm_at(&door).await;
    assert_eq!(report.bots_connected, 0);
    let text = report.to_string();
    assert!(text.contains("4007"), "{text}");
    target.server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_dead_target_one_comes_home_and_is_sent_on() {
    let target = Target::start().await;
    let (listener, _) = listener().await;
    // The others come when the first one has a room.
    let places = vec![dead().await, target.url()];
    let door = Door::open(listener, places, "", target.room).await;
    let report = swarm_at(&door).await;
    assert_eq!((report.bots_connected, report.desyncs), (3, 0), "{report}");
    target.server.close().await;
}
