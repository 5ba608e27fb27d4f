//! The first message, and what comes instead of it.

use std::time::Duration;

use tickwire::limits::NAME_CHARS_MAX;
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage, VERSION};

use crate::support::{Server, config, frame, framed, hello_as};

#[test]
fn a_hello_is_answered_with_the_game() {
    let server = Server::start(config());
    let mut client = server.connect();
    client.say(&hello_as("  Ada \u{202E} Lovelace  ", ""));
    let ServerMessage::Welcome {
        version,
        name,
        schema,
        limits,
        ..
    } = client.control()
    else {
        panic!("no welcome")
    };
    assert_eq!((version, name.as_str()), (VERSION, "Ada Lovelace"));
    assert_eq!(schema.map(|schema| schema.game).as_deref(), Some("probe"));
    assert_eq!(usize::from(limits.name_chars), NAME_CHARS_MAX);
    client.ping(7);
}

#[test]
fn without_a_hello_a_connection_ends() {
    let server = Server::start(tickwire_server::config::Config {
        hello_timeout: Duration::from_millis(50),
        ..config()
    });
    let mut silent = server.connect();
    let mut pinging = server.connect();
    pinging.send_raw(&frame(0x89, b"are you there"));
    let mut half = server.connect();
    half.send_raw(&framed(&[1; 100])[..50]);
    for client in [&mut silent, &mut pinging, &mut half] {
        client.closed(CloseCode::HelloTimeout);
    }
    assert_eq!(server.closed(CloseCode::HelloTimeout), 3.0);
}

#[test]
fn a_client_that_said_hello_may_be_silent() {
    let server = Server::start(tickwire_server::config::Config {
        hello_timeout: Duration::from_millis(50),
        ..config()
    });
    let mut quiet = server.guest("quiet");
    let mut silent = server.connect();
    silent.closed(CloseCode::HelloTimeout);
    quiet.ping(1);
}

#[test]
fn another_version_is_told_so() {
    let server = Server::start(config());
    let mut client = server.connect();
    client.say(&ClientMessage::Hello {
        version: VERSION + 1,
        features: 0,
        game: String::new(),
        schema: String::new(),
        tables: String::new(),
        name: "from the future".into(),
        token: String::new(),
    });
    client.closed(CloseCode::Version);
    // Of which nothing behind the number can be read.
    let mut other = server.connect();
    other.send_raw(&framed(&[1, 0, 1, 9]));
    other.closed(CloseCode::Version);
}

#[test]
fn hello_comes_first_and_once() {
    let server = Server::start(config());
    let mut eager = server.connect();
    eager.say(&ClientMessage::quick_join());
    eager.closed(CloseCode::OutOfOrder);
    let mut twice = server.guest("twice");
    twice.say(&hello_as("twice", ""));
    twice.closed(CloseCode::OutOfOrder);
    let mut lost = server.guest("lost");
    lost.ack();
    lost.closed(CloseCode::OutOfOrder);
}

#[test]
fn a_guest_is_given_a_token_and_known_by_it() {
    let server = Server::start(config());
    let ann = server.guest("ann");
    let again = server.again(&ann.who);
    let other = server.guest("ann");
    assert_ne!(ann.who, other.who);
    assert!(!again.who.is_empty());
}

#[test]
fn a_token_of_nobody_known_here_is_refused() {
    let server = Server::start(config());
    let mut client = server.connect();
    client.say(&hello_as("mallory", "a.b.c"));
    client.closed(CloseCode::Unauthorised);
}

#[test]
fn a_weak_key_ends_the_start() {
    let path = std::env::temp_dir().join(format!("tickwire-{}-weak", std::process::id()));
    std::fs::write(&path, "password").unwrap();
    let game = tickwire_server::game::GameDef::<crate::probe::Probe>::new(30).unwrap();
    let metrics = tickwire_server::metrics::Metrics::new().unwrap();
    let weak = tickwire_server::config::Config {
        auth_key_file: Some(path.clone()),
        auth_issuer: "a".into(),
        auth_audience: "b".into(),
        ..config()
    };
    let started = tickwire_server::lobby::Lobby::start(game.into(), &weak, metrics.into());
    let error = started.err().expect("refused").to_string();
    assert!(error.contains("needs 32"), "{error}");
    std::fs::remove_file(path).unwrap();
}
