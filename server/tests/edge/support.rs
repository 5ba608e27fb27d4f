//! A server in this process on ports of its own, and a client that sees bytes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, VERSION};
use tickwire_server::config::Config;
use tickwire_server::game::{Game, Player, RoomOptions, Schema, flag};
use tickwire_server::http::{Listeners, Site};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest that anything here may take; only a fault makes it matter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The header lines of a handshake that is accepted.
pub(crate) const GOOD: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
     Sec-WebSocket-Protocol: tickwire.1\r\n";

/// A game in which nothing happens.
struct Still;

/// Whether its entity is there.
#[derive(Component, Default)]
struct Here(bool);

impl Game for Still {
    const NAME: &'static str = "still";
    type Input = Press;

    fn schema(s: &mut Schema<Self>) {
        s.component::<Here>("here", |k| k.field("yes", |h| &mut h.0, flag()));
        s.input(|k| k.field("on", |i| &mut i.0, flag()));
    }

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn(Here(true)).id()
    }
}

#[derive(Clone, Default)]
struct Press(bool);

/// Done when the server is to stop.
type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// A running server.
pub(crate) struct Server {
    pub(crate) public: SocketAddr,
    pub(crate) ops: SocketAddr,
    stop: oneshot::Sender<()>,
    run: JoinHandle<std::io::Result<()>>,
    /// What its settings name.
    _files: Vec<File>,
}

impl Server {
    /// Starts one with free ports; the rest is as `change` leaves it.
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Server {
        Server::spawn(change, |listeners, config, site, stopped| {
            tokio::spawn(tickwire_server::run::<Still>(
                listeners, config, site, stopped,
            ))
        })
    }

    /// The same with the route that only the conformance test has.
    pub(crate) fn start_with_echo() -> Server {
        Server::spawn(
            |_| {},
            |listeners, config, site, stopped| {
                tokio::spawn(tickwire_server::run_with_echo::<Still>(
                    listeners, config, site, stopped,
                ))
            },
        )
    }

    fn spawn(
        change: impl FnOnce(&mut Config),
        run: impl FnOnce(Listeners, Config, Site, Stopped) -> JoinHandle<std::io::Result<()>>,
    ) -> Server {
        let mut config = Config {
            workers: 1,
            ..Config::default()
        };
        config.listen.set_port(0);
        config.ops_listen.set_port(0);
        change(&mut config);
        let listeners = Listeners::bind(&config).unwrap();
        let (public, ops) = (
            listeners.public.local_addr().unwrap(),
            listeners.ops.local_addr().unwrap(),
        );
        let site = Site::new()
            .with_file("/index.html", "<!doctype html><title>still</title>")
            .with_file("/style.css", "body { margin: 0 }")
            .with_file("/main.js", "import '/client/tickwire.js';")
            .with_file("/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
            .with_file("/big.js", "/".repeat(4 << 20));
        let (stop, stopped) = oneshot::channel();
        let stopped = Box::pin(async {
            let _ = stopped.await;
        });
        let run = run(listeners, config, site, stopped);
        Server {
            public,
            ops,
            stop,
            run,
            _files: Vec::new(),
        }
    }

    /// The same; the file is there for as long as the server.
    pub(crate) fn with_file(mut self, file: File) -> Server {
        self._files.push(file);
        self
    }

    /// Why it did not start.
    pub(crate) async fn failure(self) -> std::io::Error {
        let ended = tokio::time::timeout(PATIENCE, self.run).await;
        ended.expect("it ends").unwrap().unwrap_err()
    }

    /// Asks it to stop.
    pub(crate) fn stop(self) -> JoinHandle<std::io::Result<()>> {
        self.stop.send(()).unwrap();
        self.run
    }

    /// A figure of the operator's port, as `name{labels}`.
    pub(crate) async fn figure(&self, name: &str) -> f64 {
        let text = get(self.ops, "/metrics").await.body;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .parse()
            .unwrap()
    }
}

/// A response, split.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Response {
    fn parse(bytes: &[u8]) -> Response {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.get(9..12).and_then(|digits| digits.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no response: {text:?}"));
        Response {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// The value of a header, if it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        let value = values.next()?;
        assert_eq!(values.next(), None, "{name} twice");
        Some(value)
    }
}

/// Sends `bytes` on a new connection and reads to its end.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Response {
    Response::parse(&exchange_raw(to, bytes).await)
}

/// The same, undecoded; empty if the server only closed.
pub(crate) async fn exchange_raw(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_to_end(&mut stream).await
}

/// What comes until the peer closes or resets.
pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await;
    let _ = read.expect("the server closes");
    all
}

/// Reads one response's head, leaving the connection open.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Response {
    let mut head = Vec::new();
    let read = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("a response");
    Response::parse(&head)
}

/// A masked frame in which `name` says hello. The mask is zero, which leaves it readable.
pub(crate) fn hello(name: &str) -> Vec<u8> {
    say(&ClientMessage::Hello {
        version: VERSION,
        name: name.into(),
        token: String::new(),
    })
}

/// A message's frame.
pub(crate) fn say(message: &ClientMessage) -> Vec<u8> {
    framed(&encode_client(message))
}

/// The frame of a message's bytes.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    let mut frame = vec![0x82];
    match u8::try_from(length) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(message);
    frame
}

/// Reads one frame and returns what is in it.
pub(crate) async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let read = async {
        let length = match [
            stream.read_u8().await.unwrap(),
            stream.read_u8().await.unwrap(),
        ][1]
        {
            126 => stream.read_u16().await.unwrap().into(),
            127 => stream.read_u64().await.unwrap() as usize,
            short => short.into(),
        };
        let mut message = vec![0; length];
        stream.read_exact(&mut message).await.unwrap();
        message
    };
    tokio::time::timeout(PATIENCE, read).await.expect("a frame")
}

/// A GET on a connection of its own.
pub(crate) async fn get(to: SocketAddr, path: &str) -> Response {
    request(to, "GET", path, "").await
}

/// A request with further header lines, each ended by CRLF.
pub(crate) async fn request(to: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let text =
        format!("{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n{headers}\r\n");
    exchange(to, text.as_bytes()).await
}

/// A connection to `to` from an address of this machine.
pub(crate) async fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let from: SocketAddr = format!("{from}:0").parse().unwrap();
    socket.bind(from).unwrap();
    socket.connect(to).await.unwrap()
}

/// A file of this process that is gone with the test.
pub(crate) struct File(PathBuf);

impl File {
    /// With this text.
    pub(crate) fn new(name: &str, text: &str) -> File {
        let file = File::missing(name);
        std::fs::write(&file.0, text).unwrap();
        file
    }

    /// Only its name, as yet.
    pub(crate) fn missing(name: &str) -> File {
        let name = format!("tickwire-{}-{name}", std::process::id());
        File(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Repeats `probe` until it holds: for what the server does on its own time.
pub(crate) async fn until<F: Future<Output = bool>>(mut probe: impl FnMut() -> F) {
    let poll = async {
        while !probe().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, poll)
        .await
        .expect("it comes to hold");
}
