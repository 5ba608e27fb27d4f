//! When a room is saved: once a second, in which each room has its own place, and one in which
//! nobody does anything rarely. Pure: the time is an argument. `event_loop::saving` asks.

use std::time::{Duration, Instant};

/// From one checkpoint of a room to the next: what a kill loses at most, and the rest of a tick.
const EVERY: Duration = Duration::from_secs(1);
/// The same of a room that somebody has just come to: a kill that follows does not take their seat.
const EVERY_COMING: Duration = Duration::from_millis(200);
/// The same of a room that dozes, of which a kill loses what went on without anybody.
const EVERY_DOZING: Duration = Duration::from_secs(60);

/// When a room was saved, and whether it could be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saves {
    /// When it was its turn last.
    last: Instant,
    /// When it was saved, or made.
    saved: Instant,
    /// Somebody came since.
    has_comers: bool,
    /// Whether the last try failed.
    pub(super) is_failing: bool,
    /// How often what was kept before may have been lost, as far as it was heeded.
    pub(super) doubts: u32,
}

impl Saves {
    /// Of a room of this number, which is new. The numbers are random, so the rooms of a worker are
    /// spread over the second.
    pub(super) fn new(number: u32, now: Instant) -> Saves {
        let share = Duration::from_millis(u64::from(number % 1000));
        Saves {
            last: now - EVERY.saturating_sub(share),
            saved: now,
            has_comers: false,
            is_failing: false,
            doubts: 0,
        }
    }

    /// Somebody comes.
    pub(super) fn comes(&mut self) {
        self.has_comers = true;
    }

    /// Whether it is time. Its place in the second stays.
    pub(super) fn is_due(&mut self, dozes: bool, now: Instant) -> bool {
        let every = if dozes { EVERY_DOZING } else { EVERY };
        let is_due = now.saturating_duration_since(self.last) >= every;
        if is_due {
            self.last += every;
            if now.saturating_duration_since(self.last) >= EVERY {
                self.last = now;
            }
        }
        let since = now.saturating_duration_since(self.saved);
        let is_due = is_due || self.has_comers && since >= EVERY_COMING;
        if is_due {
            (self.saved, self.has_comers) = (now, false);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many milliseconds of the first ones it is saved at, of a room that has its turns every
    /// 33.
    fn saved(number: u32, dozes: impl Fn(u64) -> bool, span: u64) -> Vec<u64> {
        let start = Instant::now() + Duration::from_secs(1000);
        let mut saves = Saves::new(number, start);
        let turns = (0..span).step_by(33);
        let due = |at: &u64| saves.is_due(dozes(*at), start + Duration::from_millis(*at));
        turns.filter(due).collect()
    }

    #[test]
    fn it_is_saved_each_second_at_a_place_of_its_own() {
        for number in [0, 1, 250, 999, 0xFF_FFFF] {
            let saved = saved(number, |_| false, 20_000);
            let place = u64::from(number % 1000);
            assert!((19..=20).contains(&saved.len()), "{number}: {saved:?}");
            for (second, at) in (0..).zip(&saved) {
                let due = second * 1000 + place;
                assert!((due..due + 34).contains(at), "{number}: {at}");
            }
        }
    }

    #[test]
    fn a_room_that_dozes_is_saved_once_a_minute_and_one_that_wakes_at_once() {
        let saved = saved(500, |at| (10_000..200_000).contains(&at), 203_000);
        let dozing = saved.iter().filter(|at| (11_000..200_000).contains(*at));
        assert_eq!(dozing.count(), 3);
        let awake: Vec<_> = saved.iter().filter(|at| **at >= 200_000).collect();
        assert_eq!(awake.len(), 3, "{awake:?}");
        assert!(*awake[0] < 200_100);
    }

    #[test]
    fn a_room_that_somebody_comes_to_is_saved_soon_and_no_oftener_than_five_times_a_second() {
        let start = Instant::now() + Duration::from_secs(1000);
        let mut saves = Saves::new(999, start);
        let due = |saves: &mut Saves, ms| saves.is_due(false, start + Duration::from_millis(ms));
        saves.comes();
        assert!(!due(&mut saves, 33) && due(&mut saves, 231));
        assert!(!due(&mut saves, 600), "nobody came since");
        let crowd = (600..1600).step_by(33).filter(|ms| {
            saves.comes();
            due(&mut saves, *ms)
        });
        assert!((4..=6).contains(&crowd.count()));
    }

    #[test]
    fn after_a_long_pause_it_is_saved_once() {
        let start = Instant::now() + Duration::from_secs(1000);
        let mut saves = Saves::new(0, start);
        let late = start + Duration::from_secs(500);
        let due = (0..10).filter(|ms| saves.is_due(false, late + Duration::from_millis(*ms)));
        assert_eq!(due.count(), 1);
    }
}
