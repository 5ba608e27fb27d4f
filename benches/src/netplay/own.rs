//! How wrong the own entity's predictions were: what was predicted of a tick beside what the server
//! then said, and how far that moved the newest prediction.

use super::case::TICK_RATE;
use super::seen::{Seen, apart};

/// A correction of the newest state that can be seen, in units: more than a pixel of the demo.
const VISIBLE: f64 = 0.1;
/// Ticks after a fall or a rise for which errors don't count: nobody can predict being hit.
const UNREST: u32 = TICK_RATE as u32;

/// See the module's description.
#[derive(Default)]
pub(super) struct Own {
    /// The newest tick that found the avatar down.
    down: u32,
    /// Distances between what was predicted of a tick and what came, in units.
    pub(super) errors: Vec<f64>,
    /// Corrections that could be seen.
    pub(super) corrections: u64,
}

impl Own {
    /// The server said where the avatar is after `tick`.
    pub(super) fn on_snapshot(
        &mut self,
        tick: u32,
        me: &Seen,
        predicted: Option<[f64; 2]>,
        corrected: f64,
    ) {
        if !me.is_up {
            self.down = tick;
        }
        if tick - self.down > UNREST {
            self.errors
                .extend(predicted.map(|place| apart(place, me.place)));
            self.corrections += u64::from(corrected >= VISIBLE);
        }
    }
}
