//! How the others are shown: how fast they are seen to go, and how late. A frame is kept until the
//! snapshots around the tick that it should show have come; then everybody's distance from where
//! they were at that tick is told as the time that they need for it at their top speed.

use std::collections::VecDeque;

use super::seen::{Seen, apart, find};

/// Without a snapshot for so long, in microseconds, it was a stall.
const STALL_US: u64 = 250_000;
/// How long after a stall frames count, in microseconds.
const AFTER_US: u64 = 2_000_000;
/// Snapshots that are kept to judge by: as many as a view keeps.
const KEPT: usize = 64;

struct Snapshot {
    tick: f64,
    everyone: Vec<Seen>,
}

/// A frame as it was drawn.
struct Frame {
    at_us: u64,
    /// The tick that it showed, and the newest snapshot then.
    view: f64,
    newest: f64,
    others: Vec<Seen>,
}

/// A frame that waits for the snapshots around the tick that it should have shown.
struct Waiting {
    meant: f64,
    others: Vec<Seen>,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Others {
    /// By rising tick.
    snapshots: VecDeque<Snapshot>,
    frame: Option<Frame>,
    /// By rising tick.
    waiting: VecDeque<Waiting>,
    came_us: u64,
    counts_until_us: u64,
    always: bool,
    /// The greatest speed that anyone was seen at, as a share of their top speed.
    pub(super) fastest: f64,
    /// Milliseconds, of everybody in every frame that counted.
    pub(super) late_ms: Vec<f64>,
}

impl Others {
    /// `always`: lateness is told of every frame, not only after stalls.
    pub(super) fn new(always: bool) -> Others {
        Others {
            always,
            ..Others::default()
        }
    }

    /// A snapshot came.
    pub(super) fn on_snapshot(&mut self, tick: u32, now_us: u64, everyone: Vec<Seen>) {
        if now_us - self.came_us > STALL_US {
            self.counts_until_us = now_us + AFTER_US;
        }
        self.came_us = now_us;
        if self.snapshots.len() == KEPT {
            self.snapshots.pop_front();
        }
        let tick = f64::from(tick);
        self.snapshots.push_back(Snapshot { tick, everyone });
        while let Some(frame) = self.waiting.pop_front_if(|frame| frame.meant < tick) {
            self.judge_lateness(&frame);
        }
    }

    /// A frame was drawn that shows the tick `view` and should show `meant`.
    pub(super) fn on_frame(&mut self, now_us: u64, view: f64, meant: f64, others: &[Seen]) {
        let newest = self.snapshots.back().map_or(0.0, |newest| newest.tick);
        let frame = Frame {
            at_us: now_us,
            view,
            newest,
            others: others.to_vec(),
        };
        if let Some(before) = self.frame.take() {
            self.judge_speed(&before, &frame);
        }
        if self.always || now_us < self.counts_until_us {
            let others = others.to_vec();
            self.waiting.push_back(Waiting { meant, others });
        }
        self.frame = Some(frame);
    }

    /// The newest frame's picture.
    pub(super) fn picture(&self) -> &[Seen] {
        self.frame.as_ref().map_or(&[], |frame| &frame.others)
    }

    /// Of who only walked in the snapshots that the view came through since the frame before.
    fn judge_speed(&mut self, before: &Frame, now: &Frame) {
        let seen = before.view.min(before.newest);
        let seconds = (now.at_us - before.at_us) as f64 / 1e6;
        let pairs = self.snapshots.iter().zip(self.snapshots.iter().skip(1));
        let passed: Vec<(&Snapshot, &Snapshot)> = pairs
            .filter(|(older, newer)| newer.tick > seen && older.tick <= now.view)
            .collect();
        for is in &now.others {
            let Some(was) = find(&before.others, is.handle) else {
                continue;
            };
            let walks = passed.iter().all(|(older, newer)| {
                let both = find(&older.everyone, is.handle).zip(find(&newer.everyone, is.handle));
                both.is_none_or(|(a, b)| a.walks_to(b, newer.tick - older.tick))
            });
            if walks && was.is_up && is.is_up {
                let speed = apart(was.place, is.place) / seconds;
                self.fastest = self.fastest.max(speed / is.top_speed());
            }
        }
    }

    fn judge_lateness(&mut self, frame: &Waiting) {
        let after = self
            .snapshots
            .partition_point(|snapshot| snapshot.tick <= frame.meant);
        let Some(newer) = self.snapshots.get(after) else {
            return;
        };
        let Some(older) = after.checked_sub(1).map(|at| &self.snapshots[at]) else {
            return;
        };
        let ticks = newer.tick - older.tick;
        let part = (frame.meant - older.tick) / ticks;
        for one in &frame.others {
            let both = find(&older.everyone, one.handle).zip(find(&newer.everyone, one.handle));
            if let Some((from, to)) = both
                && one.is_up
                && from.walks_to(to, ticks)
            {
                let was = [0, 1]
                    .map(|axis| from.place[axis] + (to.place[axis] - from.place[axis]) * part);
                let late_ms = apart(one.place, was) / one.top_speed() * 1000.0;
                self.late_ms.push(late_ms);
            }
        }
    }
}
