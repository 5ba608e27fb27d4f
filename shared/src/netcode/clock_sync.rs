//! The client's idea of the server's tick, and how unevenly snapshots come. Fed by
//! [`crate::session`] from snapshots; mirrored by `client-web/src/netcode/clock_sync.js`; both
//! reproduce `shared/vectors/netcode/clock_sync.json`. Not when inputs leave: that is
//! [`super::input_timing`]. Not the view's clock: that is the browser's `interpolation.js`'s.
//!
//! **Samples.** A snapshot of tick n that arrives at local time a (in microseconds) gives the
//! sample `a - n * period`. What is delayed least says most, so of every second from the first
//! arrival on (a *bucket*, [`BUCKET_US`]) the least sample and its arrival are kept, for the newest
//! [`BUCKETS`] buckets; of equal samples the older.
//!
//! **Slope.** Local and server clocks drift apart. Whenever a bucket is begun: with at least
//! [`SLOPE_FROM`] complete ones the slope is the median of the slopes between all pairs of them
//! that are two or more apart in the list (the lower one of an even number), within [`SLOPE_MAX`];
//! else 0. A median, because a bucket whose every snapshot was delayed must not count.
//!
//! **Target.** At an arrival a the *target* is the least of the buckets' samples carried on to a:
//! `sample + slope * (a - its arrival)`.
//!
//! **Offset.** What the clock goes by follows the target without jumps: with the *shown* offset and
//! the target as of the last arrival a, at time t it is `target + slope * (t - a)`, kept within
//! `shown -+ SLEW * (t - a)` ([`SLEW`]). At every arrival the shown offset becomes the offset at
//! that time. Only in the first [`FREE_US`] after the first arrival, and when it is more than
//! [`STEP_US`] away from the target (the server lost time, the machine slept), it becomes the
//! target at once. The *server tick* at t is `(t - offset) / period`: the newest tick that can have
//! arrived, which is the server's own tick less the way down. It never goes back but by such a
//! step.
//!
//! **Jitter and wait.** A snapshot's *deviation* is `(sample - target) / period` ticks, the target
//! being the one that it led to; its *wait* is the deviation and the ticks since the snapshot
//! before it: what a view would have had to stand behind the server tick for not running dry until
//! it came. The last [`ARRIVALS_MAX`] of both are kept, but not those of the first snapshot, nor of
//! one that comes less than a quarter of a period after the one before: the first of a bunch has
//! told of the hold-up; nor of one that ends a rest of the room, whose length tells nothing of the
//! link. *Jitter* and *wait* of the link are their [`PERCENTILE`]th percentiles, nearest rank: of n
//! in rising order the one at index `floor((95 * n + 99) / 100) - 1`; 0 of none.
//!
//! **Rests.** A room in which nobody does anything makes one image a second, and its world stands
//! still in between. An image *ends a rest* if its gap is greater than what the room makes under
//! load, [`THROTTLED_MAX`] times the ticks between snapshots, or greater than these and not less
//! than a second.

use std::collections::VecDeque;

use crate::ids::Tick;

/// What one kept sample stands for, in microseconds.
pub const BUCKET_US: u64 = 1_000_000;
/// Buckets that are remembered, the one being filled included: long enough to hold an undelayed
/// snapshot, short enough to follow a server that lost time.
pub const BUCKETS: usize = 6;
/// Complete buckets from which a slope is told: fewer tell more of jitter than of drift.
pub const SLOPE_FROM: usize = 4;
/// The greatest slope: crystals differ by less than 200 parts in a million, timers by somewhat
/// more.
pub const SLOPE_MAX: f64 = 0.0005;
/// Share by which the clock may run fast or slow to follow: nobody sees a twentieth.
pub const SLEW: f64 = 0.05;
/// How long a new clock takes every better sample as it comes, in microseconds.
pub const FREE_US: u64 = 1_000_000;
/// How far off the clock may be before it steps, in microseconds: making up for it would take
/// over five seconds.
pub const STEP_US: f64 = 250_000.0;
/// Arrivals that jitter and wait are taken from: four seconds at 30 Hz.
pub const ARRIVALS_MAX: usize = 128;
/// Percentile that is called the link's jitter or wait: one snapshot in twenty may come
/// later, which the view's margin and bounded extrapolation cover.
pub const PERCENTILE: usize = 95;
/// A room under load makes one image of so many at least.
pub const THROTTLED_MAX: u32 = 8;

