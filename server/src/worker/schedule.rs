//! When a room's ticks are due: slots at equal distances from an origin, so that being late once
//! shifts nothing. Pure: the time is an argument.
//!
//! Late ticks: a slot that is less than a period late runs at once, and the next one at its own
//! time, so that a delay is made up for. Slots that are later than that are skipped: the room's
//! game time stands still for them instead of the worker running ever further behind. What a worker
//! does so that ticks aren't late in the first place is `load`'s.

use std::time::{Duration, Instant};

/// The slots of one room.
#[derive(Clone, Debug)]
pub(super) struct TickSchedule {
    origin: Instant,
    /// Slots a second.
    rate: u64,
    /// The slot that runs next.
    next: u64,
}

/// Phases of rooms that follow each other differ by the golden ratio of a period: that spreads
/// any number of them evenly.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

impl TickSchedule {
    /// The grid of the `nth` room since `start`, which begins with the first slot after `now`.
    pub(super) fn new(start: Instant, nth: u32, rate: u16, now: Instant) -> TickSchedule {
        let rate = u64::from(rate.max(1));
        let phase = (f64::from(nth) * GOLDEN).fract() / rate as f64;
        let mut schedule = TickSchedule {
            origin: start + Duration::from_secs_f64(phase),
            rate,
            next: 0,
        };
        schedule.restart(now);
        schedule
    }

    /// When the next slot begins.
    pub(super) fn due(&self) -> Instant {
        self.begins(self.next)
    }

    /// Slots a second.
    pub(super) fn rate(&self) -> u16 {
        // As it was given.
        self.rate as u16
    }

    /// The time between slots.
    pub(super) fn period(&self) -> Duration {
        Duration::from_nanos(1_000_000_000 / self.rate)
    }

    /// Goes on with the first slot after `now`, as after a pause.
    pub(super) fn restart(&mut self, now: Instant) {
        self.next = match now.checked_duration_since(self.origin) {
            Some(_) => self.at(now) + 1,
            None => 0,
        };
    }

    /// Leaves out the next so many slots.
    pub(super) fn put_off(&mut self, slots: u32) {
        self.next += u64::from(slots);
    }

    /// Goes on with the first slot after `now` again, if that is sooner. How many slots sooner.
    pub(super) fn bring_forward(&mut self, now: Instant) -> u32 {
        let put_off = self.next;
        self.next = put_off.min(self.at(now) + 1);
        u32::try_from(put_off - self.next).unwrap_or(u32::MAX)
    }

    /// Goes on after a slot has run, at `now`. Returns how many slots are skipped because they
    /// are a period late or more.
    pub(super) fn advance(&mut self, now: Instant) -> u64 {
        let following = self.next + 1;
        self.next = following.max(self.at(now));
        self.next - following
    }

    /// The slot in which `now` lies, 0 also before the first.
    fn at(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin).as_nanos();
        // One nanosecond more: `begins` rounds down.
        ((since + 1) * u128::from(self.rate) / 1_000_000_000) as u64
    }

    fn begins(&self, slot: u64) -> Instant {
        let (seconds, rest) = (slot / self.rate, slot % self.rate);
        self.origin + Duration::new(seconds, (rest * 1_000_000_000 / self.rate) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn slots_neither_drift_nor_depend_on_when_they_ran() {
        let start = Instant::now();
        let mut schedule = TickSchedule::new(start, 0, 30, start);
        for slot in 1..=30 * 3600u64 {
            let exact = Duration::from_nanos(slot * 1_000_000_000 / 30);
            assert_eq!(schedule.due(), start + exact);
            let late = Duration::from_nanos(slot * 7919 % 30_000_000);
            assert_eq!(schedule.advance(schedule.due() + late), 0);
        }
    }

    #[test]
    fn a_slot_a_period_late_is_skipped() {
        let start = Instant::now();
        let check = |late_ms: u32, skipped: u64, due_ms: u32| {
            let mut schedule = TickSchedule::new(start, 0, 100, start);
            assert_eq!(schedule.due(), start + 10 * MS);
            let ended = schedule.due() + late_ms * MS;
            assert_eq!(schedule.advance(ended), skipped, "{late_ms} ms");
            assert_eq!(schedule.due(), start + due_ms * MS, "{late_ms} ms");
        };
        check(0, 0, 20);
        check(9, 0, 20);
        check(10, 0, 20);
        check(19, 0, 20);
        check(20, 1, 30);
        check(29, 1, 30);
        check(1000, 99, 1010);
    }

    #[test]
    fn a_pause_ends_with_a_slot_to_come() {
        let start = Instant::now();
        let mut schedule = TickSchedule::new(start, 0, 100, start);
        schedule.restart(start + 1234 * MS);
        assert_eq!(schedule.due(), start + 1240 * MS);
        schedule.restart(start + 1240 * MS);
        assert_eq!(schedule.due(), start + 1250 * MS);
    }

    #[test]
    fn what_is_put_off_is_brought_forward_again() {
        let start = Instant::now();
        let mut schedule = TickSchedule::new(start, 0, 100, start);
        schedule.put_off(9);
        assert_eq!(schedule.due(), start + 100 * MS);
        assert_eq!(schedule.bring_forward(start + 34 * MS), 6);
        assert_eq!(schedule.due(), start + 40 * MS);
        assert_eq!(
            schedule.bring_forward(start + 60 * MS),
            0,
            "it is late already"
        );
        assert_eq!(schedule.due(), start + 40 * MS);
    }

    #[test]
    fn rooms_spread_over_the_period() {
        let start = Instant::now();
        for rooms in [2, 10, 100] {
            let mut phases: Vec<Duration> = (0..rooms)
                .map(|nth| TickSchedule::new(start, nth, 1, start - MS).due() - start)
                .collect();
            phases.sort_unstable();
            let widest = phases.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(widest.unwrap() < Duration::from_secs(2) / rooms, "{rooms}");
        }
    }
}
