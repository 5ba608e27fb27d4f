//! Which rooms there are and who has a seat in them: the one table that lobby and workers share,
//! under one lock that is never held across a tick or an await. It knows rooms by their numbers;
//! their worlds and sockets are the workers'.
//!
//! A seat is taken here first, then the connection goes to the room's worker. So a room can't
//! overflow, and one that is empty here has nobody on the way to it: [`Directory::close_if_empty`]
//! and [`Directory::reserve`] can't cross. Who has a seat in a full room is let through all the
//! same, one seat beyond: the worker gives them theirs (`Room::seat_of`), or refuses, and the one
//! beyond comes back either way.

mod table;

use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::time::Instant;

use ipnet::IpNet;
use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::protocol::server_message::{Refusal, RoomInfo};

use super::entry::Entry;
use super::filter::Filter;
use super::kept_out::Who;
use super::nodes::batch::Told;
use super::rank::{Best, NetworkMark, Standing, ranked};
use super::{Creation, Directory, GameIndex, Kept, Mark, Named, Place, Restored, RoomLine, Totals};
use crate::admission::shares::Fill;
use crate::auth::{Entropy, Identity};
use crate::date::Date;
use table::Table;

/// Numbers that are tried for a new room. Beyond, which is less likely than anything: `Busy`.
const NUMBER_TRIES: u32 = 64;
/// Least share that a unit is taken for: rooms that slept when they were measured count too.
const UNIT_SHARE_MIN: f64 = 1e-6;

/// Rooms that an operator is shown at once: a megabyte of JSON is 5,000 of them.
pub(super) const ROOMS_SHOWN_MAX: usize = 5000;

/// The rooms of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    rooms_max: usize,
    /// Of each game; a game that is not there has no limit of its own.
    rooms_max_of: Vec<usize>,
    workers: usize,
    marks: RandomState,
    entropy: Entropy,
    table: Mutex<Table>,
}

impl Registry {
    /// No rooms yet, at most `rooms_max`, to be spread over `workers` (from 1); their numbers and
    /// codes come from `entropy`.
    pub(crate) fn new(rooms_max: usize, workers: usize, entropy: Entropy) -> Registry {
        Registry {
            entropy,
            rooms_max,
            rooms_max_of: Vec::new(),
            workers,
            marks: RandomState::new(),
            table: Mutex::default(),
        }
    }

    /// The same with so many rooms of each game at most.
    #[must_use]
    pub(crate) fn with_rooms_max_of(mut self, games: Vec<usize>) -> Registry {
        self.rooms_max_of = games;
        self
    }

    /// Rooms that there may be of a game.
    fn rooms_max_of(&self, game: GameIndex) -> usize {
        let own = self.rooms_max_of.get(usize::from(game.0));
        own.map_or(self.rooms_max, |own| self.rooms_max.min(*own))
    }

    /// What `read` finds in a room, if it is there.
    fn of<T>(&self, room: RoomId, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.table.lock().rooms.get(&room).map(read)
    }

    /// Changes a room, if it is there.
    fn change(&self, room: RoomId, change: impl FnOnce(&mut Entry)) {
        self.table.lock().rooms.get_mut(&room).map(change);
    }

    fn insert(&self, table: &mut Table, new: Creation) -> Result<Place, Refusal> {
        self.has_place(table, new.game, &new.options.code)?;
        let id = self.free_number(table)?;
        let worker = table.least_loaded(self.workers);
        table.made = (table.made + 1).max(Date::now().0 * 1000);
        table.codes.insert(new.options.code.clone(), id);
        table
            .rooms
            .insert(id, Entry::new(new, id, worker, table.made));
        Ok(Place { room: id, worker })
    }

    /// Whether there may be one more room of a game, with this code.
    fn has_place(&self, table: &Table, game: GameIndex, code: &str) -> Result<(), Refusal> {
        let is_full = table.count(game) >= self.rooms_max_of(game);
        if table.rooms.len() >= self.rooms_max || is_full {
            return Err(Refusal::TooManyRooms);
        }
        match table.codes.contains_key(code) {
            true => Err(Refusal::Busy),
            false => Ok(()),
        }
    }

    /// Random, so that one tells nothing of other rooms, of how many there are or were; of 32 bits,
    /// so that two nodes hardly ever draw the same one.
    fn free_number(&self, table: &Table) -> Result<RoomId, Refusal> {
        for _ in 0..NUMBER_TRIES {
            let id = RoomId(self.random()? as u32);
            if id.0 != 0 && !table.rooms.contains_key(&id) {
                return Ok(id);
            }
        }
        Err(Refusal::Busy)
    }
}

