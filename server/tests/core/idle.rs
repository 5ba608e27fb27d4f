//! Rooms whose members do nothing: how much of them is simulated, and what ends it. What their
//! players see is tested in `server/src/room/tests/doze.rs`.

use std::time::Duration;

use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire_server::config::Config;

use crate::probe::Deed;
use crate::support::{Client, Server, config, eventually};

fn server() -> Server {
    Server::start(Config {
        idle_after: Duration::from_secs(2),
        ..config()
    })
}

fn dozing(server: &Server) -> f64 {
    server.figure("tickwire_rooms_idle")
}

/// The room's tick, which asking does not wake it up for.
fn tick(client: &mut Client) -> u32 {
    client.say(&ClientMessage::Ping { nonce: 1 });
    match client.control() {
        ServerMessage::Pong { tick, .. } => tick.0,
        other => panic!("{other:?}"),
    }
}

/// Reads snapshots until two are of ticks in a row: it is simulated at its full rate.
fn goes_on(client: &mut Client) {
    let mut before = client.snapshot().tick;
    loop {
        client.ack();
        let next = client.snapshot().tick;
        if next.since(before) == 1 {
            return;
        }
        before = next;
    }
}

#[test]
fn a_room_in_which_nobody_does_anything_is_simulated_once_a_second() {
    let server = server();
    let (mut ann, _) = server.host("ann", 2);
    eventually("it dozes", || dozing(&server) == 1.0);
    let (first, simulated) = (tick(&mut ann), server.figure("tickwire_ticks_total"));
    let mut last = first;
    while last < first + 150 {
        last = tick(&mut ann);
    }
    let simulated = server.figure("tickwire_ticks_total") - simulated;
    let passed = f64::from(last - first);
    println!("{simulated} of {passed} ticks were simulated");
    assert!(
        simulated >= 1.0 && simulated * 15.0 <= passed,
        "{simulated} of {passed}"
    );
    assert_eq!(dozing(&server), 1.0);
    ann.order(Deed::Rest);
    goes_on(&mut ann);
}

#[test]
fn a_room_that_dozes_wakes_up_for_who_comes_and_for_who_asks() {
    let server = server();
    let (mut ann, joined) = server.host("ann", 2);
    eventually("it dozes", || dozing(&server) == 1.0);
    ann.chat("anybody there?");
    goes_on(&mut ann);
    eventually("it dozes again", || dozing(&server) == 1.0);
    let mut bo = server.guest("bo");
    bo.join(joined.room.id);
    goes_on(&mut bo);
    eventually("it dozes with both", || dozing(&server) == 1.0);
    drop((ann, bo));
    eventually("nobody is there", || {
        server.figure("tickwire_rooms") == 0.0 || dozing(&server) == 0.0
    });
}
