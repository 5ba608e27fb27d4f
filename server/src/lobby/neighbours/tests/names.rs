//! Rooms that are asked for by name, and nodes that have told nothing yet.

use super::*;

#[test]
fn who_asks_two_nodes_at_once_for_the_room_of_a_name_gets_one_room() {
    let mut land = Land::new("names", 3);
    let mut hops = 0;
    for n in 0..12 {
        let den = NewRoom {
            or_join: true,
            ..named(&format!("den {n}"))
        };
        let mut players: Vec<Player> = (0..3).map(|node| land.guest(node)).collect();
        for player in &mut players {
            player.session.create(&den).unwrap();
        }
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        land.settle(&mut all);
        let rooms: Vec<RoomId> = players.iter().map(Player::room).collect();
        assert!(rooms.iter().all(|room| *room == rooms[0]), "{n}: {rooms:?}");
        hops += players.iter().map(|player| player.hops).sum::<u32>();
        let mut late = land.guest(n % 3);
        late.session.create(&den).unwrap();
        let all = players.iter_mut().chain([&mut late]);
        land.settle(&mut all.collect::<Vec<_>>());
        assert_eq!(late.room(), rooms[0]);
    }
    assert_eq!(hops, 24, "each name has one home");
}

/// It knows that there is another node, and not yet of its rooms: nobody makes a second one of a
/// name, nor a new one for want of others.
#[test]
fn a_node_that_has_just_started_hears_the_others_first() {
    let mut land = Land::apart("starting", 2, |_| {});
    let den = NewRoom {
        or_join: true,
        ..named("den")
    };
    let mut host = land.host(0, &den);
    let (mut bo, mut cy) = (land.guest(1), land.guest(1));
    land.neighbours.meet(land.now);
    bo.session.create(&den).unwrap();
    cy.session.quick_join().unwrap();
    (0..EXCHANGE).for_each(|_| land.step(&mut [&mut host, &mut bo, &mut cy]));
    assert!(bo.session.room().is_none() && cy.session.room().is_none());
    land.meet();
    land.settle(&mut [&mut host, &mut bo, &mut cy]);
    assert_eq!((bo.room(), bo.hops), (host.room(), 1));
    assert_eq!((cy.room(), cy.hops), (host.room(), 1));
}

/// As one of another version, whose batches this one does not read.
#[test]
fn a_node_that_never_tells_keeps_the_first_one_waiting_and_no_other() {
    let mut land = Land::apart("silent", 2, |_| {});
    land.neighbours.meet(land.now);
    let steps_until_seated = |land: &mut Land| {
        let mut bo = land.guest(1);
        let den = NewRoom {
            or_join: true,
            ..named(&format!("den {}", land.steps))
        };
        bo.session.create(&den).unwrap();
        let mut steps = 0;
        while bo.session.room().is_none() {
            land.step(&mut [&mut bo]);
            steps += 1;
        }
        steps
    };
    let told_within = (TOLD_WITHIN.as_secs_f32() / STEP.as_secs_f32()) as u32;
    let first = steps_until_seated(&mut land);
    assert!((told_within..told_within + 10).contains(&first), "{first}");
    for _ in 0..4 {
        let next = steps_until_seated(&mut land);
        assert!(next < 10, "{next}");
    }
}
