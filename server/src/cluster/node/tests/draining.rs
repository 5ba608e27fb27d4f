//! A node that drains: who its rooms go to, when they are announced and when they stop, and what
//! becomes of them when a step fails.

use super::*;
use crate::cluster::node::hand_over::SPACING;

/// So many nodes, the first of which had these rooms for a second and begins to drain.
fn draining(count: usize, rooms: &[RoomId]) -> World {
    let mut world = World::of(count);
    rooms.iter().for_each(|room| world.open(0, *room));
    world.pass(1.0);
    let now = world.now;
    world.machines[0].node.drain(now);
    world
}

#[test]
fn a_node_that_drains_gives_all_rooms_to_the_others_and_its_players_after_them() {
    let rooms: Vec<RoomId> = (1..=30).map(RoomId).collect();
    let mut world = draining(3, &rooms);
    assert_eq!(world.machines[0].node.drained(), Drained::Leaving);
    world.pass(30.0 * SPACING.as_secs_f64() + PREPARE.as_secs_f64());
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
    let mut counts = [0_u32; 3];
    for room in &rooms {
        let home = world.home(*room).expect("it is somewhere");
        counts[home] += 1;
        let to = Some(Incarnation(home as u64 + 1));
        assert!(world.machines[0].sent.contains(&(*room, to)));
    }
    assert_eq!(counts[0], 0);
    assert!(counts[1].abs_diff(counts[2]) <= 2, "{counts:?}");
    // Nothing comes back to it.
    world.machines[1].is_dead = true;
    world.machines[2].node.unreachable(world.now, name(1));
    world.save_all();
    world.pass(10.0);
    assert!(rooms.iter().all(|room| world.home(*room) == Some(2)));
}

#[test]
fn a_node_that_drains_alone_or_whose_game_has_no_saves_plays_on() {
    let mut alone = World::of(1);
    alone.open(0, ROOM);
    let now = alone.now;
    alone.machines[0].node.drain(now);
    alone.pass(5.0);
    assert_eq!(alone.machines[0].rooms.get(&ROOM), Some(&true));
    assert_eq!(alone.machines[0].node.drained(), Drained::Alone);
    let mut mute = World::of(2);
    mute.machines[0].is_mute = true;
    mute.open(0, ROOM);
    let now = mute.now;
    mute.machines[0].node.drain(now);
    mute.pass(5.0);
    assert_eq!(mute.machines[0].rooms.get(&ROOM), Some(&true));
    assert_eq!(mute.machines[0].node.drained(), Drained::Done);
}

/// The state does not get into the engine, then it does.
#[test]
fn a_hand_over_that_fails_leaves_the_room_where_it_is_and_is_tried_again() {
    let mut world = draining(2, &[ROOM]);
    world.machines[0].is_slow = true;
    world.pass(1.0);
    world.machines[0].is_slow = false;
    let (now, epoch) = (world.now, world.table.record(ROOM).unwrap().epoch);
    let node = &mut world.machines[0].node;
    node.stopped(now, ROOM, Stopped::Saved);
    node.written(now, ROOM, epoch, Written::Failed);
    let mut orders = std::iter::from_fn(|| node.poll(now));
    assert!(orders.any(|order| order == Order::GoOn { room: ROOM }));
    world.pass(2.0);
    assert_eq!(world.home(ROOM), Some(1));
}

/// The engine holds what it is sent: players wait no longer for it than for an answer.
#[test]
fn a_room_whose_state_is_not_written_in_time_goes_on_and_leaves_later() {
    let mut world = draining(2, &[ROOM]);
    let epoch = world.table.record(ROOM).unwrap().epoch;
    world.machines[0].is_unwritten = true;
    world.pass(1.0);
    assert_eq!(world.machines[0].rooms.get(&ROOM), Some(&false));
    world.pass(2.0);
    assert_eq!(world.machines[0].rooms.get(&ROOM), Some(&true));
    assert_eq!(world.machines[0].node.drained(), Drained::Leaving);
    world.machines[0].is_unwritten = false;
    world.pass(5.0);
    assert_eq!(
        world.machines[0].rooms.get(&ROOM),
        Some(&true),
        "what is on its way comes first"
    );
    let now = world.now;
    let node = &mut world.machines[0].node;
    node.written(now, ROOM, epoch, Written::Stored);
    assert_eq!(node.counts().played, 1, "that state is an old one");
    world.pass(2.0);
    assert_eq!(world.home(ROOM), Some(1));
}

#[test]
fn states_that_hang_are_no_more_than_rooms_that_leave() {
    let rooms: Vec<RoomId> = (1..=9).map(RoomId).collect();
    let mut world = draining(2, &rooms);
    world.machines[0].is_unwritten = true;
    world.pass(20.0);
    let node = &world.machines[0].node;
    assert_eq!((node.rooms.under_way(), node.counts().leaving), (4, 0));
    assert!(rooms.iter().all(|room| world.machines[0].rooms[room]));
}

