//! The rooms of a server and who has a seat in them, as one lock holds them: what is found and
//! taken there while it is held. What that comes to for who asks is `local`'s.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::limits::ROOMS_LISTED_MAX;
use tickwire::protocol::server_message::Refusal;

use crate::directory::entry::Entry;
use crate::directory::filter::Filter;
use crate::directory::kept_out::{Repute, Who};
use crate::directory::rank::{Fit, Standing, ranked};
use crate::directory::{GameIndex, Mark, Place};

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rooms: BTreeMap<RoomId, Entry>,
    pub(super) codes: HashMap<String, RoomId>,
    /// Seats that are held without a connection, by whose they are and where: how many. No more
    /// than seats taken.
    pub(super) away: BTreeMap<(Mark, RoomId), u16>,
    /// The newest room's [`Entry::made`].
    pub(super) made: u64,
    /// Orders for which rooms stay where they are.
    pub(super) orders: u32,
}

impl Table {
    /// What each worker has to do; what each unit of a room costs that was not measured yet is
    /// `unknown`.
    pub(super) fn loads(&self, workers: usize, unknown: f64) -> Vec<f64> {
        let mut loads = vec![0.0; workers];
        for entry in self.rooms.values() {
            loads[entry.worker] += entry.unit_share.unwrap_or(unknown) * entry.units();
        }
        loads
    }

    pub(super) fn least_loaded(&self, workers: usize) -> usize {
        let measured = || self.rooms.values().filter_map(|entry| entry.unit_share);
        // A room that was not measured yet is taken for an average one.
        let usual = match measured().count() {
            0 => 1.0,
            count => measured().sum::<f64>() / count as f64,
        };
        let loads = self.loads(workers, usual);
        (0..workers)
            .min_by(|&a, &b| loads[a].total_cmp(&loads[b]))
            .unwrap_or(0)
    }

    /// The first of the rooms that lists show, of those that are `wanted`.
    pub(super) fn listed(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        let mut rooms = ranked(self.standings(wanted));
        rooms.truncate(ROOMS_LISTED_MAX);
        let listed = rooms.iter();
        listed.filter_map(|room| self.rooms.get(room)).collect()
    }

    /// Where the rooms stand that lists show, of those that are `wanted`.
    pub(super) fn standings(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Standing> {
        let rooms = self.rooms.values();
        let rooms = rooms.filter(|entry| entry.is_listed() && wanted(entry));
        rooms.map(Entry::standing).collect()
    }

    /// Rooms that meet `filter` and where a seat of theirs is held, but for those that keep them
    /// out.
    pub(super) fn held_by(
        &self,
        who: &Who,
        mark: Mark,
        filter: &Filter,
        now: Instant,
    ) -> Vec<RoomId> {
        let owner = Who {
            identity: who.identity.clone(),
            host: None,
        };
        let theirs = (mark, RoomId(0))..=(mark, RoomId(u32::MAX));
        let theirs = self.away.range(theirs).map(|(&(_, room), _)| room);
        let lets_in = |room: &RoomId| {
            let entry = self.rooms.get(room);
            entry.is_some_and(|entry| entry.suits(filter) && !entry.kept_out.has(&owner, now))
        };
        theirs.filter(lets_in).collect()
    }

    /// The room that a quick join takes, and how good it is: see
    /// [`Directory::reserve_any`](crate::directory::Directory::reserve_any).
    pub(super) fn best_to_join(
        &self,
        who: &Who,
        filter: &Filter,
        now: Instant,
    ) -> Option<(Fit, RoomId)> {
        let rooms = self.rooms.values();
        let rooms = rooms.filter(|entry| entry.takes_anyone() && entry.suits(filter));
        let rooms = rooms.filter(|entry| !entry.kept_out.has(who, now));
        let rated = rooms.map(|entry| (entry, entry.losses.repute(entry.taken(), now)));
        let rated = rated.filter(|(_, repute)| *repute < Repute::Bad);
        let rated =
            rated.map(|(entry, repute)| (entry.standing().to_join(repute), entry.options.id));
        rated.max_by_key(|(fit, _)| *fit)
    }

    /// The room that is looked on at: see
    /// [`Directory::watch_any`](crate::directory::Directory::watch_any).
    pub(super) fn best_to_watch(
        &self,
        who: &Who,
        filter: &Filter,
        now: Instant,
    ) -> Option<Standing> {
        let rooms = self.rooms.values();
        let rooms = rooms.filter(|entry| entry.open && !entry.options.private);
        let rooms = rooms.filter(|entry| entry.suits(filter) && entry.takes_spectators());
        let rooms = rooms.filter(|entry| !entry.kept_out.has(who, now));
        rooms
            .map(Entry::standing)
            .max_by_key(|room| room.to_watch())
    }

    /// The listed room of this name, and whether it lets them in: of several one that does, then
    /// the oldest.
    pub(super) fn named(&self, game: GameIndex, name: &str, who: Mark) -> Option<(bool, &Entry)> {
        let named = |entry: &&Entry| {
            entry.game == game && !entry.options.private && entry.options.name == name
        };
        let rated = self.rooms.values().filter(named).map(|entry| {
            let is_open = entry.takers.contains(&who) || (!entry.locked && entry.has_seat());
            (is_open, entry)
        });
        rated.min_by_key(|(is_open, entry)| (!is_open, entry.made))
    }

    /// Rooms that there are of a game.
    pub(super) fn count(&self, game: GameIndex) -> usize {
        let of_it = self.rooms.values().filter(|entry| entry.game == game);
        of_it.count()
    }

    pub(super) fn take_seat(
        &mut self,
        game: GameIndex,
        room: RoomId,
        who: Mark,
    ) -> Result<Place, Refusal> {
        let entry = self.rooms.get_mut(&room);
        let entry = entry.filter(|entry| entry.game == game);
        let entry = entry.ok_or(Refusal::NoSuchRoom)?;
        if !entry.takers.contains(&who) {
            if entry.locked {
                return Err(Refusal::Locked);
            }
            if !entry.has_seat() {
                return Err(Refusal::RoomFull);
            }
        }
        entry.takers.push(who);
        // Until that is counted again.
        entry.active = entry.active.saturating_add(1).min(entry.taken());
        Ok(Place {
            room,
            worker: entry.worker,
        })
    }

    /// Takes a spectator's place.
    pub(super) fn take_view(&mut self, game: GameIndex, room: RoomId) -> Result<Place, Refusal> {
        let entry = self.rooms.get_mut(&room);
        let entry = entry.filter(|entry| entry.open && entry.game == game && entry.taken() > 0);
        let entry = entry.ok_or(Refusal::NoSuchRoom)?;
        if !entry.takes_spectators() {
            return Err(Refusal::RoomFull);
        }
        entry.spectators += 1;
        Ok(Place {
            room,
            worker: entry.worker,
        })
    }

    pub(super) fn remove(&mut self, room: RoomId) {
        if let Some(entry) = self.rooms.remove(&room) {
            self.codes.remove(&entry.options.code);
        }
    }
}
