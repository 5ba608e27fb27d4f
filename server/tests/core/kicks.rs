//! Players who send others away, and those whom chance leads to them.

use std::sync::atomic::{AtomicBool, Ordering};

use tickwire::protocol::client_message::NewRoom;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, ServerMessage};

use crate::support::{Client, Got, Server, config};

const JOINERS: usize = 20;
const GRIEFERS: usize = 4;
/// Snapshots after which somebody has played.
const PLAYED: usize = 60;

/// Sends away whoever comes, until all have played; how many that were.
fn grieve(mut client: Client, over: &AtomicBool) -> usize {
    let mut kicked = 0;
    while !over.load(Ordering::Relaxed) {
        match client.next() {
            Got::Snapshot(_) => client.ack(),
            Got::Control(ServerMessage::Joined { you, members, .. }) => {
                let others = members
                    .into_iter()
                    .filter(|member| Some(member.player) != you);
                for player in others.map(|member| member.player) {
                    client.say(&ClientMessage::Kick { player });
                }
            }
            Got::Control(ServerMessage::MemberChanged { member }) => {
                let player = member.player;
                client.say(&ClientMessage::Kick { player });
            }
            Got::Control(ServerMessage::MemberLeft { .. }) => kicked += 1,
            Got::Control(_) => {}
            end => panic!("{end:?}"),
        }
    }
    kicked
}

/// How many tries somebody needs to play.
fn tries(mut client: Client) -> usize {
    for tries in 1.. {
        client.say(&ClientMessage::quick_join());
        client.joined();
        let mut played = 0;
        while played < PLAYED {
            match client.next() {
                Got::Snapshot(_) => {
                    client.ack();
                    played += 1;
                }
                Got::Control(ServerMessage::Left { reason }) => {
                    assert_eq!(reason, LeaveReason::Kicked);
                    break;
                }
                Got::Control(_) => {}
                end => panic!("{end:?}"),
            }
        }
        if played == PLAYED {
            return tries;
        }
    }
    unreachable!("they try for ever")
}

/// Each of the griefers has a room whose host may kick, and is the first in one that a quick join
/// made as well.
#[test]
fn quick_joiners_among_griefers_play() {
    let server = Server::start(config());
    let mut griefers: Vec<Client> = Vec::new();
    for _ in 0..GRIEFERS {
        griefers.push(server.host_who_kicks("griefer", 9).0);
        let mut lurker = server.guest("griefer");
        lurker.say(&ClientMessage::quick_join());
        griefers.push(lurker);
    }
    let over = AtomicBool::new(false);
    let (tries, kicked) = std::thread::scope(|scope| {
        let grieving: Vec<_> = griefers
            .into_iter()
            .map(|client| scope.spawn(|| grieve(client, &over)))
            .collect();
        let joining: Vec<_> = (0..JOINERS)
            .map(|_| server.guest("joiner"))
            .map(|client| scope.spawn(|| tries(client)))
            .collect();
        let tries: Vec<usize> = joining.into_iter().map(|one| one.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        let kicked: usize = grieving.into_iter().map(|one| one.join().unwrap()).sum();
        (tries, kicked)
    });
    println!(
        "{JOINERS} quick joiners among {GRIEFERS} griefers, tries: {tries:?}; {kicked} members went"
    );
    assert!(tries.iter().all(|tries| *tries <= 2), "{tries:?}");
}

#[test]
fn who_is_kicked_stays_out_and_is_led_elsewhere() {
    let server = Server::start(config());
    let (mut host, joined) = server.host_who_kicks("host", 9);
    assert!(joined.room.kicks);
    let mut guest = server.guest("guest");
    let you = guest.join(joined.room.id).you;
    host.say(&ClientMessage::Kick { player: you });
    assert_eq!(guest.left(), LeaveReason::Kicked);
    let who = guest.who.clone();
    let mut again = server.again(&who);
    for client in [&mut guest, &mut again] {
        client.say(&ClientMessage::join_room(joined.room.id));
        assert_eq!(client.refused(), Refusal::KeptOut);
        client.say(&ClientMessage::join_code(joined.code.clone()));
        assert_eq!(client.refused(), Refusal::KeptOut);
        client.say(&ClientMessage::quick_join());
        assert_ne!(client.joined().room.id, joined.room.id);
    }
    assert_eq!(
        server.guest("another").join(joined.room.id).members,
        ["another", "host"]
    );
}

#[test]
fn in_a_public_room_the_host_kicks_only_where_it_was_made_so() {
    let server = Server::start(config());
    let (mut host, joined) = server.host("host", 9);
    assert!(!joined.room.kicks);
    let mut guest = server.guest("guest");
    let you = guest.join(joined.room.id).you;
    host.say(&ClientMessage::Kick { player: you });
    assert_eq!(host.refused(), Refusal::NotHost);
    guest.ping(1);
    let mut host = server.guest("host of a private room");
    host.say(&ClientMessage::CreateRoom(NewRoom {
        name: "den".into(),
        private: true,
        seats: 0,
        kicks: false,
        ..NewRoom::default()
    }));
    let joined = host.joined();
    assert!(joined.room.kicks, "those who are there were given the code");
    let mut guest = server.guest("guest");
    guest.say(&ClientMessage::join_code(joined.code));
    let you = guest.joined().you;
    host.say(&ClientMessage::Kick { player: you });
    assert_eq!(guest.left(), LeaveReason::Kicked);
}