#[test]
fn rooms_whose_state_is_too_big_stay_and_hold_no_others() {
    let rooms: Vec<RoomId> = (1..=9).map(RoomId).collect();
    let mut world = draining(2, &rooms);
    world.machines[0].is_big = true;
    world.pass(2.0);
    world.machines[0].is_big = false;
    world.pass(3.0);
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
    let stay = world.machines[0].rooms.values().filter(|plays| **plays);
    assert!((4..9).contains(&stay.count()));
    assert!(world.machines[1].rooms.len() >= 3);
}

#[test]
fn a_room_that_is_closed_while_it_leaves_and_was_not_given_away_is_forgotten() {
    let mut world = draining(2, &[ROOM]);
    world.machines[0].is_unwritten = true;
    world.pass(1.0);
    let (now, epoch) = (world.now, world.table.record(ROOM).unwrap().epoch);
    let node = &mut world.machines[0].node;
    node.written(now, ROOM, epoch, Written::Stored);
    assert_eq!(node.counts().leaving, 1);
    let mut orders = std::iter::from_fn(|| node.poll(now));
    let is_given = |order: &Order| matches!(order, Order::Send(_, Command::HandOver { .. }));
    assert!(orders.any(|order| is_given(&order)), "it never comes there");
    node.closed(now, ROOM);
    world.machines[0].rooms.remove(&ROOM);
    let node = &mut world.machines[0].node;
    node.replied(now, now, Run(1), Reply::HandedOver(ROOM, None));
    world.pass(2.0);
    assert_eq!(world.table.record(ROOM), None);
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
}

/// How many rooms of the first node wait for their stop, and how many leave.
fn under_way(world: &World) -> (usize, usize) {
    let node = &world.machines[0].node;
    (node.rooms.announced().count(), node.counts().leaving)
}

#[test]
fn no_more_rooms_are_announced_than_stop_until_their_connections_are_there() {
    let rooms: Vec<RoomId> = (1..=40).map(RoomId).collect();
    let mut world = draining(3, &rooms);
    world.machines[0].is_slow = true;
    world.pass(20.0);
    assert_eq!(under_way(&world), (4, 4), "of 250 ms each, within 800 ms");
    // Those of the four are there at last.
    world.machines[0].is_slow = false;
    for room in 1..=4 {
        let now = world.now;
        world.machines[0].rooms.insert(RoomId(room), false);
        world.machines[0]
            .node
            .stopped(now, RoomId(room), Stopped::Saved);
        world.work(0);
    }
    world.pass(36.0 * SPACING.as_secs_f64() + PREPARE.as_secs_f64());
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
}

/// What each costs is the spacing between them; being announced adds to the first alone.
#[test]
fn many_rooms_leave_within_the_time_that_they_are_spread_over() {
    let rooms: Vec<RoomId> = (1..=1000).map(RoomId).collect();
    let mut world = draining(3, &rooms);
    world.pass(5.0);
    let (announced, _) = under_way(&world);
    assert!((39..=41).contains(&announced), "{announced} at 20 ms each");
    world.pass(15.2 + PREPARE.as_secs_f64());
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
}

#[test]
fn a_room_whose_taker_is_gone_before_it_stops_is_announced_to_another() {
    let mut world = draining(3, &[ROOM]);
    let now = world.now;
    world.pass(0.3);
    let (_, to) = world.machines[0].announced[&ROOM];
    let lost = to.0 as usize - 1;
    world.machines[lost].is_dead = true;
    for n in [0, 3 - lost] {
        let now = world.now;
        world.machines[n].node.unreachable(now, name(lost));
    }
    world.pass(0.6);
    assert_eq!(world.home(ROOM), Some(0));
    let (at, other) = world.machines[0].announced[&ROOM];
    assert!(other != to && at > now + Duration::from_millis(300));
    world.pass(1.0);
    assert_eq!(world.home(ROOM), Some(3 - lost));
    assert_eq!(world.machines[0].sent, [(ROOM, Some(other))]);
}

#[test]
fn a_room_that_is_closed_after_it_was_announced_is_gone() {
    let mut world = draining(2, &[ROOM]);
    world.pass(0.3);
    assert!(world.machines[0].announced.contains_key(&ROOM));
    world.machines[0].rooms.remove(&ROOM);
    let now = world.now;
    world.machines[0].node.closed(now, ROOM);
    world.pass(2.0);
    assert_eq!(world.machines[0].node.drained(), Drained::Done);
    assert_eq!((world.home(ROOM), world.table.record(ROOM)), (None, None));
}

/// Without the engine nothing is given away: the room is played on, and announced anew later.
#[test]
fn an_announced_room_of_a_node_without_the_engine_stays_until_it_is_there_again() {
    let mut world = draining(2, &[ROOM]);
    world.pass(0.3);
    let (first, _) = world.machines[0].announced[&ROOM];
    let now = world.now;
    world.machines[0].node.disconnected(now);
    world.pass(2.0);
    assert_eq!(world.machines[0].rooms.get(&ROOM), Some(&true));
    assert_eq!(under_way(&world), (0, 0));
    let now = world.now;
    world.machines[0].node.connected(now, Run(2));
    world.pass(10.0);
    assert!(world.machines[0].announced[&ROOM].0 > first);
    assert_eq!(world.home(ROOM), Some(1));
}
