//! A part of the server ends that must not: what players are told, and with what `run` ends. Real
//! sockets, one process; the binary's status is `serve`'s.

mod beside_the_store;

use std::future::pending;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire::codec::{decode_server, encode_client};
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{ClientMessage, CloseCode, Kind, SUBPROTOCOL, ServerMessage, VERSION};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;
use crate::game::still::Still;
use crate::game::{Axes, Player, RoomOptions, Schema};
use crate::lobby::BREAKS;
use crate::vitals::PartEnded;

/// Longest that anything here may take; only a fault makes it matter.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    runtime: Runtime,
    lobby: Lobby,
    public: SocketAddr,
    ops: SocketAddr,
    run: JoinHandle<io::Result<()>>,
}

fn server(config: Config) -> Server {
    serving::<Still>(config)
}

fn serving<G: Game>(config: Config) -> Server {
    let runtime = Runtime::new().unwrap();
    let _context = runtime.enter();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config {
        listen: free,
        ops_listen: free,
        workers: 2,
        ..config
    };
    let listeners = Listeners::bind(&config).unwrap();
    let public = listeners.public.local_addr().unwrap();
    let ops = listeners.ops.local_addr().unwrap();
    let (tell, told) = channel();
    let games = Games::new().game::<G>(Site::new());
    let run = start(listeners, config, games, pending(), move |lobby| {
        tell.send(lobby.clone()).unwrap();
    });
    let run = runtime.spawn(run);
    let lobby = told.recv_timeout(PATIENCE).unwrap();
    Server {
        runtime,
        lobby,
        public,
        ops,
        run,
    }
}

impl Server {
    fn break_part(&self, name: &str) {
        self.lobby.vitals().break_part(name);
    }

    /// Why it ended.
    fn end(self) -> io::Error {
        let ended = async { tokio::time::timeout(PATIENCE, self.run).await };
        let ended = self.runtime.block_on(ended).expect("it ends").unwrap();
        assert!(!self.lobby.lives() && !self.lobby.ready());
        ended.unwrap_err()
    }
}

struct Client(WebSocket<TcpStream>);

impl Client {
    fn new(to: SocketAddr, name: &str) -> Client {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: {to}\r\nOrigin: http://{to}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{answer:?}");
        let mut client = Client(WebSocket::from_raw_socket(stream, Role::Client, None));
        client.say(&ClientMessage::Hello {
            version: VERSION,
            features: 0,
            game: String::new(),
            schema: String::new(),
            tables: String::new(),
            name: name.into(),
            token: String::new(),
        });
        client.until(|message| matches!(message, ServerMessage::Welcome { .. }));
        client
    }

    fn say(&mut self, message: &ClientMessage) {
        let message = Message::binary(encode_client(message));
        self.0.send(message).unwrap();
    }

    /// The next control message for which this holds.
    fn until(&mut self, is: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        loop {
            let message = self.0.read().unwrap();
            if let Message::Binary(bytes) = message
                && bytes.first() == Some(&(Kind::Control as u8))
            {
                let message = decode_server(&bytes).unwrap().unwrap();
                if is(&message) {
                    return message;
                }
            }
        }
    }

    /// In a new room; its worker.
    fn host(&mut self, lobby: &Lobby) -> usize {
        self.say(&ClientMessage::CreateRoom(NewRoom {
            name: "a room".into(),
            seats: 9,
            kicks: false,
            private: false,
            ..NewRoom::default()
        }));
        let joined = self.until(|message| matches!(message, ServerMessage::Joined { .. }));
        let ServerMessage::Joined { room, .. } = joined else {
            unreachable!("as asked for")
        };
        lobby.worker_of(room.id).expect("it has one")
    }

