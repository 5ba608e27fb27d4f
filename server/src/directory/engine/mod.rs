//! What keeps a cluster's tables and its rooms' checkpoints: [`Engine`] carries the commands of
//! [`ownership`](super::ownership) to it and brings back its answers, in order, with the connection
//! that they came over. It decides nothing. [`redis`] is one that several nodes share; `embedded`, a
//! plain table in memory, is what it is held to. A server that is alone needs neither. Whoever drives ownership holds it.

pub(crate) mod codec;
#[cfg(test)]
pub(crate) mod embedded;
pub(crate) mod redis;
mod replies;
#[cfg(test)]
pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Instant;

use bytes::Bytes;
use tickwire::ids::{RoomId, Tick};
use tokio::sync::{mpsc, oneshot};

use super::ownership::messages::{self, Command, Epoch, Incarnation, Reply, Run};

/// Commands that wait for an engine that is slow or away: one of each kind for a quarter of the
/// rooms that a node may take over at once. Beyond: refused, and asked again with a later beat.
pub(crate) const COMMANDS_MAX: usize = 1024;
/// Events that wait for who drives ownership. Beyond: the engine is asked nothing more until they
/// are taken.
const EVENTS_MAX: usize = 1024;
/// Bytes of a checkpoint: 4,096 entities at 1 KiB. A larger one is refused and not kept: it would
/// hold up an engine, which does one thing at a time, for milliseconds.
pub(crate) const CHECKPOINT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rooms whose owner is asked for at once: 16 KB of records. Beyond: with the next question.
pub(crate) const OWNERS_MAX: usize = 256;
/// Orders about checkpoints that wait. Beyond: who gives them waits.
const BULK_MAX: usize = 4;

/// A command and the connection on which it was decided: on another one it is not sent, as that may
/// lead to an engine that lost what the decision stood on.
#[derive(Debug)]
struct Order {
    run: Run,
    command: Command,
}

/// What an engine tells, in the order in which it happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// A connection is there, and the engine is one that can be used.
    Connected { run: Run },
    /// It is gone, and with it all commands that were not answered, carried out or not.
    Disconnected { run: Run, why: Failure },
    /// A command was carried out. `sent` is from before its first byte was written. Of several
    /// beats that waited only the newest goes out, and is answered.
    Replied {
        run: Run,
        sent: Instant,
        reply: Reply,
    },
    /// The engine answered a command with an error, or with what is no answer to it.
    Failed { run: Run, why: Failure },
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no connection, or it broke.
    Away(String),
    /// No answer in time. What was asked may have been done.
    Late,
    /// The engine refused it, in its words.
    Refused(String),
    /// What came back is none of the answers that there are.
    Garbled(&'static str),
    /// What is stored there is no value of ours.
    Unreadable(&'static str),
    /// More than there may be of it.
    TooBig,
    /// It can't be this cluster's engine, whatever is tried again.
    Unsuitable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Away(why) | Failure::Unsuitable(why) => f.write_str(why),
            Failure::Late => f.write_str("it does not answer in time"),
            Failure::Refused(why) => write!(f, "it refuses: {why}"),
            Failure::Garbled(what) => write!(f, "its answer can't be read: {what}"),
            Failure::Unreadable(what) => write!(f, "what it keeps can't be read: {what}"),
            Failure::TooBig => f.write_str("it is too big"),
        }
    }
}

/// The queue of commands is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// A room as it was at a tick, to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) room: RoomId,
    /// Whose writing it is: one that is below the room's record is refused.
    pub(crate) epoch: Epoch,
    pub(crate) tick: Tick,
    /// Whatever its keeper makes of a room, at most [`CHECKPOINT_BYTES_MAX`].
    pub(crate) blob: Bytes,
}

/// What became of a checkpoint that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is kept, or a later one of this epoch is.
    Stored,
    /// The room is another's by now.
    Fenced,
    /// The room has no record: it is closed, or the engine lost it and the next beat asserts it.
    Unknown,
    /// It was not sent, or the engine refused it.
    Failed(Failure),
}

