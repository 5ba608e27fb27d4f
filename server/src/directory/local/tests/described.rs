//! What rooms say of themselves in the registry: filters, locks, and rooms by name; also with many
//! rooms, and while many ask at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tickwire::exact::Xorshift32;
use tickwire::protocol::client_message::{Condition, Test};
use tickwire::schema::{Field, Kind, Predictor};
use tickwire::snapshot::fields::{pack, unpack};

use super::*;

/// A mode of three, and a level.
fn fields() -> Vec<Field> {
    let field = |name: &str, max| Field {
        name: name.into(),
        kind: Kind::Int { min: 0, max },
        predictor: Predictor::Hold,
    };
    vec![field("mode", 2), field("level", 99)]
}

fn said(mode: i32, level: i32) -> Vec<u8> {
    let mut packed = Vec::new();
    pack(&fields(), &[mode, level], &mut packed);
    packed
}

fn asks(mode: i32, least: i32) -> Filter {
    let conditions = [(0, Test::Equal, mode), (1, Test::AtLeast, least)];
    let conditions = conditions.map(|(field, test, value)| Condition { field, test, value });
    Filter::new(GAME, &fields(), &conditions).unwrap()
}

fn chance(registry: &Registry, guest: u16, filter: &Filter) -> Option<RoomId> {
    let mark = Mark(1000 + u64::from(guest));
    let place = registry.reserve_any(&who(guest), mark, filter, Instant::now())?;
    Some(place.room)
}

fn ids(rooms: &[RoomInfo]) -> Vec<RoomId> {
    rooms.iter().map(|room| room.id).collect()
}

#[test]
fn a_quick_join_among_a_thousand_rooms_leads_to_those_alone_that_fit_and_let_them_in() {
    let seed = 7;
    let mut dice = Xorshift32::new(seed);
    let registry = Registry::new(1000, 4, Entropy::seeded(seed.into()));
    let mut rooms = Vec::new();
    for code in 0..1000 {
        let id = opened(&registry, &code.to_string(), 3, false);
        let (mode, level) = (dice.below(3) as i32, dice.below(100) as i32);
        let locked = dice.below(4) == 0;
        let players = 1 + dice.below(3);
        (1..players).for_each(|_| assert!(registry.reserve(GAME, id, ANN).is_ok()));
        registry.describe(id, &said(mode, level), locked);
        rooms.push((id, mode, level, locked, players));
    }
    for mode in 0..3 {
        for least in [0, 50, 90] {
            let filter = asks(mode, least);
            let fits = |&&(_, its, level, ..): &&(RoomId, i32, i32, bool, u32)| {
                its == mode && level >= least
            };
            let listed = ids(&registry.list(&filter));
            let fitting: Vec<_> = rooms.iter().filter(fits).map(|room| room.0).collect();
            assert_eq!(
                listed.len(),
                fitting.len().min(ROOMS_LISTED_MAX),
                "seed {seed}"
            );
            assert!(listed.iter().all(|id| fitting.contains(id)), "seed {seed}");
        }
    }
    // Everyone who comes fills what fits, and no more than that.
    let free = |&&(_, mode, level, locked, _): &&(RoomId, i32, i32, bool, u32)| {
        mode == 1 && level >= 40 && !locked
    };
    let seats: u32 = rooms.iter().filter(free).map(|room| 3 - room.4).sum();
    let filter = asks(1, 40);
    for guest in 0..seats {
        let led = chance(&registry, guest as u16, &filter).expect("there is a seat");
        assert!(
            rooms.iter().filter(free).any(|room| room.0 == led),
            "seed {seed}"
        );
    }
    assert_eq!(
        chance(&registry, 9999, &filter),
        None,
        "seed {seed}: they are full"
    );
    assert!(chance(&registry, 9999, &Filter::every(GAME, &fields())).is_some());
}

