//! Rooms that go from worker to worker while people play in them, come, leave and come back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire_server::config::Config;

use crate::probe::Deed;
use crate::support::{Client, Server, config, eventually};

/// Moves without which nothing is shown.
const MOVES: f64 = 300.0;

/// Each of three workers hands a room on every 5 ms, whatever it has to do.
fn restless() -> Server {
    Server::start(Config {
        workers: 3,
        shuffle_rooms: Duration::from_millis(5),
        resume_grace: Duration::from_secs(20),
        ..config()
    })
}

/// Plays for so many snapshots: none is of the tick before or of an earlier one.
fn play(client: &mut Client, snapshots: u32) {
    let mut last = client.snapshot().tick;
    for _ in 0..snapshots {
        client.order(Deed::Rest);
        let next = client.snapshot().tick;
        assert!(next > last, "{next} after {last}");
        last = next;
    }
}

/// Somebody joins, plays, is lost, is back in the same seat, leaves, over and over.
fn come_and_go(server: &Server, room: RoomId, until: &AtomicBool) {
    while !until.load(Ordering::Relaxed) {
        let mut first = server.guest("guest");
        let seat = first.join(room).you;
        let (token, who) = (first.token(), first.who.clone());
        play(&mut first, 5);
        first.answer();
        first.vanish();
        let mut again = server.again(&who);
        again.resume(&token);
        assert_eq!(again.joined().you, seat);
        play(&mut again, 5);
        again.say(&tickwire::protocol::ClientMessage::LeaveRoom);
        again.left();
    }
}

#[test]
fn whoever_plays_joins_or_comes_back_finds_the_room_wherever_it_is_by_then() {
    let server = restless();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for name in ["ann", "bo", "cy", "di"] {
            let (mut host, joined) = server.host(name, 0);
            let (done, server) = (&done, &server);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    play(&mut host, 5);
                }
                host.ping(7);
            });
            scope.spawn(move || come_and_go(server, joined.room.id, done));
        }
        eventually("the rooms move", || {
            server.figure("tickwire_rooms_moved_total") >= MOVES
        });
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(server.figure("tickwire_rooms_failed_total"), 0.0);
    assert_eq!(server.figure("tickwire_rooms"), 4.0);
}
