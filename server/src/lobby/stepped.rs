//! A server of one game without threads, tasks, sockets and clock: the lobby and one worker, as
//! they are, stepped by whoever has it, at the times that they say. For the simulation, and for
//! tests and benches of rooms with their clients. What must not be guessed comes from a seed, so
//! that a run can be repeated.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use tickwire::ids::RoomId;
use tokio::sync::mpsc::UnboundedReceiver;

use super::ListedRoom;
use super::games::GameToServe;
use super::neighbours::Neighbours;
#[cfg(test)]
use super::of_node::NodeLobby;
use super::sessions::{Next, Served, attend};
use super::shared::{NodeParts, Shared};
use crate::auth::Entropy;
use crate::checkpoint::keeping::Keeping;
use crate::config::Config;
use crate::date::Date;
use crate::game::{Game, GameDef};
use crate::metrics::Metrics;
use crate::moderation::Stored;
use crate::room::Room;
use crate::transport::graceful_close::{self, LINGER};
use crate::transport::{End, Transport};
use crate::vitals::Vitals;
use crate::worker::{Client, EventLoop, Return, Worker};

/// See the module's description.
pub struct Stepped<G: Game> {
    shared: Arc<Shared>,
    worker: EventLoop,
    /// Who keeps rooms' states, if the settings name a place.
    keeping: Option<Keeping>,
    returned: UnboundedReceiver<Return>,
    /// Those in the lobby.
    served: Vec<Served>,
    /// Those who are told that it is the end, and until when.
    ending: Vec<(Client, Instant)>,
    of: PhantomData<fn() -> G>,
}

impl<G: Game> Stepped<G> {
    /// A server of one worker that starts at `now`.
    ///
    /// # Errors
    /// As [`super::Lobby::start`].
    pub fn new(
        game: &Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
        seed: u64,
        now: Instant,
    ) -> io::Result<Stepped<G>> {
        Stepped::of(game, config, metrics, seed, (None, Stored::default()), now)
    }

    /// The same with what a node brings, if it is one, and a store.
    fn of(
        game: &Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
        seed: u64,
        beside: (Option<NodeParts>, Stored),
        now: Instant,
    ) -> io::Result<Stepped<G>> {
        let config = Config {
            workers: 1,
            ..config.clone()
        };
        let start = |_, common| Ok(Worker::new(common, now, Some(now)));
        let (vitals, entropy) = (Vitals::default(), Entropy::seeded(seed));
        let game = GameToServe {
            def: game.clone(),
            config: config.clone(),
        };
        let mut built = Shared::build(&[game], &config, metrics, entropy, &vitals, beside, start)?;
        let worker = built.beside.pop().ok_or(io::ErrorKind::NotFound)?;
        Ok(Stepped {
            shared: built.shared,
            worker,
            keeping: built.keeping,
            returned: built.returned,
            served: Vec::new(),
            ending: Vec::new(),
            of: PhantomData,
        })
    }

    /// A client connects.
    pub fn connect(&mut self, way: impl Transport + 'static, now: Instant) {
        let mut client = Client::new(Box::new(way), now);
        match self.shared.admit(&mut client) {
            Ok(()) => self.served.push(Served::new(client, &self.shared, now)),
            Err(end) => self.end(client, end, now),
        }
    }

    /// Does all that is to be done at `now`: in the lobby, in rooms, for those who are sent away.
    pub fn step(&mut self, now: Instant) {
        for served in std::mem::take(&mut self.served) {
            match attend(served, &self.shared, now) {
                Next::Stay(served, _) => self.served.push(served),
                Next::Gone => {}
                Next::End(client, end) => self.end(client, end, now),
            }
        }
        self.worker.run_until(now);
        self.shared.notices.tend(Date::now());
        self.shared.people.serve_waiting();
        self.shared.people.tend_watches(now);
        for game in &self.shared.games {
            self.shared.tend_parties(game, now);
            self.shared.tend_queue(game, now);
        }
        while let Ok(back) = self.returned.try_recv() {
            match back.end {
                None => self
                    .served
                    .push(Served::new(back.client, &self.shared, now)),
                Some(end) => self.end(back.client, end, now),
            }
        }
        if let Some(keeping) = &mut self.keeping {
            keeping.keep_all(Date::now());
        }
        self.ending.retain_mut(|(client, until)| {
            let told = client.conn.flush(now).is_err() || client.conn.backlog().waiting_bytes == 0;
            if told {
                // Who is gone needs no telling.
                let _ = client.conn.finish();
            }
            !told && now < *until
        });
    }

    fn end(&mut self, client: Client, end: End, now: Instant) {
        if let Some(mut client) = self.shared.parted(client, end)
            && graceful_close::begin(&mut client.conn, end)
        {
            self.ending.push((client, now + LINGER));
        }
    }

    /// Becomes a node of several that know one another, which clients reach at `url`: which one,
    /// from 0.
    #[doc(hidden)]
    pub fn join(&self, neighbours: &Neighbours, url: &str) -> usize {
        neighbours.join(&self.shared, url)
    }

    /// The lobby as the cluster's task sees it, of a server that is a node.
    #[cfg(test)]
    pub(super) fn of_node(&self) -> NodeLobby {
        let nodes = self.shared.nodes.get().expect("it is a node").clone();
        NodeLobby::new(self.shared.clone(), nodes)
    }

    /// The listed rooms, as a client in the lobby sees them, for others.
    pub fn rooms(&self) -> Vec<ListedRoom> {
        let games = self.shared.games.first();
        games.map_or_else(Vec::new, |game| game.rooms.listed(&*self.shared.registry))
    }

    /// A room, between two of its turns.
    pub fn room(&mut self, room: RoomId) -> Option<&mut Room<G>> {
        self.worker.room(room)
    }
}

#[cfg(test)]
impl<G: Game> Stepped<G> {
    /// Who came last, in the lobby.
    pub(super) fn last_come(&mut self) -> Option<&mut crate::worker::Session> {
        let last = self.served.last_mut();
        last.map(|served| &mut *served.client.session)
    }
}

#[cfg(test)]
mod tests;