#[test]
fn who_has_a_seat_in_a_locked_room_comes_back_to_it_and_nobody_else_comes() {
    let registry = Registry::new(9, 1, Entropy::default());
    let id = taken_by(&registry, "A", ANN);
    let open = opened(&registry, "B", 3, false);
    registry.describe(id, &[], true);
    assert!(
        registry
            .list(&Filter::default())
            .iter()
            .any(|room| room.locked)
    );
    assert_eq!(registry.reserve(GAME, id, BO), Err(Refusal::Locked));
    assert_eq!(
        registry.reserve_by_code(GAME, "A", BO),
        Err(Refusal::Locked)
    );
    assert_eq!(quick(&registry, BO).unwrap().room, open);
    registry.lose(id, ANN);
    assert!(registry.reserve(GAME, id, ANN).is_ok());
    assert_eq!(quick(&registry, ANN).unwrap().room, id);
    registry.describe(id, &[], false);
    registry.release(id, ANN);
    registry.release(id, ANN);
    registry.release(id, ANN);
    assert!(registry.reserve(GAME, id, BO).is_ok());
}

#[test]
fn a_held_seat_is_led_to_only_where_its_room_is_what_is_asked_for() {
    let registry = Registry::new(9, 1, Entropy::default());
    let theirs = taken_by(&registry, "A", ANN);
    registry.describe(theirs, &said(0, 5), false);
    registry.lose(theirs, ANN);
    let ask = |filter: Filter| registry.reserve_any(&who(0), ANN, &filter, Instant::now());
    assert_eq!(ask(asks(1, 0)), None);
    assert_eq!(ask(asks(0, 5)).map(|place| place.room), Some(theirs));
}

#[test]
fn a_room_that_did_not_say_yet_what_it_is_is_what_it_was_made_for() {
    let registry = Registry::new(9, 1, Entropy::default());
    let made = Creation {
        others: Vec::new(),
        made_for: asks(2, 10),
        ..Creation::of(room("A", 9, false), ANN)
    };
    let place = registry.create(made).unwrap();
    registry.open(place.room);
    assert_eq!(chance(&registry, 1, &asks(2, 10)), Some(place.room));
    assert_eq!(chance(&registry, 2, &asks(2, 11)), None);
    assert!(registry.list(&Filter::every(GAME, &fields())).is_empty());
    registry.describe(place.room, &said(2, 3), false);
    assert_eq!(
        chance(&registry, 3, &asks(2, 10)),
        None,
        "it is something else"
    );
    assert_eq!(chance(&registry, 3, &asks(2, 3)), Some(place.room));
    assert_eq!(registry.list(&asks(2, 0)).len(), 1);
}

#[test]
fn a_room_by_name_is_joined_before_its_worker_knows_it_and_opened_by_whoever_is_first() {
    let registry = Registry::new(9, 1, Entropy::default());
    let ask = |code: &str, mark| {
        let new = Creation::of(
            RoomOptions {
                name: "0".into(),
                ..room(code, 2, false)
            },
            mark,
        );
        registry.reserve_or_create(GAME, "0", mark, Ok(new))
    };
    let first = ask("A", ANN).unwrap();
    let second = ask("B", BO).unwrap();
    assert_eq!(first.place, second.place);
    assert!(first.opens.is_some() && first.opens == second.opens);
    assert_eq!(first.opens.unwrap().id, first.place.room);
    assert_eq!(ask("C", CY).err(), Some(Refusal::RoomFull));
    // The one who made it does not get there; the other opens it.
    registry.abandon(first.place.room, ANN);
    registry.open(first.place.room);
    assert!(ask("C", CY).unwrap().opens.is_none());
    registry.describe(first.place.room, &[], true);
    assert_eq!(ask("D", Mark(9)).err(), Some(Refusal::Locked));
    registry.close(first.place.room);
    // Nobody gets to the next one.
    let made = [ask("E", ANN).unwrap(), ask("F", BO).unwrap()];
    registry.abandon(made[0].place.room, ANN);
    assert_eq!(registry.len(), 1);
    registry.abandon(made[1].place.room, BO);
    assert_eq!(registry.len(), 0);
}

