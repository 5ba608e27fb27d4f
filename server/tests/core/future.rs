//! Clients of another age: one that says what this server does not know, and one that knows less
//! than it does.

use tickwire::ids::Tick;
use tickwire::protocol::{ClientMessage, ServerMessage, VERSION};

use crate::support::{Client, Deed, Got, Server, config};

/// Control messages of the reserved range: without bytes, with some, the last index.
const LATER: [&[u8]; 3] = [&[1, 128, 0], &[1, 200, 4, 1, 2, 3, 4], &[1, 250, 1, 0xFF]];

fn hello(features: u32) -> ClientMessage {
    ClientMessage::Hello {
        version: VERSION,
        features,
        game: String::new(),
        schema: "of another age".into(),
        tables: String::new(),
        name: "Methuselah".into(),
        token: String::new(),
    }
}

/// Plays in a room of its own until the server has taken one of its inputs.
fn plays(client: &mut Client, between: &[&[u8]]) {
    client.say(&ClientMessage::quick_join());
    let joined = client.joined();
    assert_eq!(joined.members, ["Methuselah"]);
    for _ in 0..200 {
        between.iter().for_each(|message| client.send(message));
        match client.next() {
            Got::Snapshot(head) if head.input_tick > Tick(0) => return,
            Got::Snapshot(_) => client.order(Deed::Rest),
            Got::Control(_) => {}
            end => panic!("{end:?}"),
        }
    }
    panic!("no input was taken");
}

#[test]
fn a_client_from_the_future_plays() {
    let server = Server::start(tickwire_server::config::Config {
        messages_per_second: 2000,
        control_per_second: 2000,
        ..config()
    });
    let mut client = server.connect();
    client.say(&hello(u32::MAX));
    let ServerMessage::Welcome {
        schema, features, ..
    } = client.control()
    else {
        panic!("no welcome")
    };
    assert!(schema.is_some(), "it named another one");
    assert_eq!(features, tickwire::protocol::feature::ALL);
    LATER.iter().for_each(|message| client.send(message));
    client.ping(1);
    plays(&mut client, &LATER);
}

#[test]
fn a_client_without_any_feature_plays() {
    let server = Server::start(config());
    let mut client = server.connect();
    client.say(&hello(0));
    assert!(matches!(client.control(), ServerMessage::Welcome { .. }));
    plays(&mut client, &[]);
}

/// As long as what it says has the length that it names.
#[test]
fn what_is_later_and_broken_closes() {
    let server = Server::start(config());
    for broken in [&[1, 128, 3, 1][..], &[1, 128, 0, 0], &[1, 127, 0]] {
        let mut client = server.guest("one");
        client.send(broken);
        client.closed(tickwire::protocol::CloseCode::Malformed);
    }
}
