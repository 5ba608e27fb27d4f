//! What a program of the operator's asks of a room, between ticks.

use tickwire::limits::REPLY_CHARS_MAX;

use super::{Room, resources};
use crate::game::{Game, Job};

impl<G: Game> Room<G> {
    /// Has the game do it.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn take(&mut self, job: Job) -> Result<(), String> {
        let taken = resources::with(&mut self.world, job);
        taken.map_err(|why| why.chars().take(REPLY_CHARS_MAX).collect())
    }
}
