//! How a snapshot guesses a field. What comes of it is `snapshot::predictor`'s.

use serde::{Deserialize, Serialize};

/// How a snapshot guesses a field from the baseline; only the difference is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Predictor {
    /// It stays.
    #[default]
    Hold,
    /// It goes on by its last change, bent as that change last differed from the one before. Both
    /// are columns of the image of their own.
    Linear,
    /// It moves by another field of the same component: `q += v * num * dt / den`, where `v` is
    /// that field's value in its steps (`q` less the `q` of zero).
    Velocity {
        /// Index of the other field among its component's.
        by: u8,
        /// Steps of this field that one step of the other makes in `den` ticks.
        num: i32,
        /// See `num`; positive.
        den: i32,
    },
    /// It rises by `per_tick` every tick (timers, stamps).
    Counter {
        /// Change of `q` a tick.
        per_tick: i32,
    },
    /// It is the direction in which two other fields last changed: headings of what looks where
    /// it goes. For a turn.
    Bearing {
        /// Index of the first field, an earlier one with [`Predictor::Linear`].
        x: u8,
        /// Index of the second field, a quarter turn further, in the same step.
        y: u8,
    },
    /// It is the rate at which another field last changed: velocities. `q` is that of zero and
    /// `change * scale / gap`, rounded.
    Rate {
        /// Index of the other field, an earlier one with [`Predictor::Linear`].
        of: u8,
        /// Steps of this field that one step a tick of the other makes; within ±2^20, not 0.
        scale: f64,
    },
}
