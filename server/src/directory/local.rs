//! Which rooms there are and who has a seat in them: the one table that lobby and workers share,
//! under one lock that is never held across a tick or an await. It knows rooms by their numbers;
//! their worlds and sockets are the workers'.
//!
//! A seat is taken here first, then the connection goes to the room's worker. So a room can't
//! overflow, and one that is empty here has nobody on the way to it: [`Directory::close_if_empty`]
//! and [`Directory::reserve`] can't cross. Who has a seat in a full room is let through all the
//! same, one seat beyond: the worker gives them theirs (`Room::seat_of`), or refuses, and the one
//! beyond comes back either way.

use std::any::Any;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use ipnet::IpNet;
use parking_lot::Mutex;
use tickwire::ids::RoomId;
use tickwire::limits::ROOMS_LISTED_MAX;
use tickwire::protocol::server_message::{Refusal, RoomInfo};

use super::entry::{Entry, ranked};
use super::kept_out::{KeptOut, Losses, Repute, Who};
use super::{Directory, Mark, Place, RoomLine};
use crate::admission::shares::Fill;
use crate::auth::{Entropy, Identity};
use crate::game::RoomOptions;

/// Rooms that one node can number: the upper 8 bits of a room's id name the node, which is 0.
/// Numbers are random, so that one tells nothing of other rooms, of how many there are or were.
/// With a million rooms one in sixteen is taken.
const ROOM_NUMBERS: u32 = 1 << 24;
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
    workers: usize,
    marks: RandomState,
    entropy: Entropy,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    rooms: BTreeMap<RoomId, Entry>,
    codes: HashMap<String, RoomId>,
    /// Seats that are held without a connection, by whose they are and where: how many. No more
    /// than seats taken.
    away: BTreeMap<(Mark, RoomId), u16>,
    /// Rooms made so far.
    made: u64,
    /// Orders for which rooms stay where they are.
    orders: u32,
}

impl Registry {
    /// No rooms yet, at most `rooms_max`, to be spread over `workers` (from 1); their numbers and
    /// codes come from `entropy`.
    pub(crate) fn new(rooms_max: usize, workers: usize, entropy: Entropy) -> Registry {
        Registry {
            entropy,
            rooms_max,
            workers,
            marks: RandomState::new(),
            table: Mutex::default(),
        }
    }

    /// What `read` finds in a room, if it is there.
    fn of<T>(&self, room: RoomId, read: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.table.lock().rooms.get(&room).map(read)
    }

    fn free_number(&self, table: &Table) -> Result<RoomId, Refusal> {
        for _ in 0..NUMBER_TRIES {
            let id = RoomId((self.random()? % u64::from(ROOM_NUMBERS)) as u32);
            if id.0 != 0 && !table.rooms.contains_key(&id) {
                return Ok(id);
            }
        }
        Err(Refusal::Busy)
    }
}

