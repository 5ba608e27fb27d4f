//! The server stops: everyone is told and closed with 1012, wherever they are.

use std::time::Duration;

use tickwire::protocol::{CloseCode, ServerMessage};
use tickwire_server::config::Config;
use tickwire_server::game::Closing;

use crate::support::{CLOSED, Client, Deed, Got, Server, config, eventually};

fn told_and_closed(client: &mut Client) {
    let mut told = false;
    loop {
        match client.next() {
            Got::Control(ServerMessage::Stopping { retry_after_ms }) => {
                assert!(retry_after_ms >= 1000 && !told);
                told = true;
            }
            Got::Closed(code, _) => {
                assert!(told && code == CloseCode::Restart.number());
                return;
            }
            Got::Cut => panic!("cut off"),
            _ => assert!(!told, "the close follows"),
        }
    }
}

#[test]
fn everyone_is_told() {
    let server = Server::start(config());
    assert!(server.lobby.ready());
    let mut clients = vec![server.guest("idle"), server.connect()];
    let (host, joined) = server.host("host", 9);
    clients.push(host);
    let mut guest = server.guest("guest");
    guest.join(joined.room.id);
    clients.push(guest);
    let lobby = server.lobby.clone();
    let stopped = server
        .runtime
        .spawn(async move { lobby.stop(Duration::from_secs(10)).await });
    for mut client in clients {
        told_and_closed(&mut client);
    }
    server.runtime.block_on(stopped).unwrap();
    assert!(!server.lobby.ready());
    assert_eq!(server.closed(CloseCode::Restart), 4.0);
    assert_eq!(server.figure("tickwire_sockets_open"), 0.0);
    assert_eq!(server.figure("tickwire_rooms"), 0.0);
    assert_eq!(server.figure("tickwire_players"), 0.0);
}

#[test]
fn who_comes_late_is_told_at_once() {
    let server = Server::start(config());
    let stop = server.lobby.stop(Duration::from_secs(10));
    server.runtime.block_on(stop);
    told_and_closed(&mut server.connect());
}

#[test]
fn a_client_that_does_not_react_does_not_hold_the_stop() {
    let server = Server::start(config());
    let (_host, _) = server.host("host", 9);
    let stop = server.lobby.stop(Duration::from_millis(50));
    server.runtime.block_on(stop);
    eventually("not ready", || !server.lobby.ready());
}

fn why_closed(room: &str) -> Vec<Closing> {
    let closed = CLOSED.lock().unwrap();
    let of_room = closed.iter().filter(|(name, _)| name == room);
    of_room.map(|(_, why)| *why).collect()
}

#[test]
fn the_game_hears_why_its_room_closes() {
    let server = Server::start(Config {
        room_linger: Duration::ZERO,
        ..config()
    });
    let (leaver, _) = server.host_named("leaver", "left alone", 9);
    leaver.goodbye();
    eventually("the empty room is closed", || {
        why_closed("left alone") == [Closing::Empty]
    });
    let (mut culprit, _) = server.host_named("culprit", "broken", 9);
    culprit.snapshot();
    culprit.insist(Deed::Panic);
    culprit.closed(CloseCode::RoomFailed);
    let (mut stays, _) = server.host_named("stays", "stopped", 9);
    stays.snapshot();
    let stop = server.lobby.stop(Duration::from_millis(50));
    server.runtime.block_on(stop);
    eventually("the room is closed", || {
        why_closed("stopped") == [Closing::Stop]
    });
    assert_eq!(why_closed("broken"), [], "a failed world is not asked");
}
