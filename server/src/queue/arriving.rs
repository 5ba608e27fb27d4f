//! Who comes: parties that queue, members that join one which waits, connections that are back.

use std::time::Duration;

use super::Queue;
use super::entry::{Entry, Member};
use super::messages::{EntryId, Output, PlayerKey, Refusal, Seeker};
use super::mode::{ModeId, RATING_MAX, RegionId, milli};
use super::places::Place;
use super::{PLAYERS_MAX, REGIONS_MAX};

impl Queue {
    pub(super) fn enqueue(
        &mut self,
        now: Duration,
        mode: ModeId,
        seekers: &[Seeker],
        mut regions: Vec<RegionId>,
    ) {
        let Some(first) = seekers.first() else {
            return;
        };
        let mut seen = Vec::new();
        regions.retain(|region| {
            let is_new = seen.len() <= REGIONS_MAX && !seen.contains(region);
            seen.extend(is_new.then_some(*region));
            is_new
        });
        let is_named = (1..=REGIONS_MAX).contains(&regions.len());
        let checked = self.may_queue(now, mode, 0, seekers);
        let checked = checked.and(is_named.then_some(()).ok_or(Refusal::Regions));
        if let Err(why) = checked {
            self.refuse(first.player, why);
            return;
        }
        self.last_entry += 1;
        let id = EntryId(self.last_entry);
        let entry = Entry {
            mode,
            regions,
            members: seekers.iter().map(member).collect(),
            beside: Vec::new(),
            since: now,
            offer: None,
            ends: 0,
        };
        for seeker in seekers {
            self.of_player.insert(seeker.player, id);
        }
        self.entries.insert(id, entry);
        self.queued(now, id);
    }

    pub(super) fn party_joined(&mut self, now: Duration, party: PlayerKey, seeker: Seeker) {
        let id = self.of_player.get(&party).copied();
        let Some((id, entry)) = id.and_then(|id| Some((id, self.entries.get(&id)?))) else {
            self.told(seeker.player);
            return;
        };
        let members = entry.members.len() + entry.beside.len();
        let is_waiting = entry.offer.is_none();
        if let Err(why) = self.may_queue(now, entry.mode, members, &[seeker]) {
            self.refuse(seeker.player, why);
            return;
        }
        self.of_player.insert(seeker.player, id);
        if let Some(entry) = self.entries.get_mut(&id) {
            if is_waiting {
                entry.members.push(member(&seeker));
                self.queued(now, id);
            } else {
                entry.beside.push(member(&seeker));
                self.told(seeker.player);
            }
        }
    }

    pub(super) fn returned(&mut self, now: Duration, player: PlayerKey) {
        let id = self.of_player.get(&player).copied();
        let entry = id.and_then(|id| self.entries.get_mut(&id));
        if let (Some(id), Some(entry)) = (id, entry) {
            if let Some(member) = entry.member_mut(player) {
                member.lost = None;
            }
            if entry.offer.is_none() {
                self.place(now, id);
            }
        }
        self.told(player);
    }

    /// Whether these may wait together with so many others.
    fn may_queue(
        &self,
        now: Duration,
        mode: ModeId,
        members: usize,
        seekers: &[Seeker],
    ) -> Result<(), Refusal> {
        let mode = self.modes.get(usize::from(mode.0)).ok_or(Refusal::Mode)?;
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        if members + seekers.len() > usize::from(mode.team_size) {
            return Err(Refusal::PartySize);
        }
        if self.of_player.len() + seekers.len() > PLAYERS_MAX {
            return Err(Refusal::Full);
        }
        for (at, seeker) in seekers.iter().enumerate() {
            let player = seeker.player;
            let is_double = seekers[..at].iter().any(|other| other.player == player);
            if is_double || self.of_player.contains_key(&player) {
                return Err(Refusal::Queued(player));
            }
            // A NaN is in no range.
            if !(-RATING_MAX..=RATING_MAX).contains(&seeker.rating) {
                return Err(Refusal::Rating);
            }
            if let Some(until) = self.cooling.until(now, player) {
                return Err(Refusal::Cooling(player, until));
            }
        }
        Ok(())
    }

    /// An entry waits, newly or otherwise than before.
    pub(super) fn queued(&mut self, now: Duration, id: EntryId) {
        self.place(now, id);
        if let Some(entry) = self.entries.get(&id) {
            let players = entry.players();
            self.outputs
                .push_back(Output::Queued { entry: id, players });
        }
    }

    /// Puts an entry where it is found, or held, by what it is now.
    pub(super) fn place(&mut self, now: Duration, id: EntryId) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let Some(mode) = self.modes.get(usize::from(entry.mode.0)) else {
            return;
        };
        let over = entry.since + mode.wait;
        let lost = entry.lost().map(|(since, _)| since + self.timing.lost);
        let place = Place {
            mode: entry.mode,
            regions: entry.regions.clone(),
            size: entry.size(),
            rating: entry.rating(),
            since: entry.since,
            try_at: lost.is_none().then_some(now),
            end_at: lost.map_or(over, |lost| lost.min(over)),
        };
        self.places.put(id, place);
    }

    fn refuse(&mut self, player: PlayerKey, why: Refusal) {
        self.outputs.push_back(Output::Refused { player, why });
    }
}

fn member(seeker: &Seeker) -> Member {
    Member {
        player: seeker.player,
        rating: milli(seeker.rating),
        lost: None,
        leaves: false,
    }
}
