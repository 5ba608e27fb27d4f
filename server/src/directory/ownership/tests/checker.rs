//! What must hold in every history, checked at every tick of every room: ticks of a room are of
//! epochs that never fall, each of one incarnation; durable writes too; and what a cluster is like
//! once all is well again.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tickwire::ids::{RoomId, Tick};

use super::super::messages::{Epoch, Incarnation, RoomRecord};
use super::process::Hosted;
use crate::directory::engine::{Checkpoint, Put};

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
    pub(super) tick: Tick,
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
    /// Rooms that were stopped, with their last state stored: whoever ticks them at another epoch
    /// goes on from it.
    left: BTreeMap<RoomId, Tick>,
    /// The most ticks that a room's next owner did not know of.
    pub(super) lost: u32,
    pub(super) ticks: u64,
}

impl Checker {
    pub(super) fn violated(&mut self, at: Duration, what: String) {
        self.violation.get_or_insert(Violation { at, what });
    }

    /// A worker ticks a room; `is_lossless`: the engine has lost nothing so far.
    pub(super) fn tick(&mut self, at: Duration, room: RoomId, by: &Hosted, is_lossless: bool) {
        self.ticks += 1;
        let this = Ticked {
            epoch: by.epoch,
            who: by.who,
            tick: by.tick,
            at,
        };
        if let Some(killed) = self.killed.remove(&room) {
            self.resumed.push(at - killed);
        }
        let left = self.left.remove(&room);
        let Some(last) = self.ticked.insert(room, this) else {
            return;
        };
        let is_wrong = match this.epoch.cmp(&last.epoch) {
            Ordering::Less => true,
            Ordering::Equal => this.who != last.who || this.tick <= last.tick,
            Ordering::Greater => false,
        };
        if is_wrong {
            self.violated(at, format!("two tick {room:?}: {last:?}, then {this:?}"));
        }
        if this.epoch == last.epoch {
            return;
        }
        self.lost = self.lost.max(last.tick.next().since(this.tick));
        if let Some(tick) = left
            && is_lossless
            && tick != this.tick
        {
            self.violated(at, format!("{room:?} was left at {tick:?}, then {this:?}"));
        }
    }

    /// A room is stopped, and its last state is stored; unless it went on before that was.
    pub(super) fn left(&mut self, last: &Checkpoint) {
        let ticked = self.ticked.get(&last.room);
        let is_last = |of: &Ticked| of.epoch == last.epoch && of.tick.next() == last.tick;
        if ticked.is_some_and(is_last) {
            self.left.insert(last.room, last.tick);
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

    /// A master has forgotten a closed room, with its epochs: if that had lost the fence of a former
    /// owner, who asserts it once more before it hears that it has to start anew, the number begins
    /// below.
    pub(super) fn forgotten(&mut self, master: usize, room: RoomId) {
        self.written.remove(&(master, room));
    }

    /// An engine was given a durable write, and did this with it: a lower epoch than its room's
    /// record has, or than was written before, is refused.
    pub(super) fn put(
        &mut self,
        at: Duration,
        master: usize,
        record: Option<RoomRecord>,
        given: &Checkpoint,
        put: &Put,
    ) {
        if *put != Put::Stored {
            return;
        }
        let (room, epoch) = (given.room, given.epoch);
        let last = self.written.insert((master, room), epoch).unwrap_or(epoch);
        if epoch < last || record.is_none_or(|record| epoch < record.epoch) {
            let what = format!("{room:?} of {record:?} was written at {last:?}, then {epoch:?}");
            self.violated(at, what);
        }
    }
}
