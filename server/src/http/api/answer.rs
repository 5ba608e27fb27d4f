//! What a program is answered that said something. `events` makes it, `passed_on` carries it.

use serde::{Deserialize, Serialize};

use crate::notices::Reached;

/// Whom an event reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// Connections to which it is on its way.
    pub(super) reached_now: u32,
    /// Those who get it later: connections that lag, and players who are away.
    pub(super) later: u32,
    /// Whether a room's game took it instead.
    pub(super) taken: bool,
}

impl Answer {
    pub(super) const TAKEN: Answer = Answer {
        reached_now: 0,
        later: 0,
        taken: true,
    };

    pub(super) fn of(reached: Reached) -> Answer {
        Answer {
            reached_now: reached.now,
            later: reached.later,
            taken: false,
        }
    }
}