/// An order about checkpoints and where its outcome goes.
enum Bulk {
    Put(Vec<Checkpoint>, oneshot::Sender<Vec<Put>>),
    Get(RoomId, oneshot::Sender<Result<Option<Checkpoint>, Failure>>),
    Owners(
        Vec<RoomId>,
        oneshot::Sender<Result<Vec<Option<Incarnation>>, Failure>>,
    ),
}

/// A way to an engine. When it is dropped, so are the connections.
pub(crate) struct Engine {
    orders: mpsc::Sender<Order>,
    events: mpsc::Receiver<Event>,
    checkpoints: Checkpoints,
}

/// The engine's ends of an [`Engine`]'s queues.
struct Ends {
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
    bulk: mpsc::Receiver<Bulk>,
}

fn queues() -> (Engine, Ends) {
    let (orders, ordered) = mpsc::channel(COMMANDS_MAX);
    let (happened, events) = mpsc::channel(EVENTS_MAX);
    let (bulk, bulk_ordered) = mpsc::channel(BULK_MAX);
    let engine = Engine {
        orders,
        events,
        checkpoints: Checkpoints(bulk),
    };
    let ends = Ends {
        orders: ordered,
        events: happened,
        bulk: bulk_ordered,
    };
    (engine, ends)
}

impl Engine {
    /// Sends a command on that connection, if it is still the one there is: else it is dropped, as
    /// [`Event::Disconnected`] told or tells. Does not wait.
    ///
    /// # Errors
    /// [`COMMANDS_MAX`] wait.
    pub(crate) fn send(&self, run: Run, command: Command) -> Result<(), Full> {
        // A task that is gone has told so by the end of its events.
        match self.orders.try_send(Order { run, command }) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Full),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// The next event; `None` when its task is gone, which only a fault of ours ends.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Where rooms' checkpoints go, beside the commands: they wait for none and hold none up.
    pub(crate) fn checkpoints(&self) -> Checkpoints {
        self.checkpoints.clone()
    }
}

/// Keeps checkpoints in an engine. Clones lead to the same.
#[derive(Clone)]
pub(crate) struct Checkpoints(mpsc::Sender<Bulk>);

impl Checkpoints {
    /// Stores those that their rooms' records allow, many in one round trip, and says of each in
    /// its order what became of it. Give newer ones once this is back. One that failed may have
    /// been stored all the same.
    pub(crate) async fn put(&self, checkpoints: Vec<Checkpoint>) -> Vec<Put> {
        let count = checkpoints.len();
        let (done, outcome) = oneshot::channel();
        let sent = self.0.send(Bulk::Put(checkpoints, done)).await;
        let outcome = match sent {
            Ok(()) => outcome.await.ok(),
            Err(_) => None,
        };
        outcome.unwrap_or_else(|| vec![Put::Failed(gone()); count])
    }

    /// A room's checkpoint, `None` if there is none.
    ///
    /// # Errors
    /// The engine is away, or what it has is none.
    pub(crate) async fn get(&self, room: RoomId) -> Result<Option<Checkpoint>, Failure> {
        let (done, outcome) = oneshot::channel();
        let sent = self.0.send(Bulk::Get(room, done)).await;
        sent.map_err(|_| gone())?;
        outcome.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Whose these rooms are by their records, at most [`OWNERS_MAX`], in their order; `None`:
    /// there is no record. As of one moment, and decides nothing.
    ///
    /// # Errors
    /// The engine is away, or what it has is none.
    pub(crate) async fn owners(
        &self,
        rooms: Vec<RoomId>,
    ) -> Result<Vec<Option<Incarnation>>, Failure> {
        let (done, outcome) = oneshot::channel();
        let sent = self.0.send(Bulk::Owners(rooms, done)).await;
        sent.map_err(|_| gone())?;
        outcome.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Failure {
    Failure::Away("its task is gone".to_owned())
}
