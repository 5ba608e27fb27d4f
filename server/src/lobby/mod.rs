//! Connections outside of rooms, the table of rooms, and the workers that run them. `http` hands
//! every new connection to [`Lobby::adopt`]; from there it goes to a room's worker and back, until
//! its end. `lib::run` owns the lobby.

mod asked;
mod desk;
mod elsewhere;
mod for_programs;
mod games;
mod guest_key;
mod home_asks;
mod in_common;
mod joint;
mod listed;
pub(crate) mod matchmaking;
mod neighbours;
mod notices;
mod of_node;
mod on_boards;
mod orders;
mod party_requests;
mod partying;
mod programs;
mod queue_requests;
mod queueing;
mod restoring;
mod room_defaults;
mod room_quotas;
mod sessions;
mod shared;
mod stepped;
mod visitors;
mod waiting;
mod watching;
mod welcome;

pub(crate) use games::GameToServe;
pub use listed::ListedRoom;
#[doc(hidden)]
pub use neighbours::Neighbours;
pub(crate) use of_node::{Answered, NodeLobby};
pub(crate) use restoring::NotRestored;
#[cfg(test)]
pub(crate) use sessions::tests::BREAKS;
pub use stepped::Stepped;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use tickwire::ids::RoomId;
use tokio::sync::mpsc;

use crate::auth::{ClusterKeys, Entropy};
use crate::checkpoint::Slots;
use crate::config::Config;
use crate::directory::RoomLine;
use crate::directory::ownership::messages::Incarnation;
pub(crate) use crate::directory::{GameIndex, Totals};
use crate::game::{Game, GameDef};
use crate::metrics::Metrics;
use crate::moderation::Stored;
use crate::store::Store;
use crate::transport::End;
use crate::vitals::Vitals;
use crate::worker::{Client, Return, RoomView, Worker};

pub(crate) use shared::NodeParts;
use shared::Shared;

/// A worker that gave no sign of life for so long is stuck.
const STUCK: Duration = Duration::from_secs(2);
/// What worker threads get to end in once their rooms are closed, however short the deadline.
const THREADS_END: Duration = Duration::from_secs(1);

/// Something of a game, by the game's name.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OfGame<T> {
    pub(crate) game: &'static str,
    #[serde(flatten)]
    pub(crate) what: T,
}

/// The lobby of a server. Clones are the same lobby.
#[derive(Clone)]
pub struct Lobby {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    keeping: Arc<Mutex<Option<KeepingThread>>>,
}

/// Who keeps rooms' states, and where those come from.
type KeepingThread = (Arc<Slots>, JoinHandle<()>);

impl Lobby {
    /// Starts the workers, for one game. In a tokio runtime's context.
    ///
    /// # Errors
    /// When the system has no threads to give, a key is missing or weak, the file of bans is
    /// broken, or the game's schema is more than a message may be.
    pub fn start<G: Game>(
        game: Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
    ) -> io::Result<Lobby> {
        let game = GameToServe {
            def: game,
            config: config.clone(),
        };
        Lobby::of(&[game], config, metrics, None, Stored::default())
    }

