//! Rooms that somebody wants back into and that no node tells of: while a room's node is being
//! replaced nobody has it, for some seconds. Who wants to go there waits in the lobby; the engine's
//! record says whose the room is, or that there is none. Pure.

use std::collections::BTreeMap;
use std::ops::Bound;

use tickwire::ids::RoomId;

use super::super::ownership::messages::Incarnation;

/// Who may wait so at once: all players of a node that was killed. Beyond: they are refused at
/// once, as where nothing is known, and their clients ask again.
const SEARCHES_MAX: usize = 16_384;

/// What is known of a room that is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    /// This node has it.
    At(Incarnation),
    /// There is no such room.
    Gone,
    /// Nothing: nobody was asked yet, or it is about to be here.
    Unknown,
}

/// See the module's description.
#[derive(Default)]
pub(super) struct Searches {
    rooms: BTreeMap<RoomId, Sought>,
    waiting: usize,
    /// The last that was asked about: the next question begins behind it.
    asked: RoomId,
}

struct Sought {
    /// How many wait for it; at least one.
    waiting: usize,
    /// Whose it is by the engine, once that was asked; or that it has no record.
    owner: Option<Option<Incarnation>>,
}

impl Sought {
    /// The engine has no record of it.
    fn is_gone(&self) -> bool {
        self.owner == Some(None)
    }
}

impl Searches {
    /// One more waits for a room. False: too many do.
    pub(super) fn begin(&mut self, room: RoomId) -> bool {
        if self.waiting >= SEARCHES_MAX {
            return false;
        }
        self.waiting += 1;
        let nobody = Sought {
            waiting: 0,
            owner: None,
        };
        self.rooms.entry(room).or_insert(nobody).waiting += 1;
        true
    }

    /// One waits no longer.
    pub(super) fn end(&mut self, room: RoomId) {
        let Some(sought) = self.rooms.get_mut(&room) else {
            return;
        };
        self.waiting -= 1;
        sought.waiting -= 1;
        if sought.waiting == 0 {
            self.rooms.remove(&room);
        }
    }

    /// What the engine says of a room. False: nobody waits for it, or it said so before.
    pub(super) fn found(&mut self, room: RoomId, owner: Option<Incarnation>) -> bool {
        let sought = self.rooms.get_mut(&room);
        sought.is_some_and(|sought| sought.owner.replace(owner) != Some(owner))
    }

    /// Rooms to be asked about, `max` at most, in turns: those that are not known to be gone, since
    /// a dead node's record is its room's until somebody adopts it.
    pub(super) fn next(&mut self, max: usize) -> Vec<RoomId> {
        let behind = (Bound::Excluded(self.asked), Bound::Unbounded);
        let turn = self.rooms.range(behind);
        let turn = turn.chain(self.rooms.range(..=self.asked));
        let open = turn.filter(|(_, sought)| !sought.is_gone());
        let next: Vec<RoomId> = open.map(|(room, _)| *room).take(max).collect();
        self.asked = next.last().copied().unwrap_or_default();
        next
    }

    /// Whether there is any.
    pub(super) fn is_any_unanswered(&self) -> bool {
        self.rooms.values().any(|sought| !sought.is_gone())
    }

    /// What is known of a room; one that is `me`'s by the engine is about to be here.
    pub(super) fn trace(&self, room: RoomId, me: Incarnation) -> Trace {
        match self.rooms.get(&room).and_then(|sought| sought.owner) {
            Some(Some(owner)) if owner != me => Trace::At(owner),
            Some(None) => Trace::Gone,
            _ => Trace::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Incarnation = Incarnation(1);
    const OTHER: Incarnation = Incarnation(2);
    const ROOM: RoomId = RoomId(7);

    #[test]
    fn a_room_is_sought_while_somebody_waits() {
        let mut searches = Searches::default();
        assert!(searches.begin(ROOM) && searches.begin(ROOM));
        assert_eq!(searches.next(9), [ROOM]);
        assert!(searches.is_any_unanswered());
        assert_eq!(searches.trace(ROOM, ME), Trace::Unknown);
        assert!(searches.found(ROOM, Some(OTHER)));
        assert!(!searches.found(ROOM, Some(OTHER)), "it is known");
        assert_eq!(searches.trace(ROOM, ME), Trace::At(OTHER));
        assert_eq!(searches.next(9), [ROOM], "it may be adopted");
        searches.found(ROOM, Some(ME));
        assert_eq!(searches.trace(ROOM, ME), Trace::Unknown, "about to be here");
        searches.found(ROOM, None);
        assert_eq!(searches.trace(ROOM, ME), Trace::Gone);
        assert!(searches.next(9).is_empty() && !searches.is_any_unanswered());
        searches.end(ROOM);
        assert_eq!(searches.trace(ROOM, ME), Trace::Gone, "one still waits");
        searches.end(ROOM);
        assert_eq!(searches.trace(ROOM, ME), Trace::Unknown);
        searches.found(ROOM, None);
        searches.end(ROOM);
        assert!(searches.rooms.is_empty() && searches.waiting == 0);
    }

    #[test]
    fn rooms_are_asked_about_in_turns_however_many_there_are() {
        let mut searches = Searches::default();
        assert!((1..=5).all(|room| searches.begin(RoomId(room))));
        let mut next = || searches.next(2).into_iter().map(|room| room.0);
        let asked: Vec<u32> = (0..4).flat_map(|_| next()).collect();
        assert_eq!(asked, [1, 2, 3, 4, 5, 1, 2, 3]);
        (1..=5).for_each(|room| searches.end(RoomId(room)));
        assert!(searches.next(2).is_empty());
    }

    #[test]
    fn those_who_wait_are_bounded() {
        let mut searches = Searches::default();
        let begun = (0..).take_while(|n| searches.begin(RoomId(n % 9))).count();
        assert_eq!(begun, SEARCHES_MAX);
        searches.end(ROOM);
        assert!(searches.begin(ROOM));
    }
}
