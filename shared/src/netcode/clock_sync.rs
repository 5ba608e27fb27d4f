//! The client's idea of the server's tick, and when to send the input of which tick. Fed by
//! [`crate::session`] from snapshots; mirrored by `client-web/src/netcode/clock_sync.js`.
//! Not the view's clock: that is [`super::interpolation`]'s.
//!
//! **Offset.** A snapshot of tick n that arrives at local time a (in microseconds) gives the
//! sample `a - n * period`. The least sample of the last [`WINDOW_US`] belongs to the snapshot
//! that was delayed least; it is the `offset`. At local time t
//! the *server tick* is `(t - offset) / period`, a real number: the newest tick that can have
//! arrived, which is the server's own tick less the way down. When no sample is that young, the
//! last one stays.
//!
//! **Stamps.** The input of tick m is due when `floor(server tick) + lead >= m`. Stamps rise one by
//! one from the first; whoever falls more than [`CATCH_UP_MAX`] behind skips to the newest due.
//!
//! **Lead.** It starts at [`LEAD_START`] whole ticks and follows the slack that snapshots report: the newest
//! stamp that had arrived, less the snapshot's tick.
//! - A report counts only if an input was stamped, if the stamps are not more than
//!   [`CATCH_UP_MAX`] behind, and once `tick + slack >= settle`: `settle` is the
//!   first stamp after the last change (or skip), so that a change shows before the next one.
//! - A slack below 1 means that inputs are late or just in time: `lead += SLACK_TARGET - slack` at once.
//! - Else, when reports have counted for [`TRIM_TICKS`] ticks, `low` being the least of
//!   them: if `low < SLACK_TARGET`, `lead += SLACK_TARGET - low`; if it is above, `lead -= ceil((low - SLACK_TARGET) / 2)`.
//! - `lead` is kept within 1..=[`LEAD_MAX`]. Every change, and every end of such a period, starts a new one.

use std::collections::VecDeque;

use crate::ids::Tick;

/// Age at which a sample of the offset is forgotten, in microseconds: long enough to hold an
/// undelayed snapshot, short enough to follow a server that lost time.
pub const WINDOW_US: u64 = 2_000_000;
/// Samples that are kept at most; the window at 120 Hz. Only the candidates for the least one are.
pub const SAMPLES_MAX: usize = 240;
/// Ticks that inputs should be early: one is the timer's grain at both ends, one is for jitter.
pub const SLACK_TARGET: i32 = 2;
/// The lead before the first report, in ticks: 100 ms there and back at 30 Hz.
pub const LEAD_START: i32 = 4;
/// The greatest lead, in ticks: half of what the server queues.
pub const LEAD_MAX: i32 = 32;
/// Ticks for which the slack is watched before it is trimmed.
pub const TRIM_TICKS: u32 = 60;
/// Stamps that are made up for after a pause; older ones are skipped, because their ticks are over.
pub const CATCH_UP_MAX: u32 = 8;
/// The slack of a head that says that no input has arrived yet.
pub const SLACK_NONE: i8 = -128;

/// See the module's description. Times are the caller's, in microseconds from any start.
#[derive(Clone, Debug)]
pub struct ClockSync {
    period_us: f64,
    /// Rising arrivals with rising samples: each is the least of all from its arrival on.
    samples: VecDeque<(u64, f64)>,
    lead: i32,
    stamped: Option<Tick>,
    settle: Tick,
    watched_from: Option<Tick>,
    low: i32,
}

impl ClockSync {
    /// A clock for a room of `tick_rate` steps a second; 0 counts as 1.
    pub fn new(tick_rate: u16) -> ClockSync {
        ClockSync {
            period_us: 1e6 / f64::from(tick_rate.max(1)),
            samples: VecDeque::new(),
            lead: LEAD_START,
            stamped: None,
            settle: Tick(0),
            watched_from: None,
            low: 0,
        }
    }

