//! The registry of one process: seats, codes, lists, quick joins, and what rooms weigh.

mod described;

use tickwire::limits::ROOMS_LISTED_MAX;

use super::*;
use crate::game::RoomOptions;

impl Registry {
    fn len(&self) -> usize {
        self.table.lock().rooms.len()
    }
}

const GAME: GameIndex = GameIndex(0);
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
    registry.reserve_any(&who(0), mark, &Filter::default(), Instant::now())
}

/// A quick join of somebody new.
fn by_chance(registry: &Registry) -> Option<Place> {
    quick(registry, ANN)
}

fn opened(registry: &Registry, code: &str, seats: u16, private: bool) -> RoomId {
    let place = registry
        .create(Creation::of(room(code, seats, private), ANN))
        .unwrap();
    registry.open(place.room);
    place.room
}

#[test]
fn seats_end_and_come_back() {
    let registry = Registry::new(9, 1, Entropy::default());
    let id = opened(&registry, "A", 2, false);
    assert_eq!(registry.reserve(GAME, id, BO).unwrap().room, id);
    assert_eq!(registry.reserve(GAME, id, CY), Err(Refusal::RoomFull));
    assert_eq!(
        registry.reserve_by_code(GAME, "A", CY),
        Err(Refusal::RoomFull)
    );
    registry.release(id, ANN);
    assert!(registry.reserve_by_code(GAME, "A", CY).is_ok());
    assert_eq!(
        registry.reserve(GAME, RoomId(99), ANN),
        Err(Refusal::NoSuchRoom)
    );
}

#[test]
fn a_room_is_found_only_once_its_worker_knows_it() {
    let registry = Registry::new(9, 1, Entropy::default());
    let place = registry
        .create(Creation::of(room("A", 9, false), ANN))
        .unwrap();
    assert!(registry.list(&Filter::default()).is_empty() && by_chance(&registry).is_none());
    assert_eq!(
        registry.reserve(GAME, place.room, ANN),
        Err(Refusal::NoSuchRoom)
    );
    assert_eq!(
        registry.reserve_by_code(GAME, "A", ANN),
        Err(Refusal::NoSuchRoom)
    );
    registry.open(place.room);
    assert_eq!(registry.list(&Filter::default()).len(), 1);
    assert_eq!(by_chance(&registry), Some(place));
}

#[test]
fn private_rooms_are_joined_by_their_code_alone() {
    let registry = Registry::new(9, 1, Entropy::default());
    let id = opened(&registry, "A", 9, true);
    assert!(registry.list(&Filter::default()).is_empty() && by_chance(&registry).is_none());
    assert_eq!(registry.reserve(GAME, id, ANN), Err(Refusal::NoSuchRoom));
    assert_eq!(registry.reserve_by_code(GAME, "A", ANN).unwrap().room, id);
}

#[test]
fn the_fullest_room_with_a_seat_comes_first() {
    let registry = Registry::new(9, 1, Entropy::default());
    let ids: Vec<RoomId> = ["A", "B", "C", "D"]
        .map(|code| opened(&registry, code, 3, false))
        .into();
    for (index, more) in [0, 1, 2, 1].into_iter().enumerate() {
        (0..more).for_each(|_| assert!(registry.reserve(GAME, ids[index], ANN).is_ok()));
    }
    let listed: Vec<RoomId> = registry
        .list(&Filter::default())
        .iter()
        .map(|room| room.id)
        .collect();
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
    assert!(registry.reserve(GAME, rooms[149], ANN).is_ok());
    let listed = registry.list(&Filter::default());
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
        let network = Some(registry.mark_network(network.parse().unwrap()));
        let id = registry
            .create(Creation {
                network,
                ..Creation::of(made, ANN)
            })
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
    assert!(registry.reserve(GAME, honest[5], BO).is_ok());
    let listed: Vec<RoomId> = registry
        .list(&Filter::default())
        .iter()
        .map(|room| room.id)
        .collect();
    assert_eq!(listed.len(), ROOMS_LISTED_MAX);
    let expected = [&honest[5..], &range[..4], &honest[..3], &scattered[..92]].concat();
    assert_eq!(listed, expected);
    assert_eq!(
        registry.list(&Filter::default()),
        registry.list(&Filter::default()),
        "the same each time"
    );
}

#[test]
fn rooms_end_and_their_codes_are_free_again() {
    let registry = Registry::new(2, 1, Entropy::default());
    let id = opened(&registry, "A", 9, false);
    assert_eq!(
        registry.create(Creation::of(room("A", 9, false), ANN)),
        Err(Refusal::Busy),
        "the code is in use"
    );
    opened(&registry, "B", 9, false);
    let full = registry.create(Creation::of(room("C", 9, false), ANN));
    assert_eq!(full, Err(Refusal::TooManyRooms));
    assert!(!registry.close_if_empty(id), "its maker is there");
    registry.release(id, ANN);
    assert!(registry.close_if_empty(id));
    assert_eq!(
        registry.reserve_by_code(GAME, "A", ANN),
        Err(Refusal::NoSuchRoom)
    );
    let again = opened(&registry, "A", 9, false);
    registry.close(again);
    assert_eq!(registry.len(), 1);
}

