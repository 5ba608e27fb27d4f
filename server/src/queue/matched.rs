//! What becomes of a match: accepted, declined, too late, joined, or not.

use std::time::Duration;

use super::Queue;
use super::entry::Entry;
use super::messages::{EndReason, EntryId, OfferId, OutReason, Output, PlayerKey, Team};
use super::mode::{Missing, Mode};
use super::offer::{Offer, Stage};

/// How much of the mean of what was waited lately the newest match is: one in so many.
const LATELY: u32 = 8;

impl Queue {
    pub(super) fn accept(&mut self, now: Duration, player: PlayerKey, id: OfferId) {
        let is_asked = |stage: &&mut Stage| **stage == Stage::Asked;
        match self.offers.stage_mut(id, player).filter(is_asked) {
            Some(stage) => *stage = Stage::Accepted,
            None => return self.told(player),
        }
        let is_asked = |offer: &Offer| offer.count(Stage::Asked) > 0;
        match self.offers.get(id) {
            Some(offer) if is_asked(offer) => self.told(player),
            Some(_) => self.go(now, id),
            None => {}
        }
    }

    pub(super) fn decline(&mut self, now: Duration, player: PlayerKey, id: OfferId) {
        match self.offers.get(id) {
            Some(offer) if !offer.is_going => self.spoil(now, id, player, OutReason::Declined),
            _ => self.told(player),
        }
    }

    pub(super) fn joined(&mut self, player: PlayerKey, id: OfferId) {
        let is_going = self.offers.get(id).is_some_and(|offer| offer.is_going);
        let is_coming = |stage: &&mut Stage| is_going && **stage == Stage::Accepted;
        match self.offers.stage_mut(id, player).filter(is_coming) {
            Some(stage) => *stage = Stage::There,
            None => return self.told(player),
        }
        self.told(player);
        self.settle(id);
    }

    pub(super) fn join_failed(&mut self, now: Duration, player: PlayerKey, id: OfferId) {
        match self.offers.get(id) {
            Some(offer) if offer.is_going => self.spoil(now, id, player, OutReason::JoinFailed),
            _ => self.told(player),
        }
    }

    /// A player of a match is not in it: it comes to nothing, or goes on to wait for the others if
    /// it may be played without them.
    pub(super) fn misses(
        &mut self,
        now: Duration,
        id: OfferId,
        player: PlayerKey,
        reason: OutReason,
    ) {
        let Some(offer) = self.offers.get(id) else {
            return;
        };
        let others = offer
            .who(&[Stage::Accepted, Stage::There])
            .len()
            .saturating_sub(1);
        let plays_on = self.least(offer).is_some_and(|least| others >= least);
        if !(offer.is_going && plays_on) {
            return self.fail(now, id, &[(player, reason)]);
        }
        if let Some(stage) = self.offers.stage_mut(id, player) {
            *stage = Stage::Missing;
        }
        self.cooling.blame(now, player, &self.timing);
        self.drop_member(player, reason);
        self.settle(id);
    }

    /// All there is to wait for has come.
    fn settle(&mut self, id: OfferId) {
        let is_open = |offer: &Offer| offer.count(Stage::Accepted) > 0;
        if self.offers.get(id).is_some_and(|offer| !is_open(offer)) {
            self.play(id);
        }
    }

    /// The time of a match's accepting, or coming, is over.
    pub(super) fn overdue(&mut self, now: Duration, id: OfferId) {
        let Some(offer) = self.offers.get(id) else {
            return;
        };
        if offer.is_going {
            let late = offer.who(&[Stage::Accepted]);
            let plays_on = self.least(offer);
            if plays_on.is_some_and(|least| offer.count(Stage::There) >= least) {
                for player in late {
                    self.misses(now, id, player, OutReason::NotCome);
                }
            } else {
                let late = late.iter().map(|player| (*player, OutReason::NotCome));
                self.fail(now, id, &late.collect::<Vec<_>>());
            }
        } else {
            let late = offer.who(&[Stage::Asked]);
            let late = late.iter().map(|player| (*player, OutReason::NotAccepted));
            self.fail(now, id, &late.collect::<Vec<_>>());
        }
    }

