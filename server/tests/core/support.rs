//! A lobby with a small game behind a listener, and blocking clients that see every message.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use bevy_ecs::prelude::*;
use socket2::SockRef;
use tickwire::codec::{decode_server, encode_client};
use tickwire::ids::{PlayerId, RoomId, Tick};
use tickwire::protocol::frame::{InputHead, SnapshotHead, encode_ack};
use tickwire::protocol::server_message::{LeaveReason, Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage, VERSION};
use tickwire::snapshot::fields::pack;
use tickwire_server::config::Config;
use tickwire_server::game::{Game, GameDef, Input, Player, RoomOptions, Schema, all, int};
use tickwire_server::lobby::Lobby;
use tickwire_server::metrics::Metrics;
use tickwire_server::net::Conn;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error};

/// Longest that anything here may take; only a fault makes it matter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A game that does what its players' inputs say, the harmful included.
pub(crate) struct Probe;

/// What a player may ask of [`Probe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Nothing.
    Rest = 0,
    /// A system panics.
    Panic = 1,
    /// A component panics when the world is dropped; a system panics too.
    PanicTwice = 2,
    /// The world takes long for one tick.
    Dawdle = 3,
    /// The world stands still until [`GATE`] is open. Only one test may close it.
    Wait = 4,
}

/// What [`Deed::Wait`] waits for.
pub(crate) static GATE: Gate = Gate(Mutex::new(true), Condvar::new());

pub(crate) struct Gate(Mutex<bool>, Condvar);

impl Gate {
    pub(crate) fn set(&self, open: bool) {
        *self.0.lock().unwrap() = open;
        self.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.lock().unwrap();
        drop(self.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// What [`Deed::Dawdle`] takes.
pub(crate) const DAWDLE: Duration = Duration::from_millis(200);

#[derive(Default, Clone)]
pub(crate) struct Order {
    deed: i32,
}

/// Changes every tick in a way that no predictor guesses.
#[derive(Component)]
struct Noise {
    value: u32,
}

#[derive(Component)]
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("a world that does not go quietly");
    }
}

impl Game for Probe {
    const NAME: &'static str = "probe";
    type Input = Order;

    fn schema(s: &mut Schema<Self>) {
        s.component::<Noise>("noise", |k| k.field("value", |n| &mut n.value, all()));
        s.input(|k| k.field("deed", |o| &mut o.deed, int(0, 4)));
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        assert_ne!(room.name, "a room that can't be made", "asked to fail");
        for value in 0..u32::from(room.npcs) {
            world.spawn(Noise { value });
        }
        systems.add_systems((make_noise, obey));
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        assert_ne!(who.name, "nobody may join", "asked to fail");
        world.spawn(Noise { value: 0 }).id()
    }
}

fn make_noise(mut all: Query<&mut Noise>) {
    for mut noise in &mut all {
        noise.value = noise
            .value
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
    }
}

fn obey(mut commands: Commands, orders: Query<&Input<Order>>) {
    for order in &orders {
        match order.now.deed {
            1 => panic!("as ordered"),
            2 => {
                commands.queue(|world: &mut World| {
                    world.spawn(Mine);
                    panic!("as ordered, with more to come");
                });
            }
            3 => std::thread::sleep(DAWDLE),
            4 => GATE.pass(),
            _ => {}
        }
    }
}

/// A running lobby.
pub(crate) struct Server {
    pub(crate) lobby: Lobby<Probe>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Runtime,
    address: SocketAddr,
}

/// One worker, few drones, and otherwise the defaults.
pub(crate) fn config() -> Config {
    Config {
        workers: 1,
        npcs: 2,
        ..Config::default()
    }
}

impl Server {
    pub(crate) fn start(config: Config) -> Server {
        config.check().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let _context = runtime.enter();
        let game = Arc::new(GameDef::<Probe>::new(config.tick_rate).unwrap());
        let metrics = Arc::new(Metrics::new().unwrap());
        let lobby = Lobby::start(game, &config, metrics.clone()).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        // So that a client that does not read soon shows; accepted sockets inherit it.
        SockRef::from(&listener).set_send_buffer_size(8192).unwrap();
        let address = listener.local_addr().unwrap();
        let adopting = lobby.clone();
        let handle = runtime.handle().clone();
        std::thread::spawn(move || {
            let _context = handle.enter();
            while let Ok((stream, peer)) = listener.accept() {
                // An empty line ends the handshake that is left out here, so that what follows
                // it in the same packet is read ahead as it is there.
                let mut ahead = vec![0; 2048];
                let size = (&stream).read(&mut ahead).unwrap();
                ahead.truncate(size);
                assert_eq!(ahead.remove(0), b'\n');
                adopting.adopt(Conn::new(stream, ahead, peer, Instant::now()).unwrap());
            }
        });
        Server {
            lobby,
            metrics,
            runtime,
            address,
        }
    }

