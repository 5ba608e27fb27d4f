//! When a bot loses its connection on purpose. Pure; asked by `player`. What becomes of such a bot
//! is `reconnects`'.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::flags::Flags;
use crate::tally::Window;

/// When bots lose their connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DropPlan {
    /// Never.
    Never,
    /// Now and then: so many seconds after the last time, on average.
    Often(f64),
    /// Once, with all others, so long after the measured part began.
    Storm(Duration),
}

impl DropPlan {
    /// That of the flags.
    pub(crate) fn of(flags: &Flags) -> DropPlan {
        match (flags.storm, flags.drops) {
            (Some(at), _) => DropPlan::Storm(at),
            (None, Some(a_minute)) => DropPlan::Often(60.0 / a_minute),
            (None, None) => DropPlan::Never,
        }
    }
}

/// One bot's drops, one after the other.
#[derive(Debug)]
pub(crate) struct DropSchedule {
    plan: DropPlan,
    next_us: Option<u64>,
    count: u64,
}

impl DropSchedule {
    /// None so far.
    pub(crate) fn new(plan: DropPlan) -> DropSchedule {
        DropSchedule {
            plan,
            next_us: None,
            count: 0,
        }
    }

    /// When it loses its connection next, as far as that is known at `now_us`: within the measured
    /// part.
    pub(crate) fn due_us(
        &mut self,
        window: &Window,
        now_us: u64,
        rng: &mut ChaCha8Rng,
    ) -> Option<u64> {
        let begin_us = window.begin_us();
        if begin_us == u64::MAX {
            return None;
        }
        let due_us = match (self.next_us, self.plan) {
            (Some(due_us), _) => due_us,
            (None, DropPlan::Never) => return None,
            (None, DropPlan::Storm(_)) if self.count > 0 => return None,
            (None, DropPlan::Storm(at)) => begin_us + at.as_micros() as u64,
            (None, DropPlan::Often(every_s)) => {
                let chance: f64 = rng.random();
                let wait_us = -(1.0 - chance).ln() * every_s * 1e6;
                now_us.max(begin_us) + wait_us as u64
            }
        };
        self.next_us = Some(due_us);
        (due_us < window.end_us()).then_some(due_us)
    }

    /// It lost it.
    pub(crate) fn note_drop(&mut self) {
        self.next_us = None;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn losses_come_at_their_rate_and_within_the_window() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let window = Window::new();
        let mut drops = DropSchedule::new(DropPlan::Often(30.0));
        assert_eq!(drops.due_us(&window, 0, &mut rng), None);
        window.set(1_000_000, 3_601_000_000);
        let mut now_us = 0;
        let mut count = 0;
        while let Some(due_us) = drops.due_us(&window, now_us, &mut rng) {
            assert_eq!(drops.due_us(&window, now_us + 1, &mut rng), Some(due_us));
            assert!(due_us >= now_us.max(1_000_000));
            now_us = due_us;
            drops.note_drop();
            count += 1;
        }
        assert!((90..150).contains(&count), "{count} in an hour");
    }

    #[test]
    fn a_storm_comes_once() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let window = Window::new();
        window.set(1_000_000, 9_000_000);
        let mut drops = DropSchedule::new(DropPlan::Storm(Duration::from_secs(2)));
        assert_eq!(drops.due_us(&window, 0, &mut rng), Some(3_000_000));
        drops.note_drop();
        assert_eq!(drops.due_us(&window, 0, &mut rng), None);
        let mut never = DropSchedule::new(DropPlan::Never);
        assert_eq!(never.due_us(&window, 0, &mut rng), None);
    }
}
