//! Clients that read little or nothing: what they get is whole, what they don't get is not
//! kept for them, and in the end they are closed.

use std::time::Duration;

use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_server::config::Config;

use crate::support::{Got, Server, config, eventually, frame, framed};

/// Snapshots that fill a narrow client's buffers within a few ticks.
fn wide() -> Config {
    Config {
        npcs: 1000,
        ..config()
    }
}

#[test]
fn a_slow_reader_gets_whole_frames_in_order() {
    let server = Server::start(wide());
    let mut slow = server.connect_narrow();
    slow.hello("slow");
    slow.say(&ClientMessage::quick_join());
    slow.joined();
    let blocked = "tickwire_snapshots_skipped_total{cause=\"blocked\"}";
    let in_flight = "tickwire_snapshots_skipped_total{cause=\"credit\"}";
    let skipped = || server.figure(blocked) + server.figure(in_flight);
    let (mut asked, mut answered) = (0, 0);
    while answered < 60 {
        if asked < 60 {
            asked += 1;
            slow.say(&ClientMessage::Ping { nonce: asked });
            if asked % 20 == 0 {
                // Sleeps on until the server can't write any more, or may not: which comes first
                // is the machine's to say.
                let before = skipped();
                eventually("a skipped snapshot", || skipped() > before);
            }
        }
        match slow.next() {
            Got::Snapshot(_) => slow.ack(),
            Got::Control(ServerMessage::Pong { nonce, .. }) => {
                answered += 1;
                assert_eq!(nonce, answered, "answers come in order");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Whether silently, between pings, or byte by byte; in the lobby and in a room.
#[test]
fn who_begins_a_message_and_does_not_end_it_is_closed() {
    let server = Server::start(Config {
        stall_timeout: Duration::from_millis(300),
        ..config()
    });
    let (mut witness, joined) = server.host("witness", 9);
    let first_fragment = frame(0x02, &[1, 10]);
    let mut silent = server.guest("silent");
    silent.send_raw(&first_fragment);
    let mut pinging = server.guest("pinging");
    pinging.join(joined.room.id);
    pinging.send_raw(&first_fragment);
    pinging.send_raw(&frame(0x89, b"still here"));
    let mut dripping = server.guest("dripping");
    dripping.join(joined.room.id);
    dripping.send_raw(&framed(&[1; 4000])[..8]);
    eventually("all three are closed", || {
        dripping.send_raw(&[1]);
        server.closed(CloseCode::Stalled) == 3.0
    });
    for client in [&mut silent, &mut pinging, &mut dripping] {
        client.closed(CloseCode::Stalled);
    }
    witness.ping(1);
    assert_eq!(server.closed(CloseCode::Stalled), 3.0);
}

#[test]
fn who_reads_nothing_is_closed_and_the_others_play_on() {
    let server = Server::start(Config {
        stall_timeout: Duration::from_millis(300),
        ..wide()
    });
    let (mut witness, joined) = server.host("witness", 9);
    let mut stuck = server.connect_narrow();
    stuck.hello("stuck");
    stuck.join(joined.room.id);
    eventually("closed", || server.closed(CloseCode::Stalled) == 1.0);
    assert_eq!(server.lobby.rooms()[0].players, 1);
    // Behind the frame that was under way comes the close frame, nothing else.
    stuck.closed(CloseCode::Stalled);
    witness.ping(1);
}

#[test]
fn in_the_lobby_too() {
    let server = Server::start(Config {
        stall_timeout: Duration::from_millis(300),
        messages_per_second: 100_000,
        control_per_second: 100_000,
        bytes_per_second: 1 << 30,
        ..config()
    });
    let mut stuck = server.connect_narrow();
    stuck.hello("stuck");
    let pings = framed(&encode_client(&ClientMessage::Ping { nonce: 1 })).repeat(500);
    eventually("closed", || {
        stuck.send_raw(&pings);
        server.closed(CloseCode::Stalled) == 1.0
    });
    stuck.closed(CloseCode::Stalled);
}
