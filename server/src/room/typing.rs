//! Who is writing a line: a hint for the others. It goes out with the next tick to those who have
//! room for it when all else was told, and is forgotten then: what is late is not true any more.
//! It is not saved with the room.

use std::collections::BTreeMap;

use tickwire::ids::{PlayerId, Tick};

/// Of one player it is told at most so often, in milliseconds: what clients say of it holds for six
/// seconds, and they say it every three. Beyond: it is passed over.
const EVERY_MS: u32 = 2000;
/// Players of whom it is told with one tick. Beyond: it is passed over; a page shows no more names.
const PER_TICK: usize = 8;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// Since the last tick, each once.
    now: Vec<PlayerId>,
    /// Of each member who typed: when it was told last.
    told: BTreeMap<PlayerId, Tick>,
}

impl Typing {
    /// A member is writing.
    pub(super) fn note(&mut self, player: PlayerId, tick: Tick, tick_rate: u16) {
        let every = u32::from(tick_rate) * EVERY_MS / 1000;
        let is_due = self.told.get(&player);
        let is_due = is_due.is_none_or(|told| tick.since(*told) >= every);
        if is_due && self.now.len() < PER_TICK {
            self.now.push(player);
            self.told.insert(player, tick);
        }
    }

    /// They said it, or went: what they write next is told at once.
    pub(super) fn forget(&mut self, player: PlayerId) {
        self.told.remove(&player);
        self.now.retain(|typing| *typing != player);
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.now.is_empty()
    }

    /// Of whom it is to be told now.
    pub(super) fn take(&mut self) -> Vec<PlayerId> {
        std::mem::take(&mut self.now)
    }
}