impl Directory for Registry {
    fn create(
        &self,
        mut options: RoomOptions,
        network: Option<IpNet>,
        maker: Mark,
        held: Box<dyn Any + Send>,
    ) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        if table.rooms.len() >= self.rooms_max {
            return Err(Refusal::TooManyRooms);
        }
        if table.codes.contains_key(&options.code) {
            return Err(Refusal::Busy);
        }
        let id = self.free_number(&table)?;
        let worker = table.least_loaded(self.workers);
        table.made += 1;
        table.codes.insert(options.code.clone(), id);
        options.id = id;
        let entry = Entry {
            options,
            taken: 1,
            takers: vec![maker],
            worker,
            made: table.made,
            network,
            active: 1,
            unit_share: None,
            open: false,
            kept_out: KeptOut::default(),
            losses: Losses::default(),
            _held: held,
        };
        table.rooms.insert(id, entry);
        Ok(Place { room: id, worker })
    }

    fn open(&self, room: RoomId) {
        if let Some(entry) = self.table.lock().rooms.get_mut(&room) {
            entry.open = true;
        }
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

    fn reserve(&self, room: RoomId, who: Mark) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        let is_held = table.away.contains_key(&(who, room));
        match table.rooms.get(&room) {
            Some(entry) if !entry.options.private || is_held => table.take_seat(room, who),
            _ => Err(Refusal::NoSuchRoom),
        }
    }

    fn reserve_by_code(&self, code: &str, who: Mark) -> Result<Place, Refusal> {
        let mut table = self.table.lock();
        let room = table.codes.get(code).copied();
        table.take_seat(room.ok_or(Refusal::NoSuchRoom)?, who)
    }

    fn reserve_any(&self, who: &Who, mark: Mark, now: Instant) -> Option<Place> {
        let mut table = self.table.lock();
        let owner = Who {
            identity: who.identity.clone(),
            host: None,
        };
        let keeps_out = |entry: &Entry, who: &Who| entry.kept_out.has(who, now);
        let theirs = (mark, RoomId(0))..=(mark, RoomId(u32::MAX));
        let held: Vec<RoomId> = table
            .away
            .range(theirs)
            .map(|(&(_, room), _)| room)
            .filter(|room| {
                let entry = table.rooms.get(room);
                entry.is_some_and(|entry| !keeps_out(entry, &owner))
            })
            .collect();
        if let Some(place) = held
            .into_iter()
            .find_map(|room| table.take_seat(room, mark).ok())
        {
            return Some(place);
        }
        let (&room, ..) = table
            .rooms
            .iter()
            .filter(|(_, entry)| {
                entry.open && !entry.options.private && !entry.options.kicks && entry.has_seat()
            })
            .filter(|(_, entry)| !keeps_out(entry, who))
            .map(|(id, entry)| (id, entry, entry.losses.repute(entry.taken, now)))
            .filter(|(_, _, repute)| *repute < Repute::Bad)
            .max_by_key(|(_, entry, repute)| {
                (Reverse(*repute), entry.taken, Reverse(entry.made))
            })?;
        table.take_seat(room, mark).ok()
    }

    fn has_another(&self, room: RoomId, who: Mark) -> bool {
        self.of(room, |entry| entry.takes_another(who)) == Some(true)
    }

    fn is_beyond(&self, room: RoomId, who: Mark) -> bool {
        let is_over = |entry: &Entry| entry.taken > entry.options.seats;
        self.of(room, |entry| is_over(entry) && entry.takes_another(who)) == Some(true)
    }

    fn keeps_out(&self, room: RoomId, who: &Who, now: Instant) -> bool {
        self.of(room, |entry| entry.kept_out.has(who, now)) == Some(true)
    }

    fn keep_out(&self, room: RoomId, who: Who, now: Instant) {
        if let Some(entry) = self.table.lock().rooms.get_mut(&room) {
            entry.kept_out.add(who, now);
            entry.losses.kicked(now);
        }
    }

    fn left_soon(&self, room: RoomId, now: Instant) {
        if let Some(entry) = self.table.lock().rooms.get_mut(&room) {
            entry.losses.left_soon(now);
        }
    }

    fn survey(&self) -> Vec<RoomLine> {
        let table = self.table.lock();
        let line = |(id, entry): (&RoomId, &Entry)| RoomLine {
            id: *id,
            name: entry.options.name.clone(),
            players: entry.taken.min(entry.options.seats),
            seats: entry.options.seats,
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

    fn worker_of(&self, room: RoomId) -> Option<usize> {
        self.of(room, |entry| entry.worker)
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
        if let Some(entry) = self.table.lock().rooms.get_mut(&room) {
            entry.taken = entry.taken.saturating_sub(1);
            if let Some(at) = entry.takers.iter().position(|mark| *mark == who) {
                entry.takers.swap_remove(at);
            }
        }
    }

    fn close(&self, room: RoomId) {
        self.table.lock().remove(room);
    }

    fn close_if_empty(&self, room: RoomId) -> bool {
        let mut table = self.table.lock();
        let taken = table.rooms.get(&room).map_or(0, |entry| entry.taken);
        if taken == 0 {
            table.remove(room);
        }
        taken == 0
    }

    fn list(&self) -> Vec<RoomInfo> {
        let table = self.table.lock();
        let listed = |entry: &&Entry| entry.open && !entry.options.private;
        let ranked = ranked(table.rooms.values().filter(listed));
        let first = ranked.into_iter().take(ROOMS_LISTED_MAX);
        first.map(Entry::info).collect()
    }

    fn fill(&self) -> Fill {
        Fill {
            taken: u32::try_from(self.table.lock().rooms.len()).unwrap_or(u32::MAX),
            limit: u32::try_from(self.rooms_max).unwrap_or(u32::MAX),
        }
    }
}

impl Table {
    /// What each worker has to do; what each unit of a room costs that was not measured yet is
    /// `unknown`.
    fn loads(&self, workers: usize, unknown: f64) -> Vec<f64> {
        let mut loads = vec![0.0; workers];
        for entry in self.rooms.values() {
            loads[entry.worker] += entry.unit_share.unwrap_or(unknown) * entry.units();
        }
        loads
    }

    fn least_loaded(&self, workers: usize) -> usize {
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

    fn take_seat(&mut self, room: RoomId, who: Mark) -> Result<Place, Refusal> {
        let entry = self.rooms.get_mut(&room).filter(|entry| entry.open);
        let entry = entry.ok_or(Refusal::NoSuchRoom)?;
        if !entry.has_seat() && !entry.takers.contains(&who) {
            return Err(Refusal::RoomFull);
        }
        // More of them than there are connections can't be under way.
        entry.taken = entry.taken.saturating_add(1);
        entry.takers.push(who);
        // Until that is counted again.
        entry.active = entry.active.saturating_add(1).min(entry.taken);
        Ok(Place {
            room,
            worker: entry.worker,
        })
    }

    fn remove(&mut self, room: RoomId) {
        if let Some(entry) = self.rooms.remove(&room) {
            self.codes.remove(&entry.options.code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::addresses::AddressLease;

    impl Registry {
        fn len(&self) -> usize {
            self.table.lock().rooms.len()
        }
    }

    const ANN: Mark = Mark(1);
    const BO: Mark = Mark(2);
    const CY: Mark = Mark(3);

    fn room(code: &str, seats: u16, private: bool) -> RoomOptions {
        RoomOptions {
            name: format!("room {code}"),
            code: code.into(),
            private,
            seats,
            ..RoomOptions::default()
        }
    }

    fn who(guest: u16) -> Who {
        Who {
            identity: crate::auth::Identity::read(&format!("guest:{guest}")).unwrap(),
            host: None,
        }
    }

    fn quick(registry: &Registry, mark: Mark) -> Option<Place> {
        registry.reserve_any(&who(0), mark, Instant::now())
    }

    /// A quick join of somebody new.
    fn by_chance(registry: &Registry) -> Option<Place> {
        quick(registry, ANN)
    }

    fn opened(registry: &Registry, code: &str, seats: u16, private: bool) -> RoomId {
        let place = registry
            .create(
                room(code, seats, private),
                None,
                ANN,
                Box::new(AddressLease::unlimited()),
            )
            .unwrap();
        registry.open(place.room);
        place.room
    }

    #[test]
    fn seats_end_and_come_back() {
        let registry = Registry::new(9, 1, Entropy::default());
        let id = opened(&registry, "A", 2, false);
        assert_eq!(registry.reserve(id, BO).unwrap().room, id);
        assert_eq!(registry.reserve(id, CY), Err(Refusal::RoomFull));
        assert_eq!(registry.reserve_by_code("A", CY), Err(Refusal::RoomFull));
        registry.release(id, ANN);
        assert!(registry.reserve_by_code("A", CY).is_ok());
        assert_eq!(registry.reserve(RoomId(99), ANN), Err(Refusal::NoSuchRoom));
    }

    #[test]
    fn a_room_is_found_only_once_its_worker_knows_it() {
        let registry = Registry::new(9, 1, Entropy::default());
        let place = registry
            .create(
                room("A", 9, false),
                None,
                ANN,
                Box::new(AddressLease::unlimited()),
            )
            .unwrap();
        assert!(registry.list().is_empty() && by_chance(&registry).is_none());
        assert_eq!(registry.reserve(place.room, ANN), Err(Refusal::NoSuchRoom));
        assert_eq!(registry.reserve_by_code("A", ANN), Err(Refusal::NoSuchRoom));
        registry.open(place.room);
        assert_eq!(registry.list().len(), 1);
        assert_eq!(by_chance(&registry), Some(place));
    }

    #[test]
    fn private_rooms_are_joined_by_their_code_alone() {
        let registry = Registry::new(9, 1, Entropy::default());
        let id = opened(&registry, "A", 9, true);
        assert!(registry.list().is_empty() && by_chance(&registry).is_none());
        assert_eq!(registry.reserve(id, ANN), Err(Refusal::NoSuchRoom));
        assert_eq!(registry.reserve_by_code("A", ANN).unwrap().room, id);
    }

    #[test]
    fn the_fullest_room_with_a_seat_comes_first() {
        let registry = Registry::new(9, 1, Entropy::default());
        let ids: Vec<RoomId> = ["A", "B", "C", "D"]
            .map(|code| opened(&registry, code, 3, false))
            .into();
        for (index, more) in [0, 1, 2, 1].into_iter().enumerate() {
            (0..more).for_each(|_| assert!(registry.reserve(ids[index], ANN).is_ok()));
        }
        let listed: Vec<RoomId> = registry.list().iter().map(|room| room.id).collect();
        assert_eq!(listed, [ids[1], ids[3], ids[0], ids[2]]);
        let quick: Vec<RoomId> = (0..4).map(|_| by_chance(&registry).unwrap().room).collect();
        assert_eq!(quick, [ids[1], ids[3], ids[0], ids[0]]);
        assert_eq!(by_chance(&registry), None);
    }

    #[test]
    fn listings_are_bounded_and_keep_the_fullest() {
        let registry = Registry::new(1000, 1, Entropy::default());
        let rooms: Vec<RoomId> = (0..150)
            .map(|code| opened(&registry, &code.to_string(), 9, false))
            .collect();
        assert!(registry.reserve(rooms[149], ANN).is_ok());
        let listed = registry.list();
        assert_eq!(listed.len(), ROOMS_LISTED_MAX);
        assert_eq!((listed[0].id, listed[0].players), (rooms[149], 2));
        assert_eq!(listed[1].id, rooms[0]);
    }

    /// Spam of any shape (a range's many rooms; rooms of a silent maker from anywhere) stands
    /// behind those that people play.
    #[test]
    fn what_nobody_plays_and_what_one_network_made_too_much_of_is_listed_last() {
        let registry = Registry::new(1000, 1, Entropy::default());
        let make = |code: usize, network: &str| {
            let made = room(&format!("{network} {code}"), 9, false);
            let network = Some(network.parse().unwrap());
            let id = registry
                .create(made, network, ANN, Box::new(AddressLease::unlimited()))
                .unwrap()
                .room;
            registry.open(id);
            id
        };
        let range: Vec<RoomId> = (0..64).map(|n| make(n, "198.51.100.0/24")).collect();
        let scattered: Vec<RoomId> = (0..200)
            .map(|n| make(0, &format!("10.0.{n}.0/24")))
            .collect();
        let honest: Vec<RoomId> = (0..6).map(|n| make(n, "192.0.2.0/24")).collect();
        let silent = scattered.iter().map(|id| (*id, 0.0, 0));
        let busy = range.iter().chain(&honest).map(|id| (*id, 0.0, 1));
        registry.weigh(&mut silent.chain(busy));
        assert!(registry.reserve(honest[5], BO).is_ok());
        let listed: Vec<RoomId> = registry.list().iter().map(|room| room.id).collect();
        assert_eq!(listed.len(), ROOMS_LISTED_MAX);
        let expected = [&honest[5..], &range[..4], &honest[..3], &scattered[..92]].concat();
        assert_eq!(listed, expected);
        assert_eq!(registry.list(), registry.list(), "the same each time");
    }

    #[test]
    fn rooms_end_and_their_codes_are_free_again() {
        let registry = Registry::new(2, 1, Entropy::default());
        let id = opened(&registry, "A", 9, false);
        assert_eq!(
            registry.create(
                room("A", 9, false),
                None,
                ANN,
                Box::new(AddressLease::unlimited())
            ),
            Err(Refusal::Busy),
            "the code is in use"
        );
        opened(&registry, "B", 9, false);
        let full = registry.create(
            room("C", 9, false),
            None,
            ANN,
            Box::new(AddressLease::unlimited()),
        );
        assert_eq!(full, Err(Refusal::TooManyRooms));
        assert!(!registry.close_if_empty(id), "its maker is there");
        registry.release(id, ANN);
        assert!(registry.close_if_empty(id));
        assert_eq!(registry.reserve_by_code("A", ANN), Err(Refusal::NoSuchRoom));
        let again = opened(&registry, "A", 9, false);
        registry.close(again);
        assert_eq!(registry.len(), 1);
    }

    /// Of 200 rooms in a row the numbers neither rise nor fall, and fill the 24 bits that a node
    /// has.
    #[test]
    fn numbers_tell_nothing() {
        let registry = Registry::new(1000, 1, Entropy::default());
        let numbers: Vec<u32> = (0..200)
            .map(|code| opened(&registry, &code.to_string(), 9, false).0)
            .collect();
        assert!(numbers.iter().all(|id| (1..ROOM_NUMBERS).contains(id)));
        let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((50..150).contains(&rising), "{rising} of 199 rise");
        let upper = numbers.iter().filter(|id| **id >= ROOM_NUMBERS / 2).count();
        assert!(
            (50..150).contains(&upper),
            "{upper} of 200 are in the upper half"
        );
    }

    /// Whoever has a made-up token is sent to a worker, which says what it says of a seat that is
    /// not there.
    #[test]
    fn a_seat_is_looked_for_by_a_worker_whether_its_room_is_there_or_not() {
        let registry = Registry::new(9, 3, Entropy::default());
        let id = opened(&registry, "A", 9, true);
        assert_eq!(registry.find(id).room, id);
        let workers: std::collections::BTreeSet<usize> =
            (0..99).map(|id| registry.find(RoomId(id)).worker).collect();
        assert_eq!(workers.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_measured_room_weighs_what_it_takes() {
        let registry = Registry::new(99, 2, Entropy::default());
        let worker = |code: &str| {
            let place = registry
                .create(
                    room(code, 9, false),
                    None,
                    ANN,
                    Box::new(AddressLease::unlimited()),
                )
                .unwrap();
            registry.open(place.room);
            (place.room, place.worker)
        };
        let (heavy, first) = worker("A");
        let (light, second) = worker("B");
        assert_ne!(first, second);
        registry.weigh(&mut [(heavy, 0.4, 1), (light, 0.04, 1)].into_iter());
        // A new one is taken for an average one, 0.22: two of them weigh more than the heavy one.
        let next: Vec<usize> = ["C", "D", "E"].map(|code| worker(code).1).into();
        assert_eq!(next, [second, second, first]);
        registry.weigh(&mut [(heavy, 0.0, 1), (light, 0.0, 1)].into_iter());
        assert!(registry.reserve(light, ANN).is_ok());
    }

    #[test]
    fn rooms_are_spread_over_workers() {
        let registry = Registry::new(99, 3, Entropy::default());
        let mut rooms = [0; 3];
        for code in 0..30 {
            let place = registry
                .create(
                    room(&code.to_string(), 9, false),
                    None,
                    ANN,
                    Box::new(AddressLease::unlimited()),
                )
                .unwrap();
            rooms[place.worker] += 1;
        }
        assert_eq!(rooms, [10, 10, 10]);
    }

    /// A room of one seat in which somebody sits.
    fn taken_by(registry: &Registry, code: &str, who: Mark) -> RoomId {
        let place = registry
            .create(
                room(code, 1, false),
                None,
                who,
                Box::new(AddressLease::unlimited()),
            )
            .unwrap();
        registry.open(place.room);
        place.room
    }

    #[test]
    fn who_has_a_seat_in_a_full_room_is_let_through_and_nobody_else() {
        let registry = Registry::new(9, 1, Entropy::default());
        let id = taken_by(&registry, "A", ANN);
        for _ in 0..3 {
            assert_eq!(registry.reserve(id, BO), Err(Refusal::RoomFull));
            assert_eq!(registry.reserve_by_code("A", BO), Err(Refusal::RoomFull));
            assert!(registry.reserve(id, ANN).is_ok());
        }
        let listed = &registry.list()[0];
        assert_eq!(
            (listed.players, listed.seats),
            (1, 1),
            "no more than there are"
        );
        (0..3).for_each(|_| registry.release(id, ANN));
        assert!(
            !registry.close_if_empty(id),
            "the seat is as taken as before"
        );
        registry.release(id, ANN);
        assert!(registry.reserve(id, BO).is_ok());
        assert_eq!(registry.reserve(id, ANN), Err(Refusal::RoomFull));
    }

    #[test]
    fn a_quick_join_leads_to_a_seat_that_is_held_until_it_is_taken_again_or_given_up() {
        let registry = Registry::new(9, 1, Entropy::default());
        let theirs = taken_by(&registry, "A", ANN);
        let fuller = opened(&registry, "B", 3, false);
        registry.lose(theirs, ANN);
        for _ in 0..2 {
            assert_eq!(quick(&registry, ANN).unwrap().room, theirs);
            registry.release(theirs, ANN);
            assert_eq!(quick(&registry, BO).unwrap().room, fuller);
            registry.release(fuller, BO);
        }
        registry.regain(theirs, ANN);
        assert_eq!(quick(&registry, ANN).unwrap().room, fuller);
        registry.lose(theirs, ANN);
        registry.close(theirs);
        assert_eq!(quick(&registry, ANN).unwrap().room, fuller);
        registry.regain(theirs, ANN);
        registry.release(theirs, ANN);
        assert!(
            registry.table.lock().away.is_empty(),
            "nothing is left of it"
        );
    }

    #[test]
    fn a_private_room_is_found_by_its_number_by_who_has_a_seat_held_there() {
        let registry = Registry::new(9, 1, Entropy::default());
        let id = opened(&registry, "A", 2, true);
        assert_eq!(registry.reserve(id, ANN), Err(Refusal::NoSuchRoom));
        registry.lose(id, ANN);
        assert!(registry.reserve(id, ANN).is_ok());
        assert_eq!(registry.reserve(id, BO), Err(Refusal::NoSuchRoom));
        assert_eq!(quick(&registry, BO), None);
    }

    #[test]
    fn a_quick_join_never_leads_to_a_room_whose_host_may_kick() {
        let registry = Registry::new(9, 1, Entropy::default());
        let mut den = room("A", 9, false);
        den.kicks = true;
        let place = registry
            .create(den, None, ANN, Box::new(AddressLease::unlimited()))
            .unwrap();
        registry.open(place.room);
        assert!(registry.list()[0].kicks, "but it is listed as what it is");
        assert_eq!(by_chance(&registry), None);
        assert!(registry.reserve(place.room, BO).is_ok());
    }

    #[test]
    fn a_quick_join_passes_by_what_keeps_them_out_and_prefers_what_keeps_its_players() {
        let registry = Registry::new(9, 1, Entropy::default());
        let now = Instant::now();
        let ids = ["A", "B", "C"].map(|code| opened(&registry, code, 9, false));
        for (room, taken) in ids.iter().zip([3, 2, 1]) {
            (1..taken).for_each(|_| assert!(registry.reserve(*room, BO).is_ok()));
        }
        let quick = |guest: u16| {
            let place = registry.reserve_any(&who(guest), Mark(99), now)?;
            registry.release(place.room, Mark(99));
            Some(place.room)
        };
        assert_eq!(quick(1), Some(ids[0]), "the fullest");
        registry.keep_out(ids[0], who(1), now);
        assert!(registry.keeps_out(ids[0], &who(1), now));
        assert_eq!(quick(1), Some(ids[1]), "they are kept out of it");
        assert_eq!(quick(2), Some(ids[1]), "it does not keep its players");
        (0..9).for_each(|_| registry.left_soon(ids[1], now));
        assert_eq!(quick(2), Some(ids[2]), "nor does this one");
        registry.close(ids[2]);
        assert_eq!(quick(2), Some(ids[0]), "the fullest of the others");
        registry.keep_out(ids[0], who(3), now);
        registry.keep_out(ids[0], who(4), now);
        assert_eq!(quick(2), Some(ids[1]), "it is passed by");
        registry.close(ids[1]);
        assert_eq!(quick(2), None, "rather a new one");
    }
}
