//! Rooms as clients see them: found, joined, full, private, left, closed.

use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::{LeaveReason, Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_server::config::Config;

use crate::support::{Client, Server, config, eventually};

fn listed(client: &mut Client) -> Vec<RoomInfo> {
    client.say(&ClientMessage::list_rooms());
    client.wait(|message| match message {
        ServerMessage::Rooms { rooms } => Some(rooms),
        _ => None,
    })
}

#[test]
fn players_share_a_room_and_its_ticks() {
    let server = Server::start(config());
    let (mut ada, joined) = server.host("Ada", 9);
    let mut bob = server.guest("Bob");
    assert_eq!(listed(&mut bob)[0].id, joined.room.id);
    let bobs = bob.join(joined.room.id);
    assert_eq!(bobs.members, ["Bob", "Ada"], "who joins comes first");
    assert_ne!(bobs.you, joined.you);
    let newcomer = ada.wait(|message| match message {
        ServerMessage::MemberChanged { member } => Some(member),
        _ => None,
    });
    assert_eq!((newcomer.player, newcomer.name.as_str()), (bobs.you, "Bob"));
    let (first, second) = (bob.snapshot().tick, bob.snapshot().tick);
    assert_eq!(second.since(first), 1);
    bob.chat("hello Ada");
    let line = ada.wait(|message| match message {
        ServerMessage::Chat { line } => Some(line),
        _ => None,
    });
    assert_eq!((line.from, line.text.as_str()), (bobs.you, "hello Ada"));
    bob.say(&ClientMessage::LeaveRoom);
    assert_eq!(bob.left(), LeaveReason::Asked);
    let gone = ada.wait(|message| match message {
        ServerMessage::MemberLeft { player } => Some(player),
        _ => None,
    });
    assert_eq!(gone, bobs.you);
    assert_eq!(listed(&mut bob)[0].players, 1);
}

#[test]
fn seats_are_free_again_however_they_are_left() {
    let server = Server::start(config());
    let (mut host, joined) = server.host_who_kicks("host", 2);
    let room = joined.room.id;
    for way in ["leave", "kick", "vanish", "goodbye", "misbehave"] {
        let mut guest = server.guest(way);
        let you = guest.join(room).you;
        let mut late = server.guest("late");
        late.say(&ClientMessage::join_room(room));
        assert_eq!(late.refused(), Refusal::RoomFull, "{way}");
        match way {
            "leave" => {
                guest.say(&ClientMessage::LeaveRoom);
                assert_eq!(guest.left(), LeaveReason::Asked);
            }
            "kick" => {
                host.say(&ClientMessage::Kick { player: you });
                assert_eq!(guest.left(), LeaveReason::Kicked);
            }
            "vanish" => guest.vanish(),
            "goodbye" => guest.goodbye(),
            _ => {
                guest.send(&[9]);
                guest.closed(CloseCode::Malformed);
            }
        }
        eventually("a free seat", || server.lobby.rooms()[0].players == 1);
    }
    host.ping(1);
    eventually("guests gone", || server.figure("tickwire_players") == 1.0);
    assert_eq!(server.closed(CloseCode::Normal), 1.0);
}

#[test]
fn a_private_room_is_not_listed() {
    let server = Server::start(config());
    let mut host = server.guest("host");
    host.say(&ClientMessage::CreateRoom(NewRoom {
        name: "secret".into(),
        private: true,
        seats: 0,
        kicks: false,
        ..NewRoom::default()
    }));
    let joined = host.joined();
    let mut guest = server.guest("guest");
    assert_eq!(listed(&mut guest), []);
    guest.say(&ClientMessage::join_room(joined.room.id));
    assert_eq!(guest.refused(), Refusal::NoSuchRoom);
    let code = joined.code.to_lowercase();
    guest.say(&ClientMessage::join_code(code));
    assert_eq!(
        guest.joined().room,
        RoomInfo {
            players: 2,
            ..joined.room
        }
    );
}

#[test]
fn quick_joins_fill_rooms() {
    let server = Server::start(Config {
        max_players: 2,
        ..config()
    });
    let mut clients: Vec<Client> = (0..5)
        .map(|index| server.guest(&format!("guest {index}")))
        .collect();
    let mut rooms = Vec::new();
    for client in &mut clients {
        client.say(&ClientMessage::quick_join());
        rooms.push(client.joined().room.id);
    }
    let [one, _, two, _, three] = rooms[..] else {
        panic!("{rooms:?}");
    };
    assert_eq!(rooms, [one, one, two, two, three]);
    assert!(one != two && two != three && one != three, "{rooms:?}");
}

#[test]
fn rooms_are_as_many_as_there_may_be() {
    let server = Server::start(Config {
        max_rooms: 1,
        ..config()
    });
    let (mut host, _) = server.host("host", 1);
    let mut guest = server.guest("guest");
    guest.say(&ClientMessage::quick_join());
    assert_eq!(guest.refused(), Refusal::TooManyRooms);
    guest.ping(1);
    host.ping(1);
}

#[test]
fn a_player_has_only_so_many_rooms_on_all_their_sockets() {
    let server = Server::start(Config {
        max_rooms_per_player: 2,
        ..config()
    });
    let create = ClientMessage::CreateRoom(NewRoom {
        name: "den".into(),
        private: true,
        seats: 2,
        kicks: false,
        ..NewRoom::default()
    });
    let mut first = server.guest("ann");
    let who = first.who.clone();
    first.say(&create);
    first.joined();
    let mut second = server.again(&who);
    second.say(&create);
    second.joined();
    let mut third = server.again(&who);
    third.say(&create);
    assert_eq!(third.refused(), Refusal::TooManyRooms);
    third.say(&ClientMessage::quick_join());
    assert_eq!(third.refused(), Refusal::TooManyRooms, "nor by chance");
    let mut other = server.guest("bo");
    other.say(&create);
    other.joined();
    assert_eq!(server.figure("tickwire_player_rooms_hit_total"), 2.0);
}

#[test]
fn who_guesses_rooms_is_slowed_down() {
    let server = Server::start(config());
    let mut guesser = server.guest("guesser");
    let mut refusals = Vec::new();
    for room in 1..20 {
        guesser.say(&ClientMessage::join_room(RoomId(room)));
        refusals.push(guesser.refused());
    }
    assert_eq!(refusals[0], Refusal::NoSuchRoom);
    assert!(refusals.contains(&Refusal::TooOften));
    guesser.ping(1);
}

#[test]
fn what_belongs_in_a_room_is_refused_in_the_lobby() {
    let server = Server::start(config());
    let mut client = server.guest("client");
    for message in [
        ClientMessage::LeaveRoom,
        ClientMessage::Ready { ready: true },
        ClientMessage::Chat { text: "hi".into() },
    ] {
        client.say(&message);
        assert_eq!(client.refused(), Refusal::NotInRoom, "{message:?}");
    }
    client.say(&ClientMessage::quick_join());
    client.joined();
    client.say(&ClientMessage::quick_join());
    assert_eq!(client.refused(), Refusal::AlreadyInRoom);
}

#[test]
fn an_empty_room_sleeps_and_ends() {
    let server = Server::start(Config {
        room_linger: Duration::from_millis(100),
        ..config()
    });
    let (mut host, joined) = server.host("host", 9);
    host.snapshot();
    host.say(&ClientMessage::LeaveRoom);
    host.left();
    let ticks = server.figure("tickwire_ticks_total");
    eventually("the room ends", || server.figure("tickwire_rooms") == 0.0);
    let more = server.figure("tickwire_ticks_total") - ticks;
    assert!(more <= 1.0, "an empty room ticked {more} times");
    assert_eq!(server.lobby.rooms(), []);
    host.say(&ClientMessage::join_code(joined.code));
    assert_eq!(host.refused(), Refusal::NoSuchRoom);
}

#[test]
fn an_empty_room_wakes_when_somebody_comes() {
    let server = Server::start(config());
    let (mut host, joined) = server.host("host", 9);
    for _ in 0..3 {
        host.snapshot();
        host.say(&ClientMessage::LeaveRoom);
        host.left();
        assert_eq!(host.join(joined.room.id).members, ["host"]);
    }
    assert_eq!(server.figure("tickwire_rooms_opened_total"), 1.0);
}
