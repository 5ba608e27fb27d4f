//! Rooms that are made at another node.

use super::*;

/// A room that is asked for where there is no place for one more is made at another node.
#[test]
fn a_room_is_made_elsewhere_where_there_is_no_place_here() {
    let mut land = Land::apart("placed", 2, |config| config.max_rooms = 4);
    land.meet();
    let hosts: Vec<Player> = (0..4).map(|_| land.host(0, &named("den"))).collect();
    assert_eq!(hosts.len(), 4);
    for n in 0..5 {
        let mut late = land.guest(0);
        match n % 2 {
            0 => late.session.create(&named("hut")).unwrap(),
            _ => late
                .session
                .create(&NewRoom {
                    private: true,
                    ..named("hut")
                })
                .unwrap(),
        }
        land.settle(&mut [&mut late]);
        if n == 4 {
            assert_eq!(
                late.refused,
                Some(Refusal::TooManyRooms),
                "none has a place"
            );
            return;
        }
        assert_eq!((late.node, late.hops, late.refused), (1, 1, None));
        assert_eq!(late.session.room().unwrap().info.name, "hut");
    }
}

/// Whoever asks for one, and wherever, by name or not; but for where no node is left that would
/// take it.
#[test]
fn no_room_is_made_at_a_node_that_drains_as_long_as_another_takes_it() {
    let mut land = Land::new("drains", 2);
    let old = NewRoom {
        or_join: true,
        ..named("old")
    };
    let mut host = land.host(0, &named("old"));
    land.servers[0].of_node().drain();
    land.settle(&mut [&mut host]);
    for n in 0..8 {
        let mut maker = land.guest(n % 2);
        match n {
            0 | 1 => maker.session.create(&named("hut")).unwrap(),
            2 => {
                let hidden = NewRoom {
                    private: true,
                    ..named("hut")
                };
                maker.session.create(&hidden).unwrap();
            }
            _ => {
                let new = NewRoom {
                    or_join: true,
                    ..named(&format!("den {n}"))
                };
                maker.session.create(&new).unwrap();
            }
        }
        land.settle(&mut [&mut host, &mut maker]);
        assert_eq!((maker.refused, maker.node), (None, 1), "{n}");
        maker.room();
    }
    // What is there is still joined.
    let mut late = land.guest(1);
    late.session.create(&old).unwrap();
    land.settle(&mut [&mut host, &mut late]);
    assert_eq!(late.room(), host.room());
    land.servers[1].of_node().drain();
    land.settle(&mut [&mut host, &mut late]);
    for node in [0, 1] {
        for or_join in [false, true] {
            let new = NewRoom {
                or_join,
                ..named(&format!("last {node}"))
            };
            let mut maker = land.guest(node);
            maker.session.create(&new).unwrap();
            land.settle(&mut [&mut host, &mut maker]);
            assert_eq!((maker.refused, maker.node), (None, node));
        }
    }
}

/// It begins to drain when somebody is about to be sent there.
#[test]
fn a_node_that_drains_refuses_to_make_a_room_for_who_has_not_heard_of_it() {
    let mut land = Land::apart("drains-unheard", 2, |config| config.max_rooms = 1);
    land.meet();
    let mut host = land.host(0, &named("den"));
    let mut maker = land.guest(0);
    land.servers[1].of_node().drain();
    maker.session.create(&named("hut")).unwrap();
    (0..5).for_each(|_| land.step(&mut [&mut host, &mut maker]));
    assert_eq!(
        (maker.refused, maker.node),
        (Some(Refusal::TooManyRooms), 0)
    );
}

/// What they make elsewhere counts among their rooms, until it is gone.
#[test]
fn rooms_that_are_made_elsewhere_are_counted_at_the_door() {
    let mut land = Land::apart("quota", 2, |config| {
        (config.max_rooms, config.max_rooms_per_player) = (4, 1);
    });
    land.meet();
    let _hosts: Vec<Player> = (0..4).map(|_| land.host(0, &named("den"))).collect();
    let mut maker = land.guest(0);
    maker.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker]);
    assert_eq!((maker.node, maker.hops), (1, 1));
    let token = maker.session.token().unwrap().to_owned();
    let mut again = land.connect(0, Session::new("somebody", &token));
    land.settle(&mut [&mut maker, &mut again]);
    again.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker, &mut again]);
    assert_eq!(again.refused.take(), Some(Refusal::TooManyRooms));
    maker.session.leave().unwrap();
    // It closes when it has been empty for a while.
    (0..15 * EXCHANGE).for_each(|_| land.step(&mut [&mut maker, &mut again]));
    again.session.create(&named("hut")).unwrap();
    land.settle(&mut [&mut maker, &mut again]);
    assert_eq!((again.node, again.hops, again.refused), (1, 1, None));
}
