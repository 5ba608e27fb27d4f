//! A node of the simulated clusters: a machine with a clock of its own rate, and on it a process
//! with its task, which runs [`Node`](crate::cluster::node::Node), and its workers, which tick rooms
//! by the lease in their hands alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tickwire::ids::{RoomId, Tick};

use super::super::Lease;
use super::super::messages::{Answer, Epoch, Incarnation, Reply, Run};
use super::store::{Done, Store};
use crate::cluster::node::Node;
use crate::directory::engine::Checkpoint;

/// What comes to a process's task, in this order.
#[derive(Debug)]
pub(super) enum Input {
    /// To this master.
    Connected(usize),
    Broken(Run),
    Replied(Run, Duration, Reply),
    /// From the other connection, of checkpoints.
    Done(Run, Done),
    Answered(Duration, String, Answer),
    Unreachable(String),
    /// A peer gave it a room.
    Hurry,
    /// A peer asks: who, in which life, when by its clock.
    Asked(usize, u64, Duration),
    /// A worker opened or closed a room, under an incarnation.
    Changed(Incarnation, RoomId),
    /// A room stands still, with its state; none: it does not.
    Stopped(Incarnation, RoomId, Option<Checkpoint>),
    /// A worker has a room that was fetched at that epoch.
    Restored(Incarnation, RoomId, Epoch),
    /// A worker left a room's state.
    Saved(Checkpoint),
    /// An operator has it drain.
    Drain,
}

/// What the task tells the workers.
#[derive(Debug)]
pub(super) enum Order {
    Give(RoomId, Hosted),
    Stop(Incarnation, RoomId),
    GoOn(Incarnation, RoomId),
    Drop(Incarnation, RoomId),
    DropAll(Incarnation),
}

/// A room in a worker's hands.
#[derive(Clone, Debug)]
pub(super) struct Hosted {
    /// 0: the tables don't have it yet.
    pub(super) epoch: Epoch,
    pub(super) who: Incarnation,
    pub(super) lease: Arc<Lease>,
    /// The next one.
    pub(super) tick: Tick,
    pub(super) is_still: bool,
}

/// A connection to the engine.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) run: Run,
    pub(super) master: usize,
    /// Without an answer since.
    pub(super) waits: Option<Duration>,
    /// Nothing arrives before what was sent before, either way.
    pub(super) last_out: Duration,
    pub(super) last_in: Duration,
}

impl Conn {
    pub(super) fn new(run: Run, master: usize, t: Duration) -> Conn {
        Conn {
            run,
            master,
            waits: None,
            last_out: t,
            last_in: t,
        }
    }
}

/// One life of a node.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) boot: Duration,
    pub(super) me: Incarnation,
    pub(super) node: Node,
    pub(super) lease: Arc<Lease>,
    /// Its task does not run; its workers do.
    pub(super) is_stuck: bool,
    pub(super) inbox: VecDeque<Input>,
    pub(super) hosted: BTreeMap<RoomId, Hosted>,
    /// The rooms of this incarnation, as workers and task know them together.
    pub(super) claims: BTreeSet<RoomId>,
    /// The states of rooms that stand still.
    pub(super) last: BTreeMap<RoomId, Checkpoint>,
    /// When its members were told last that a room will go.
    pub(super) announced: BTreeMap<RoomId, Duration>,
    pub(super) conn: Option<Conn>,
    pub(super) runs: u64,
    pub(super) store: Store,
    pub(super) last_order: Duration,
    /// The wake-up that counts.
    pub(super) wake: u64,
}

impl Process {
    /// One of its two connections.
    pub(super) fn line(&mut self, is_bulk: bool) -> Option<&mut Conn> {
        match is_bulk {
            false => self.conn.as_mut(),
            true => self.store.conn.as_mut(),
        }
    }

    /// What workers are given of a room.
    pub(super) fn hosts(&self, epoch: Epoch, tick: Tick) -> Hosted {
        Hosted {
            epoch,
            who: self.me,
            lease: self.lease.clone(),
            tick,
            is_still: false,
        }
    }
}

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    /// Its clock's rate beyond 1, in millionths.
    pub(super) ppm: i64,
    /// Counts processes.
    pub(super) life: u64,
    pub(super) process: Option<Process>,
    /// The whole machine is away: nobody refuses.
    pub(super) is_away: bool,
    /// The process is stopped.
    pub(super) is_paused: bool,
}

impl Machine {
    /// A process's own time at `t`.
    pub(super) fn local(&self, boot: Duration, t: Duration) -> Duration {
        let span = (t - boot).as_nanos() as i128;
        Duration::from_nanos((span * (1_000_000 + i128::from(self.ppm)) / 1_000_000) as u64)
    }

    /// The other way, rounded up.
    pub(super) fn global(&self, boot: Duration, local: Duration) -> Duration {
        let span = local.as_nanos() as i128 * 1_000_000 / (1_000_000 + i128::from(self.ppm));
        boot + Duration::from_nanos(span as u64) + Duration::from_micros(1)
    }
}
