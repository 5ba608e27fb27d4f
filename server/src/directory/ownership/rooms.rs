//! The rooms of an incarnation: those that it owns, and those of which it waits for an answer.
//! What a room is between is said here; when to ask is [`super::Ownership`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use tickwire::ids::RoomId;

use super::messages::{Epoch, Incarnation, RoomRecord};

/// What was asked for a room, whose outcome is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To be made.
    Create,
    /// To be taken over from this.
    Adopt { old: RoomRecord },
    /// To be given away. It is still asserted, and not ticked.
    HandOver { epoch: Epoch, to: Incarnation },
    /// To be forgotten. It is not asserted any more.
    Forget { epoch: Epoch },
}

/// Rooms owned and asked for; no room is both.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    pub(super) owned: BTreeMap<RoomId, Epoch>,
    /// With the time of the last command.
    pub(super) asked: BTreeMap<RoomId, (Asked, Duration)>,
    /// What could be adopted, and since when that is so.
    orphans: BTreeMap<RoomId, (RoomRecord, Duration)>,
}

impl Rooms {
    /// Whether there is a place for another among so many.
    pub(super) fn has_place(&self, places: usize) -> bool {
        self.owned.len() + self.asked.len() < places
    }

    /// Neither owned nor asked for.
    pub(super) fn is_unknown(&self, room: RoomId) -> bool {
        !self.owned.contains_key(&room) && !self.asked.contains_key(&room)
    }

    /// What was asked for a room by a command that was sent then: the answer to an earlier one,
    /// which was given up, is not this one's.
    pub(super) fn asked_by(&self, room: RoomId, sent: Duration) -> Option<Asked> {
        let asked = self.asked.get(&room).filter(|(_, at)| *at <= sent);
        asked.map(|(asked, _)| *asked)
    }

    /// What a beat asserts, rising.
    pub(super) fn asserted(&self) -> Vec<(RoomId, Epoch)> {
        let given = self
            .asked
            .iter()
            .filter_map(|(room, (asked, _))| match asked {
                Asked::HandOver { epoch, .. } => Some((*room, *epoch)),
                _ => None,
            });
        let owned = self.owned.iter().map(|(room, epoch)| (*room, *epoch));
        let mut all: Vec<(RoomId, Epoch)> = owned.chain(given).collect();
        all.sort_unstable();
        all
    }

    /// The epoch that is asserted for a room.
    pub(super) fn epoch(&self, room: RoomId) -> Option<Epoch> {
        let given = match self.asked.get(&room) {
            Some((Asked::HandOver { epoch, .. }, _)) => Some(*epoch),
            _ => None,
        };
        self.owned.get(&room).copied().or(given)
    }

    /// These can be adopted, as of a beat's answer; those that could be before are as old as they
    /// were.
    pub(super) fn orphaned(
        &mut self,
        now: Duration,
        told: impl Iterator<Item = (RoomId, RoomRecord)>,
    ) {
        let before = std::mem::take(&mut self.orphans);
        self.orphans = told
            .map(|(room, record)| match before.get(&room) {
                Some((known, since)) if *known == record => (room, (record, *since)),
                _ => (room, (record, now)),
            })
            .collect();
    }

    /// What can be adopted and is neither owned nor asked for, and for how long that was so.
    pub(super) fn orphans(&self, now: Duration) -> Vec<(RoomId, RoomRecord, Duration)> {
        let free = self
            .orphans
            .iter()
            .filter(|(room, _)| self.is_unknown(**room));
        free.map(|(room, (record, since))| (*room, *record, now.saturating_sub(*since)))
            .collect()
    }

    /// Nothing is known of what could be adopted: the connection is gone.
    pub(super) fn forget_orphans(&mut self) {
        self.orphans.clear();
    }

    /// Rooms that were asked for before, but to be forgotten: those are asked for again.
    pub(super) fn overdue(&self, before: Option<Duration>) -> Vec<(RoomId, Asked)> {
        let is_over = |asked: &Asked, at: Duration| {
            !matches!(asked, Asked::Forget { .. }) && before.is_none_or(|before| at < before)
        };
        let over = self
            .asked
            .iter()
            .filter(|(_, (asked, at))| is_over(asked, *at));
        over.map(|(room, (asked, _))| (*room, *asked)).collect()
    }
}
