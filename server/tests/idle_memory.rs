//! What an idle connection costs in user-space memory, over 2,000 of them in the lobby. A file
//! of its own, because memory is a process's: nothing else may run beside it. The clients are in
//! the same process and count too, a few hundred bytes each.
//!
//! `cargo test --release -p tickwire-server --test idle_memory -- --nocapture` shows the figure.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use bevy_ecs::prelude::*;
use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, VERSION};
use tickwire_server::config::Config;
use tickwire_server::game::{Game, GameDef, Player, RoomOptions, Schema, flag};
use tickwire_server::lobby::Lobby;
use tickwire_server::metrics::Metrics;
use tickwire_server::transport::websocket::WebSocket;
use tickwire_server::worker::Client;

const CONNECTIONS: usize = 2000;
/// The goal for a connection; the design's own is a quarter of it.
const BYTES_MAX: usize = 16 * 1024;

struct Still;

#[derive(Component, Default)]
struct Here(bool);

#[derive(Default, Clone)]
struct Press(bool);

impl Game for Still {
    const NAME: &'static str = "still";
    type Input = Press;

    fn schema(s: &mut Schema<Self>) {
        s.component::<Here>("here", |k| k.field("yes", |h| &mut h.0, flag()));
        s.input(|k| k.field("on", |i| &mut i.0, flag()));
    }

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn(Here::default()).id()
    }
}

#[test]
fn an_idle_connection_is_small() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let game = Arc::new(GameDef::<Still>::new(30).unwrap());
    let metrics = Arc::new(Metrics::new().unwrap());
    let config = Config {
        workers: 1,
        ..Config::default()
    };
    let lobby = Lobby::start(game, &config, metrics).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // The first few pay for what is allocated once.
    let mut clients: Vec<TcpStream> = Vec::with_capacity(2 * CONNECTIONS);
    clients.extend((0..50).map(|_| idle(&lobby, &listener)));
    let before = resident_bytes();
    clients.extend((0..CONNECTIONS).map(|_| idle(&lobby, &listener)));
    let each = (resident_bytes() - before) / CONNECTIONS;
    println!("{each} bytes for an idle connection, its client included");
    assert!(each < BYTES_MAX, "{each} bytes");
}

/// A client that has read the whole welcome and says no more.
fn idle(lobby: &Lobby<Still>, listener: &TcpListener) -> TcpStream {
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, peer) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(stream).unwrap();
    let now = Instant::now();
    let way = WebSocket::tcp(stream, Vec::new(), peer, now).unwrap();
    lobby.adopt(Client::new(way.into(), now));
    let hello = encode_client(&ClientMessage::Hello {
        version: VERSION,
        name: "somebody".into(),
        token: String::new(),
    });
    let mut frame = vec![0x82, 0x80 | hello.len() as u8, 0, 0, 0, 0];
    frame.extend(hello);
    client.write_all(&frame).unwrap();
    let mut head = [0; 2];
    client.read_exact(&mut head).unwrap();
    let length = match head[1] {
        126 => {
            client.read_exact(&mut head).unwrap();
            usize::from(u16::from_be_bytes(head))
        }
        length => usize::from(length),
    };
    client.read_exact(&mut [0; 4096][..length]).unwrap();
    client
}

/// `VmRSS` of this process.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<usize>().unwrap() * 1024
}