/// See the module's description. Times are the caller's, in microseconds from any start.
#[derive(Clone, Debug)]
pub struct ClockSync {
    period_us: f64,
    first_us: Option<u64>,
    /// By rising number.
    buckets: VecDeque<Bucket>,
    slope: f64,
    /// The last arrival, and what was then.
    at_us: u64,
    target: f64,
    shown: f64,
    newest: Option<Tick>,
    /// The newest, oldest first.
    arrivals: VecDeque<Arrival>,
}

/// How late a snapshot came, in ticks.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    deviation: f64,
    wait: f64,
}

/// The least sample of a second.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    number: u64,
    at_us: u64,
    sample: f64,
}

impl ClockSync {
    /// A clock for a room of `tick_rate` steps a second; 0 counts as 1.
    pub fn new(tick_rate: u16) -> ClockSync {
        ClockSync {
            period_us: 1e6 / f64::from(tick_rate.max(1)),
            first_us: None,
            buckets: VecDeque::new(),
            slope: 0.0,
            at_us: 0,
            target: 0.0,
            shown: 0.0,
            newest: None,
            arrivals: VecDeque::new(),
        }
    }

    /// Microseconds a tick.
    pub fn period_us(&self) -> f64 {
        self.period_us
    }

    /// A snapshot of `tick` arrived at `now_us`; whether it [ends a rest](ends_rest).
    pub fn on_snapshot(&mut self, tick: Tick, now_us: u64, is_rest_end: bool) {
        let sample = now_us as f64 - f64::from(tick.0) * self.period_us;
        let first_us = *self.first_us.get_or_insert(now_us);
        let shown = self.offset(now_us);
        self.put(sample, now_us.saturating_sub(first_us) / BUCKET_US, now_us);
        let target = self
            .buckets
            .iter()
            .map(|bucket| bucket.sample + self.slope * now_us.saturating_sub(bucket.at_us) as f64)
            .fold(f64::INFINITY, f64::min);
        let is_free = now_us.saturating_sub(first_us) < FREE_US;
        let steps = is_free || (target - shown).abs() > STEP_US;
        self.shown = if steps { target } else { shown };
        let since = now_us.saturating_sub(self.at_us) as f64;
        if let Some(before) = self.newest
            && !is_rest_end
            && since >= self.period_us / 4.0
        {
            if self.arrivals.len() == ARRIVALS_MAX {
                self.arrivals.pop_front();
            }
            let deviation = (sample - target) / self.period_us;
            self.arrivals.push_back(Arrival {
                deviation,
                wait: deviation + f64::from(tick.since(before)),
            });
        }
        self.newest = Some(tick);
        self.target = target;
        self.at_us = now_us;
    }

    /// The newest tick that can have arrived by `now_us`; `None` before the first snapshot.
    pub fn server_tick(&self, now_us: u64) -> Option<f64> {
        self.first_us?;
        Some((now_us as f64 - self.offset(now_us)) / self.period_us)
    }

    /// When the server tick will be `tick`, in microseconds and not before the last snapshot;
    /// `None` before the first. A snapshot that comes meanwhile may change it a little.
    pub fn time_of(&self, tick: f64) -> Option<f64> {
        self.first_us?;
        let at = self.at_us as f64;
        // From the last snapshot on: t - offset(t) = tick * period, the offset being a line.
        let from_at =
            |offset: f64, slope: f64| (tick * self.period_us + offset - at) / (1.0 - slope);
        let free = from_at(self.target, self.slope).max(0.0);
        let wanted = self.target + self.slope * free;
        let passed = if wanted > self.shown + SLEW * free {
            from_at(self.shown, SLEW)
        } else if wanted < self.shown - SLEW * free {
            from_at(self.shown, -SLEW)
        } else {
            free
        };
        Some(at + passed.max(0.0))
    }

