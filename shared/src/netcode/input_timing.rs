//! When inputs leave, and the tick that each is for. Asked by [`crate::session`] with the server
//! tick of [`super::clock_sync`] and the slack that snapshots report; mirrored by
//! `client-web/src/netcode/input_timing.js`; both reproduce
//! `shared/vectors/netcode/input_timing.json`. Not the queue that the inputs wait in: that is the
//! server's, [`super::input_queue`].
//!
//! **Stamps.** The input of tick m is due when `server tick + lead >= m`; the newest stamp that is
//! due is `floor(server tick + lead + 1e-6)`, at least 1. Stamps rise one by one from the first;
//! whoever falls more than [`CATCH_UP_MAX`] behind skips to the newest due.
//!
//! **Slack.** A snapshot's head says how early inputs come: the newest stamp that had arrived, less
//! the snapshot's tick. 0 is just in time, below 0 is late. The server reads its sockets at the
//! tick, so nobody knows it finer.
//!
//! **Target.** The lead, in ticks and their eighths, is as short as it may be while in a window of
//! [`TRIM_S`] the least slack is [`SLACK_TARGET`]: the input that the jitter delays most still
//! comes between one and two ticks early. It starts at [`LEAD_START`] (or by the first round trip
//! that is known before any report counts: `rtt / period + 2`, up to a whole eighth, if that is
//! more), and is kept within [`LEAD_MIN`]`..=`[`LEAD_MAX`].
//!
//! **Reports.** A report of (tick, slack) is looked at if an input was stamped and the stamps are
//! not more than [`CATCH_UP_MAX`] behind (else the client paused). With `newest = tick + slack`:
//! - `newest < settle` is not looked at further: `settle` is the first stamp after the last change
//!   (or skip), so that a change shows before the next one.
//! - If `newest` is no more than in the report before, nothing arrived in between. The slack is
//!   noted if it is the least of this *gap*, and the ticks since the report before count to the
//!   gap's length. No more is done: a gap may be a stall.
//! - Else something arrived and the gap is over. `low` is the slack; or the gap's least, if that is
//!   less and the gap was at most [`GAP_MAX_MS`] long. A longer one was a stall, which no lead
//!   covers at a bearable price.
//!   - `low < 0`: `lead += SLACK_TARGET - low`.
//!   - `low < SLACK_TARGET`: `lead += RAISE`.
//!   - else: in the window's first report its tick is the window's start, and `least` is the least
//!     of all its lows. When the window is
//!     `TRIM_S` long: `lead -= (least - SLACK_TARGET) / 2 + TRIM`; so the lead falls fast from far above and then feels
//!     its way down, a [`TRIM`] a window, until a low below the target sends it a [`RAISE`] up.
//!
//! Every change of the lead begins a new window, and a new gap.

use crate::ids::Tick;

/// Ticks that the latest inputs should be early. Below it there is nothing to tell that the next
/// one will be late.
pub const SLACK_TARGET: i32 = 1;
/// The lead before the first report, in ticks: 65 ms there and back at 30 Hz.
pub const LEAD_START: f64 = 4.0;
/// The least lead, in ticks.
pub const LEAD_MIN: f64 = 1.0;
/// The greatest lead, in ticks: 1.8 s at 30 Hz, and within what the server queues.
pub const LEAD_MAX: f64 = 56.0;
/// Seconds for which the slack is watched before the lead is shortened.
pub const TRIM_S: u32 = 2;
/// What the lead is shortened by after a window that was on target, in ticks: a four-hundredth of
/// the pace at 30 Hz, which nobody sees.
pub const TRIM: f64 = 0.125;
/// What it is lengthened by when the slack is off target but nothing was late, in ticks.
pub const RAISE: f64 = 0.25;
/// The longest gap that counts as jitter, in milliseconds.
pub const GAP_MAX_MS: u32 = 150;
/// Stamps that are made up for after a pause; older ones are skipped, because their ticks are over.
pub const CATCH_UP_MAX: u32 = 8;
/// The slack of a head that says that no input has arrived yet.
pub const SLACK_NONE: i8 = -128;
/// Below what rounding makes of a due time, in ticks.
const DUE_GRAIN: f64 = 1e-6;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct InputTiming {
    trim_ticks: u32,
    gap_max_ticks: u32,
    lead: f64,
    stamped: Option<Tick>,
    settle: i64,
    /// Whether a report has counted.
    heard: bool,
    /// The newest arrival of the report before, and its tick.
    newest: i64,
    reported: Tick,
    gap: Gap,
    window: Option<Window>,
}

/// A stretch of reports without arrivals.
#[derive(Clone, Copy, Debug, Default)]
struct Gap {
    ticks: u32,
    least: Option<i32>,
}

/// What is watched before the lead is shortened.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Tick,
    least: i32,
}

