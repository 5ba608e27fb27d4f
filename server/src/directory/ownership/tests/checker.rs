//! What must hold in every history, checked at every tick of every room: ticks of a room are of
//! epochs that never fall, each of one incarnation; durable writes too; and what a cluster is like
//! once all is well again.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{Epoch, Incarnation};

/// What a history broke, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) at: Duration,
    pub(super) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:.3} s: {}", self.at.as_secs_f64(), self.what)
    }
}

/// The last tick of a room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticked {
    pub(super) epoch: Epoch,
    pub(super) who: Incarnation,
    pub(super) at: Duration,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Checker {
    pub(super) ticked: BTreeMap<RoomId, Ticked>,
    /// By master and room: the epoch of the last write that was taken.
    written: BTreeMap<(usize, RoomId), Epoch>,
    pub(super) violation: Option<Violation>,
    /// Rooms whose owner was killed, and when.
    killed: BTreeMap<RoomId, Duration>,
    pub(super) resumed: Vec<Duration>,
    pub(super) ticks: u64,
}

impl Checker {
    pub(super) fn violated(&mut self, at: Duration, what: String) {
        self.violation.get_or_insert(Violation { at, what });
    }

    /// A worker ticks a room.
    pub(super) fn tick(&mut self, at: Duration, room: RoomId, epoch: Epoch, who: Incarnation) {
        self.ticks += 1;
        let this = Ticked { epoch, who, at };
        let last = self.ticked.insert(room, this).unwrap_or(this);
        if epoch < last.epoch || epoch == last.epoch && who != last.who {
            let what = format!("two tick {room:?}: {last:?}, then {this:?}");
            self.violated(at, what);
        }
        if let Some(killed) = self.killed.remove(&room) {
            self.resumed.push(at - killed);
        }
    }

    /// A room's owner is killed.
    pub(super) fn killed(&mut self, at: Duration, room: RoomId) {
        self.killed.insert(room, at);
    }

    /// A room is closed: it need not come back.
    pub(super) fn closed(&mut self, room: RoomId) {
        self.killed.remove(&room);
    }

    /// An engine took a durable write.
    pub(super) fn written(&mut self, at: Duration, master: usize, room: RoomId, epoch: Epoch) {
        let last = self.written.insert((master, room), epoch).unwrap_or(epoch);
        if epoch < last {
            self.violated(
                at,
                format!("{room:?} was written at {last:?}, then {epoch:?}"),
            );
        }
    }
}
