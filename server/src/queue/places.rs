//! Where those who wait are found: by mode, region and size in the order of their ratings, by when
//! they are to be tried next, and by when their waiting ends. Every list is an ordered tree, so
//! each change costs the logarithm of how many wait, and the order of everything is the same in
//! each run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::messages::EntryId;
use super::mode::{ModeId, RegionId};

/// One who waits.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) mode: ModeId,
    pub(super) regions: Vec<RegionId>,
    pub(super) size: u8,
    /// The mean, in thousandths.
    pub(super) rating: i64,
    pub(super) since: Duration,
    /// When a match is looked for next; `None`: held, it is not matched.
    pub(super) try_at: Option<Duration>,
    /// When it is to be told something in any case.
    pub(super) end_at: Duration,
}

/// One near another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    pub(super) id: EntryId,
    pub(super) rating: i64,
    pub(super) since: Duration,
}

type Ratings = BTreeMap<(i64, EntryId), Duration>;

#[derive(Default)]
pub(super) struct Places {
    of: BTreeMap<EntryId, Place>,
    /// Since when each waits, by rating.
    by_rating: BTreeMap<(ModeId, RegionId, u8), Ratings>,
    tries: BTreeSet<(Duration, EntryId)>,
    ends: BTreeSet<(Duration, EntryId)>,
    /// Players that wait, held ones too.
    players: BTreeMap<ModeId, u32>,
}

impl Places {
    /// Lets one wait, or wait otherwise.
    pub(super) fn put(&mut self, id: EntryId, place: Place) {
        self.take(id);
        if let Some(at) = place.try_at {
            for region in &place.regions {
                let list = (place.mode, *region, place.size);
                let ratings = self.by_rating.entry(list).or_default();
                ratings.insert((place.rating, id), place.since);
            }
            self.tries.insert((at, id));
        }
        self.ends.insert((place.end_at, id));
        *self.players.entry(place.mode).or_default() += u32::from(place.size);
        self.of.insert(id, place);
    }

    /// One waits no more.
    pub(super) fn take(&mut self, id: EntryId) -> Option<Place> {
        let place = self.of.remove(&id)?;
        if let Some(at) = place.try_at {
            for region in &place.regions {
                let list = (place.mode, *region, place.size);
                if let Some(ratings) = self.by_rating.get_mut(&list) {
                    ratings.remove(&(place.rating, id));
                }
            }
            self.tries.remove(&(at, id));
        }
        self.ends.remove(&(place.end_at, id));
        if let Some(players) = self.players.get_mut(&place.mode) {
            *players -= u32::from(place.size);
        }
        Some(place)
    }

    pub(super) fn get(&self, id: EntryId) -> Option<&Place> {
        self.of.get(&id)
    }

    /// There was no match: it is tried again then.
    pub(super) fn retry(&mut self, id: EntryId, at: Duration) {
        if let Some(place) = self.of.get_mut(&id)
            && let Some(before) = place.try_at.replace(at)
        {
            self.tries.remove(&(before, id));
            self.tries.insert((at, id));
        }
    }

    /// Whose time to be tried has come for longest.
    pub(super) fn next_try(&self) -> Option<(Duration, EntryId)> {
        self.tries.first().copied()
    }

    /// Whose waiting ends first.
    pub(super) fn next_end(&self) -> Option<(Duration, EntryId)> {
        self.ends.first().copied()
    }

    /// Players that wait in a mode.
    pub(super) fn players(&self, mode: ModeId) -> u32 {
        self.players.get(&mode).copied().unwrap_or(0)
    }

    /// Those of one size, from the nearest rating on, no further than `reach`; of one rating those
    /// who queued first come first, as where many are new and have the same.
    pub(super) fn near(
        &self,
        mode: ModeId,
        region: RegionId,
        size: u8,
        rating: i64,
        reach: i64,
    ) -> impl Iterator<Item = Near> {
        let ratings = self.by_rating.get(&(mode, region, size));
        let (low, high) = (rating - reach, rating + reach);
        let (first, last) = (EntryId(0), EntryId(u64::MAX));
        let mut below = ratings
            .into_iter()
            .flat_map(move |all| all.range((low, first)..(rating, first)).rev())
            .peekable();
        let mut above = ratings
            .into_iter()
            .flat_map(move |all| all.range((rating, first)..=(high, last)))
            .peekable();
        std::iter::from_fn(move || {
            let down = below.peek().map(|((at, _), _)| rating - at);
            let up = above.peek().map(|((at, _), _)| at - rating);
            let is_below = match (down, up) {
                (Some(down), Some(up)) => down < up,
                (down, _) => down.is_some(),
            };
            let next = if is_below { below.next() } else { above.next() };
            next.map(|((rating, id), since)| Near {
                id: *id,
                rating: *rating,
                since: *since,
            })
        })
    }
}
