//! What many send and everyone is told: a member on a slow link stays, and gets hardly more than it
//! would without them. What each message comes to is counted by the room's own test of the same
//! name.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::protocol::ClientMessage;
use tickwire_server::config::Config;

use crate::support::{Client, Got, Server};

const ATTACKERS: usize = 45;
/// Bytes a second that the slow member's link carries.
const LINK: f64 = 40_000.0;
/// Bytes a second that others' deeds may add to it; each of what they send, told to it, would be
/// ten times as many.
const MORE_MAX: f64 = 1000.0;
/// Ticks until what is counted is what goes on, and ticks over which it is counted.
const SETTLE: u32 = 60;
const COUNTED: u32 = 150;

/// What the attackers do, with every tick.
const QUIET: u32 = 0;
const SAME: u32 = 1;
const FLIP: u32 = 2;
const OVER: u32 = 3;

/// Says at the allowed rate, 30 a second, what `deed` is.
fn attack(mut client: Client, room: RoomId, deed: &AtomicU32) {
    client.join(room);
    let mut said = 0;
    loop {
        match client.next() {
            Got::Snapshot(_) => client.ack(),
            Got::Control(_) => continue,
            end => panic!("{end:?}"),
        }
        let ready = match deed.load(Ordering::Relaxed) {
            QUIET => continue,
            SAME => true,
            FLIP => said % 2 == 0,
            _ => return,
        };
        said += 1;
        client.say(&ClientMessage::Ready { ready });
    }
}

/// Bytes a second to a client that reads no faster than its link, over so many ticks.
fn rate(client: &mut Client, ticks: u32) -> f64 {
    let (from, bytes) = (client.newest, client.bytes);
    while client.newest.since(from) < ticks {
        let before = client.bytes;
        match client.next() {
            Got::Snapshot(_) => client.ack(),
            Got::Control(_) => {}
            end => panic!("{end:?}"),
        }
        let seconds = (client.bytes - before) as f64 / LINK;
        std::thread::sleep(Duration::from_secs_f64(seconds));
    }
    (client.bytes - bytes) as f64 * 30.0 / f64::from(client.newest.since(from))
}

#[test]
fn many_who_say_ready_do_not_drive_a_slow_member_out() {
    let server = Server::start(Config {
        workers: 1,
        npcs: 20,
        stall_timeout: Duration::from_secs(3),
        ..Config::default()
    });
    let mut slow = server.connect_narrow();
    slow.hello("slow");
    slow.say(&ClientMessage::quick_join());
    let room = slow.joined().room.id;
    let deed = AtomicU32::new(QUIET);
    std::thread::scope(|scope| {
        for _ in 0..ATTACKERS {
            let client = server.guest("attacker");
            scope.spawn(|| attack(client, room, &deed));
        }
        let mut rates = Vec::new();
        for now in [QUIET, SAME, FLIP] {
            deed.store(now, Ordering::Relaxed);
            rate(&mut slow, SETTLE);
            rates.push(rate(&mut slow, COUNTED));
        }
        deed.store(OVER, Ordering::Relaxed);
        println!(
            "to a member on {LINK} B/s beside {ATTACKERS}, in B/s: {:.0} quiet, {:.0} when each says ready 30 times a second, {:.0} when each changes its mind as often",
            rates[0], rates[1], rates[2]
        );
        let most = rates[0] + MORE_MAX;
        assert!(rates.iter().all(|&rate| rate <= most), "{rates:?}");
        slow.ping(1);
    });
}
