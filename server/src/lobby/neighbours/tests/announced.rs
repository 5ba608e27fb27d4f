//! Members of a room that will leave are told where to.

use super::*;
use crate::worker::Order;

/// Who plays and who looks on, but nobody who does not know of it, hears the very URL to which they
/// are sent later; for as long as a server waits for a hello, less what a handshake takes.
#[test]
fn members_of_a_room_are_told_where_they_will_be_sent() {
    let mut land = Land::apart("announced", 2, |config| {
        config.hello_timeout = Duration::from_secs(2);
    });
    land.meet();
    let mut host = land.host(0, &named("den"));
    let features = feature::ALL & !feature::PREPARE;
    let mut fan = land.guest(0);
    fan.who.spectator = true;
    let mut old = land.connect(0, Session::new("old", "").with_features(features));
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    old.session.join(host.room()).unwrap();
    fan.session.join_as(host.room(), &fan.who).unwrap();
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    let (room, lobby) = (host.room(), land.servers[0].of_node());
    assert_eq!((old.room(), fan.room()), (room, room));
    let there = Incarnation(2);
    let to = lobby.announcement(there);
    lobby.order(room, Order::Announce { room, to });
    land.settle(&mut [&mut host, &mut old, &mut fan]);
    let told = [(url(1), 1600)];
    assert_eq!(
        (&host.prepared[..], &fan.prepared[..]),
        (&told[..], &told[..])
    );
    assert!(old.prepared.is_empty());
    assert_eq!((host.room(), host.hops), (room, 0), "and the room goes on");
    let to = lobby.way_to(room, there);
    lobby.order(room, Order::Drop { room, to });
    // No further: that node has no such room, and would send them back.
    let mut steps = 0..5;
    while old.hops == 0 && steps.next().is_some() {
        land.step(&mut [&mut host, &mut old, &mut fan]);
    }
    for player in [host, old, fan] {
        assert_eq!((player.node, player.hops), (1, 1));
    }
    // To where nobody can be sent nobody is to prepare.
    let mut host = land.host(0, &named("hut"));
    land.neighbours.hear(1, false);
    let room = host.room();
    let to = lobby.announcement(there);
    lobby.order(room, Order::Announce { room, to });
    land.settle(&mut [&mut host]);
    assert_eq!((host.prepared.len(), host.room()), (0, room));
}