    /// The same with all these games, of which the first is that of clients who name none, for a node
    /// of a cluster, and with a store.
    ///
    /// # Errors
    /// As [`Lobby::start`].
    pub(crate) fn of(
        games: &[GameToServe],
        config: &Config,
        metrics: Arc<Metrics>,
        node: Option<NodeParts>,
        stored: Stored,
    ) -> io::Result<Lobby> {
        let vitals = Vitals::default();
        let start = |index, common| Worker::start(index, common, &vitals);
        let built = Shared::build(
            games,
            config,
            metrics,
            Entropy::default(),
            &vitals,
            (node, stored),
            start,
        )?;
        let keeping = built.keeping.map(|keeping| {
            let slots = keeping.slots();
            Ok::<_, io::Error>((slots, keeping.start(&vitals)?))
        });
        let keeping = keeping.transpose()?;
        let receiving = receive(built.shared.clone(), built.returned);
        let way_back = vitals.clone();
        tokio::spawn(way_back.keep("the way back from the workers", receiving));
        let notices = built.shared.notices.clone();
        let tending = async move { notices.keep_tending().await };
        tokio::spawn(vitals.clone().keep("notices", tending));
        let notices = built.shared.notices.clone();
        let following = async move { notices.keep_following().await };
        tokio::spawn(vitals.clone().keep("stored notices", following));
        let history = built.shared.history.clone();
        let reading = async move { history.keep_reading().await };
        tokio::spawn(vitals.clone().keep("history", reading));
        let people = built.shared.people.clone();
        let serving = async move { people.keep_serving().await };
        tokio::spawn(vitals.clone().keep("people", serving));
        for (index, game) in (0..).map(GameIndex).zip(&built.shared.games) {
            let parties = built.shared.clone().keep_parties(index);
            tokio::spawn(vitals.clone().keep("parties", parties));
            if game.queueing.is_some() {
                let queue = built.shared.clone().keep_queue(index);
                tokio::spawn(vitals.clone().keep("a queue", queue));
                let rating = built.shared.clone().keep_rating(index);
                tokio::spawn(vitals.clone().keep("a queue's ratings", rating));
            }
        }
        Ok(Lobby {
            shared: built.shared,
            threads: Arc::new(Mutex::new(built.beside)),
            keeping: Arc::new(Mutex::new(keeping)),
        })
    }

    /// Becomes a node of several that know one another, which clients reach at `url`: before
    /// anybody is let in.
    pub(crate) fn join(&self, neighbours: &Neighbours, url: &str) {
        neighbours.join(&self.shared, url);
    }

    /// Becomes a node of a cluster, which clients reach at `url`: before anybody is let in, and
    /// once.
    pub(crate) fn join_cluster(&self, me: Incarnation, url: &str, keys: &ClusterKeys) -> NodeLobby {
        let nodes = self.shared.connect(me, url, keys, Entropy::default());
        NodeLobby::new(self.shared.clone(), nodes)
    }

    /// Takes a client whose handshake is done. In a tokio runtime's context.
    pub fn adopt(&self, mut client: Client) {
        let shared = &self.shared;
        match shared.admit(&mut client) {
            Ok(()) => drop(tokio::spawn(sessions::serve(shared.clone(), client))),
            Err(end) => shared.part(client, end),
        }
    }

    /// The listed rooms of the first game, as a client in the lobby sees them, for others.
    pub fn rooms(&self) -> Vec<ListedRoom> {
        let first = self.shared.games.first();
        first.map_or_else(Vec::new, |game| game.rooms.listed(&*self.shared.registry))
    }

    /// The listed rooms of a game, or of all of them.
    pub(crate) fn list(&self, game: Option<GameIndex>) -> Vec<OfGame<ListedRoom>> {
        let (registry, games) = (&*self.shared.registry, &self.shared.games);
        let of = |game: GameIndex| games.get(usize::from(game.0));
        match game {
            Some(game) => {
                let rooms = of(game).map(|game| game.rooms.listed(registry));
                let rooms = rooms.into_iter().flatten();
                rooms.map(|room| self.named(game, room)).collect()
            }
            None => {
                let rooms = registry.list_all().into_iter();
                let shown =
                    rooms.filter_map(|(game, room)| Some((game, of(game)?.rooms.shown(room))));
                shown.map(|(game, room)| self.named(game, room)).collect()
            }
        }
    }

    /// All rooms, private ones too: for the operator.
    pub(crate) fn survey(&self) -> Vec<OfGame<RoomLine>> {
        let lines = self.shared.registry.survey().into_iter();
        lines.map(|line| self.named(line.game, line)).collect()
    }

    /// The games and what there is of each, in the order of their indices.
    pub(crate) fn games(&self) -> Vec<OfGame<Totals>> {
        let totals = self.shared.registry.totals(self.shared.games.len());
        let indices = (0..=u8::MAX).map(GameIndex).zip(totals);
        indices.map(|(game, what)| self.named(game, what)).collect()
    }

