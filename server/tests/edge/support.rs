//! A server of a game in which nothing happens, and a client that sees bytes.

use std::net::SocketAddr;
use std::time::Duration;

use bevy_ecs::prelude::*;
use tickwire_server::Site;
use tickwire_server::config::Config;
use tickwire_server::game::{Game, Player, RoomOptions, Schema, flag};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) use tickwire_harness::frames::{GOOD, framed, hello_as, say};
pub(crate) use tickwire_harness::{File, PATIENCE, Server};

/// A game in which nothing happens.
pub(crate) struct Still;

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
pub(crate) struct Press(bool);

/// A server with one worker; the rest is as `change` leaves it.
pub(crate) fn serve(change: impl FnOnce(&mut Config)) -> Server {
    Server::start::<Still>(config(change), site())
}

pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        workers: 1,
        ..Config::default()
    };
    change(&mut config);
    config
}

pub(crate) fn site() -> Site {
    Site::new()
        .with_file("/index.html", "<!doctype html><title>still</title>")
        .with_file("/style.css", "body { margin: 0 }")
        .with_file("/main.js", "import '/client/tickwire.js';")
        .with_file("/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
        .with_file("/big.js", "/".repeat(4 << 20))
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

/// The frame in which `name` says hello.
pub(crate) fn hello(name: &str) -> Vec<u8> {
    say(&hello_as(name, ""))
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