    /// With how many a match is played though some do not come; `None`: with all alone.
    fn least(&self, offer: &Offer) -> Option<usize> {
        match self.modes.get(usize::from(offer.mode.0))? {
            Mode {
                missing: Missing::PlayOn { least },
                ..
            } => Some(usize::from(*least)),
            _ => None,
        }
    }

    fn go(&mut self, now: Duration, id: OfferId) {
        let Some(mut offer) = self.offers.take(id) else {
            return;
        };
        offer.is_going = true;
        offer.until = now + self.timing.join;
        for entry in offer.entries() {
            if let Some(entry) = self.entries.get(&entry) {
                let waited = now.saturating_sub(entry.since);
                let lately = self.lately.entry(offer.mode).or_insert(waited);
                *lately = (*lately * (LATELY - 1) + waited) / LATELY;
            }
        }
        let teams = offer.teams.iter().zip(&offer.bots).map(|(team, bots)| {
            let entries = team.iter().filter_map(|entry| self.entries.get(entry));
            Team {
                players: entries.flat_map(Entry::players).collect(),
                bots: *bots,
            }
        });
        self.outputs.push_back(Output::Go {
            offer: id,
            mode: offer.mode,
            region: offer.region,
            teams: teams.collect(),
            until: offer.until,
        });
        self.offers.put(id, offer);
    }

    /// They play: the queue knows them no more.
    fn play(&mut self, id: OfferId) {
        let Some(offer) = self.offers.take(id) else {
            return;
        };
        for entry in offer.entries() {
            let beside = self.entries.get_mut(&entry);
            let beside = beside.map(|entry| std::mem::take(&mut entry.beside));
            let beside: Vec<PlayerKey> = beside.iter().flatten().map(|at| at.player).collect();
            for player in &beside {
                self.of_player.remove(player);
            }
            if self
                .entries
                .get(&entry)
                .is_some_and(|entry| entry.members.is_empty())
            {
                self.entries.remove(&entry);
            } else {
                self.ended(entry, EndReason::Playing);
            }
            if !beside.is_empty() {
                self.outputs.push_back(Output::Ended {
                    players: beside,
                    reason: EndReason::PartyPlays,
                });
            }
        }
    }

    /// A match comes to nothing, by these: they are out with their parties, the others go back.
    pub(super) fn fail(&mut self, now: Duration, id: OfferId, by: &[(PlayerKey, OutReason)]) {
        let Some(offer) = self.offers.take(id) else {
            return;
        };
        for (player, _) in by {
            self.cooling.blame(now, *player, &self.timing);
        }
        for entry in offer.entries() {
            let is_in =
                |(player, _): &&(PlayerKey, OutReason)| self.of_player.get(player) == Some(&entry);
            match by.iter().find(is_in) {
                Some((player, reason)) => self.out(entry, *player, *reason),
                None => self.back(now, entry),
            }
        }
    }

    /// An entry waits again, with the time that it has waited and as its party is now.
    fn back(&mut self, now: Duration, id: EntryId) {
        let leaving = |entry: &Entry| {
            let leaving = entry.members.iter().filter(|member| member.leaves);
            leaving.map(|member| member.player).collect::<Vec<_>>()
        };
        let leaving = self.entries.get(&id).map(leaving);
        for player in leaving.into_iter().flatten() {
            self.drop_member(player, OutReason::LeftParty);
        }
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.offer = None;
        let beside = std::mem::take(&mut entry.beside);
        entry.members.extend(beside);
        if entry.members.is_empty() {
            self.entries.remove(&id);
            return;
        }
        let (players, since) = (entry.players(), entry.since);
        let waited = now.saturating_sub(since);
        self.place(now, id);
        self.outputs.push_back(Output::Back { players, waited });
    }
}
