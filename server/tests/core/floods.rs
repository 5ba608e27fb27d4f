//! Too much from one client, below and above the level of messages.

use tickwire::codec::encode_client;
use tickwire::protocol::{ClientMessage, CloseCode};
use tickwire_server::config::Config;

use crate::support::{Client, Server, config, frame, framed};

fn check(rates: (u32, u32), flood: &[u8]) {
    let server = Server::start(Config {
        messages_per_second: rates.0,
        bytes_per_second: rates.1,
        ..config()
    });
    let (mut witness, joined) = server.host("witness", 9);
    let mut flooders: [Client; 2] = [server.guest("flooder"), server.guest("flooder")];
    flooders[1].join(joined.room.id);
    for flooder in &mut flooders {
        flooder.send_raw(flood);
        flooder.closed(CloseCode::TooMany);
    }
    witness.ping(1);
    assert_eq!(server.closed(CloseCode::TooMany), 2.0);
}

#[test]
fn of_messages() {
    let ping = framed(&encode_client(&ClientMessage::Ping { nonce: 1 }));
    check((40, 1 << 20), &ping.repeat(1000));
}

/// Fewer than messages may be: inputs are most of those.
#[test]
fn of_requests() {
    let ping = framed(&encode_client(&ClientMessage::Ping { nonce: 1 }));
    check((100_000, 1 << 20), &ping.repeat(121));
}

#[test]
fn of_pings() {
    check((40, 1 << 20), &frame(0x89, b"?").repeat(1000));
}

#[test]
fn of_empty_fragments() {
    let mut flood = frame(0x02, &[]);
    flood.extend(frame(0x00, &[]).repeat(1000));
    check((40, 1 << 20), &flood);
}

#[test]
fn of_bytes() {
    let big = encode_client(&ClientMessage::Act {
        id: 1,
        action: 1,
        fields: vec![0; 1000],
    });
    check((10_000, 2000), &framed(&big).repeat(30));
}

#[test]
fn what_is_allowed_is_no_flood() {
    let server = Server::start(config());
    let (mut player, _) = server.host("player", 1);
    let ping = framed(&encode_client(&ClientMessage::Ping { nonce: 1 }));
    player.send_raw(&ping.repeat(100));
    player.ping(2);
}
