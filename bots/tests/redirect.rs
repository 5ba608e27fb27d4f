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
use tickwire::protocol::{ClientMessage, CloseCode, SUBPROTOCOL, ServerMessage, feature};
use tickwire::session::{Event, Session};
use tickwire_arena::Arena;
use tickwire_bots::flags::Flags;
use tickwire_bots::report::Report;
use tickwire_bots::swarm;
use tickwire_harness::Server;
use tickwire_harness::inside::{figure, metrics};
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

/// What a door says to who asks for a room, in this order.
#[derive(Clone)]
struct Sends {
    /// Where they will probably be sent.
    prepares: Vec<Vec<u8>>,
    /// So many connections have to be at that server, which says so there, before they are sent on.
    until: Option<(SocketAddr, f64)>,
    redirect: Vec<u8>,
}

impl Door {
    async fn open(listener: TcpListener, places: Vec<String>, ticket: &str, room: RoomId) -> Door {
        Door::open_after(listener, places, ticket, room, &[], None).await
    }

    /// The same, that says first that they will probably be sent to these URLs.
    async fn open_after(
        listener: TcpListener,
        places: Vec<String>,
        ticket: &str,
        room: RoomId,
        prepares: &[&str],
        until: Option<(SocketAddr, f64)>,
    ) -> Door {
        let prepare = |url: &&str| {
            encode_server(&ServerMessage::Prepare {
                url: (*url).to_owned(),
                valid_ms: 60_000,
            })
        };
        let prepares: Vec<Vec<u8>> = prepares.iter().map(prepare).collect();
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
                let sends = Sends {
                    prepares: prepares.clone(),
                    until,
                    redirect,
                };
                tokio::spawn(greet(stream, welcome, sends, goodbyes.clone()));
            }
        });
        Door { addr, left, task }
    }
}

/// One visitor; whether they say goodbye is counted.
async fn greet(stream: TcpStream, welcome: Vec<u8>, sends: Sends, goodbyes: Arc<AtomicUsize>) {
    #[allow(clippy::result_large_err)]
    let speak = |_: &Request, mut response: Response| {
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        response.headers_mut().insert(PROTOCOL_HEADER, protocol);
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, speak).await else {
        return;
    };
    let mut knows = false;
    while let Some(Ok(message)) = socket.next().await {
        let answers = match &message {
            Message::Close(Some(frame)) => {
                let is_goodbye = u16::from(frame.code) == CloseCode::Normal.number();
                goodbyes.fetch_add(usize::from(is_goodbye), Ordering::Relaxed);
                return;
            }
            Message::Binary(bytes) => match decode_client(bytes) {
                Ok(Some(ClientMessage::Hello { features, .. })) => {
                    knows = features & feature::PREPARE != 0;
                    vec![welcome.clone()]
                }
                Ok(Some(ClientMessage::CreateRoom(_) | ClientMessage::JoinRoom { .. })) => {
                    let redirect = [sends.redirect.clone()];
                    let prepares = sends.prepares.iter().filter(|_| knows);
                    prepares.cloned().chain(redirect).collect()
                }
                _ => continue,
            },
            _ => continue,
        };
        let last = answers.len() - 1;
        for (nth, answer) in answers.into_iter().enumerate() {
            if nth == last && nth > 0 {
                sends.wait().await;
            }
            if socket.send(Message::binary(answer)).await.is_err() {
                return;
            }
        }
    }
}

impl Sends {
    /// Until the connections are there that were to be opened before.
    async fn wait(&self) {
        let Some((ops, connections)) = self.until else {
            return;
        };
        while figure(&metrics(ops).await, "tickwire_sockets_ungreeted") < connections {
            tokio::task::yield_now().await;
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
    swarm_of(3, door, "").await
}

async fn swarm_of(bots: usize, door: &Door, rest: &str) -> Report {
    let line = format!(
        "bots --url ws://{}/ws --bots {bots} --duration 1s --ramp 100ms --max-gap-p99-ms 60000 {rest}",
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

/// The connection that was opened before is used: at the target no other is opened. A first one, to
/// elsewhere, gives way to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_followed_on_the_connection_that_was_opened_before() {
    let (target, elsewhere) = (Target::start().await, Target::start().await);
    let (listener, _) = listener().await;
    let (there, first) = (target.url(), elsewhere.url());
    let until = Some((target.server.ops, 1.0));
    let prepares = [&*first, &there, &there];
    let places = vec![there.clone()];
    let door = Door::open_after(listener, places, "", target.room, &prepares, until).await;
    let report = swarm_of(1, &door, "").await;
    assert!(report.passed(), "{report}");
    assert_eq!((report.prepared, report.prepared_used), (2, 1), "{report}");
    let opened = target.server.figure("tickwire_sockets_opened_total").await;
    assert_eq!(opened, 2.0, "the landlord's, and the bot's");
    let closed =
        async { while elsewhere.server.figure("tickwire_sockets_ungreeted").await > 0.0 {} };
    let closed = tokio::time::timeout(BOUND, closed).await;
    closed.expect("what gave way is closed");
    target.server.close().await;
    elsewhere.server.close().await;
}

/// What was prepared comes to nothing, leads elsewhere, or is for clients that know of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_followed_all_the_same_where_nothing_was_prepared_for_it() {
    let target = Target::start().await;
    let (dead, there) = (dead().await, target.url());
    for (prepare, rest, opened) in [(&dead, "", 1), (&there, "--unprepared", 0)] {
        let (listener, _) = listener().await;
        let places = vec![there.clone()];
        let door = Door::open_after(listener, places, "", target.room, &[prepare], None).await;
        let report = swarm_of(1, &door, rest).await;
        assert!(report.passed(), "{report}");
        assert_eq!(
            (report.prepared, report.prepared_used),
            (opened, 0),
            "{report}"
        );
    }
    target.server.close().await;
}
