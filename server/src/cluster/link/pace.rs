//! When a node is dialed next: soon after a link broke, ever later while it can't be had, and at
//! once when somebody asks. Pure: times and chance are arguments. [`super::dial`] dials.

use std::time::{Duration, Instant};

/// From one connect to the next at least, whoever asks.
const GAP: Duration = Duration::from_millis(100);
/// Longest wait: a node that was started again is found by then, also by those who ask nothing.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// See the module's description.
#[derive(Debug)]
pub(super) struct Pace {
    soonest: Instant,
    due: Instant,
    wait: Duration,
}

impl Pace {
    /// The first connect is due now.
    pub(super) fn new(now: Instant) -> Pace {
        Pace {
            soonest: now,
            due: now,
            wait: GAP,
        }
    }

    /// When to dial, `asked` if somebody waits for it.
    pub(super) fn due(&self, asked: bool) -> Instant {
        match asked {
            true => self.soonest.min(self.due),
            false => self.due,
        }
    }

    /// A connect begins.
    pub(super) fn dials(&mut self, now: Instant) {
        self.soonest = now + GAP;
    }

    /// It came to nothing, or to a link that has lasted for so long and broke. Nodes that lost one
    /// at the same time don't all dial it at the same time: `chance` is any number.
    pub(super) fn failed(&mut self, now: Instant, lasted: Duration, chance: u32) {
        if lasted >= WAIT_MAX {
            self.wait = GAP;
        }
        let half = self.wait / 2;
        self.due = now + half + half * (chance % 1000) / 1000;
        self.wait = (self.wait * 2).min(WAIT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_who_asks_does_not_wait() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let mut longest = Duration::ZERO;
        for chance in 0..10 {
            now = pace.due(false);
            pace.dials(now);
            assert!(pace.due(true) <= now + GAP);
            pace.failed(now, Duration::ZERO, chance * 333);
            let wait = pace.due(false) - now;
            assert!((GAP / 2..=WAIT_MAX).contains(&wait), "{wait:?}");
            longest = longest.max(wait);
        }
        assert!(longest >= WAIT_MAX / 2, "{longest:?}");
        pace.failed(now, WAIT_MAX, 999);
        assert!(
            pace.due(false) - now <= GAP,
            "a link that lasted begins anew"
        );
    }
}
