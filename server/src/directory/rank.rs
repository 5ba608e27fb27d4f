//! Which of many rooms comes first: in lists, for a quick join, to look on. What people play is
//! listed first, and a network that makes many rooms does not push out the others'. Pure, and the
//! same for a server's own rooms and those that other nodes tell of, so that the two can stand in
//! one list. `local` and `nodes` call it.

use std::cmp::Reverse;
use std::collections::HashMap;

use tickwire::ids::RoomId;

use super::kept_out::Repute;

/// Rooms of one network (an IPv4 /24, an IPv6 /48) that are listed among the first. Further ones
/// come after everybody else's.
pub(crate) const NETWORK_ROOMS_FIRST: u32 = 4;

/// A network as lists know it, in 8 bytes. Two networks may have the same, as good as never; then
/// they share their places among the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NetworkMark(pub(crate) u64);

/// What a room's place among others goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) room: RoomId,
    pub(crate) has_seat: bool,
    /// Players who did something lately.
    pub(crate) active: u16,
    /// Seats taken.
    pub(crate) taken: u16,
    /// See [`super::entry::Entry::made`].
    pub(crate) made: u64,
    /// Whose it is; `None` where no limit by address holds.
    pub(crate) network: Option<NetworkMark>,
}

impl Standing {
    /// Least first. Rooms that were made at once on two nodes are told apart by their numbers, so
    /// that every node lists them in one order.
    fn rank(&self) -> (bool, Reverse<u16>, Reverse<u16>, u64, RoomId) {
        let (active, taken) = (Reverse(self.active), Reverse(self.taken));
        (!self.has_seat, active, taken, self.made, self.room)
    }

    /// For who looks on at whatever room: the greatest is the best.
    pub(crate) fn to_watch(self) -> impl Ord + use<> {
        (self.active, self.taken, Reverse(self.made))
    }

    /// For who is led to whatever room, of this repute: the greatest is the best.
    pub(crate) fn to_join(self, repute: Repute) -> Fit {
        Fit(Reverse(repute), self.taken, Reverse(self.made))
    }
}

/// How good a room is for a quick join; the greatest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fit(Reverse<Repute>, u16, Reverse<u64>);

/// The best that a node has for a quick join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Best {
    /// A room.
    Fit(Fit),
    /// A room where a seat of theirs is held.
    Held,
}

/// These rooms as they are listed, the first first.
pub(crate) fn ranked(mut rooms: Vec<Standing>) -> Vec<RoomId> {
    rooms.sort_by_key(Standing::rank);
    let mut made: HashMap<NetworkMark, u32> = HashMap::new();
    let mut is_further = |room: &Standing| {
        room.network.is_some_and(|network| {
            let made = made.entry(network).or_default();
            *made += 1;
            *made > NETWORK_ROOMS_FIRST
        })
    };
    let keyed = rooms
        .iter()
        .map(|room| (!room.has_seat, is_further(room), room.room));
    let mut order: Vec<_> = keyed.collect();
    // Stable: what is equal here stays in order.
    order.sort_by_key(|(is_full, is_further, _)| (*is_full, *is_further));
    order.into_iter().map(|(_, _, room)| room).collect()
}
