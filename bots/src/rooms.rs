//! How bots find their rooms: the first bot of a room makes it, the others wait for that before
//! they connect. Called by `swarm`, `bot` and `hostile`.

use tickwire::ids::RoomId;
use tokio::sync::watch;

/// A bot's place in the swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number.
    pub(crate) bot: usize,
    /// Its room's number.
    pub(crate) room: usize,
    /// How it gets there.
    pub(crate) entry: Entry,
    /// Whether it looks on, without a seat.
    pub(crate) spectates: bool,
}

/// How a bot gets into its room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Makes it.
    Create,
    /// Joins it when it is made.
    Join,
    /// Joins the one with this code.
    Code(String),
    /// Joins any that is as the swarm wants it.
    Any,
}

impl Place {
    /// Bots go round the rooms, so each room's first one is among the first `rooms` bots.
    /// With a code, or where any room of a kind will do, they are in one.
    pub(crate) fn of(bot: usize, rooms: usize, code: Option<&str>, any: bool) -> Place {
        let (room, entry) = match code {
            Some(code) => (0, Entry::Code(code.to_owned())),
            None if any => (0, Entry::Any),
            None if bot < rooms => (bot, Entry::Create),
            None => (bot % rooms, Entry::Join),
        };
        Place {
            bot,
            room,
            entry,
            spectates: false,
        }
    }

    /// Of a spectator: they go round the rooms of the bots.
    pub(crate) fn of_spectator(number: usize, rooms: usize, code: Option<&str>) -> Place {
        let entry = code.map_or(Entry::Join, |code| Entry::Code(code.to_owned()));
        Place {
            bot: number,
            room: number % rooms,
            entry,
            spectates: true,
        }
    }
}

/// Whether a room can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Made(RoomId),
    Failed,
}

/// All rooms of the swarm, by number.
#[derive(Debug)]
pub(crate) struct Rooms(Vec<watch::Sender<State>>);

impl Rooms {
    /// None made yet.
    pub(crate) fn new(count: usize) -> Rooms {
        let pending = || watch::Sender::new(State::Pending);
        Rooms((0..count).map(|_| pending()).collect())
    }

    /// The room of this number was made.
    pub(crate) fn made(&self, room: usize, id: RoomId) {
        self.0[room].send_replace(State::Made(id));
    }

    /// The bot that should make it ended. Has no effect on a room that is made.
    pub(crate) fn fail(&self, room: usize) {
        self.0[room].send_if_modified(|state| {
            let is_pending = *state == State::Pending;
            if is_pending {
                *state = State::Failed;
            }
            is_pending
        });
    }

    /// Waits until the room is there; `None` when it never will be.
    pub(crate) async fn wait(&self, room: usize) -> Option<RoomId> {
        let mut state = self.0[room].subscribe();
        let known = state
            .wait_for(|state| *state != State::Pending)
            .await
            .ok()?;
        match *known {
            State::Made(id) => Some(id),
            State::Pending | State::Failed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_spread_evenly_and_one_makes_each_room() {
        let mut members = [0; 3];
        let mut makers = [0; 3];
        for bot in 0..10 {
            let place = Place::of(bot, 3, None, false);
            members[place.room] += 1;
            makers[place.room] += usize::from(place.entry == Entry::Create);
        }
        assert_eq!(members, [4, 3, 3]);
        assert_eq!(makers, [1, 1, 1]);
        let coded = Place::of(4, 1, Some("AB"), false);
        assert_eq!((coded.room, coded.entry), (0, Entry::Code("AB".to_owned())));
        let any = Place::of(4, 1, None, true);
        assert_eq!((any.room, any.entry), (0, Entry::Any));
    }

    #[tokio::test]
    async fn a_maker_that_ends_does_not_undo_its_room() {
        let rooms = Rooms::new(2);
        rooms.made(0, RoomId(7));
        rooms.fail(0);
        rooms.fail(1);
        assert_eq!(rooms.wait(0).await, Some(RoomId(7)));
        assert_eq!(rooms.wait(1).await, None);
    }
}
