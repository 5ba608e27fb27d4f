//! A lobby with a small game behind a listener, and ways to get a client of it.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{ClientMessage, CloseCode};
use tickwire_server::config::Config;
use tickwire_server::game::{Game, GameDef};
use tickwire_server::lobby::Lobby;
use tickwire_server::metrics::Metrics;
use tickwire_server::transport::websocket::WebSocket;
use tickwire_server::worker::Client as Adopted;
use tokio::runtime::Runtime;

pub(crate) use crate::client::{Client, Got, Joined};
pub(crate) use crate::probe::{CLOSED, DAWDLE, Deed, GATE};
pub(crate) use tickwire_harness::PATIENCE;
pub(crate) use tickwire_harness::frames::{frame, framed, hello_as};

use crate::probe::Probe;

/// A running lobby.
pub(crate) struct Server {
    pub(crate) lobby: Lobby,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) runtime: Runtime,
    address: SocketAddr,
}

/// One worker, few drones, no seats held, and otherwise the defaults.
pub(crate) fn config() -> Config {
    Config {
        workers: 1,
        npcs: 2,
        resume_grace: Duration::ZERO,
        ..Config::default()
    }
}

impl Server {
    pub(crate) fn start(config: Config) -> Server {
        Server::of::<Probe>(config)
    }

    /// The same with another game.
    pub(crate) fn of<G: Game>(config: Config) -> Server {
        config.check().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let _context = runtime.enter();
        let game = Arc::new(GameDef::<G>::new(config.tick_rate).unwrap());
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
                stream.set_nonblocking(true).unwrap();
                let stream = tokio::net::TcpStream::from_std(stream).unwrap();
                let now = Instant::now();
                let way = WebSocket::tcp(stream, ahead, peer, now).unwrap();
                adopting.adopt(Adopted::new(Box::new(way), now));
            }
        });
        Server {
            lobby,
            metrics,
            runtime,
            address,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
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

    /// A client in the lobby who was here before.
    pub(crate) fn again(&self, who: &str) -> Client {
        let mut client = self.connect();
        client.hello_as("again", who);
        client
    }

    /// A client that made a room for `seats`, 0 for the server's limit.
    pub(crate) fn host(&self, name: &str, seats: u16) -> (Client, Joined) {
        self.host_named(name, "den", seats)
    }

    /// The same of a room with this name.
    pub(crate) fn host_named(&self, name: &str, room: &str, seats: u16) -> (Client, Joined) {
        self.make(name, room, seats, false)
    }

    /// The same of a room whose host may kick.
    pub(crate) fn host_who_kicks(&self, name: &str, seats: u16) -> (Client, Joined) {
        self.make(name, "den", seats, true)
    }

    fn make(&self, name: &str, room: &str, seats: u16, kicks: bool) -> (Client, Joined) {
        let mut client = self.guest(name);
        client.say(&ClientMessage::CreateRoom(NewRoom {
            name: room.into(),
            private: false,
            seats,
            kicks,
            ..NewRoom::default()
        }));
        let joined = client.joined();
        (client, joined)
    }

    /// The value of a figure's line, its labels included.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        tickwire_harness::figure(&self.metrics.render(), name)
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