/// Of 200 rooms in a row the numbers neither rise nor fall, and fill their 32 bits.
#[test]
fn numbers_tell_nothing() {
    let registry = Registry::new(1000, 1, Entropy::default());
    let numbers: Vec<u32> = (0..200)
        .map(|code| opened(&registry, &code.to_string(), 9, false).0)
        .collect();
    let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((50..150).contains(&rising), "{rising} of 199 rise");
    let upper = numbers.iter().filter(|id| **id > u32::MAX / 2).count();
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
            .create(Creation::of(room(code, 9, false), ANN))
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
    assert!(registry.reserve(GAME, light, ANN).is_ok());
}

#[test]
fn rooms_are_spread_over_workers() {
    let registry = Registry::new(99, 3, Entropy::default());
    let mut rooms = [0; 3];
    for code in 0..30 {
        let place = registry
            .create(Creation::of(room(&code.to_string(), 9, false), ANN))
            .unwrap();
        rooms[place.worker] += 1;
    }
    assert_eq!(rooms, [10, 10, 10]);
}

/// A room of one seat in which somebody sits.
fn taken_by(registry: &Registry, code: &str, who: Mark) -> RoomId {
    let place = registry
        .create(Creation::of(room(code, 1, false), who))
        .unwrap();
    registry.open(place.room);
    place.room
}

#[test]
fn who_has_a_seat_in_a_full_room_is_let_through_and_nobody_else() {
    let registry = Registry::new(9, 1, Entropy::default());
    let id = taken_by(&registry, "A", ANN);
    for _ in 0..3 {
        assert_eq!(registry.reserve(GAME, id, BO), Err(Refusal::RoomFull));
        assert_eq!(
            registry.reserve_by_code(GAME, "A", BO),
            Err(Refusal::RoomFull)
        );
        assert!(registry.reserve(GAME, id, ANN).is_ok());
    }
    let listed = &registry.list(&Filter::default())[0];
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
    assert!(registry.reserve(GAME, id, BO).is_ok());
    assert_eq!(registry.reserve(GAME, id, ANN), Err(Refusal::RoomFull));
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
    assert_eq!(registry.reserve(GAME, id, ANN), Err(Refusal::NoSuchRoom));
    registry.lose(id, ANN);
    assert!(registry.reserve(GAME, id, ANN).is_ok());
    assert_eq!(registry.reserve(GAME, id, BO), Err(Refusal::NoSuchRoom));
    assert_eq!(quick(&registry, BO), None);
}

#[test]
fn a_quick_join_never_leads_to_a_room_whose_host_may_kick() {
    let registry = Registry::new(9, 1, Entropy::default());
    let mut den = room("A", 9, false);
    den.kicks = true;
    let place = registry.create(Creation::of(den, ANN)).unwrap();
    registry.open(place.room);
    assert!(
        registry.list(&Filter::default())[0].kicks,
        "but it is listed as what it is"
    );
    assert_eq!(by_chance(&registry), None);
    assert!(registry.reserve(GAME, place.room, BO).is_ok());
}

