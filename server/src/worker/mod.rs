//! A worker: a plain thread that owns rooms and their members' sockets, and runs one loop: the
//! next room that is due reads its members, ticks, and writes each of them once; then it sleeps
//! until the next is due. No task, channel or lock per client. It is the only clock on the tick
//! path. `lobby` starts the workers and sends them connections; they send them back.

mod balance;
mod beyond;
mod client;
mod event_loop;
mod figures;
mod games;
mod history;
mod host;
mod load;
mod mail;
mod members;
mod moderation;
mod orders;
mod party_link;
mod peers;
mod play_log;
mod queue_link;
mod restoring;
mod room_host;
mod saves;
mod schedule;
mod seating;
#[cfg(test)]
mod tests;
mod turn;
mod view;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tickwire::ids::RoomId;
use tickwire::session::Seen;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use orders::Orders;

use crate::auth::{Identity, SeatKey, SeatToken};
use crate::checkpoint::Slots;
use crate::directory::claims::Claims;
use crate::directory::{Directory, GameIndex};
use crate::game::RoomOptions;
use crate::history::History;
use crate::metrics::Metrics;
use crate::people::People;
use crate::presence::Post;
use crate::store::Store;
use crate::transport::End;
use crate::vitals::Vitals;

pub use client::Client;
pub(crate) use client::Session;
pub(crate) use event_loop::{EventLoop, Running};
pub(crate) use games::{AnyGame, HostedGame};
pub(crate) use orders::{Order, SendOn, Stopped};
pub(crate) use party_link::{PartyEar, PartyLink, PartyNews};
pub(crate) use peers::Peers;
pub(crate) use play_log::PlayLog;
pub(crate) use queue_link::{QueueEar, QueueLink, QueueNews};
pub(crate) use view::RoomView;

/// Commands that wait for a worker: a thousand clients that join at once. Beyond: the lobby
/// refuses with `Busy`.
const INBOX_COMMANDS_MAX: usize = 1024;

/// What a worker is told.
pub(crate) enum Command {
    /// A connection for a room.
    Attach {
        /// Its room.
        room: RoomId,
        /// What it wants there.
        join_request: JoinRequest,
        /// Who comes.
        client: Client,
    },
    /// An operator wants to see a room.
    Inspect {
        /// Which.
        room: RoomId,
        /// Who asks; dropped unanswered if there is no such room.
        reply: oneshot::Sender<RoomView>,
    },
    /// An operator ordered something about some of the members: it stands in their connections.
    Moderate {
        /// Whose seats are given up also where their connection is lost.
        seats_of: Option<Identity>,
        /// Gets how many of those there were, once all is done.
        reply: oneshot::Sender<u32>,
    },
    /// Somebody who was erased is to be in no result of a room that they left.
    Forget {
        /// Who.
        identity: Identity,
        /// Gets 0 once all is done.
        reply: oneshot::Sender<u32>,
    },
    /// Another worker's room, or a restored one, with all that belongs to it: it is this one's from
    /// now on.
    Adopt(Box<Running>),
    /// Look at the phase.
    Wake,
    /// Panic outside of any room, so that tests see what follows.
    #[cfg(test)]
    Break,
}

/// What a connection wants in a room.
#[derive(Debug)]
pub(crate) enum JoinRequest {
    /// A seat, which the registry has taken for it.
    Join,
    /// The same in a room that is new: how it is to be made.
    Open(Box<RoomOptions>),
    /// A seat that it had before.
    Resume(ResumeRequest),
    /// To look on, for which the registry has taken a place.
    Watch,
}

/// What a connection brings that takes its seat again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResumeRequest {
    /// Its proof.
    pub(crate) token: SeatToken,
    /// What it has seen of the room.
    pub(crate) seen: Seen,
}

/// A connection on its way back from a worker. At most as many as there are connections are
/// under way, so their channel needs no bound of its own.
pub(crate) struct Return {
    pub(crate) client: Client,
    /// How it ends; `None`: it is the lobby's again, what it is told about it waits to go out.
    pub(crate) end: Option<End>,
}

/// How far a worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Phase {
    /// It ticks rooms.
    Running,
    /// Its rooms are closed; late joins are turned away.
    Stopping,
    /// Its thread ends.
    Ending,
}

/// What all workers of a server share.
#[derive(Clone)]
pub(crate) struct Common {
    /// Seats are given back here.
    pub(crate) registry: Arc<dyn Directory>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Where connections go back to.
    pub(crate) returns: UnboundedSender<Return>,
    /// Where rooms' states go, if they are kept.
    pub(crate) slots: Option<Arc<Slots>>,
    /// By what rooms are ticked, of a node of a cluster.
    pub(crate) claims: Option<Arc<Claims>>,
    /// What signs seats' tokens.
    pub(crate) seats: SeatKey,
    /// By their index.
    pub(crate) games: Arc<[Arc<HostedGame>]>,
    /// Where ticks are recorded, if they are.
    pub(crate) play_log: Option<Arc<PlayLog>>,
    /// Where what is said goes.
    pub(crate) store: Store,
    /// By whom it is read again.
    pub(crate) history: Arc<History>,
    /// Who has what is said outside of rooms.
    pub(crate) people: Arc<People>,
    /// See [`crate::config::Config`].
    pub(crate) stall_timeout: Duration,
    /// See [`crate::config::Config`].
    pub(crate) shuffle_rooms: Duration,
    /// The workers, as they see one another.
    pub(crate) peers: Peers,
}

