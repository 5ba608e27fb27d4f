//! A worker that sticks, because a game does: the lobby goes on, says that it is busy, and the
//! server shows that it should get no more players.

use tickwire::protocol::server_message::Refusal;
use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire_server::config::Config;

use crate::support::{Deed, GATE, Server, config, eventually};

/// More than a worker's inbox holds.
const JOINS: usize = 1100;

#[test]
fn joins_are_refused_and_nothing_is_lost() {
    let server = Server::start(Config {
        max_players: 1000,
        ..config()
    });
    let mut guests: Vec<_> = (0..JOINS).map(|_| server.guest("guest")).collect();
    let (mut host, _) = server.host("host", 0);
    GATE.set(false);
    host.snapshot();
    host.insist(Deed::Wait);
    eventually("not ready", || !server.lobby.ready());
    for guest in &mut guests {
        guest.say(&ClientMessage::quick_join());
    }
    eventually("a full inbox", || {
        server.figure("tickwire_inboxes_full_total") > 0.0
    });
    GATE.set(true);
    let mut refused = 0;
    for guest in &mut guests {
        match guest.control() {
            ServerMessage::Joined { .. } => {}
            ServerMessage::Refused { reason } => {
                assert_eq!(reason, Refusal::Busy);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0);
    assert_eq!(
        server.figure("tickwire_inboxes_full_total"),
        f64::from(refused)
    );
    eventually("ready", || server.lobby.ready());
    let seated = JOINS + 1 - refused as usize;
    eventually("seats of those alone who joined", || {
        let rooms = server.lobby.rooms();
        rooms
            .iter()
            .map(|room| usize::from(room.players))
            .sum::<usize>()
            == seated
    });
}
