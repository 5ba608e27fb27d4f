//! An input and what its player saw when they made it. Waits in the player's queue; `room` asks it
//! when a tick takes it. What a game does with the viewed tick is `game::rewind`'s.

use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;
use tickwire::limits::REWIND_MAX_MS;
use tickwire::protocol::frame::InputHead;

/// An input with its viewed tick, as the player says it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ViewedInput<I> {
    pub(super) input: I,
    /// The tick that it is for.
    stamp: Tick,
    /// The newest snapshot that its player had, and how far behind it they saw the others, as
    /// [`InputHead`] has both.
    ack: Tick,
    view_lag: i16,
}

impl<I> ViewedInput<I> {
    pub(super) fn new(head: &InputHead, input: I) -> ViewedInput<I> {
        ViewedInput {
            input,
            stamp: head.tick,
            ack: head.ack,
            view_lag: head.view_lag,
        }
    }

    /// The same with an input that is said in another way.
    pub(super) fn with<J>(&self, input: J) -> ViewedInput<J> {
        ViewedInput {
            input,
            stamp: self.stamp,
            ack: self.ack,
            view_lag: self.view_lag,
        }
    }

    /// The viewed tick of `tick`, which takes this input; within [`REWIND_MAX_MS`] before it,
    /// whatever the player says. An input that repeats the last one was seen as far behind as that.
    pub(super) fn view_at(&self, tick: Tick, tick_rate: u16) -> f64 {
        let view = f64::from(self.ack.0) - f64::from(self.view_lag) / 64.0
            + f64::from(tick.0.saturating_sub(self.stamp.0));
        let tick = f64::from(tick.0);
        view.clamp((tick - rewind_ticks(tick_rate)).max(0.0), tick)
    }
}

/// [`REWIND_MAX_MS`] in ticks.
fn rewind_ticks(tick_rate: u16) -> f64 {
    f64::from(REWIND_MAX_MS) * f64::from(tick_rate) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The viewed tick of an input for tick 100 at 20 Hz, taken at `tick`.
    fn view(ack: u32, view_lag: i16, tick: u32) -> f64 {
        let head = InputHead {
            tick: Tick(100),
            ack: Tick(ack),
            view_lag,
        };
        ViewedInput::new(&head, ()).view_at(Tick(tick), 20)
    }

    #[test]
    fn the_view_is_what_the_input_says_within_bounds() {
        assert_eq!(view(98, 96, 100), 96.5);
        assert_eq!(view(96, 64, 100), 95.0, "250 ms");
        for (ack, view_lag) in [(96, 65), (0, 0), (99, i16::MAX)] {
            assert_eq!(view(ack, view_lag, 100), 95.0);
        }
        assert_eq!(view(90, -450, 100), 97.03125, "ahead of what had come");
        for (ack, view_lag) in [(u32::MAX, 0), (99, -65), (99, i16::MIN)] {
            assert_eq!(view(ack, view_lag, 100), 100.0);
        }
    }

    #[test]
    fn a_repeated_input_keeps_its_distance_and_an_early_one_its_view() {
        assert_eq!(view(98, 64, 104), 101.0);
        assert_eq!(view(98, 64, 99), 97.0);
        assert_eq!(view(98, 64, 95), 95.0);
    }
}