    /// How much later than the least delayed a snapshot comes, in ticks: see the module's
    /// description. Sorts, as [`ClockSync::wait`] does: to be asked once a snapshot at most.
    pub fn jitter(&self) -> f64 {
        percentile(self.arrivals.iter().map(|arrival| arrival.deviation))
    }

    /// How far behind the server tick a view finds the next snapshot there, in ticks.
    pub fn wait(&self) -> f64 {
        percentile(self.arrivals.iter().map(|arrival| arrival.wait))
    }

    /// Drift of the local clock against the server's: 0.0001 gains 100 microseconds a second.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    fn offset(&self, now_us: u64) -> f64 {
        let passed = now_us.saturating_sub(self.at_us) as f64;
        let most = SLEW * passed;
        (self.target + self.slope * passed).clamp(self.shown - most, self.shown + most)
    }

    fn put(&mut self, sample: f64, number: u64, now_us: u64) {
        let bucket = Bucket {
            number,
            at_us: now_us,
            sample,
        };
        match self.buckets.back_mut() {
            Some(last) if last.number == number => {
                if sample < last.sample {
                    *last = bucket;
                }
            }
            _ => {
                self.slope = slope_of(&self.buckets);
                self.buckets.push_back(bucket);
                while self
                    .buckets
                    .front()
                    .is_some_and(|oldest| oldest.number + BUCKETS as u64 <= number)
                {
                    self.buckets.pop_front();
                }
            }
        }
    }
}

/// Whether a snapshot ends a rest of its room, by the ticks between its image and the one that the
/// room made before it.
pub fn ends_rest(gap: u32, tick_rate: u16, snapshot_every: u16) -> bool {
    let every = u32::from(snapshot_every);
    gap > every * THROTTLED_MAX || (gap > every && gap >= u32::from(tick_rate))
}

