//! A node of the simulated clusters: a machine with a clock of its own rate, and on it a process
//! with its task, which runs [`Ownership`], and its workers, which tick rooms by the lease in their
//! hands alone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{Answer, Epoch, Incarnation, Reply, Run};
use super::super::{Lease, Ownership};

/// What comes to a process's task, in this order.
#[derive(Debug)]
pub(super) enum Input {
    /// To this master.
    Connected(usize),
    Broken(Run),
    Replied(Run, Duration, Reply),
    Answered(Duration, String, Answer),
    Unreachable(String),
    /// A peer gave it a room.
    Hurry,
    /// A peer asks: who, in which life, when by its clock.
    Asked(usize, u64, Duration),
    /// Nothing is kept of a room, or nobody is in it.
    Empty(RoomId),
}

/// What the task tells the workers.
#[derive(Debug)]
pub(super) enum Order {
    Start(RoomId, Hosted),
    /// The same, but for what is kept of it.
    StartEmpty(RoomId, Hosted),
    Stop(RoomId),
    StopAll(Incarnation),
}

/// A room in a worker's hands.
#[derive(Clone, Debug)]
pub(super) struct Hosted {
    pub(super) epoch: Epoch,
    pub(super) who: Incarnation,
    pub(super) lease: Arc<Lease>,
    pub(super) ticks: u64,
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

/// One life of a node.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) boot: Duration,
    pub(super) me: Incarnation,
    pub(super) own: Ownership,
    /// Its task does not run; its workers do.
    pub(super) is_stuck: bool,
    pub(super) inbox: VecDeque<Input>,
    pub(super) hosted: BTreeMap<RoomId, Hosted>,
    pub(super) conn: Option<Conn>,
    pub(super) runs: u64,
    pub(super) last_order: Duration,
    /// The wake-up that counts.
    pub(super) wake: u64,
}

/// A machine.
#[derive(Debug)]
pub(super) struct Node {
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

impl Node {
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
