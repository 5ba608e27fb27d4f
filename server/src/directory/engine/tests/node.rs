//! A node as the tests need one: it sends a command and waits for its answer.

use std::path::Path;
use std::time::Instant;

use tickwire::ids::{RoomId, Tick};
use tickwire_harness::{PATIENCE, Redis};
use tokio::time::timeout;

use super::super::codec::NUMBER_MAX;
use super::super::messages::{Command, Epoch, Incarnation, NodeRecord, Reply, RoomRecord, Run};
use super::super::redis::config::Times;
use super::super::redis::{self, Config};
use super::super::{Checkpoint, Engine, Event, Failure, embedded};

/// The page's line for an operator's server.
pub(super) const PAGE: &str = include_str!("../../../../../docs/cluster.md");

pub(super) struct Node {
    pub(super) engine: Engine,
    pub(super) run: Run,
}

impl Node {
    pub(super) async fn embedded() -> Node {
        Node::of(embedded::start()).await
    }

    pub(super) async fn redis(server: &Redis) -> Node {
        let url = format!("redis://127.0.0.1:{}", server.port());
        Node::of(redis::start(config(&url)).await.expect("it is one")).await
    }

    /// With the rights that the documentation names, and no others.
    pub(super) async fn with_the_acl(server: &Redis) -> Node {
        acl(server, |line| line.to_owned());
        let url = format!("redis://tickwire:PASSWORD@127.0.0.1:{}", server.port());
        Node::of(redis::start(config(&url)).await.expect("it may")).await
    }

    pub(super) async fn of(mut engine: Engine) -> Node {
        let Event::Connected { run } = event(&mut engine).await else {
            panic!("it begins connected")
        };
        Node { engine, run }
    }

    /// Sends a command; the next event answers it.
    pub(super) async fn ask(&mut self, command: Command) -> Reply {
        let before = Instant::now();
        self.send(command.clone());
        match event(&mut self.engine).await {
            Event::Replied { run, sent, reply } if run == self.run => {
                assert!(before <= sent && sent <= Instant::now());
                reply
            }
            other => panic!("{other:?} to {command:?}"),
        }
    }

    pub(super) fn send(&self, command: Command) {
        self.engine.send(self.run, command).expect("there is room");
    }

    pub(super) async fn beat(
        &mut self,
        me: Incarnation,
        beat: u64,
        rooms: &[(RoomId, Epoch)],
    ) -> Beat {
        match self.ask(beat_of(me, beat, rooms)).await {
            Reply::Beat {
                lost,
                held,
                nodes,
                orphans,
            } => Beat {
                lost,
                held,
                nodes,
                orphans,
            },
            other => panic!("{other:?} to a beat"),
        }
    }

