//! Who looks on, over sockets: in without a seat, shown what is everyone's, in nobody's way, and
//! gone with the last player.

use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::server_message::{LeaveReason, Refusal, RoomInfo};
use tickwire::protocol::{ClientMessage, CloseCode, ServerMessage};
use tickwire_server::config::Config;

use crate::probe::Deed;
use crate::support::{Client, Got, Server, config, eventually};

fn watch(room: &RoomInfo) -> ClientMessage {
    ClientMessage::JoinRoom {
        room: room.id,
        who: JoinAs {
            spectator: true,
            ..JoinAs::default()
        },
    }
}

fn server(spectators: u16) -> Server {
    Server::start(Config {
        max_players: 2,
        max_spectators: spectators,
        ..config()
    })
}

/// In, with the first snapshot.
fn watching(server: &Server, room: &RoomInfo) -> Client {
    let mut spectator = server.guest("spectator");
    spectator.say(&watch(room));
    spectator.joined_as(true);
    spectator.snapshot();
    spectator.ack();
    spectator
}

fn spectators(server: &Server) -> f64 {
    server.figure("tickwire_spectators{game=\"probe\"}")
}

fn listed(client: &mut Client) -> Vec<RoomInfo> {
    client.say(&ClientMessage::ListRooms { filter: Vec::new() });
    client.wait(|message| match message {
        ServerMessage::Rooms { rooms } => Some(rooms),
        _ => None,
    })
}

#[test]
fn who_looks_on_takes_no_seat_and_goes_with_the_last_player() {
    let server = server(2);
    let (mut host, joined) = server.host_who_kicks("host", 2);
    let mut crowd = [(); 2].map(|()| watching(&server, &joined.room));
    let mut late = server.guest("late");
    late.say(&watch(&joined.room));
    assert_eq!(late.refused(), Refusal::RoomFull, "the places are taken");
    let room = listed(&mut late)
        .into_iter()
        .find(|room| room.id == joined.room.id);
    let room = room.expect("it is listed");
    assert_eq!((room.players, room.seats, room.spectators), (1, 2, 2));
    let mut guest = server.guest("guest");
    assert_eq!(guest.join(room.id).members.len(), 2, "of players");
    for spectator in &mut crowd {
        let told = spectator.wait(|message| match message {
            ServerMessage::MemberChanged { member } => Some(member),
            _ => None,
        });
        assert_eq!(told.name, "guest");
    }
    guest.chat("hello");
    for spectator in &mut crowd {
        let line = spectator.wait(|message| match message {
            ServerMessage::Chat { line } => Some(line),
            _ => None,
        });
        assert_eq!(line.text, "hello");
        spectator.chat("not for me");
        assert_eq!(spectator.refused(), Refusal::NotForSpectators);
    }
    guest.goodbye();
    host.say(&ClientMessage::LeaveRoom);
    host.left();
    for spectator in &mut crowd {
        assert_eq!(spectator.left(), LeaveReason::RoomClosed);
        spectator.ping(1);
        spectator.say(&watch(&room));
        assert_eq!(spectator.refused(), Refusal::NoSuchRoom, "nobody plays");
    }
}

#[test]
fn an_input_of_a_spectator_closes() {
    let server = server(2);
    let (_host, joined) = server.host_who_kicks("host", 2);
    let mut spectator = watching(&server, &joined.room);
    spectator.order(Deed::Rest);
    spectator.closed(CloseCode::OutOfOrder);
}

#[test]
fn a_spectator_that_is_lost_is_gone_and_one_who_left_may_play() {
    let server = server(1);
    let (_host, joined) = server.host_who_kicks("host", 2);
    watching(&server, &joined.room).vanish();
    eventually("no spectator", || spectators(&server) == 0.0);
    let mut next = watching(&server, &joined.room);
    assert_eq!(spectators(&server), 1.0);
    next.say(&ClientMessage::LeaveRoom);
    assert_eq!(next.left(), LeaveReason::Asked);
    next.join(joined.room.id);
}

#[test]
fn where_none_may_look_on_and_where_chance_leads() {
    let server = server(0);
    let (_host, joined) = server.host_who_kicks("host", 2);
    let mut spectator = server.guest("spectator");
    spectator.say(&watch(&joined.room));
    assert_eq!(spectator.refused(), Refusal::RoomFull);
    let quick = ClientMessage::QuickJoin {
        filter: Vec::new(),
        who: JoinAs {
            spectator: true,
            ..JoinAs::default()
        },
        options: Vec::new(),
    };
    spectator.say(&quick);
    assert_eq!(spectator.refused(), Refusal::NoSuchRoom, "none is made");
    drop(server);
    let server = self::server(1);
    let (_host, joined) = server.host_who_kicks("host", 2);
    let mut spectator = server.guest("spectator");
    spectator.say(&quick);
    assert_eq!(spectator.joined_as(true).room.id, joined.room.id);
    while !matches!(spectator.next(), Got::Snapshot(_)) {}
}
