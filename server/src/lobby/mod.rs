//! Connections outside of rooms, the table of rooms, and the workers that run them. `net` hands
//! every new connection to [`Lobby::adopt`]; from there it goes to a room's worker and back, until
//! its end. `lib::run` owns the lobby.

pub(crate) mod matchmaking;
mod orders;
mod room_quotas;
mod sessions;
mod stepped;
mod welcome;

#[cfg(test)]
pub(crate) use sessions::tests::BREAKS;
pub use stepped::Stepped;

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::RoomInfo;
use tokio::sync::{mpsc, watch};

use crate::admission::limiter::Rates;
use crate::auth::{Entropy, Tokens};
use crate::config::Config;
use crate::date::Date;
use crate::game::{Game, GameDef};
use crate::metrics::Metrics;
use crate::moderation::Moderation;
use crate::transport::{End, Transport};
use crate::vitals::Vitals;
use crate::worker::{Client, Common, Return, RoomView, Worker};

use crate::directory::{Directory, RoomLine, local::Registry};
use matchmaking::RoomDefaults;
use room_quotas::RoomQuotas;
use welcome::Welcome;

/// A worker that gave no sign of life for so long is stuck.
const STUCK: Duration = Duration::from_secs(2);
/// What worker threads get to end in once their rooms are closed, however short the deadline.
const THREADS_END: Duration = Duration::from_secs(1);

/// The lobby of a server that runs the game `G`. Clones are the same lobby.
pub struct Lobby<G: Game> {
    shared: Arc<Shared>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    game: PhantomData<fn() -> G>,
}

impl<G: Game> Clone for Lobby<G> {
    fn clone(&self) -> Lobby<G> {
        Lobby {
            shared: self.shared.clone(),
            threads: self.threads.clone(),
            game: PhantomData,
        }
    }
}

/// What sessions need of the lobby.
struct Shared {
    registry: Arc<dyn Directory>,
    rooms: RoomDefaults,
    workers: Vec<Worker>,
    welcome: Welcome,
    tokens: Tokens,
    moderation: Moderation,
    room_quotas: RoomQuotas,
    metrics: Arc<Metrics>,
    vitals: Vitals,
    rates: Rates,
    hello_timeout: Duration,
    stall_timeout: Duration,
    /// Whether the server stops.
    stopping: watch::Sender<bool>,
    /// Connections that are alive, wherever they are.
    live: Arc<watch::Sender<usize>>,
}

impl<G: Game> Lobby<G> {
    /// Starts the workers. In a tokio runtime's context.
    ///
    /// # Errors
    /// When the system has no threads to give, a key is missing or weak, the file of bans is broken, or the
    /// game's schema is more than a message may be.
    pub fn start(
        game: Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
    ) -> io::Result<Lobby<G>> {
        let vitals = Vitals::default();
        let start = |index, common| Worker::start(index, game.clone(), common, &vitals);
        let built = Shared::build(&game, config, metrics, Entropy::default(), &vitals, start)?;
        let (shared, threads, returned) = built;
        let receiving = receive(shared.clone(), returned);
        tokio::spawn(vitals.keep("the way back from the workers", receiving));
        Ok(Lobby {
            shared,
            threads: Arc::new(Mutex::new(threads)),
            game: PhantomData,
        })
    }

    /// Takes a client whose handshake is done. In a tokio runtime's context.
    pub fn adopt(&self, mut client: Client) {
        let shared = &self.shared;
        match shared.admit(&mut client) {
            Ok(()) => drop(tokio::spawn(sessions::serve(shared.clone(), client))),
            Err(end) => shared.part(client, end),
        }
    }

    /// The listed rooms, as a client in the lobby sees them.
    pub fn rooms(&self) -> Vec<RoomInfo> {
        self.shared.registry.list()
    }

    /// All rooms, private ones too: for the operator.
    pub(crate) fn survey(&self) -> Vec<RoomLine> {
        self.shared.registry.survey()
    }

    /// A room and its clients, for the operator; `None` if there is no such room, or its worker
    /// does not answer in time.
    pub(crate) async fn inspect(&self, room: RoomId) -> Option<RoomView> {
        let worker = self.shared.registry.worker_of(room)?;
        let answer = self.shared.workers.get(worker)?.inspect(room);
        tokio::time::timeout(STUCK, answer).await.ok()?.ok()
    }

    /// Whether players may be sent here: it lives, does not stop, and no worker is stuck.
    pub fn ready(&self) -> bool {
        let now = Instant::now();
        let alive = |worker: &Worker| worker.is_alive(now, STUCK);
        self.lives() && !*self.shared.stopping.borrow() && self.shared.workers.iter().all(alive)
    }

    /// Whether all parts of the server are alive, or ended because it stops.
    pub fn lives(&self) -> bool {
        self.shared.vitals.are_good()
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
    }
}

impl<G: Game> Lobby<G> {
    /// Waits until no connection is left, so long at most.
    pub(crate) async fn all_gone(&self, deadline: Duration) {
        let mut live = self.shared.live.subscribe();
        let gone = live.wait_for(|live| *live == 0);
        if tokio::time::timeout(deadline, gone).await.is_err() {
            let left = *self.shared.live.borrow();
            tracing::warn!(left, "connections were cut off");
        }
    }

