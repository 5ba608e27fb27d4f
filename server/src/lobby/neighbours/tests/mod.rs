//! Several nodes and their clients, on a clock of the test's own: where each request leads,
//! whichever node it is said to. Clients are sessions, which follow redirects as bots do.

mod announced;
mod joins;
mod made;
mod named;
mod names;
mod people;
mod quick;
mod resume;
mod together;

use std::path::PathBuf;
use std::time::Duration;

use tickwire::codec::encode_client;
use tickwire::ids::{PlayerId, RoomId};
use tickwire::limits::REDIRECTS_MAX;
use tickwire::protocol::client_message::{JoinAs, NewRoom};
use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage, feature};
use tickwire::session::{Event, Session, Ticket};

use super::*;
use crate::config::Config;
use crate::game::GameDef;
use crate::game::still::Still;
use crate::lobby::Stepped;
use crate::lobby::waiting::{FOUND_WITHIN, TOLD_WITHIN};
use crate::metrics::Metrics;
use crate::transport::memory::{self, Far};

/// What goes by between two looks: a tick.
const STEP: Duration = Duration::from_micros(33_334);
/// Looks between two batches of a node.
const EXCHANGE: u32 = 30;
/// Bytes that a client's end holds.
const WAY_BYTES: usize = 1 << 16;

/// Servers that know one another, and what time it is there.
struct Land {
    servers: Vec<Stepped<Still>>,
    metrics: Vec<Arc<Metrics>>,
    neighbours: Neighbours,
    start: Instant,
    now: Instant,
    steps: u32,
    have_met: bool,
    key: PathBuf,
}

/// A client, at the node where its last connection is.
struct Player {
    node: usize,
    way: Far,
    session: Session,
    /// As what it is in a room, or asked to be.
    who: JoinAs,
    /// The seat that it comes back to.
    held: Option<Ticket>,
    /// Redirects that it followed.
    hops: u32,
    refused: Option<Refusal>,
    /// Where it was told that it will probably go, and for how long a connection there may be held.
    prepared: Vec<(String, u32)>,
    listed: Option<Vec<u32>>,
    /// What it was told of people, of its party and of the queue.
    told: Vec<Event>,
}

impl Drop for Land {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.key);
    }
}

fn url(node: usize) -> String {
    format!("ws://n{node}/ws")
}

impl Land {
    /// So many nodes, which have heard of one another.
    fn new(name: &str, count: usize) -> Land {
        let mut land = Land::apart(name, count, |_| {});
        land.meet();
        land
    }

