//! A game that panics takes its own room with it and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::{ClientMessage, CloseCode};
use tickwire_server::config::Config;

use crate::support::{DAWDLE, Deed, Server, config, eventually};

fn check(deed: Deed) {
    let server = Server::start(config());
    let (mut bystander, other) = server.host("bystander", 9);
    let (mut culprit, joined) = server.host("culprit", 9);
    let mut victim = server.guest("victim");
    victim.join(joined.room.id);
    culprit.snapshot();
    culprit.insist(deed);
    culprit.closed(CloseCode::RoomFailed);
    victim.closed(CloseCode::RoomFailed);
    assert_eq!(server.closed(CloseCode::RoomFailed), 2.0);
    assert_eq!(server.figure("tickwire_rooms_failed_total"), 1.0);
    eventually("the room is gone", || {
        server.figure("tickwire_rooms") == 1.0
    });
    assert_eq!(server.lobby.rooms().len(), 1);
    let mut newcomer = server.guest("newcomer");
    newcomer.join(other.room.id);
    newcomer.snapshot();
    bystander.ping(1);
    assert!(server.lobby.ready());
}

#[test]
fn in_a_system() {
    check(Deed::Panic);
}

#[test]
fn in_a_system_and_again_when_the_world_is_dropped() {
    check(Deed::PanicTwice);
}

#[test]
fn when_a_room_is_made() {
    let server = Server::start(config());
    let (mut bystander, _) = server.host("bystander", 9);
    let mut maker = server.guest("maker");
    maker.say(&ClientMessage::CreateRoom(NewRoom {
        name: "a room that can't be made".into(),
        private: false,
        seats: 0,
        kicks: false,
        ..NewRoom::default()
    }));
    maker.closed(CloseCode::RoomFailed);
    bystander.ping(1);
    assert_eq!(server.lobby.rooms().len(), 1);
}

#[test]
fn when_somebody_joins() {
    let server = Server::start(config());
    let (mut host, joined) = server.host("host", 9);
    let mut fatal = server.guest("nobody may join");
    fatal.say(&ClientMessage::join_room(joined.room.id));
    fatal.closed(CloseCode::RoomFailed);
    host.closed(CloseCode::RoomFailed);
    assert_eq!(server.lobby.rooms(), []);
}

#[test]
fn a_room_that_takes_too_long_skips_ticks_and_goes_on() {
    let server = Server::start(Config {
        tick_rate: 100,
        snapshot_rate: 100,
        ..config()
    });
    let (mut client, _) = server.host("client", 9);
    let slots = DAWDLE.as_millis() / Duration::from_millis(10).as_millis();
    eventually("skipped ticks", || {
        client.snapshot();
        client.order(Deed::Dawdle);
        server.figure("tickwire_ticks_skipped_total") > slots as f64 / 2.0
    });
    let ticks = server.figure("tickwire_ticks_total");
    client.ping(1);
    eventually("more ticks", || {
        server.figure("tickwire_ticks_total") > ticks + 10.0
    });
}

/// The rooms' panics are the rooms' alone: who plays elsewhere gets every tick.
#[test]
fn a_thousand_of_them_cost_no_other_room_a_tick() {
    const ROOMS: usize = 200;
    const ROUNDS: usize = 5;
    // A thousand backtraces take a minute to look up; what panicked and where is enough.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let server = Server::start(Config {
        workers: 2,
        npcs: 0,
        // Slow ticks, so that a bystander of a busy machine still acknowledges in time.
        tick_rate: 10,
        // Bystanders send nothing.
        idle_after: std::time::Duration::ZERO,
        snapshot_rate: 10,
        ..config()
    });
    let (mut bystanders, stop) = (Vec::new(), Arc::new(AtomicBool::new(false)));
    for _ in 0..4 {
        let (mut client, _) = server.host("bystander", 9);
        let stop = stop.clone();
        bystanders.push(std::thread::spawn(move || {
            let mut last = client.snapshot().tick;
            client.ack();
            while !stop.load(Ordering::Relaxed) {
                let tick = client.snapshot().tick;
                assert_eq!(tick, last.next(), "a tick was left out");
                last = tick;
                client.ack();
            }
            client
        }));
    }
    for round in 1..=ROUNDS {
        let culprits = (0..ROOMS).map(|_| {
            let (mut culprit, _) = server.host("culprit", 1);
            culprit.insist(Deed::Panic);
            culprit
        });
        let culprits: Vec<_> = culprits.collect();
        for mut culprit in culprits {
            culprit.closed(CloseCode::RoomFailed);
        }
        let failed = (round * ROOMS) as f64;
        assert_eq!(server.figure("tickwire_rooms_failed_total"), failed);
    }
    stop.store(true, Ordering::Relaxed);
    for bystander in bystanders {
        let mut client = bystander.join().unwrap();
        client.ping(1);
    }
    assert_eq!(server.lobby.rooms().len(), 4);
}