fn percentile(of: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = of.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (PERCENTILE * sorted.len()).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn slope_of(complete: &VecDeque<Bucket>) -> f64 {
    if complete.len() < SLOPE_FROM {
        return 0.0;
    }
    let mut slopes = Vec::new();
    for (index, older) in complete.iter().enumerate() {
        for newer in complete.iter().skip(index + 2) {
            let apart = newer.at_us.saturating_sub(older.at_us) as f64;
            slopes.push((newer.sample - older.sample) / apart);
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    slopes[(slopes.len() - 1) / 2].clamp(-SLOPE_MAX, SLOPE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Xorshift32;

    const PERIOD_US: u64 = 40_000;

    /// The clock's error after every millisecond of `seconds`, in ticks: snapshots at 25 Hz, each
    /// delayed by what `delay` says of its tick and time, in order; the local clock gains `drift`.
    fn errors(seconds: u64, drift: f64, mut delay: impl FnMut(u64) -> u64) -> Vec<f64> {
        let mut clock = ClockSync::new(25);
        let mut waiting = VecDeque::new();
        let mut last = 0;
        let mut errors = Vec::new();
        for us in (0..seconds * 1_000_000).step_by(1_000) {
            let local = |us: u64| (us as f64 * (1.0 + drift)) as u64;
            if us % PERIOD_US == 0 {
                last = (us + delay(us)).max(last);
                waiting.push_back((last, us / PERIOD_US));
            }
            while waiting.front().is_some_and(|(at, _)| *at <= us) {
                let (_, tick) = waiting.pop_front().expect("one is there");
                clock.on_snapshot(Tick(tick as u32), local(us), false);
            }
            if let Some(tick) = clock.server_tick(local(us)) {
                errors.push(tick - us as f64 / PERIOD_US as f64);
            }
        }
        errors
    }

    #[test]
    fn the_least_delayed_snapshot_sets_the_tick() {
        let mut clock = ClockSync::new(25);
        assert_eq!(clock.server_tick(5), None);
        assert_eq!(clock.time_of(1.0), None);
        clock.on_snapshot(Tick(10), 430_000, false);
        clock.on_snapshot(Tick(11), 450_000, false);
        clock.on_snapshot(Tick(12), 520_000, false);
        assert_eq!(clock.server_tick(530_000), Some(13.0));
        assert_eq!(clock.server_tick(550_000), Some(13.5));
        assert_eq!(clock.time_of(13.5), Some(550_000.0));
    }

    #[test]
    fn jitter_stalls_and_drift_hardly_move_it() {
        for drift in [0.0, 0.0003, -0.0003] {
            let mut dice = Xorshift32::new(7);
            let errors = errors(60, drift, |us| {
                let stall = 500_000_u64.saturating_sub(us % 5_000_000);
                20_000 + u64::from(dice.below(30_000)).max(stall)
            });
            // The way down is 0.5 ticks; noise and drift may cost a tenth of one.
            for error in &errors[15_000..] {
                assert!((error + 0.5).abs() < 0.1, "drift {drift}: {error}");
            }
            for pair in errors[2_000..].windows(2) {
                let way = pair[1] - pair[0];
                assert!(way.abs() <= 0.052 / 40.0, "drift {drift}: a jump of {way}");
            }
        }
    }

    #[test]
    fn drift_is_told() {
        let mut clock = ClockSync::new(25);
        for tick in 0..250_u32 {
            let us = f64::from(tick) * 40_000.0 * 1.0002;
            clock.on_snapshot(Tick(tick), us as u64, false);
        }
        assert!((clock.slope() - 0.0002).abs() < 1e-6, "{}", clock.slope());
    }

    #[test]
    fn a_longer_way_is_followed_evenly_and_a_lost_second_at_once() {
        for (late, settles) in [(80_000, 10_000), (1_000_000, 6_500)] {
            let errors = errors(30, 0.0, |us| if us < 10_000_000 { 0 } else { late });
            let after = &errors[10_000 + settles..];
            let lag = late as f64 / PERIOD_US as f64;
            assert!(after.iter().all(|error| (error + lag).abs() < 0.01));
            let jumps = errors
                .windows(2)
                .filter(|pair| (pair[1] - pair[0]).abs() > 0.1);
            assert_eq!(jumps.count(), usize::from(late as f64 > STEP_US));
        }
    }

    #[test]
    fn when_a_tick_comes_is_what_the_clock_then_says() {
        let mut clock = ClockSync::new(25);
        let mut dice = Xorshift32::new(3);
        for tick in 1..500_u32 {
            let now_us = u64::from(tick) * 40_010 + u64::from(dice.below(60_000));
            clock.on_snapshot(Tick(tick), now_us.max(clock.at_us), false);
            for ahead in [0.0, 0.3, 1.0, 20.0] {
                let from = clock.server_tick(clock.at_us).expect("snapshots came");
                let at = clock.time_of(from + ahead).expect("snapshots came");
                let then = clock.server_tick(at as u64).expect("snapshots came");
                assert!((then - from - ahead).abs() < 1e-4, "{then}");
            }
        }
    }

    #[test]
    fn the_jitter_is_a_percentile_and_a_stall_counts_once() {
        let mut clock = ClockSync::new(25);
        assert_eq!(clock.jitter(), 0.0);
        for tick in 1..=100_u32 {
            let late = if tick % 10 == 0 { 20_000 } else { 0 };
            clock.on_snapshot(Tick(tick), u64::from(tick) * PERIOD_US + late, false);
        }
        assert_eq!((clock.jitter(), clock.wait()), (0.5, 1.5));
        let mut clock = ClockSync::new(25);
        for tick in 1..=100_u32 {
            let at = if tick > 50 { tick.max(70) } else { tick };
            clock.on_snapshot(Tick(tick), u64::from(at) * PERIOD_US, false);
        }
        assert_eq!(clock.jitter(), 0.0, "twenty came in one bunch");
        for tick in (103..=400_u32).step_by(3) {
            clock.on_snapshot(Tick(tick), u64::from(tick) * PERIOD_US, false);
        }
        assert_eq!((clock.jitter(), clock.wait()), (0.0, 3.0));
    }
}