impl Common {
    /// What holds for the rooms of a game.
    pub(crate) fn game(&self, game: GameIndex) -> Option<&Arc<HostedGame>> {
        self.games.get(usize::from(game.0))
    }
}

/// A worker as the lobby sees it.
pub(crate) struct Worker {
    inbox: Arc<SyncSender<Command>>,
    state: Arc<State>,
}

/// What a worker's thread and its handle share.
struct State {
    started: Instant,
    /// When the loop last came round, in milliseconds since `started`.
    alive_ms: AtomicU64,
    phase: AtomicU8,
    /// What the cluster's task wants of its rooms.
    orders: Orders,
}

impl Worker {
    /// Starts a worker's thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(
        index: usize,
        common: Common,
        vitals: &Vitals,
    ) -> io::Result<(Worker, JoinHandle<()>)> {
        let (worker, thread) = Worker::new(common, Instant::now(), None);
        let name = format!("worker-{index}");
        let alive = vitals.part(name.as_str());
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || thread.run(alive))?;
        Ok((worker, thread))
    }

    /// A worker and the loop that is to run on its thread.
    pub(crate) fn new(
        common: Common,
        started: Instant,
        clock: Option<Instant>,
    ) -> (Worker, EventLoop) {
        let (inbox, commands) = sync_channel(INBOX_COMMANDS_MAX);
        let state = Arc::new(State {
            started,
            alive_ms: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Running as u8),
            orders: Orders::default(),
        });
        let inbox = Arc::new(inbox);
        let me = common.peers.add(&inbox, &state);
        let to_wake = Arc::downgrade(&inbox);
        let post = Arc::new(Post::new(move || {
            if let Some(inbox) = to_wake.upgrade() {
                // A full inbox wakes the worker as well.
                let _ = inbox.try_send(Command::Wake);
            }
        }));
        let event_loop = EventLoop::new(common, commands, state.clone(), post, clock, me);
        (Worker { inbox, state }, event_loop)
    }

    /// Sends a connection to its room.
    ///
    /// # Errors
    /// The inbox is full: the connection comes back at once.
    pub(crate) fn send(
        &self,
        room: RoomId,
        join_request: JoinRequest,
        client: Client,
    ) -> Result<(), Client> {
        match self.inbox.try_send(Command::Attach {
            room,
            join_request,
            client,
        }) {
            Err(
                TrySendError::Full(Command::Attach { client, .. })
                | TrySendError::Disconnected(Command::Attach { client, .. }),
            ) => Err(client),
            _ => Ok(()),
        }
    }

    /// Asks for a room as an operator sees it. The answer comes after the turn that is under way;
    /// the channel closes without one if the room is gone or the inbox is full.
    pub(crate) fn inspect(&self, room: RoomId) -> oneshot::Receiver<RoomView> {
        let (reply, answer) = oneshot::channel();
        // What a full inbox gives back is dropped, and the channel with it.
        let _ = self.inbox.try_send(Command::Inspect { room, reply });
        answer
    }

    /// Has it apply what operators ordered about its members. The answer comes after the turn that
    /// is under way; `None` if the inbox is full.
    pub(crate) fn moderate(&self, seats_of: Option<Identity>) -> Option<oneshot::Receiver<u32>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.try_send(Command::Moderate { seats_of, reply });
        sent.ok().map(|()| answer)
    }

    /// Has its rooms forget somebody who is in them no more. `None` if the inbox is full.
    pub(crate) fn forget(&self, identity: Identity) -> Option<oneshot::Receiver<u32>> {
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.try_send(Command::Forget { identity, reply });
        sent.ok().map(|()| answer)
    }

    /// Has it do something about a room of a cluster; never lost, and does not wait.
    pub(crate) fn order(&self, order: Order) {
        self.state.order(order, &self.inbox);
    }

    /// Whether the loop came round within `span`.
    pub(crate) fn is_alive(&self, now: Instant, span: Duration) -> bool {
        self.state.is_alive(now, span)
    }

    /// Closes its rooms: their members are told and come back to be closed with 1012.
    pub(crate) fn stop(&self) {
        self.enter(Phase::Stopping);
    }

    /// Ends the thread. Connections that are still on their way to it are told.
    pub(crate) fn end(&self) {
        self.enter(Phase::Ending);
    }

    fn enter(&self, phase: Phase) {
        // What was ordered before is seen by who sees this.
        self.state.phase.fetch_max(phase as u8, Ordering::Release);
        // A full inbox wakes the worker as well.
        let _ = self.inbox.try_send(Command::Wake);
    }
}

impl State {
    /// Leaves an order for the worker of this inbox, and wakes it.
    fn order(&self, order: Order, inbox: &SyncSender<Command>) {
        self.orders.push(order);
        // A full inbox wakes the worker as well.
        let _ = inbox.try_send(Command::Wake);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Stopping,
            _ => Phase::Ending,
        }
    }

    fn is_alive(&self, now: Instant, span: Duration) -> bool {
        let alive = Duration::from_millis(self.alive_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(self.started + alive) <= span
    }

    fn beat(&self, now: Instant) {
        let alive = now.saturating_duration_since(self.started).as_millis();
        self.alive_ms.store(alive as u64, Ordering::Relaxed);
    }
}
