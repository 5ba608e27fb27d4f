//! A match from when it is offered until its players play, or it comes to nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::messages::{EntryId, OfferId, PlayerKey};
use super::mode::{ModeId, RegionId};

/// How far a player has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Asked,
    Accepted,
    There,
    /// Does not come, and the match waits for the others.
    Missing,
}

#[derive(Debug)]
pub(super) struct Offer {
    pub(super) mode: ModeId,
    pub(super) region: RegionId,
    pub(super) teams: Vec<Vec<EntryId>>,
    pub(super) bots: Vec<u8>,
    /// Everyone in it.
    pub(super) players: BTreeMap<PlayerKey, Stage>,
    /// Whether all have accepted.
    pub(super) is_going: bool,
    /// When the accepting, or the coming, is over.
    pub(super) until: Duration,
}

impl Offer {
    pub(super) fn entries(&self) -> Vec<EntryId> {
        self.teams.iter().flatten().copied().collect()
    }

    pub(super) fn count(&self, stage: Stage) -> usize {
        let is = |at: &&Stage| **at == stage;
        self.players.values().filter(is).count()
    }

    /// Those that have come no further than this.
    pub(super) fn who(&self, stages: &[Stage]) -> Vec<PlayerKey> {
        let is = |(_, at): &(&PlayerKey, &Stage)| stages.contains(at);
        self.players
            .iter()
            .filter(is)
            .map(|(player, _)| *player)
            .collect()
    }
}

/// All of them, by when each is over.
#[derive(Default)]
pub(super) struct Offers {
    of: BTreeMap<OfferId, Offer>,
    ends: BTreeSet<(Duration, OfferId)>,
}

impl Offers {
    pub(super) fn put(&mut self, id: OfferId, offer: Offer) {
        self.ends.insert((offer.until, id));
        self.of.insert(id, offer);
    }

    pub(super) fn take(&mut self, id: OfferId) -> Option<Offer> {
        let offer = self.of.remove(&id)?;
        self.ends.remove(&(offer.until, id));
        Some(offer)
    }

    pub(super) fn get(&self, id: OfferId) -> Option<&Offer> {
        self.of.get(&id)
    }

    /// How far a player of it has come.
    pub(super) fn stage_mut(&mut self, id: OfferId, player: PlayerKey) -> Option<&mut Stage> {
        self.of.get_mut(&id)?.players.get_mut(&player)
    }

    pub(super) fn next_end(&self) -> Option<(Duration, OfferId)> {
        self.ends.first().copied()
    }
}