impl InputTiming {
    /// For a room of `tick_rate` steps a second; 0 counts as 1.
    pub fn new(tick_rate: u16) -> InputTiming {
        let rate = u32::from(tick_rate.max(1));
        InputTiming {
            trim_ticks: TRIM_S * rate,
            gap_max_ticks: (GAP_MAX_MS * rate).div_ceil(1000),
            lead: LEAD_START,
            stamped: None,
            settle: 0,
            heard: false,
            newest: i64::MIN,
            reported: Tick(0),
            gap: Gap::default(),
            window: None,
        }
    }

    /// Ticks from the newest snapshot that can be here to the stamps of inputs.
    pub fn lead(&self) -> f64 {
        self.lead
    }

    /// The newest stamp given out.
    pub fn stamped(&self) -> Option<Tick> {
        self.stamped
    }

    /// A round trip took `ticks`. Counts only while nothing better is known.
    pub fn on_round_trip(&mut self, ticks: f64) {
        if !self.heard {
            let lead = ((ticks + 2.0) * 8.0).ceil() / 8.0;
            self.lead = lead.max(self.lead).min(LEAD_MAX);
        }
    }

    /// The next input's tick if it is due. To be asked again until it is `None`.
    pub fn next_stamp(&mut self, server_tick: f64) -> Option<Tick> {
        let due = self.newest_due(server_tick);
        let stamp = match self.stamped {
            Some(last) if due <= last => return None,
            Some(last) if due.since(last) <= CATCH_UP_MAX => last.next(),
            _ => {
                self.settle = i64::from(due.0);
                self.restart();
                due
            }
        };
        self.stamped = Some(stamp);
        Some(stamp)
    }

    /// The server tick at which the next input will be due; `None` for at once.
    pub fn next_due(&self) -> Option<f64> {
        let last = self.stamped?;
        Some(f64::from(last.0) + 1.0 - self.lead)
    }

    /// A snapshot of `tick` came with this slack, at this server tick.
    pub fn on_report(&mut self, tick: Tick, slack: i8, server_tick: f64) {
        let Some(last) = self.stamped.filter(|_| slack != SLACK_NONE) else {
            return;
        };
        let newest = i64::from(tick.0) + i64::from(slack);
        if self.newest_due(server_tick).since(last) > CATCH_UP_MAX || newest < self.settle {
            return;
        }
        let arrived = newest > self.newest;
        let since = tick.since(self.reported);
        self.newest = newest;
        self.reported = tick;
        let slack = i32::from(slack);
        if !arrived {
            self.gap.ticks = self.gap.ticks.saturating_add(since);
            self.gap.least = Some(self.gap.least.map_or(slack, |least| least.min(slack)));
            return;
        }
        self.heard = true;
        let gap = std::mem::take(&mut self.gap);
        let low = gap
            .least
            .filter(|_| gap.ticks <= self.gap_max_ticks)
            .map_or(slack, |least| least.min(slack));
        self.judge(tick, low);
    }

    fn judge(&mut self, tick: Tick, low: i32) {
        if low < 0 {
            self.change(f64::from(SLACK_TARGET - low));
            return;
        }
        if low < SLACK_TARGET {
            self.change(RAISE);
            return;
        }
        let window = self.window.get_or_insert(Window {
            from: tick,
            least: low,
        });
        window.least = window.least.min(low);
        if tick.since(window.from) >= self.trim_ticks {
            let excess = f64::from(window.least - SLACK_TARGET);
            self.change(-(excess / 2.0 + TRIM));
        }
    }

    fn newest_due(&self, server_tick: f64) -> Tick {
        let due = (server_tick + self.lead + DUE_GRAIN).floor();
        Tick(due.max(1.0) as u32)
    }

    fn change(&mut self, by: f64) {
        self.lead = (self.lead + by).clamp(LEAD_MIN, LEAD_MAX);
        self.settle = self.stamped.map_or(0, |last| i64::from(last.0) + 1);
        self.restart();
    }

