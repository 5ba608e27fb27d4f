//! Who goes: by their own wish, by a party that they leave, by a connection that stays away, by the
//! end of the queue.

use std::time::Duration;

use super::Queue;
use super::messages::{EndReason, EntryId, OutReason, Output, PlayerKey};
use super::offer::Stage;

impl Queue {
    pub(super) fn cancel(&mut self, now: Duration, player: PlayerKey) {
        let Some((id, entry)) = self.entry(player) else {
            self.told(player);
            return;
        };
        match entry.offer {
            _ if entry.is_beside(player) => self.drop_member(player, OutReason::Cancelled),
            None => self.out(id, player, OutReason::Cancelled),
            Some(offer) => self.spoil(now, offer, player, OutReason::Cancelled),
        }
    }

    pub(super) fn party_left(&mut self, now: Duration, player: PlayerKey) {
        let Some((id, entry)) = self.entry(player) else {
            self.told(player);
            return;
        };
        let is_going = |offer| self.offers.get(offer).is_some_and(|offer| offer.is_going);
        match entry.offer {
            _ if entry.is_beside(player) => self.drop_member(player, OutReason::LeftParty),
            None if entry.members.len() == 1 => self.out(id, player, OutReason::LeftParty),
            None => {
                self.drop_member(player, OutReason::LeftParty);
                self.queued(now, id);
            }
            // They are in the match, in whichever party.
            Some(offer) => {
                let is_going = is_going(offer);
                if let Some(entry) = self.entries.get_mut(&id)
                    && let Some(member) = entry.member_mut(player)
                {
                    member.leaves = true;
                }
                if is_going {
                    self.told(player);
                } else {
                    self.cooling.blame(now, player, &self.timing);
                    self.fail(now, offer, &[]);
                }
            }
        }
    }

    pub(super) fn party_changed(&mut self, now: Duration, party: PlayerKey, by: PlayerKey) {
        let Some((id, entry)) = self.entry(party) else {
            self.told(party);
            return;
        };
        let is_theirs = self.of_player.get(&by) == Some(&id);
        match entry.offer {
            None => self.out(id, by, OutReason::PartyChanged),
            Some(offer) if is_theirs && !self.offers.get(offer).is_some_and(|of| of.is_going) => {
                self.spoil(now, offer, by, OutReason::PartyChanged);
            }
            Some(_) => self.told(party),
        }
    }

    pub(super) fn lost(&mut self, now: Duration, player: PlayerKey) {
        let Some(id) = self.of_player.get(&player).copied() else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(&id) {
            if let Some(member) = entry.member_mut(player) {
                member.lost.get_or_insert(now);
            }
            if entry.offer.is_none() {
                self.place(now, id);
            }
        }
    }

    /// All end.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        while let Some(id) = self.entries.first_key_value().map(|(id, _)| *id) {
            if let Some(offer) = self.entries.get(&id).and_then(|entry| entry.offer) {
                self.offers.take(offer);
            }
            self.ended(id, EndReason::Closed);
        }
    }

    /// One who leaves the others of their entry, or was beside it.
    pub(super) fn drop_member(&mut self, player: PlayerKey, reason: OutReason) {
        let Some(id) = self.of_player.remove(&player) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.members.retain(|member| member.player != player);
            entry.beside.retain(|member| member.player != player);
        }
        self.outputs.push_back(Output::Out {
            players: vec![player],
            by: player,
            reason,
        });
    }

    /// An entry is out, by one of its members.
    pub(super) fn out(&mut self, id: EntryId, by: PlayerKey, reason: OutReason) {
        let players = self.remove(id);
        self.outputs.push_back(Output::Out {
            players,
            by,
            reason,
        });
    }

    /// An entry is at its end, by nobody's fault.
    pub(super) fn ended(&mut self, id: EntryId, reason: EndReason) {
        let players = self.remove(id);
        self.outputs.push_back(Output::Ended { players, reason });
    }

    /// An entry is no more; who was in it.
    fn remove(&mut self, id: EntryId) -> Vec<PlayerKey> {
        self.places.take(id);
        let players = self.entries.remove(&id).map(|entry| entry.everyone());
        let players = players.unwrap_or_default();
        for player in &players {
            self.of_player.remove(player);
        }
        players
    }

    /// By what one player did, their match comes to nothing; if it is under way and they are in
    /// its room already, it does not.
    pub(super) fn spoil(
        &mut self,
        now: Duration,
        offer: super::OfferId,
        player: PlayerKey,
        reason: OutReason,
    ) {
        let Some(stage) = self.offers.stage_mut(offer, player) else {
            self.told(player);
            return;
        };
        match stage {
            Stage::There | Stage::Missing => self.told(player),
            Stage::Asked | Stage::Accepted => self.misses(now, offer, player, reason),
        }
    }
}
