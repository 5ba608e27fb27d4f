//! A room with more entities than clients can be shown.

use tickwire::limits::ENTITIES_MAX;

use super::*;

/// Seats of these rooms.
const SEATS: u16 = 4;

/// A room whose game has filled it before anyone came, and goes on.
fn full() -> Room<Boxes> {
    let mut room = room(SEATS, 1);
    for _ in 0..ENTITIES_MAX + 50 {
        let (pos, ticks_left) = (Pos { x: 1.0, y: 2.0 }, u32::MAX);
        room.world_mut().spawn((pos, Stray { ticks_left }));
    }
    room.tick();
    room
}

fn has_slot(room: &Room<Boxes>, player: PlayerId) -> bool {
    let avatar = room.members.get(player).expect("seated").entity;
    room.capture.slots.handle(avatar).is_some()
}

#[test]
fn at_the_limit_a_newcomer_still_gets_an_avatar() {
    let mut room = full();
    let mut players: Vec<PlayerId> = Vec::new();
    for _ in 0..SEATS {
        let mut client = Client::join(&mut room);
        players.push(client.player);
        room.tick();
        let mut bytes = Vec::new();
        assert!(room.compose(client.player, true, &mut bytes));
        client.receive(&room, &bytes);
        let own = OwnerCode {
            player: client.player,
            avatar: true,
        };
        let mut heads = client.layers[0].entities.iter();
        assert!(heads.any(|head| head.owner() == Some(own)), "it is shown");
    }
    assert_eq!(room.capture.slots.spare(), 0);
    // Who comes in the tick in which another leaves, too.
    for _ in 0..3 * SEATS {
        room.leave(players.remove(0));
        players.push(room.join("somebody").expect("a seat is free"));
        room.tick();
        assert!(players.iter().all(|player| has_slot(&room, *player)));
    }
}

#[test]
fn bodies_of_who_left_do_not_take_the_places_of_who_comes() {
    let mut room = full();
    room.world_mut().resource_mut::<Hooks>().1 = true;
    for _ in 0..3 * SEATS {
        let player = room.join("somebody").expect("a seat is free");
        room.tick();
        assert!(has_slot(&room, player));
        room.leave(player);
    }
}

#[test]
fn an_event_that_names_what_is_not_shown_takes_no_newcomers_place() {
    let mut room = full();
    let world = room.world_mut();
    let unseen = world.spawn_empty().id();
    let (who, note) = (Some(unseen), "[0]".to_owned());
    let born = Born { who, wave: 0, note };
    world.resource_mut::<Out>().send(To::All, born);
    room.tick();
    assert_eq!(room.capture.slots.handle(unseen), None);
    let players: Vec<PlayerId> = (0..SEATS)
        .map(|_| room.join("somebody").expect("a seat is free"))
        .collect();
    room.tick();
    assert!(players.iter().all(|player| has_slot(&room, *player)));
}

#[test]
fn the_operator_is_told_once_that_some_are_not_shown() {
    let mut room = full();
    let first = room.stats();
    assert!(first.entities_unsent > 0 && first.entities_unsent_first);
    for _ in 0..5 {
        room.tick();
        let stats = room.stats();
        assert!(stats.entities_unsent > 0 && !stats.entities_unsent_first);
    }
}