    /// Told when to come back, then closed with this, and the socket ends in order.
    fn told(mut self, code: CloseCode) {
        self.until(|message| matches!(message, ServerMessage::Stopping { .. }));
        let closed = loop {
            match self.0.read().unwrap() {
                Message::Close(Some(frame)) => break frame,
                Message::Binary(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(u16::from(closed.code), code.number());
        match self.0.read() {
            Err(Error::ConnectionClosed) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn part_of(error: &io::Error) -> &PartEnded {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.unwrap_or_else(|| panic!("{error}"))
}

/// Those that it has hear that the server failed, all others that it restarts.
#[test]
fn a_worker_that_panics_ends_the_server_and_everyone_is_told() {
    let server = server(Config::default());
    let mut hosts: Vec<_> = (0..4).map(|_| Client::new(server.public, "host")).collect();
    let workers: Vec<_> = hosts
        .iter_mut()
        .map(|host| host.host(&server.lobby))
        .collect();
    assert!(workers.contains(&0) && workers.contains(&1), "{workers:?}");
    let idle = Client::new(server.public, "idle");
    server.lobby.break_worker(0);
    for (host, worker) in hosts.into_iter().zip(workers) {
        host.told(match worker {
            0 => CloseCode::ServerFailed,
            _ => CloseCode::Restart,
        });
    }
    idle.told(CloseCode::Restart);
    assert_eq!(part_of(&server.end()), &PartEnded::of("worker-0"));
}

#[test]
fn each_other_part_ends_the_server_in_order_too() {
    for part in [
        "the way back from the workers",
        "the operator's port",
        "the public port",
        "the programs' port",
    ] {
        let keys = std::env::temp_dir().join(format!("tickwire-{}-keys", std::process::id()));
        let sha = "0".repeat(64);
        let key = format!("[[key]]\nname = 'a'\nscopes = ['rooms:read']\nsha256 = '{sha}'\n");
        std::fs::write(&keys, key).unwrap();
        let server = server(Config {
            api_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            api_keys_file: Some(keys.clone()),
            ..Config::default()
        });
        let idle = Client::new(server.public, "idle");
        server.break_part(part);
        idle.told(CloseCode::Restart);
        assert_eq!(part_of(&server.end()), &PartEnded::of(part));
        std::fs::remove_file(keys).unwrap();
    }
}

#[test]
fn the_watch_over_the_certificate_is_such_a_part() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = std::env::temp_dir();
    let file = |name: &str, text: String| -> PathBuf {
        let path = folder.join(format!("tickwire-{}-{name}.pem", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    };
    let chain = file("watched-chain", made.cert.pem());
    let key = file("watched-key", made.signing_key.serialize_pem());
    let server = server(Config {
        tls_cert: Some(chain.clone()),
        tls_key: Some(key.clone()),
        ..Config::default()
    });
    let part = "the watch over the certificate";
    server.break_part(part);
    assert_eq!(part_of(&server.end()), &PartEnded::of(part));
    std::fs::remove_file(chain).unwrap();
    std::fs::remove_file(key).unwrap();
}

/// A fault in what one connection asks for is no other's.
#[test]
fn a_connections_task_that_panics_tells_its_own_client() {
    let server = server(Config::default());
    let mut breaks = Client::new(server.public, BREAKS);
    let mut other = Client::new(server.public, "other");
    breaks.say(&ClientMessage::list_rooms());
    breaks.told(CloseCode::ServerFailed);
    other.say(&ClientMessage::list_rooms());
    other.until(|message| matches!(message, ServerMessage::Rooms { .. }));
    assert!(server.lobby.lives());
}

/// A game whose declaration panics is told as one that can't be played.
#[test]
fn a_declaration_that_panics_ends_the_start() {
    struct Broken;
    impl Game for Broken {
        const NAME: &'static str = "broken";
        type Input = Axes;
        fn schema(_: &mut Schema<Broken>) {
            panic!("declared in haste");
        }
        fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
        fn join(world: &mut World, _: &Player) -> Entity {
            world.spawn_empty().id()
        }
    }
    let error = crate::games::declare::<Broken>(&Config::default())
        .err()
        .unwrap();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("broken"), "{error}");
}
