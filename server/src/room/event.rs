//! One event as it goes out, and who may get it. `events` keeps them.

use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, Tick};

use crate::game::To;

/// An event as it goes out.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) tick: Tick,
    /// Counts the room's events.
    pub(super) serial: u64,
    pub(super) to: To,
    /// Its index and its fields.
    #[serde(with = "crate::replication::raw")]
    pub(super) bytes: Vec<u8>,
}

/// Whom events are for, and what they have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) player: PlayerId,
    pub(super) team: Option<u8>,
    /// The room's tick when they came: what was said to that number until then was said to somebody
    /// else.
    pub(super) came_at: Tick,
    /// They have got the momentary events up to this tick.
    pub(super) momentary: Tick,
    /// They have got the durable events up to this tick.
    pub(super) durable: Tick,
}

impl Event {
    pub(super) fn is_for(&self, listener: &Listener) -> bool {
        if self.tick > listener.came_at {
            self.to.includes(listener.player, listener.team)
        } else {
            self.to.is_public()
        }
    }
}
