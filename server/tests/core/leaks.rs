//! Rooms and connections come and go; nothing of them stays.

use std::time::Duration;

use tickwire::protocol::ClientMessage;
use tickwire_server::config::Config;

use crate::support::{Server, config, eventually};

/// Far more than there may be at once, so that a place that is not given back shows.
const CYCLES: usize = 120;

#[test]
fn rooms_that_come_and_go_leave_nothing() {
    let server = Server::start(Config {
        max_rooms: 8,
        room_linger: Duration::ZERO,
        ..config()
    });
    for cycle in 0..CYCLES {
        let (mut maker, joined) = server.host("maker", 2);
        match cycle % 3 {
            0 => drop(maker),
            1 => {
                let mut guest = server.guest("guest");
                guest.join(joined.room.id);
                maker.say(&ClientMessage::LeaveRoom);
            }
            _ => maker.say(&ClientMessage::LeaveRoom),
        }
        // The seats are bounded far below the number of cycles: the server must keep up.
        eventually("a free room", || server.figure("tickwire_rooms") < 4.0);
    }
    eventually("no room", || server.figure("tickwire_rooms") == 0.0);
    eventually("nobody", || server.figure("tickwire_sockets_open") == 0.0);
    assert_eq!(server.figure("tickwire_players"), 0.0);
    assert_eq!(server.figure("tickwire_rooms_opened_total"), CYCLES as f64);
    assert!(server.lobby.rooms().is_empty());
}
