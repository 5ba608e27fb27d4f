//! How late the others are shown: the judge of what an interpolation costs. Each frame is kept until the snapshots around the tick that it
//! means to show have come; then everybody's distance from where they were at that tick is told as the time that they need for it at
//! their top speed. Used by [`super::others`]; nothing that is drawn depends on it.

use std::collections::VecDeque;

use tickwire::ids::Tick;
use tickwire::netcode::pursuit::length;

use super::others::Seen;
use super::run::TICK_RATE;

/// Without a snapshot for so long, in microseconds, it was a stall.
const STALL_US: u64 = 250_000;
/// How long after a stall frames count, in microseconds.
const AFTER_US: u64 = 2_000_000;
/// Snapshots that are kept to judge by: as many as a view keeps.
const KEPT: usize = 64;

/// A frame that waits for its snapshots.
struct Frame {
    meant: f64,
    seen: Vec<Seen>,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Lateness {
    /// By rising tick, of everybody as they were.
    snapshots: VecDeque<(f64, Vec<Seen>)>,
    /// By rising tick.
    frames: VecDeque<Frame>,
    came_us: u64,
    counts_until_us: u64,
    always: bool,
    /// Milliseconds, of everybody in every frame that counted.
    pub(super) late_ms: Vec<f64>,
}

impl Lateness {
    /// `always`: frames count though no stall was before them.
    pub(super) fn new(always: bool) -> Lateness {
        Lateness {
            always,
            ..Lateness::default()
        }
    }

    /// A snapshot came.
    pub(super) fn on_snapshot(&mut self, tick: Tick, now_us: u64, all: Vec<Seen>) {
        if now_us.saturating_sub(self.came_us) > STALL_US {
            self.counts_until_us = now_us + AFTER_US;
        }
        self.came_us = now_us;
        let tick = f64::from(tick.0);
        if self.snapshots.len() == KEPT {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back((tick, all));
        while let Some(frame) = self.frames.pop_front_if(|frame| frame.meant < tick) {
            self.judge(&frame);
        }
    }

    /// A frame was drawn that means to show the tick `meant`: it counts after a stall.
    pub(super) fn on_frame(&mut self, now_us: u64, meant: f64, seen: &[Seen]) {
        if self.always || now_us < self.counts_until_us {
            let seen = seen.to_vec();
            self.frames.push_back(Frame { meant, seen });
        }
    }

    fn judge(&mut self, frame: &Frame) {
        let after = self
            .snapshots
            .partition_point(|(tick, _)| *tick <= frame.meant);
        let (Some(before), Some((tick, newer))) = (after.checked_sub(1), self.snapshots.get(after))
        else {
            return;
        };
        let (from_tick, older) = &self.snapshots[before];
        let ticks = tick - from_tick;
        let part = (frame.meant - from_tick) / ticks;
        for one in &frame.seen {
            let late_ms = lateness(one, older, newer, part, ticks);
            self.late_ms.extend(late_ms);
        }
    }
}

/// In milliseconds; `None` for who was not there, not up, or put elsewhere.
fn lateness(one: &Seen, older: &[Seen], newer: &[Seen], part: f64, ticks: f64) -> Option<f64> {
    let find = |all: &[Seen]| all.iter().find(|other| other.handle == one.handle).copied();
    let (from, to, top) = (find(older)?, find(newer)?, one.top_speed()?);
    let way = [0, 1].map(|axis| to.place[axis] - from.place[axis]);
    let is_walk = length(&way) <= 2.0 * top * ticks / f64::from(TICK_RATE);
    let off = [0, 1].map(|axis| one.place[axis] - (from.place[axis] + way[axis] * part));
    (from.is_up && to.is_up && one.is_up && is_walk).then(|| length(&off) / top * 1000.0)
}