    /// A snapshot of `tick` arrived at `now_us` with this slack in its head.
    pub fn on_snapshot(&mut self, tick: Tick, slack: i8, now_us: u64) {
        let sample = now_us as f64 - f64::from(tick.0) * self.period_us;
        while self.samples.back().is_some_and(|&(_, s)| s >= sample) {
            self.samples.pop_back();
        }
        self.samples.push_back((now_us, sample));
        while self.samples.len() > 1
            && (self.samples.len() > SAMPLES_MAX
                || now_us.saturating_sub(self.samples[0].0) > WINDOW_US)
        {
            self.samples.pop_front();
        }
        if slack != SLACK_NONE {
            self.on_slack(tick, i32::from(slack), now_us);
        }
    }

    /// The newest tick that can have arrived by `now_us`; `None` before the first snapshot.
    pub fn server_tick(&self, now_us: u64) -> Option<f64> {
        let &(_, offset) = self.samples.front()?;
        Some((now_us as f64 - offset) / self.period_us)
    }

    /// The next input's tick if it is due. To be asked again until it is `None`.
    pub fn next_stamp(&mut self, now_us: u64) -> Option<Tick> {
        let due = self.newest_due(now_us)?;
        let stamp = match self.stamped {
            Some(last) if due <= last => return None,
            Some(last) if due.since(last) <= CATCH_UP_MAX => last.next(),
            _ => {
                self.settle = due;
                self.watched_from = None;
                due
            }
        };
        self.stamped = Some(stamp);
        Some(stamp)
    }

    /// When the next input will be due, in microseconds, rounded up; 0 for at once, `None` before
    /// the first snapshot.
    pub fn next_stamp_us(&self) -> Option<u64> {
        let &(_, offset) = self.samples.front()?;
        let Some(last) = self.stamped else {
            return Some(0);
        };
        let at = offset + (f64::from(last.0) + 1.0 - f64::from(self.lead)) * self.period_us;
        Some(at.max(0.0).ceil() as u64)
    }

    /// Ticks from the newest snapshot that can be here to the stamps of inputs.
    pub fn lead(&self) -> i32 {
        self.lead
    }

    fn newest_due(&self, now_us: u64) -> Option<Tick> {
        let due = self.server_tick(now_us)?.floor() + f64::from(self.lead);
        Some(Tick(due.max(1.0) as u32))
    }

    fn on_slack(&mut self, tick: Tick, slack: i32, now_us: u64) {
        let (Some(last), Some(due)) = (self.stamped, self.newest_due(now_us)) else {
            return;
        };
        let newest = i64::from(tick.0) + i64::from(slack);
        if due.since(last) > CATCH_UP_MAX || newest < i64::from(self.settle.0) {
            return;
        }
        if slack < 1 {
            self.change(SLACK_TARGET - slack);
            return;
        }
        let from = match self.watched_from {
            Some(from) => from,
            None => {
                self.watched_from = Some(tick);
                self.low = slack;
                tick
            }
        };
        self.low = self.low.min(slack);
        if tick.since(from) >= TRIM_TICKS {
            let excess = self.low - SLACK_TARGET;
            self.watched_from = None;
            if excess < 0 {
                self.change(-excess);
            } else if excess > 0 {
                self.change(-((excess + 1) / 2));
            }
        }
    }