    /// A socket, not a word said.
    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap(), b"")
    }

    /// A socket whose first bytes come together with the handshake's last ones.
    pub(crate) fn connect_with(&self, first: &[u8]) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap(), first)
    }

    /// A socket for which the kernel keeps next to nothing.
    pub(crate) fn connect_narrow(&self) -> Client {
        let domain = socket2::Domain::IPV4;
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&self.address.into()).unwrap();
        Client::new(socket.into(), b"")
    }

    /// A client in the lobby.
    pub(crate) fn guest(&self, name: &str) -> Client {
        let mut client = self.connect();
        client.hello(name);
        client
    }

    /// A client that made a room for `seats`, 0 for the server's limit.
    pub(crate) fn host(&self, name: &str, seats: u16) -> (Client, Joined) {
        let mut client = self.guest(name);
        client.say(&ClientMessage::CreateRoom {
            name: "den".into(),
            private: false,
            seats,
        });
        let joined = client.joined();
        (client, joined)
    }

    /// The value of a figure's line, its labels included.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let text = self.metrics.render();
        let value = text.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            rest.strip_prefix(' ')?.parse().ok()
        });
        value.unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    pub(crate) fn closed(&self, code: CloseCode) -> f64 {
        let code = code.number();
        self.figure(&format!("tickwire_sockets_closed_total{{code=\"{code}\"}}"))
    }
}

/// Looks until it is so.
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What `Joined` says.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) room: RoomInfo,
    pub(crate) code: String,
    pub(crate) you: PlayerId,
    pub(crate) members: Vec<String>,
}

/// What a server sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Got {
    Control(ServerMessage),
    Snapshot(SnapshotHead),
    Closed(u16, String),
    /// The socket ended without a close frame.
    Cut,
}

/// A client's socket.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
    /// The newest snapshot.
    pub(crate) newest: Tick,
}

impl Client {
    fn new(stream: TcpStream, first: &[u8]) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        (&stream).write_all(&[b"\n", first].concat()).unwrap();
        let config = WebSocketConfig::default().read_buffer_size(4096);
        Client {
            socket: WebSocket::from_raw_socket(stream, Role::Client, Some(config)),
            newest: Tick(0),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        // The server may have closed already; what it said about it is still to be read.
        let _ = self.socket.get_mut().write_all(bytes);
    }

    pub(crate) fn send(&mut self, message: &[u8]) {
        self.send_raw(&framed(message));
    }

    pub(crate) fn say(&mut self, message: &ClientMessage) {
        self.send(&encode_client(message));
    }

    pub(crate) fn hello(&mut self, name: &str) {
        self.say(&hello(name));
        let got = self.control();
        assert!(matches!(got, ServerMessage::Welcome { .. }), "{got:?}");
    }

    pub(crate) fn chat(&mut self, text: &str) {
        self.say(&ClientMessage::Chat { text: text.into() });
    }

    /// An input that acknowledges the newest snapshot.
    pub(crate) fn order(&mut self, deed: Deed) {
        let game = GameDef::<Probe>::new(30).unwrap();
        let mut bytes = Vec::new();
        InputHead {
            // Not so near that it could come late.
            tick: Tick(self.newest.0 + 10),
            ack: self.newest,
            view_lag: 0,
        }
        .encode(&mut bytes);
        pack(&game.schema.input, &[deed as i32], &mut bytes);
        self.send(&bytes);
    }