#[test]
fn a_room_by_name_is_a_listed_one_that_lets_them_in_and_is_made_only_where_it_may_be() {
    let registry = Registry::new(9, 1, Entropy::default());
    let of_name = |code: &str, private| RoomOptions {
        name: "den".into(),
        ..room(code, 1, private)
    };
    let make = |code: &str, private| {
        let made = registry
            .create(Creation::of(of_name(code, private), ANN))
            .unwrap();
        registry.open(made.room);
        made.room
    };
    make("A", true);
    let refused = || Err(Refusal::TooManyRooms);
    let asked = registry.reserve_or_create(GAME, "den", BO, refused());
    assert_eq!(
        asked.err(),
        Some(Refusal::TooManyRooms),
        "the private one is none"
    );
    let full = make("B", false);
    assert_eq!(
        registry.reserve_or_create(GAME, "den", BO, refused()).err(),
        Some(Refusal::RoomFull)
    );
    let free = make("C", false);
    registry.release(free, ANN);
    let joined = registry
        .reserve_or_create(GAME, "den", BO, refused())
        .unwrap();
    assert_eq!(joined.place.room, free);
    let theirs = registry
        .reserve_or_create(GAME, "den", ANN, refused())
        .unwrap();
    assert_eq!(theirs.place.room, full, "they have a seat there");
}

/// Of many who ask for one name at once, each on a thread of its own.
#[test]
fn many_who_ask_for_a_name_at_once_have_one_room_made() {
    const ASK: usize = 8;
    for round in 0..200 {
        let registry = Registry::new(99, 2, Entropy::default());
        let start = Barrier::new(ASK);
        let places: Vec<Place> = thread::scope(|scope| {
            let ask = |n: usize| {
                let (registry, start) = (&registry, &start);
                scope.spawn(move || {
                    let mark = Mark(n as u64);
                    let named = RoomOptions {
                        name: "0".into(),
                        ..room(&n.to_string(), 50, false)
                    };
                    let new = Ok(Creation::of(named, mark));
                    start.wait();
                    let named = registry.reserve_or_create(GAME, "0", mark, new).unwrap();
                    registry.open(named.place.room);
                    named.place
                })
            };
            let asking: Vec<_> = (0..ASK).map(ask).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(
            places.iter().all(|place| *place == places[0]),
            "round {round}"
        );
        let listed = registry.list(&Filter::default());
        assert_eq!(
            (listed.len(), listed[0].players),
            (1, ASK as u16),
            "round {round}"
        );
    }
}

/// Lists show a room as it was at one time, never half of one and half of another.
#[test]
fn metadata_that_changes_while_lists_are_read_is_whole() {
    let registry = Registry::new(50, 1, Entropy::default());
    let rooms: Vec<RoomId> = (0..50)
        .map(|code| opened(&registry, &code.to_string(), 9, false))
        .collect();
    rooms
        .iter()
        .for_each(|id| registry.describe(*id, &said(0, 0), false));
    let is_over = AtomicBool::new(false);
    let mut changed = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for level in (0..99).cycle() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                // The mode follows from the level, the lock too.
                let locked = level % 2 == 1;
                let describe =
                    |id: &RoomId| registry.describe(*id, &said(level % 3, level), locked);
                rooms.iter().for_each(describe);
            }
        });
        let mut last = Vec::new();
        let mut values = Vec::new();
        while changed < 300 {
            let listed = registry.list(&asks(1, 0));
            for room in &listed {
                assert!(
                    unpack(&fields(), &room.metadata, &mut values)
                        .unwrap()
                        .is_empty()
                );
                assert_eq!((values[0], values[1] % 3), (1, 1));
                assert_eq!(room.locked, values[1] % 2 == 1);
            }
            changed += u32::from(listed != last);
            last = listed;
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