    /// Whose a room is.
    #[cfg(test)]
    pub(crate) fn worker_of(&self, room: RoomId) -> Option<usize> {
        self.shared.registry.worker_of(room)
    }

    /// Has a worker panic outside of its rooms.
    #[cfg(test)]
    pub(crate) fn break_worker(&self, index: usize) {
        self.shared.workers[index].break_down();
    }
}

/// Takes clients back from the workers, until the last worker ends.
async fn receive(shared: Arc<Shared>, mut returned: mpsc::UnboundedReceiver<Return>) {
    while let Some(back) = returned.recv().await {
        match back {
            Return::Lobby(mut client) => match client.conn.watch() {
                Ok(()) => {
                    tokio::spawn(sessions::serve(shared.clone(), client));
                }
                // Only when the system has no more to give: the socket is closed.
                Err(_) => shared.count_end(End::Lost),
            },
            Return::End(mut client, end) => match client.conn.watch() {
                Ok(()) => shared.part(client, end),
                Err(_) => shared.count_end(End::Lost),
            },
        }
    }
}

impl Shared {
    /// All of it, with the workers that `start` makes, what it made beside each, and the way back from them.
    fn build<G: Game, T>(
        game: &Arc<GameDef<G>>,
        config: &Config,
        metrics: Arc<Metrics>,
        entropy: Entropy,
        vitals: &Vitals,
        mut start: impl FnMut(usize, Common) -> io::Result<(Worker, T)>,
    ) -> io::Result<(Arc<Shared>, Vec<T>, mpsc::UnboundedReceiver<Return>)> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let tokens = Tokens::new(config).map_err(invalid)?;
        let moderation = Moderation::new(config, metrics.clone()).map_err(invalid)?;
        let rooms_max = config.max_rooms as usize;
        let registry = Registry::new(rooms_max, config.workers, entropy.clone());
        let registry = Arc::new(registry);
        let rates = Rates {
            messages_per_second: config.messages_per_second,
            bytes_per_second: config.bytes_per_second,
            control_per_second: config.control_per_second,
        };
        let (returns, returned) = mpsc::unbounded_channel();
        let common = Common {
            registry: registry.clone(),
            metrics: metrics.clone(),
            returns,
            entropy,
            rates,
            stall_timeout: config.stall_timeout,
            room_linger: config.room_linger,
            idle_after: config.idle_after,
        };
        let welcome = Welcome::new(game, config).map_err(invalid)?;
        let started: io::Result<Vec<_>> = (0..config.workers)
            .map(|index| start(index, common.clone()))
            .collect();
        let (workers, beside) = started?.into_iter().unzip();
        let made = metrics.player_rooms_hit.clone();
        let shared = Arc::new(Shared {
            registry,
            rooms: RoomDefaults::new(config, G::SEATS_MAX),
            workers,
            welcome,
            tokens,
            moderation,
            room_quotas: RoomQuotas::new(config.max_rooms_per_player, made),
            metrics,
            vitals: vitals.clone(),
            rates,
            hello_timeout: config.hello_timeout,
            stall_timeout: config.stall_timeout,
            stopping: watch::Sender::new(false),
            live: Arc::new(watch::Sender::new(0)),
        });
        Ok((shared, beside, returned))
    }

    /// A client comes. After the handshake, so that the page can say why if it may not.
    fn admit(&self, client: &mut Client) -> Result<(), End> {
        client.hold(Box::new(Live::new(self)));
        self.metrics.sockets_opened.increment(1);
        let address = client.conn.peer().ip();
        match self.moderation.keeps_out(address, Date::now()) {
            true => Err(End::Close(CloseCode::Banned)),
            false => Ok(()),
        }
    }

    /// Ends a client's connection, in a task of its own.
    fn part(&self, client: Client, end: End) {
        if let Some(client) = self.parted(client, end) {
            tokio::spawn(client.close(end));
        }
    }

    /// A client plays no more: from here it may have to go for others. `None`: there is nobody to tell.
    fn parted(&self, mut client: Client, end: End) -> Option<Client> {
        self.count_end(end);
        client.session.online = None;
        client.session.stand_up();
        (end != End::Lost).then_some(client)
    }

    fn count_end(&self, end: End) {
        let code = match end {
            End::Close(code) => Some(code),
            End::Goodbye | End::Away => Some(CloseCode::Normal),
            End::Lost => None,
        };
        self.metrics.sockets_closed(code).increment(1);
        if code.is_some_and(CloseCode::is_clients_fault) {
            self.metrics.messages_rejected.increment(1);
        }
    }
}

/// Counts a connection for as long as it lives.
struct Live {
    live: Arc<watch::Sender<usize>>,
    metrics: Arc<Metrics>,
}

impl Live {
    fn new(shared: &Shared) -> Live {
        shared.live.send_modify(|live| *live += 1);
        shared.metrics.sockets_open.increment(1);
        Live {
            live: shared.live.clone(),
            metrics: shared.metrics.clone(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.live.send_modify(|live| *live -= 1);
        self.metrics.sockets_open.decrement(1);
    }
}