impl Directory for Registry {
    fn create(&self, new: Creation) -> Result<Place, Refusal> {
        self.insert(&mut self.table.lock(), new)
    }

    fn reserve_or_create(
        &self,
        game: GameIndex,
        name: &str,
        who: Mark,
        new: Result<Creation, Refusal>,
    ) -> Result<Named, Refusal> {
        let mut table = self.table.lock();
        let Some((_, found)) = table.named(game, name, who) else {
            let place = self.insert(&mut table, new?)?;
            let opens = table.rooms.get(&place.room).map(Entry::opening);
            let is_new = true;
            return Ok(Named {
                place,
                opens,
                is_new,
            });
        };
        let (room, is_open) = (found.options.id, found.open);
        let opens = (!is_open).then(|| found.opening());
        let place = table.take_seat(game, room, who)?;
        let is_new = false;
        Ok(Named {
            place,
            opens,
            is_new,
        })
    }

    fn named(&self, game: GameIndex, name: &str, who: Mark) -> Option<(bool, u64)> {
        let table = self.table.lock();
        let found = table.named(game, name, who);
        found.map(|(is_open, entry)| (is_open, entry.made))
    }

    fn restore(
        &self,
        old: Restored,
        now: Instant,
        send: &mut dyn FnMut(Place) -> bool,
    ) -> Result<bool, Refusal> {
        let mut table = self.table.lock();
        let room = old.options.id;
        self.has_place(&table, old.game, &old.options.code)?;
        if room.0 == 0 || table.rooms.contains_key(&room) {
            return Err(Refusal::Busy);
        }
        let worker = table.least_loaded(self.workers);
        if !send(Place { room, worker }) {
            return Ok(false);
        }
        let mut entry = Entry::restored(old, worker, now);
        entry.made = entry.made.min(Date::now().0 * 1000);
        table.made = table.made.max(entry.made);
        table.codes.insert(entry.options.code.clone(), room);
        for who in &entry.takers {
            *table.away.entry((*who, room)).or_default() += 1;
        }
        table.rooms.insert(room, entry);
        Ok(true)
    }

    fn about(&self, room: RoomId, now: Instant) -> Option<(GameIndex, Kept)> {
        self.of(room, |entry| {
            let kept = Kept::of(entry.made, entry.network, &entry.kept_out, now);
            (entry.game, kept)
        })
    }

    fn open(&self, room: RoomId) {
        self.change(room, |entry| entry.open = true);
    }

    fn abandon(&self, room: RoomId, who: Mark) {
        let mut table = self.table.lock();
        if let Some(entry) = table.rooms.get_mut(&room) {
            entry.give_back(who);
            if !entry.open && entry.taken() == 0 {
                table.remove(room);
            }
        }
    }

    fn describe(&self, room: RoomId, metadata: &[u8], locked: bool) {
        let metadata = Box::from(metadata);
        self.change(room, |entry| {
            (entry.metadata, entry.locked) = (metadata, locked);
        });
    }

    fn random(&self) -> Result<u64, Refusal> {
        let bytes = self.entropy.bytes().map_err(|error| {
            tracing::error!(%error, "no random numbers");
            Refusal::Busy
        })?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn mark(&self, who: &Identity) -> Mark {
        Mark(self.marks.hash_one(who))
    }

    fn mark_network(&self, network: IpNet) -> NetworkMark {
        NetworkMark(self.marks.hash_one(network))
    }

    fn reserve(&self, game: GameIndex, room: RoomId, who: Mark) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        let is_held = table.away.contains_key(&(who, room));
        match table.rooms.get(&room) {
            Some(entry) if entry.open && (!entry.options.private || is_held) => {
                table.take_seat(game, room, who)
            }
            _ => Err(Refusal::NoSuchRoom),
        }
    }