    pub(crate) fn ack(&mut self) {
        let mut bytes = Vec::new();
        encode_ack(self.newest, &mut bytes);
        self.send(&bytes);
    }

    /// The next message of any kind.
    pub(crate) fn next(&mut self) -> Got {
        loop {
            return match self.socket.read() {
                Ok(Message::Binary(bytes)) => self.read(&bytes),
                Ok(Message::Close(Some(frame))) => {
                    Got::Closed(frame.code.into(), frame.reason.to_string())
                }
                Ok(Message::Pong(_)) => continue,
                Ok(other) => panic!("the server sent {other:?}"),
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("the server says nothing")
                }
                Err(_) => Got::Cut,
            };
        }
    }

    fn read(&mut self, bytes: &Bytes) -> Got {
        if bytes[0] == 1 {
            return Got::Control(decode_server(bytes).unwrap());
        }
        let (head, sections) = SnapshotHead::decode(bytes).unwrap();
        sections.for_each(|section| assert!(section.is_ok(), "{section:?}"));
        assert!(head.tick > self.newest, "snapshots come in order");
        self.newest = head.tick;
        Got::Snapshot(head)
    }

    /// The next control message; snapshots before it are acknowledged.
    pub(crate) fn control(&mut self) -> ServerMessage {
        loop {
            match self.next() {
                Got::Control(message) => return message,
                Got::Snapshot(_) => self.ack(),
                end => panic!("{end:?}"),
            }
        }
    }

    /// The next snapshot; control messages before it are passed over.
    pub(crate) fn snapshot(&mut self) -> SnapshotHead {
        loop {
            match self.next() {
                Got::Snapshot(head) => return head,
                Got::Control(_) => {}
                end => panic!("{end:?}"),
            }
        }
    }

    /// Waits for a control message for which `wanted` has something.
    pub(crate) fn wait<T>(&mut self, wanted: impl Fn(ServerMessage) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.control()) {
                return found;
            }
        }
    }

    pub(crate) fn joined(&mut self) -> Joined {
        self.newest = Tick(0);
        match self.control() {
            ServerMessage::Joined {
                room,
                code,
                you,
                tick,
                members,
                ..
            } => {
                self.newest = tick;
                Joined {
                    room,
                    code,
                    you,
                    members: members.into_iter().map(|member| member.name).collect(),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn join(&mut self, room: RoomId) -> Joined {
        self.say(&ClientMessage::JoinRoom { room });
        self.joined()
    }

    pub(crate) fn left(&mut self) -> LeaveReason {
        self.wait(|message| match message {
            ServerMessage::Left { reason } => Some(reason),
            _ => None,
        })
    }

    pub(crate) fn refused(&mut self) -> Refusal {
        self.wait(|message| match message {
            ServerMessage::Refused { reason } => Some(reason),
            _ => None,
        })
    }

    /// Whether the server still answers.
    pub(crate) fn ping(&mut self, nonce: u32) {
        self.say(&ClientMessage::Ping { nonce });
        self.wait(|message| match message {
            ServerMessage::Pong { nonce: same, .. } if same == nonce => Some(()),
            _ => None,
        });
    }

    /// Reads to the end, which must be a close with this code and a socket that ends in order.
    pub(crate) fn closed(&mut self, code: CloseCode) {
        loop {
            match self.next() {
                Got::Closed(number, reason) => {
                    assert_eq!((number, reason.as_str()), (code.number(), code.reason()));
                    return;
                }
                Got::Cut => panic!("cut off instead of {code}"),
                _ => {}
            }
        }
    }

    /// Goes without a word.
    pub(crate) fn vanish(self) {
        drop(self);
    }

    /// Says goodbye and waits for the answer.
    pub(crate) fn goodbye(mut self) {
        self.socket.close(None).unwrap();
        while !matches!(self.socket.read(), Err(Error::ConnectionClosed)) {}
    }
}

pub(crate) fn hello(name: &str) -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        name: name.into(),
        token: String::new(),
    }
}

/// A whole binary message from a client.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    frame(0x82, message)
}

/// A masked frame with this first byte. The mask is zero, which changes nothing.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        0..126 => bytes.push(0x80 | payload.len() as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
