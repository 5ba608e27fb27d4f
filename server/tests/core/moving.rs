//! A connection goes from the handshake to the lobby, to a room and back with every byte that
//! is under way: a client need not wait for an answer before it says the next thing.

use tickwire::codec::encode_client;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, ServerMessage};

use crate::support::{Server, config, framed, hello_as};

fn script(messages: &[ClientMessage]) -> Vec<u8> {
    let framed = messages
        .iter()
        .map(|message| framed(&encode_client(message)));
    framed.collect::<Vec<_>>().concat()
}

/// In, out, in, out, with a ping on each side of every move.
fn journey() -> Vec<u8> {
    let ping = |nonce| ClientMessage::Ping { nonce };
    script(&[
        hello_as("traveller", ""),
        ping(1),
        ClientMessage::quick_join(),
        ping(2),
        ClientMessage::LeaveRoom,
        ping(3),
        ClientMessage::CreateRoom(NewRoom {
            name: "another".into(),
            private: true,
            seats: 3,
            kicks: false,
            ..NewRoom::default()
        }),
        ClientMessage::Chat {
            text: "hello".into(),
        },
        ping(4),
        ClientMessage::LeaveRoom,
        ClientMessage::LeaveRoom,
        ping(5),
    ])
}

/// What a journey brings, in order.
fn travelled(client: &mut crate::support::Client) {
    let mut said = Vec::new();
    while said.last() != Some(&"pong 5".to_owned()) {
        let message = client.control();
        said.push(match message {
            ServerMessage::Welcome { .. } => "welcome".into(),
            ServerMessage::Pong { nonce, .. } => format!("pong {nonce}"),
            ServerMessage::Joined { room, .. } => {
                client.newest = tickwire::ids::Tick(0);
                format!("joined {}", room.name)
            }
            // With the next tick, if they are still there.
            ServerMessage::Chat { .. } => continue,
            ServerMessage::Left { reason } => format!("left {reason:?}"),
            ServerMessage::Refused { reason } => format!("refused {reason:?}"),
            other => format!("{other:?}"),
        });
    }
    let expected = [
        "welcome",
        "pong 1",
        "joined traveller's room",
        "pong 2",
        "left Asked",
        "pong 3",
        "joined another",
        "pong 4",
        "left Asked",
        "refused NotInRoom",
        "pong 5",
    ];
    assert_eq!(said, expected);
}

#[test]
fn in_one_packet_with_the_handshake() {
    let server = Server::start(config());
    travelled(&mut server.connect_with(&journey()));
}

#[test]
fn in_one_packet_after_it() {
    let server = Server::start(config());
    let mut client = server.connect();
    client.send_raw(&journey());
    travelled(&mut client);
}

#[test]
fn cut_anywhere() {
    let server = Server::start(config());
    let journey = journey();
    for cut in (1..journey.len()).step_by(3) {
        let mut client = server.connect_with(&journey[..cut]);
        client.send_raw(&journey[cut..]);
        travelled(&mut client);
    }
}

#[test]
fn inputs_that_cross_a_kick_are_passed_over() {
    let server = Server::start(config());
    let (mut host, joined) = server.host_who_kicks("host", 9);
    let mut guest = server.guest("guest");
    let you = guest.join(joined.room.id).you;
    guest.snapshot();
    host.say(&ClientMessage::Kick { player: you });
    assert_eq!(guest.left(), LeaveReason::Kicked);
    guest.order(crate::support::Deed::Rest);
    guest.ack();
    guest.chat("still there?");
    assert_eq!(guest.refused(), Refusal::NotInRoom);
    guest.say(&ClientMessage::join_room(joined.room.id));
    assert_eq!(guest.refused(), Refusal::KeptOut);
    guest.say(&ClientMessage::quick_join());
    assert_ne!(guest.joined().room.id, joined.room.id);
}