    pub(super) async fn create(&mut self, room: u32, me: Incarnation) -> Option<Epoch> {
        let room = RoomId(room);
        match self.ask(Command::Create { room, me }).await {
            Reply::Created(of, epoch) if of == room => epoch,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn fence(&mut self, who: Incarnation, beat: u64) -> bool {
        match self.ask(Command::Fence { who, beat }).await {
            Reply::FenceDone(of, done) if of == who => done,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn adopt(
        &mut self,
        room: u32,
        epoch: Epoch,
        owner: Incarnation,
        me: Incarnation,
    ) -> Option<Epoch> {
        let (room, old) = (RoomId(room), RoomRecord { epoch, owner });
        match self.ask(Command::Adopt { room, old, me }).await {
            Reply::Adopted(of, epoch) if of == room => epoch,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn hand_over(
        &mut self,
        room: u32,
        epoch: Epoch,
        me: Incarnation,
        to: Incarnation,
    ) -> Option<Epoch> {
        let room = RoomId(room);
        let command = Command::HandOver {
            room,
            epoch,
            me,
            to,
        };
        match self.ask(command).await {
            Reply::HandedOver(of, epoch) if of == room => epoch,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn forget(&mut self, room: u32, epoch: Epoch, me: Incarnation) {
        let room = RoomId(room);
        let reply = self.ask(Command::Forget { room, epoch, me }).await;
        assert_eq!(reply, Reply::Forgotten(room));
    }

    /// Waits until the connection is gone: why, and what else happened before.
    pub(super) async fn disconnected(&mut self) -> (Failure, Vec<Event>) {
        let mut before = Vec::new();
        loop {
            match event(&mut self.engine).await {
                Event::Disconnected { run, why } => {
                    assert_eq!(run, self.run);
                    return (why, before);
                }
                other => before.push(other),
            }
        }
    }

    /// Waits for another connection.
    pub(super) async fn connected_again(&mut self) {
        let Event::Connected { run } = event(&mut self.engine).await else {
            panic!("a connection follows")
        };
        assert_ne!(run, self.run, "another connection has another number");
        self.run = run;
    }
}

/// A beat's answer.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) lost: Vec<(RoomId, RoomRecord)>,
    pub(super) held: Vec<(RoomId, Epoch)>,
    pub(super) nodes: Vec<(Incarnation, NodeRecord)>,
    pub(super) orphans: Vec<(RoomId, RoomRecord)>,
}

pub(super) async fn event(engine: &mut Engine) -> Event {
    let next = timeout(PATIENCE, engine.next()).await;
    next.expect("something happens").expect("its task runs")
}

pub(super) fn record(me: Incarnation, beat: u64) -> NodeRecord {
    NodeRecord {
        node: format!("10.0.0.{}:7000", me.0 % 256),
        beat,
        url: "wss://game.example/n/1/ws".to_owned(),
        load: 250,
        knows: vec![Incarnation(1), Incarnation(u64::MAX)],
    }
}

pub(super) fn beat_of(me: Incarnation, beat: u64, rooms: &[(RoomId, Epoch)]) -> Command {
    Command::Beat {
        me,
        record: record(me, beat),
        rooms: rooms.to_vec(),
    }
}

pub(super) fn checkpoint(room: u32, epoch: Epoch, blob: &[u8]) -> Checkpoint {
    Checkpoint {
        room: RoomId(room),
        epoch,
        tick: Tick(u32::MAX - room),
        blob: bytes::Bytes::copy_from_slice(blob),
    }
}

pub(super) fn config(url: &str) -> Config {
    config_with(url, None)
}

pub(super) fn config_with(url: &str, ca: Option<&[u8]>) -> Config {
    let url: crate::config::EngineUrl = url.parse().expect("a URL");
    let tls = url.tls.then(|| {
        let ca = ca.map(|pem| (Path::new("ca"), pem));
        crate::tls_client::believing(ca, "cluster-url", "cluster-ca-file").expect("certificates")
    });
    Config {
        url,
        tls,
        region: "test".to_owned(),
        mark: [7; 16],
        times: Times::default(),
        metrics: std::sync::Arc::new(crate::metrics::Metrics::new().expect("figures")),
        runs: Default::default(),
    }
}

/// A connection of the operator's.
pub(super) fn operator(server: &Redis) -> ::redis::Connection {
    let url = format!("redis://127.0.0.1:{}", server.port());
    let client = ::redis::Client::open(url).expect("a URL");
    client.get_connection().expect("it listens")
}

/// Runs one line as an operator does.
pub(super) fn order(server: &Redis, words: &[&str]) -> ::redis::Value {
    let mut command = ::redis::cmd(words[0]);
    command.arg(&words[1..]);
    let answer = command.query(&mut operator(server));
    answer.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Gives a server the user that the documentation describes, with a change.
pub(super) fn acl(server: &Redis, change: impl Fn(&str) -> String) {
    let (_, after) = PAGE.split_once("ACL SETUSER").expect("the page has it");
    let (line, _) = after.split_once("```").expect("the block ends");
    let line = change(&line.replace('\\', " "));
    let words = ["ACL", "SETUSER"]
        .into_iter()
        .chain(line.split_whitespace());
    order(server, &words.collect::<Vec<_>>());
}

/// What a room's key is in the server.
pub(super) fn key(name: &str) -> String {
    format!("{{tw:test}}:{name}")
}

pub(super) fn path(path: &Path) -> String {
    path.to_str().expect("a path is text").to_owned()
}

pub(super) const HIGHEST: Epoch = Epoch(NUMBER_MAX);
