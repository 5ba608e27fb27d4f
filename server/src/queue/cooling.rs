//! Who spoilt a match lately, and when they may queue again: whoever does it again and again meets
//! fewer and fewer people. Bounded: the one that would be forgotten next goes for one more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::messages::PlayerKey;
use super::mode::Timing;

/// Players that are remembered, twice as many as a queue holds at most.
const REMEMBERED_MAX: usize = 32_768;
/// Doublings that are counted: beyond, it is `cooling_max` in any case.
const TIMES_MAX: u32 = 16;

struct Fault {
    times: u32,
    until: Duration,
    forgotten: Duration,
}

#[derive(Default)]
pub(super) struct Cooling {
    of: BTreeMap<PlayerKey, Fault>,
    by_end: BTreeSet<(Duration, PlayerKey)>,
}

impl Cooling {
    /// Somebody spoilt a match.
    pub(super) fn blame(&mut self, now: Duration, player: PlayerKey, timing: &Timing) {
        let before = self.of.remove(&player);
        if let Some(fault) = &before {
            self.by_end.remove(&(fault.forgotten, player));
        }
        let times = before.map_or(0, |fault| (fault.times + 1).min(TIMES_MAX));
        let span = timing.cooling * (1 << times);
        let until = now + span.min(timing.cooling_max);
        let forgotten = until + timing.cooling_max;
        let fault = Fault {
            times,
            until,
            forgotten,
        };
        self.of.insert(player, fault);
        self.by_end.insert((forgotten, player));
        if self.of.len() > REMEMBERED_MAX {
            self.forget_first();
        }
    }

    /// When this one may queue again, if not now.
    pub(super) fn until(&self, now: Duration, player: PlayerKey) -> Option<Duration> {
        let fault = self.of.get(&player);
        fault.map(|fault| fault.until).filter(|until| *until > now)
    }

    /// Forgets whose time has come.
    pub(super) fn forget(&mut self, now: Duration) {
        while self.by_end.first().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, player)) = self.by_end.pop_first() {
            self.of.remove(&player);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_time_lasts_twice_as_long_and_all_is_forgotten_at_last() {
        let (timing, mut cooling) = (Timing::default(), Cooling::default());
        let mut now = Duration::ZERO;
        let mut spans = Vec::new();
        for _ in 0..40 {
            cooling.blame(now, PlayerKey(1), &timing);
            let until = cooling.until(now, PlayerKey(1)).expect("it cools");
            spans.push((until - now).as_secs());
            now = until;
            cooling.forget(now);
            assert_eq!(cooling.until(now, PlayerKey(1)), None);
        }
        assert_eq!(spans[..7], [10, 20, 40, 80, 160, 300, 300]);
        cooling.forget(now + timing.cooling_max);
        assert!(cooling.of.is_empty() && cooling.by_end.is_empty());
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let mut cooling = Cooling::default();
        let extra = 100;
        for n in 0..REMEMBERED_MAX as u64 + extra {
            let now = Duration::from_millis(n);
            cooling.blame(now, PlayerKey(n), &Timing::default());
        }
        assert_eq!(cooling.of.len(), REMEMBERED_MAX);
        assert_eq!(cooling.by_end.len(), REMEMBERED_MAX);
        let oldest = cooling.of.first_key_value().map(|(player, _)| player.0);
        assert_eq!(oldest, Some(extra), "the oldest are forgotten first");
    }
}
