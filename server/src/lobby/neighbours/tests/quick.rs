//! Quick joins.

use super::*;

#[test]
fn quick_joins_fill_one_room_whichever_node_they_come_to() {
    let mut land = Land::new("quick", 3);
    let mut first = land.guest(0);
    first.session.quick_join().unwrap();
    land.settle(&mut [&mut first]);
    let room = first.room();
    let mut there = vec![first];
    for n in 1..9 {
        let mut next = land.guest(n % 3);
        next.session.quick_join().unwrap();
        let all = there.iter_mut().chain([&mut next]);
        land.settle(&mut all.collect::<Vec<_>>());
        assert_eq!((next.room(), next.refused), (room, None), "{n}");
        assert_eq!(next.hops, u32::from(n % 3 != 0), "{n}");
        there.push(next);
    }
    // Its nine seats are taken.
    let mut tenth = land.guest(1);
    tenth.session.quick_join().unwrap();
    let all = there.iter_mut().chain([&mut tenth]);
    land.settle(&mut all.collect::<Vec<_>>());
    assert_ne!(tenth.room(), room);
}

/// Twelve at once, at three nodes, for the last two seats of one room: two get them, and nobody is
/// refused.
#[test]
fn of_many_who_ask_at_once_none_is_sent_to_a_seat_that_is_taken() {
    let mut land = Land::new("crowd", 3);
    let few = NewRoom {
        seats: 3,
        ..named("den")
    };
    let mut host = land.host(0, &few);
    let mut crowd: Vec<Player> = (0..12).map(|n| land.guest(n % 3)).collect();
    for player in &mut crowd {
        player.session.quick_join().unwrap();
    }
    let mut all: Vec<&mut Player> = crowd.iter_mut().chain([&mut host]).collect();
    land.settle(&mut all);
    let there = crowd.iter().filter(|player| player.room() == host.room());
    assert_eq!(there.count(), 2);
    assert!(crowd.iter().all(|player| player.refused.is_none()));
}