#[test]
fn a_quick_join_passes_by_what_keeps_them_out_and_prefers_what_keeps_its_players() {
    let registry = Registry::new(9, 1, Entropy::default());
    let now = Instant::now();
    let ids = ["A", "B", "C"].map(|code| opened(&registry, code, 9, false));
    for (room, taken) in ids.iter().zip([3, 2, 1]) {
        (1..taken).for_each(|_| assert!(registry.reserve(GAME, *room, BO).is_ok()));
    }
    let quick = |guest: u16| {
        let place = registry.reserve_any(&who(guest), Mark(99), &Filter::default(), now)?;
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

/// Of one game each; who asks for a room of another finds none, whatever they know of it.
#[test]
fn rooms_of_a_game_are_found_by_its_clients_alone() {
    const OTHER: GameIndex = GameIndex(1);
    let registry = Registry::new(9, 1, Entropy::default());
    let id = opened(&registry, "A", 2, false);
    let no_room = Err(Refusal::NoSuchRoom);
    registry.lose(id, ANN);
    for who in [ANN, BO] {
        assert_eq!(registry.reserve(OTHER, id, who), no_room);
        assert_eq!(registry.reserve_by_code(OTHER, "A", who), no_room);
        let any = Filter::every(OTHER, &[]);
        let quick = registry.reserve_any(&self::who(0), who, &any, Instant::now());
        assert_eq!(quick, None, "{who:?}");
    }
    assert_eq!(registry.list(&Filter::every(OTHER, &[])), []);
    let one = Totals {
        rooms: 1,
        players: 1,
        spectators: 0,
    };
    assert_eq!(registry.totals(2), [one, Totals::default()]);
    let all = registry.list_all();
    assert_eq!(
        all.iter()
            .map(|(game, room)| (*game, room.id))
            .collect::<Vec<_>>(),
        [(GAME, id)]
    );
    assert_eq!(registry.reserve(GAME, id, ANN).unwrap().room, id);
}

#[test]
fn a_game_has_its_own_limit_of_rooms_within_that_of_all() {
    const OTHER: GameIndex = GameIndex(1);
    let registry = Registry::new(4, 1, Entropy::default()).with_rooms_max_of(vec![9, 2]);
    let make = |game, code| {
        registry.create(Creation {
            game,
            ..Creation::of(room(code, 1, false), ANN)
        })
    };
    let fill = |game| {
        let Fill { taken, limit } = registry.fill(game);
        (taken, limit)
    };
    let other = make(OTHER, "A").unwrap();
    assert_eq!((fill(GAME), fill(OTHER)), ((1, 4), (1, 2)));
    assert!(make(OTHER, "B").is_ok());
    assert_eq!(make(OTHER, "C"), Err(Refusal::TooManyRooms));
    assert!(make(GAME, "C").is_ok() && make(GAME, "D").is_ok());
    assert_eq!(make(GAME, "E"), Err(Refusal::TooManyRooms), "of all");
    assert_eq!(fill(GAME), (4, 4));
    registry.close(other.room);
    assert_eq!(fill(OTHER), (3, 4), "that of all leaves no more");
    assert!(make(OTHER, "E").is_ok());
}

#[test]
fn spectators_take_no_seat_and_keep_no_room() {
    let registry = Registry::new(9, 1, Entropy::default());
    let id = opened(&registry, "A", 2, false);
    let most = RoomOptions::default().spectators;
    for _ in 0..most {
        assert_eq!(registry.watch(GAME, id).map(|place| place.room), Ok(id));
    }
    assert_eq!(registry.watch(GAME, id), Err(Refusal::RoomFull));
    assert_eq!(registry.watch_by_code(GAME, "A"), Err(Refusal::RoomFull));
    assert_eq!(
        registry.watch_any(&who(1), &Filter::default(), Instant::now()),
        None
    );
    let listed = &registry.list(&Filter::default())[0];
    assert_eq!((listed.players, listed.spectators), (1, most));
    assert!(registry.reserve(GAME, id, BO).is_ok(), "there is a seat");
    registry.stop_watching(id);
    assert!(registry.watch_by_code(GAME, "A").is_ok());
    registry.release(id, ANN);
    registry.release(id, BO);
    assert_eq!(
        registry.watch(GAME, id),
        Err(Refusal::NoSuchRoom),
        "nobody plays"
    );
    assert!(registry.close_if_empty(id), "who looks on keeps no room");
    registry.stop_watching(id);
    assert_eq!(registry.watch(GAME, id), Err(Refusal::NoSuchRoom));
}

#[test]
fn who_looks_on_finds_what_others_find() {
    let registry = Registry::new(9, 1, Entropy::default());
    let hidden = opened(&registry, "A", 9, true);
    assert_eq!(registry.watch(GAME, hidden), Err(Refusal::NoSuchRoom));
    assert_eq!(registry.watch_by_code(GAME, "A").unwrap().room, hidden);
    let now = Instant::now();
    assert_eq!(
        registry.watch_any(&who(1), &Filter::default(), now),
        None,
        "none is made"
    );
    let [quiet, busy] = ["B", "C"].map(|code| opened(&registry, code, 9, false));
    registry.reserve(GAME, quiet, BO).unwrap();
    registry.weigh(&mut [(quiet, 0.1, 1), (busy, 0.1, 1)].into_iter());
    registry.reserve(GAME, busy, BO).unwrap();
    registry.reserve(GAME, busy, CY).unwrap();
    let found = registry.watch_any(&who(1), &Filter::default(), now);
    assert_eq!(found.map(|place| place.room), Some(busy));
    registry.keep_out(busy, who(1), now);
    let found = registry.watch_any(&who(1), &Filter::default(), now);
    assert_eq!(found.map(|place| place.room), Some(quiet), "kept out");
    let other = GameIndex(1);
    assert_eq!(registry.watch(other, busy), Err(Refusal::NoSuchRoom));
    assert_eq!(
        registry.watch_any(&who(1), &Filter::every(other, &[]), now),
        None
    );
}