    fn change(&mut self, by: i32) {
        self.lead = (self.lead + by).clamp(1, LEAD_MAX);
        self.settle = self.stamped.map_or(Tick(0), Tick::next);
        self.watched_from = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD_US: u64 = 40_000;

    /// A server at 25 Hz that the client reaches after `up` and hears after `down`
    /// microseconds; returns the clock after `ticks` and the slacks that were reported.
    fn run(ticks: u32, down: impl Fn(u32) -> u64, up: impl Fn(u32) -> u64) -> (ClockSync, Vec<i8>) {
        let mut clock = ClockSync::new(25);
        let mut slacks = Vec::new();
        let mut snapshots: Vec<(u64, u32, i8)> = Vec::new();
        let mut inputs: Vec<(u64, u32)> = Vec::new();
        let mut newest: Option<u32> = None;
        for now in (0..u64::from(ticks) * PERIOD_US).step_by(1_000) {
            inputs.retain(|&(at, stamp)| {
                if at <= now {
                    newest = newest.max(Some(stamp));
                }
                at > now
            });
            if now % PERIOD_US == 0 {
                let tick = (now / PERIOD_US) as u32 + 100;
                let slack = newest.map_or(SLACK_NONE, |newest| {
                    (i64::from(newest) - i64::from(tick)).clamp(-127, 127) as i8
                });
                slacks.push(slack);
                snapshots.push((now + down(tick), tick, slack));
            }
            // In order, as a stream delivers.
            while snapshots.first().is_some_and(|&(at, ..)| at <= now) {
                let (_, tick, slack) = snapshots.remove(0);
                clock.on_snapshot(Tick(tick), slack, now);
            }
            while let Some(stamp) = clock.next_stamp(now) {
                inputs.push((now + up(stamp.0), stamp.0));
            }
        }
        (clock, slacks)
    }

    #[test]
    fn the_least_delayed_snapshot_sets_the_tick() {
        let mut clock = ClockSync::new(25);
        assert_eq!(clock.server_tick(5), None);
        assert_eq!(clock.next_stamp(5), None);
        clock.on_snapshot(Tick(10), SLACK_NONE, 430_000);
        clock.on_snapshot(Tick(11), SLACK_NONE, 450_000);
        clock.on_snapshot(Tick(12), SLACK_NONE, 520_000);
        assert_eq!(clock.server_tick(490_000), Some(12.0));
        assert_eq!(clock.server_tick(510_000), Some(12.5));
    }

    #[test]
    fn a_server_that_lost_time_is_followed_after_the_window() {
        let mut clock = ClockSync::new(25);
        clock.on_snapshot(Tick(1), SLACK_NONE, 40_000);
        let mut now = 0;
        for tick in 2..80 {
            now = u64::from(tick) * 40_000 + 500_000;
            clock.on_snapshot(Tick(tick), SLACK_NONE, now);
        }
        assert_eq!(clock.server_tick(now), Some(79.0));
    }

    #[test]
    fn stamps_rise_one_by_one_and_skip_after_a_pause() {
        let mut clock = ClockSync::new(25);
        clock.on_snapshot(Tick(10), SLACK_NONE, 400_000);
        assert_eq!(clock.next_stamp(400_000), Some(Tick(14)));
        assert_eq!(clock.next_stamp(400_000), None);
        assert_eq!(clock.next_stamp_us(), Some(440_000));
        assert_eq!(clock.next_stamp(439_999), None);
        assert_eq!(clock.next_stamp(490_000), Some(Tick(15)));
        assert_eq!(clock.next_stamp(490_000), Some(Tick(16)));
        assert_eq!(clock.next_stamp(490_000), None);
        assert_eq!(clock.next_stamp(4_000_000), Some(Tick(104)));
        assert_eq!(clock.next_stamp(4_000_000), None);
    }

    #[test]
    fn the_lead_settles_on_near_and_far_links() {
        for way in [0, 15_000, 60_000, 300_000] {
            let (clock, slacks) = run(800, |_| way, |_| way);
            let settled = &slacks[slacks.len() - 200..];
            assert!(
                settled.iter().all(|&slack| slack == 2),
                "way {way}: lead {}, {settled:?}",
                clock.lead()
            );
        }
    }

    #[test]
    fn jitter_on_the_way_up_is_covered() {
        let (_, slacks) = run(
            2_000,
            |_| 20_000,
            |stamp| 20_000 + u64::from(stamp % 7) * 10_000,
        );
        let late = slacks[400..].iter().filter(|&&slack| slack < 0).count();
        assert_eq!(late, 0, "{slacks:?}");
    }

    #[test]
    fn a_pause_of_the_client_raises_the_lead_once() {
        let (mut clock, _) = run(400, |_| 10_000, |_| 10_000);
        let (lead, last) = (clock.lead(), clock.stamped.expect("inputs were sent"));
        for tick in 500..700 {
            let slack = (last.0 as i32 - tick as i32).max(-127) as i8;
            let now_us = u64::from(tick - 100) * PERIOD_US + 10_000;
            clock.on_snapshot(Tick(tick), slack, now_us);
        }
        assert!(clock.lead() <= lead + SLACK_TARGET, "lead {}", clock.lead());
    }
}