    fn named<T>(&self, game: GameIndex, what: T) -> OfGame<T> {
        let game = self.shared.games.get(usize::from(game.0));
        let game = game.map_or("", |game| game.name);
        OfGame { game, what }
    }

    /// A room and its clients, for the operator; `None` if there is no such room, or its worker
    /// does not answer in time.
    pub(crate) async fn inspect(&self, room: RoomId) -> Option<RoomView> {
        let worker = self.shared.registry.worker_of(room)?;
        let answer = self.shared.workers.get(worker)?.inspect(room);
        tokio::time::timeout(STUCK, answer).await.ok()?.ok()
    }

    /// Whether players may be sent here: it lives, does not stop, no worker is stuck; and as a node
    /// of a cluster it plays, and does not drain.
    pub fn ready(&self) -> bool {
        let now = Instant::now();
        let alive = |worker: &Worker| worker.is_alive(now, STUCK);
        let shared = &self.shared;
        let takes = !shared.is_frozen.load(Ordering::Relaxed)
            && !shared.nodes.get().is_some_and(|nodes| nodes.drains())
            && !*shared.stopping.borrow();
        self.lives() && takes && shared.workers.iter().all(alive)
    }

    /// Whether all parts of the server are alive, or ended because it stops.
    pub fn lives(&self) -> bool {
        self.shared.vitals.are_good()
    }

    /// What outlasts the process.
    pub(crate) fn store(&self) -> &Store {
        &self.shared.store
    }

    /// For the server's other parts.
    pub(crate) fn vitals(&self) -> &Vitals {
        &self.shared.vitals
    }

    /// Closes everything: clients are told and closed with 1012, wherever they are. Returns when
    /// all of them are gone, or the deadline has passed, and the workers have ended.
    pub async fn stop(&self, deadline: Duration) {
        let shared = &self.shared;
        shared.vitals.let_end();
        shared.stopping.send_replace(true);
        shared.workers.iter().for_each(Worker::stop);
        self.all_gone(deadline).await;
        shared.workers.iter().for_each(Worker::end);
        let threads = std::mem::take(&mut *self.threads.lock());
        let join = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a worker panicked");
                }
            }
        });
        if tokio::time::timeout(THREADS_END, join).await.is_err() {
            tracing::warn!("a worker is stuck");
        }
        self.keep_all(deadline).await;
    }

    /// Once the workers have ended: waits until what they left of their rooms is kept, so long at
    /// most.
    async fn keep_all(&self, deadline: Duration) {
        let Some((slots, thread)) = self.keeping.lock().take() else {
            return;
        };
        slots.finish();
        let join = tokio::task::spawn_blocking(move || thread.join());
        if tokio::time::timeout(deadline.max(THREADS_END), join)
            .await
            .is_err()
        {
            tracing::error!("the disk is stuck: rooms are not kept as they were at the end");
        }
    }

    /// Waits until no connection is left, so long at most.
    pub(crate) async fn all_gone(&self, deadline: Duration) {
        let mut live = self.shared.live.subscribe();
        let gone = live.wait_for(|live| *live == 0);
        if tokio::time::timeout(deadline, gone).await.is_err() {
            let left = *self.shared.live.borrow();
            tracing::warn!(left, "connections were cut off");
        }
    }
}

/// Takes clients back from the workers, until the last worker ends.
async fn receive(shared: Arc<Shared>, mut returned: mpsc::UnboundedReceiver<Return>) {
    while let Some(Return { mut client, end }) = returned.recv().await {
        match (client.conn.watch(), end) {
            (Ok(()), None) => drop(tokio::spawn(sessions::serve(shared.clone(), client))),
            (Ok(()), Some(end)) => shared.part(client, end),
            // Only when the system has no more to give: the socket is closed.
            (Err(_), _) => shared.count_end(End::Lost),
        }
    }
}