    /// The same before they have, and with other settings.
    fn apart(name: &str, count: usize, set: impl FnOnce(&mut Config)) -> Land {
        let key = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&key, [7; 32]).unwrap();
        let mut config = Config {
            idle_after: Duration::ZERO,
            guest_key_file: Some(key.clone()),
            ..Config::default()
        };
        set(&mut config);
        let game = Arc::new(GameDef::new(30).unwrap());
        let start = Instant::now();
        let neighbours = Neighbours::default();
        let metrics: Vec<Arc<Metrics>> = (0..count)
            .map(|_| Arc::new(Metrics::new().unwrap()))
            .collect();
        let server = |node: usize| {
            let metrics = metrics[node].clone();
            let server = Stepped::new(&game, &config, metrics, node as u64, start).unwrap();
            server.join(&neighbours, &url(node));
            server
        };
        Land {
            servers: (0..count).map(server).collect(),
            metrics: metrics.clone(),
            neighbours: neighbours.clone(),
            start,
            now: start,
            steps: 0,
            have_met: false,
            key,
        }
    }

    /// They hear one another from now on.
    fn meet(&mut self) {
        self.neighbours.meet(self.now);
        self.neighbours.tell(self.now);
        self.have_met = true;
    }

    fn connect(&mut self, node: usize, session: Session) -> Player {
        let (way, far) = memory::pair(WAY_BYTES);
        self.servers[node].connect(way, self.now);
        Player {
            node,
            way: far,
            session,
            who: JoinAs::default(),
            held: None,
            hops: 0,
            refused: None,
            prepared: Vec::new(),
            listed: None,
            told: Vec::new(),
        }
    }

    /// Somebody in the lobby of a node.
    fn guest(&mut self, node: usize) -> Player {
        let mut guest = self.connect(node, Session::new("somebody", ""));
        self.settle(&mut [&mut guest]);
        assert!(guest.session.token().is_some());
        guest
    }

    /// Somebody in a room of this name, which is made at a node.
    fn host(&mut self, node: usize, new: &NewRoom) -> Player {
        let mut host = self.guest(node);
        host.session.create(new).unwrap();
        self.settle(&mut [&mut host]);
        assert_eq!(
            (host.node, host.hops),
            (node, 0),
            "made where it was asked for"
        );
        host
    }

    /// A tick's time goes by: what these say arrives, they hear what is said to them, and go where
    /// they are sent.
    fn step(&mut self, players: &mut [&mut Player]) {
        self.now += STEP;
        self.steps += 1;
        let now_us = (self.now - self.start).as_micros() as u64;
        for player in players.iter_mut() {
            player.session.handle_timeout(now_us);
            while let Some(message) = player.session.poll_transmit() {
                player.way.send(message);
            }
        }
        for server in &mut self.servers {
            server.step(self.now);
        }
        self.neighbours.deliver(self.now);
        if self.have_met && self.steps.is_multiple_of(EXCHANGE) {
            self.neighbours.meet(self.now);
            self.neighbours.tell(self.now);
        }
        for player in players {
            while let Some(message) = player.way.receive() {
                player.session.handle_message(&message, now_us).unwrap();
            }
            while let Some(event) = player.session.poll_event() {
                self.on_event(player, event);
            }
        }
    }

    fn on_event(&mut self, player: &mut Player, event: Event) {
        match event {
            Event::Refused { reason } => player.refused = Some(reason),
            Event::Rooms { rooms } => {
                player.listed = Some(rooms.into_iter().map(|room| room.id.0).collect());
            }
            Event::Prepare { url, valid_ms } => player.prepared.push((url, valid_ms)),
            Event::Redirect(redirect) => {
                let target = (0..self.servers.len()).find(|node| url(*node) == redirect.url);
                let target = target.expect("a node");
                let seat = player.session.ticket().or(player.held.take());
                let session = redirect.follow("somebody", seat.as_ref(), &player.who);
                let there = self.connect(target, session);
                std::mem::replace(&mut player.way, there.way).goodbye();
                player.node = there.node;
                player.session = there.session;
                player.hops += 1;
                assert!(player.hops <= REDIRECTS_MAX);
            }
            event @ (Event::Line { .. }
            | Event::Said { .. }
            | Event::PeerTyping { .. }
            | Event::Lobby(_)
            | Event::Past { .. }
            | Event::People(_)
            | Event::Presence { .. }
            | Event::Party { .. }
            | Event::Queue { .. }) => player.told.push(event),
            _ => {}
        }
    }

    /// So long goes by.
    fn pass(&mut self, span: Duration, players: &mut [&mut Player]) {
        let until = self.now + span;
        while self.now < until {
            self.step(players);
        }
    }

    /// Until nothing is under way any more, and every node has told of it.
    fn settle(&mut self, players: &mut [&mut Player]) {
        (0..2 * EXCHANGE).for_each(|_| self.step(players));
    }

    /// The seat's token of somebody whose connection is lost.
    fn lose(&mut self, player: &mut Player) -> Ticket {
        let ticket = player.session.ticket().expect("a seat");
        player.way = memory::pair(0).1;
        ticket
    }

    /// They come back to a node, by their seat's token.
    fn come_back(&mut self, node: usize, who: &Player, seat: &Ticket) -> Player {
        let token = who.session.token().unwrap();
        let session = Session::resume("somebody", token, seat);
        Player {
            held: Some(seat.clone()),
            ..self.connect(node, session)
        }
    }
}

impl Player {
    fn seat(&self) -> (RoomId, PlayerId) {
        let room = self.session.room().expect("in a room");
        (room.info.id, room.you.expect("a player"))
    }

    fn room(&self) -> RoomId {
        self.session.room().expect("in a room").info.id
    }

    fn code(&self) -> String {
        self.session.room().expect("in a room").code.clone()
    }
}

fn named(name: &str) -> NewRoom {
    NewRoom {
        name: name.to_owned(),
        ..NewRoom::default()
    }
}