    fn restart(&mut self) {
        self.window = None;
        self.gap = Gap::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Xorshift32;
    use std::collections::VecDeque;

    const RATE: u16 = 25;
    const PERIOD_US: u64 = 40_000;

    /// A server at 25 Hz whose snapshots come at once, and inputs that take `up` microseconds, in
    /// order; the lead after each tick and the slacks that were reported.
    fn run(ticks: u32, mut up: impl FnMut(u64) -> u64) -> (Vec<f64>, Vec<i8>) {
        let mut timing = InputTiming::new(RATE);
        let mut inputs: VecDeque<(u64, u32)> = VecDeque::new();
        let (mut leads, mut slacks) = (Vec::new(), Vec::new());
        let mut newest: Option<u32> = None;
        for now in (0..u64::from(ticks) * PERIOD_US).step_by(1_000) {
            while let Some((_, stamp)) = inputs.pop_front_if(|(at, _)| *at <= now) {
                newest = Some(stamp);
            }
            let server_tick = now as f64 / PERIOD_US as f64 + 100.0;
            if now % PERIOD_US == 0 {
                let tick = server_tick as u32;
                let slack = newest.map_or(SLACK_NONE, |newest| {
                    (i64::from(newest) - i64::from(tick)).clamp(-127, 127) as i8
                });
                slacks.push(slack);
                timing.on_report(Tick(tick), slack, server_tick);
                leads.push(timing.lead());
            }
            while let Some(stamp) = timing.next_stamp(server_tick) {
                let last = inputs.back().map_or(0, |(at, _)| *at);
                inputs.push_back(((now + up(now)).max(last), stamp.0));
            }
        }
        (leads, slacks)
    }

    #[test]
    fn stamps_rise_one_by_one_and_skip_after_a_pause() {
        let mut timing = InputTiming::new(RATE);
        assert_eq!(timing.next_due(), None);
        assert_eq!(timing.next_stamp(10.0), Some(Tick(14)));
        assert_eq!(timing.next_stamp(10.9), None);
        assert_eq!(timing.next_due(), Some(11.0));
        assert_eq!(timing.next_stamp(12.25), Some(Tick(15)));
        assert_eq!(timing.next_stamp(12.25), Some(Tick(16)));
        assert_eq!(timing.next_stamp(12.25), None);
        assert_eq!(timing.next_stamp(100.0), Some(Tick(104)));
        assert_eq!(timing.next_stamp(100.0), None);
    }

    #[test]
    fn the_lead_settles_a_tick_above_the_way() {
        for way_us in [0, 15_000, 120_000, 390_000, 900_000] {
            let (leads, slacks) = run(3_000, |_| way_us);
            let way = way_us as f64 / PERIOD_US as f64;
            for lead in &leads[1_500..] {
                assert!((lead - way - 1.0).abs() <= 0.375, "way {way}: {lead}");
            }
            assert!(slacks[100..].iter().all(|slack| *slack >= 0), "way {way}");
        }
    }

    #[test]
    fn the_queue_is_as_short_as_the_jitter_allows() {
        for jitter_us in [10_000, 30_000, 100_000] {
            let mut dice = Xorshift32::new(5);
            let (leads, slacks) = run(6_000, |_| 60_000 + u64::from(dice.below(jitter_us)));
            let most = 1.5 + f64::from(jitter_us) / PERIOD_US as f64;
            for lead in &leads[1_000..] {
                assert!(*lead <= most + 1.3 && *lead >= most - 0.2, "{lead}, {most}");
            }
            let late = slacks[1_000..].iter().filter(|slack| **slack < 0).count();
            assert!(late <= 2, "jitter {jitter_us}: {late} late");
        }
    }

    #[test]
    fn a_longer_way_is_answered_once_it_shows_and_a_shorter_one_in_seconds() {
        let (leads, slacks) = run(3_000, |now| if now < 60_000_000 { 20_000 } else { 300_000 });
        // 7 ticks of way later, and as many to see it work.
        assert!(slacks[1_500 + 20..].iter().all(|slack| *slack >= 0));
        assert!(leads[1_520] > 8.0);
        let (leads, _) = run(3_000, |now| if now < 60_000_000 { 300_000 } else { 20_000 });
        assert!(leads[1_500 + 500] < 2.5, "{}", leads[2_000]);
    }

    #[test]
    fn a_stall_is_not_waited_for() {
        let (leads, _) = run(3_000, |now| {
            let into = now % 5_000_000;
            20_000 + 500_000_u64.saturating_sub(into)
        });
        assert!(leads[500..].iter().all(|lead| *lead < 2.0), "{leads:?}");
    }

    #[test]
    fn a_pause_of_the_client_changes_nothing() {
        let mut timing = InputTiming::new(RATE);
        timing.next_stamp(10.0);
        for tick in 100..200 {
            timing.on_report(Tick(tick), -86, f64::from(tick));
        }
        assert_eq!(timing.lead(), LEAD_START);
    }

    #[test]
    fn the_first_lead_may_follow_a_round_trip() {
        let mut timing = InputTiming::new(RATE);
        timing.on_round_trip(0.4);
        assert_eq!(timing.lead(), LEAD_START);
        timing.on_round_trip(5.01);
        assert_eq!(timing.lead(), 7.125);
        timing.on_round_trip(f64::NAN);
        assert_eq!(timing.lead(), 7.125);
        timing.on_round_trip(1e9);
        assert_eq!(timing.lead(), LEAD_MAX);
    }

    #[test]
    fn no_report_makes_the_lead_leave_its_bounds() {
        let mut dice = Xorshift32::new(1);
        let mut timing = InputTiming::new(RATE);
        for tick in 1..20_000_u32 {
            let server_tick = f64::from(tick);
            while timing.next_stamp(server_tick).is_some() {}
            timing.on_report(Tick(tick), dice.draw() as i8, server_tick);
            assert!((LEAD_MIN..=LEAD_MAX).contains(&timing.lead()));
        }
    }
}
