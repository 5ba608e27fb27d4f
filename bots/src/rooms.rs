//! How bots find their rooms: the first bot of a room makes it and opens the door, the others
//! wait for that before they connect.

use tickwire::ids::RoomId;
use tokio::sync::watch;

/// Where a bot goes after its welcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Makes the room "bots k" and opens its door.
    Make,
    /// Goes through the door.
    Follow,
    /// Joins by a code.
    Code(String),
}

/// Whether a room can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Shut,
    Open(RoomId),
    /// Its maker failed.
    Lost,
}

/// The doors of all rooms of the swarm.
#[derive(Debug)]
pub(crate) struct Doors(Vec<watch::Sender<Door>>);

impl Doors {
    /// All shut.
    pub(crate) fn new(rooms: usize) -> Doors {
        Doors((0..rooms).map(|_| watch::Sender::new(Door::Shut)).collect())
    }

    /// The room of this number was made.
    pub(crate) fn open(&self, room: usize, id: RoomId) {
        self.0[room].send_replace(Door::Open(id));
    }

    /// The bot that should have made it failed. Has no effect on an open door.
    pub(crate) fn lose(&self, room: usize) {
        self.0[room].send_if_modified(|door| {
            let shut = *door == Door::Shut;
            if shut {
                *door = Door::Lost;
            }
            shut
        });
    }

    /// Waits until the room is there; `None` when it never will be.
    pub(crate) async fn wait(&self, room: usize) -> Option<RoomId> {
        let mut door = self.0[room].subscribe();
        let state = door.wait_for(|door| *door != Door::Shut).await.ok()?;
        match *state {
            Door::Open(id) => Some(id),
            Door::Shut | Door::Lost => None,
        }
    }
}

/// The room and the way of a bot: bots go round the rooms, so each room's first one is among the
/// first `rooms` bots.
pub(crate) fn place(bot: usize, rooms: usize, code: Option<&str>) -> (usize, Way) {
    match code {
        Some(code) => (0, Way::Code(code.to_owned())),
        None if bot < rooms => (bot, Way::Make),
        None => (bot % rooms, Way::Follow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_spread_evenly_and_one_makes_each_room() {
        let mut members = [0; 3];
        let mut room_quotas = [0; 3];
        for bot in 0..10 {
            let (room, way) = place(bot, 3, None);
            members[room] += 1;
            room_quotas[room] += usize::from(way == Way::Make);
        }
        assert_eq!(members, [4, 3, 3]);
        assert_eq!(room_quotas, [1, 1, 1]);
        assert_eq!(place(4, 1, Some("AB")), (0, Way::Code("AB".to_owned())));
    }

    #[tokio::test]
    async fn a_lost_door_does_not_shut_an_open_one() {
        let doors = Doors::new(2);
        doors.open(0, RoomId(7));
        doors.lose(0);
        doors.lose(1);
        assert_eq!(doors.wait(0).await, Some(RoomId(7)));
        assert_eq!(doors.wait(1).await, None);
    }
}
