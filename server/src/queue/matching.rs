//! Time passes: matches are made, and what has lasted too long ends.

use std::time::Duration;

use rand::seq::SliceRandom;

use super::LOOKS_MAX;
use super::Queue;
use super::entry::Entry;
use super::messages::{EndReason, EntryId, OfferId, OutReason, Output, PlayerKey};
use super::mode::AtTheEnd;
use super::offer::{Offer, Stage};
use super::pick::{Picked, Search};

impl Queue {
    /// Time passed: matches are made, and what has lasted too long ends. To be called when
    /// [`Queue::wakes_at`] says, or a few times a second.
    pub fn step(&mut self, now: Duration) {
        self.cooling.forget(now);
        while let Some((_, offer)) = self.offers.next_end().filter(|(at, _)| *at <= now) {
            self.overdue(now, offer);
        }
        // The ends first: nobody waits for longer than is said.
        let mut looks = LOOKS_MAX;
        while looks > 0 {
            let end = self.places.next_end().filter(|(at, _)| *at <= now);
            let next = self.places.next_try().filter(|(at, _)| *at <= now);
            match (end, next) {
                (Some((_, entry)), _) => self.end(now, entry, &mut looks),
                (None, Some((_, entry))) => self.seek(now, entry, &mut looks),
                (None, None) => return,
            }
        }
    }

    /// Looks for a match around one who waits.
    fn seek(&mut self, now: Duration, id: EntryId, looks: &mut u32) {
        match self.search(now, id, looks, |search| search.whole()) {
            Some(picked) => self.offer(now, picked),
            None => self.places.retry(id, now + self.timing.retry),
        }
    }

    /// One who waits has waited for as long as anybody may, or been away for too long.
    fn end(&mut self, now: Duration, id: EntryId, looks: &mut u32) {
        *looks = looks.saturating_sub(1);
        let Some(entry) = self.entries.get(&id) else {
            self.places.take(id);
            return;
        };
        match entry.lost() {
            Some((since, by)) if now >= since + self.timing.lost => {
                return self.out(id, by, OutReason::Lost);
            }
            Some(_) => return self.ended(id, EndReason::TooFew),
            None => {}
        }
        let ends = entry.ends;
        let mode = self.modes.get(usize::from(entry.mode.0));
        let has_bots = mode.is_some_and(|mode| mode.at_the_end == AtTheEnd::Bots);
        let picked = match ends {
            0 => self.search(now, id, looks, |search| search.last()),
            1 if has_bots => self.search(now, id, looks, |search| search.alone()),
            _ => None,
        };
        match picked {
            Some(picked) => self.offer(now, picked),
            None if ends > 1 => self.ended(id, EndReason::NoRoom),
            None => self.ended(id, EndReason::TooFew),
        }
    }

    fn search(
        &mut self,
        now: Duration,
        id: EntryId,
        looks: &mut u32,
        how: impl Fn(&mut Search<'_>) -> Option<Picked>,
    ) -> Option<Picked> {
        let place = self.places.get(id)?;
        let mode = self.modes.get(usize::from(place.mode.0))?;
        how(&mut Search {
            places: &self.places,
            mode,
            id,
            place,
            now,
            looks,
        })
    }

    /// Offers a match to those of whom it is made.
    fn offer(&mut self, now: Duration, picked: Picked) {
        self.last_offer += 1;
        let id = OfferId(self.last_offer);
        let mut sides: Vec<_> = picked.teams.into_iter().zip(picked.bots).collect();
        // Which team is the first says nothing of who waited for longest.
        sides.shuffle(&mut self.chance);
        let (teams, bots): (Vec<Vec<EntryId>>, Vec<u8>) = sides.into_iter().unzip();
        let mut mode = None;
        for entry in teams.iter().flatten() {
            let place = self.places.take(*entry);
            if let Some(entry) = self.entries.get_mut(entry) {
                let is_over = place.is_some_and(|place| place.end_at <= now);
                entry.ends = entry.ends.saturating_add(u8::from(is_over));
                entry.offer = Some(id);
                mode = Some(entry.mode);
            }
        }
        let entries = teams.iter().flatten();
        let entries = entries.filter_map(|entry| self.entries.get(entry));
        let players: Vec<PlayerKey> = entries.flat_map(Entry::players).collect();
        let Some(mode) = mode else { return };
        let until = now + self.timing.accept;
        let asked = players.iter().map(|player| (*player, Stage::Asked));
        let offer = Offer {
            mode,
            region: picked.region,
            teams,
            bots,
            players: asked.collect(),
            is_going: false,
            until,
        };
        let region = offer.region;
        self.offers.put(id, offer);
        self.outputs.push_back(Output::Offered {
            offer: id,
            mode,
            region,
            players,
            until,
        });
    }

    /// A player's entry.
    pub(super) fn entry(&self, player: PlayerKey) -> Option<(EntryId, &Entry)> {
        let id = *self.of_player.get(&player)?;
        Some((id, self.entries.get(&id)?))
    }
}