    fn reserve_by_code(&self, game: GameIndex, code: &str, who: Mark) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        let room = table.codes.get(code).copied();
        let is_open = |room: &RoomId| table.rooms.get(room).is_some_and(|entry| entry.open);
        let room = room.filter(is_open).ok_or(Refusal::NoSuchRoom)?;
        table.take_seat(game, room, who)
    }

    fn reserve_any(&self, who: &Who, mark: Mark, filter: &Filter, now: Instant) -> Option<Place> {
        let mut table = self.table.lock();
        let game = filter.game();
        let held = table.held_by(who, mark, filter, now);
        let mut held = held.into_iter();
        if let Some(place) = held.find_map(|room| table.take_seat(game, room, mark).ok()) {
            return Some(place);
        }
        let (_, room) = table.best_to_join(who, filter, now)?;
        table.take_seat(game, room, mark).ok()
    }

    fn best_to_join(&self, who: &Who, mark: Mark, filter: &Filter, now: Instant) -> Option<Best> {
        let table = self.table.lock();
        if !table.held_by(who, mark, filter, now).is_empty() {
            return Some(Best::Held);
        }
        let best = table.best_to_join(who, filter, now);
        best.map(|(fit, _)| Best::Fit(fit))
    }

    fn watch(&self, game: GameIndex, room: RoomId) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        match table.rooms.get(&room) {
            Some(entry) if !entry.options.private => table.take_view(game, room),
            _ => Err(Refusal::NoSuchRoom),
        }
    }

    fn watch_by_code(&self, game: GameIndex, code: &str) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        let room = table.codes.get(code).copied();
        table.take_view(game, room.ok_or(Refusal::NoSuchRoom)?)
    }

    fn watch_any(&self, who: &Who, filter: &Filter, now: Instant) -> Option<Place> {
        let mut table = self.table.lock();
        let best = table.best_to_watch(who, filter, now)?;
        table.take_view(filter.game(), best.room).ok()
    }

    fn best_to_watch(&self, who: &Who, filter: &Filter, now: Instant) -> Option<Standing> {
        self.table.lock().best_to_watch(who, filter, now)
    }

    fn stop_watching(&self, room: RoomId) {
        self.change(room, |entry| {
            entry.spectators = entry.spectators.saturating_sub(1);
        });
    }

    fn has_another(&self, room: RoomId, who: Mark) -> bool {
        self.of(room, |entry| entry.takes_another(who)) == Some(true)
    }

    fn is_beyond(&self, room: RoomId, who: Mark) -> bool {
        let is_over = |entry: &Entry| entry.taken() > entry.options.seats;
        self.of(room, |entry| is_over(entry) && entry.takes_another(who)) == Some(true)
    }

    fn keeps_out(&self, room: RoomId, who: &Who, now: Instant) -> bool {
        self.of(room, |entry| entry.kept_out.has(who, now)) == Some(true)
    }

    fn keep_out(&self, room: RoomId, who: Who, now: Instant) {
        self.change(room, |entry| {
            entry.kept_out.add(who, now);
            entry.losses.kicked(now);
        });
    }

    fn left_soon(&self, room: RoomId, now: Instant) {
        self.change(room, |entry| entry.losses.left_soon(now));
    }

    fn survey(&self) -> Vec<RoomLine> {
        let table = self.table.lock();
        let line = |(id, entry): (&RoomId, &Entry)| RoomLine {
            game: entry.game,
            id: *id,
            name: entry.options.name.clone(),
            players: entry.taken().min(entry.options.seats),
            seats: entry.options.seats,
            spectators: entry.spectators,
            private: entry.options.private,
            worker: entry.worker,
            share: entry.unit_share.map(|share| share * entry.units()),
        };
        let mut lines: Vec<RoomLine> = table.rooms.iter().map(line).collect();
        drop(table);
        lines.sort_by(|a, b| {
            let (a, b) = (a.share.unwrap_or(0.0), b.share.unwrap_or(0.0));
            b.total_cmp(&a)
        });
        lines.truncate(ROOMS_SHOWN_MAX);
        lines
    }

    fn game_of(&self, room: RoomId) -> Option<GameIndex> {
        self.of(room, |entry| entry.game)
    }

    fn worker_of(&self, room: RoomId) -> Option<usize> {
        self.of(room, |entry| entry.worker)
    }

    fn code_of(&self, room: RoomId) -> Option<String> {
        let code = |entry: &Entry| entry.open.then(|| entry.options.code.clone());
        self.of(room, code).flatten()
    }

    fn loads(&self) -> Vec<f64> {
        self.table.lock().loads(self.workers, 0.0)
    }

    fn relocate(&self, room: RoomId, to: usize, send: &mut dyn FnMut() -> bool) {
        let mut table = self.table.lock();
        let is_free = table.orders == 0;
        if let Some(entry) = table.rooms.get_mut(&room)
            && is_free
            && send()
        {
            entry.worker = to;
        }
    }

    fn hold_still(&self, holds: bool) {
        let orders = &mut self.table.lock().orders;
        *orders = match holds {
            true => *orders + 1,
            false => orders.saturating_sub(1),
        };
    }

    fn weigh(&self, shares: &mut dyn Iterator<Item = (RoomId, f64, u16)>) {
        let mut table = self.table.lock();
        for (room, share, active) in shares {
            if let Some(entry) = table.rooms.get_mut(&room) {
                entry.active = active;
                entry.unit_share = Some((share / entry.units()).max(UNIT_SHARE_MIN));
            }
        }
    }

    fn find(&self, room: RoomId) -> Place {
        let entry = self.worker_of(room);
        let worker = entry.unwrap_or(room.0 as usize % self.workers.max(1));
        Place { room, worker }
    }

    fn lose(&self, room: RoomId, who: Mark) {
        *self.table.lock().away.entry((who, room)).or_default() += 1;
    }

    fn regain(&self, room: RoomId, who: Mark) {
        let mut table = self.table.lock();
        if let Some(held) = table.away.get_mut(&(who, room)) {
            *held -= 1;
            if *held == 0 {
                table.away.remove(&(who, room));
            }
        }
    }

    fn release(&self, room: RoomId, who: Mark) {
        self.change(room, |entry| entry.give_back(who));
    }

    fn close(&self, room: RoomId) {
        self.table.lock().remove(room);
    }

    fn close_if_empty(&self, room: RoomId) -> bool {
        let mut table = self.table.lock();
        let taken = table.rooms.get(&room).map_or(0, |entry| entry.taken());
        if taken == 0 {
            table.remove(room);
        }
        taken == 0
    }

    fn list(&self, filter: &Filter) -> Vec<RoomInfo> {
        let table = self.table.lock();
        let listed = table.listed(|entry| entry.fits(filter));
        listed.into_iter().map(Entry::info).collect()
    }

    fn standings(&self, filter: &Filter) -> Vec<Standing> {
        self.table.lock().standings(|entry| entry.fits(filter))
    }

    fn infos(&self, rooms: &[RoomId]) -> Vec<RoomInfo> {
        let table = self.table.lock();
        let rooms = rooms.iter().filter_map(|room| table.rooms.get(room));
        rooms.map(Entry::info).collect()
    }

    fn told(&self, now: Instant) -> Vec<(GameIndex, Told)> {
        let table = self.table.lock();
        let open = table.rooms.values().filter(|entry| entry.open);
        let order = ranked(open.map(Entry::standing).collect());
        let rooms = order.iter().filter_map(|room| table.rooms.get(room));
        rooms.map(|entry| (entry.game, entry.told(now))).collect()
    }

    fn list_all(&self) -> Vec<(GameIndex, RoomInfo)> {
        let table = self.table.lock();
        let listed = table.listed(|_| true).into_iter();
        listed.map(|entry| (entry.game, entry.info())).collect()
    }

    fn listed_after(
        &self,
        after: RoomId,
        most: usize,
        wanted: &dyn Fn(GameIndex) -> bool,
    ) -> Vec<(GameIndex, RoomInfo)> {
        let table = self.table.lock();
        let later = table
            .rooms
            .range((Bound::Excluded(after), Bound::Unbounded));
        let listed = later.filter(|(_, entry)| entry.is_listed() && wanted(entry.game));
        let listed = listed.map(|(_, entry)| (entry.game, entry.info()));
        listed.take(most).collect()
    }

    fn totals(&self, games: usize) -> Vec<Totals> {
        let mut totals = vec![Totals::default(); games];
        for entry in self.table.lock().rooms.values() {
            if let Some(of) = totals.get_mut(usize::from(entry.game.0)) {
                of.rooms += 1;
                of.players += u32::from(entry.taken().min(entry.options.seats));
                of.spectators += u32::from(entry.spectators);
            }
        }
        totals
    }

    fn fill(&self, game: GameIndex) -> Fill {
        let table = self.table.lock();
        let (all, own) = (table.rooms.len(), table.count(game));
        let own_max = self.rooms_max_of(game);
        let (taken, limit) = match own_max.saturating_sub(own) < self.rooms_max.saturating_sub(all)
        {
            true => (own, own_max),
            false => (all, self.rooms_max),
        };
        Fill {
            taken: u32::try_from(taken).unwrap_or(u32::MAX),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests;
