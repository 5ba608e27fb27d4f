//! Between the workers and the thread that keeps checkpoints: one place for each room, so that a
//! slow disk costs memory for one checkpoint a room and holds nobody up. A newer one takes the
//! place of one that nobody has taken yet. Rooms have their turns in the order in which they came.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tickwire::ids::{RoomId, Tick};

use crate::directory::claims::Claim;
use crate::directory::{GameIndex, Kept};

/// Buffers that are kept for the next checkpoints: as many as workers fill while one is written.
const SPARE_MAX: usize = 16;
/// Bytes of such a buffer; larger ones are given back to the system.
const SPARE_BYTES_MAX: usize = 256 * 1024;

/// What is to become of a room's checkpoint.
#[derive(Debug)]
pub(crate) enum Change {
    /// It is to be this one.
    Saved {
        /// As `Room::save_into` gives them.
        bytes: Vec<u8>,
        /// Its game, and what the directory knows of it.
        about: (GameIndex, Kept),
        /// When the room was so, and its tick then.
        at: (Instant, Tick),
        /// By which it was ticked then, in a cluster.
        claim: Option<Arc<Claim>>,
    },
    /// The room is no more, so there is to be none.
    Gone,
    /// The room is another node's, and so is what is kept of it.
    Left,
}

/// See the module's description.
#[derive(Default)]
pub(crate) struct Slots {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Looked up, never iterated.
    changes: HashMap<RoomId, Change>,
    /// Whose turn it is; each of `changes` once.
    order: VecDeque<RoomId>,
    spare: Vec<Vec<u8>>,
    is_over: bool,
}

impl Slots {
    /// An empty buffer to save a room in.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        self.waiting.lock().spare.pop().unwrap_or_default()
    }

    /// Whoever has done with a buffer gives it back.
    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut waiting = self.waiting.lock();
        if buffer.capacity() <= SPARE_BYTES_MAX && waiting.spare.len() < SPARE_MAX {
            waiting.spare.push(buffer);
        }
    }

    /// A room's next change. True: it took the place of one that was not taken yet.
    pub(crate) fn put(&self, room: RoomId, change: Change) -> bool {
        let mut waiting = self.waiting.lock();
        let before = waiting.changes.insert(room, change);
        if before.is_none() {
            waiting.order.push_back(room);
        }
        drop(waiting);
        self.changed.notify_one();
        match before {
            Some(Change::Saved { bytes, .. }) => {
                self.give_back(bytes);
                true
            }
            _ => false,
        }
    }

    /// What could not be done is to be tried again, after all others, unless there is something
    /// newer of the room.
    pub(super) fn put_back(&self, room: RoomId, change: Change) {
        let mut waiting = self.waiting.lock();
        if let Entry::Vacant(place) = waiting.changes.entry(room) {
            place.insert(change);
            waiting.order.push_back(room);
        }
    }

    /// The next change, waited for until `until` at most.
    pub(super) fn take(&self, until: Instant) -> Option<(RoomId, Change)> {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(next) = waiting.next() {
                return Some(next);
            }
            if waiting.is_over || self.changed.wait_until(&mut waiting, until).timed_out() {
                return waiting.next();
            }
        }
    }

    /// How many rooms wait for their turn.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.lock().order.len()
    }

    /// From when on what is kept lacks something: the earliest of what `kept_at` says of rooms that
    /// wait with something newer, or of that.
    pub(super) fn behind(&self, kept_at: impl Fn(RoomId) -> Option<Instant>) -> Option<Instant> {
        let waiting = self.waiting.lock();
        let since = waiting
            .order
            .iter()
            .filter_map(|room| match waiting.changes.get(room)? {
                Change::Saved { at, .. } => Some(kept_at(*room).unwrap_or(at.0)),
                Change::Gone | Change::Left => None,
            });
        since.min()
    }

    /// No more is to come.
    pub(crate) fn finish(&self) {
        self.waiting.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Whether no more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.lock().is_over
    }

    /// Waits for so long, but not beyond the end.
    pub(super) fn rest(&self, span: Duration) {
        let until = Instant::now() + span;
        let mut waiting = self.waiting.lock();
        while !waiting.is_over && !self.changed.wait_until(&mut waiting, until).timed_out() {}
    }
}

impl Waiting {
    fn next(&mut self) -> Option<(RoomId, Change)> {
        let room = self.order.pop_front()?;
        Some((room, self.changes.remove(&room)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(byte: u8) -> Change {
        Change::Saved {
            bytes: vec![byte],
            about: Default::default(),
            at: (Instant::now(), Tick::default()),
            claim: None,
        }
    }

    fn take(slots: &Slots) -> Option<(u32, Option<u8>)> {
        let (room, change) = slots.take(Instant::now())?;
        let byte = match change {
            Change::Saved { bytes, .. } => Some(bytes[0]),
            Change::Gone | Change::Left => None,
        };
        Some((room.0, byte))
    }

    #[test]
    fn a_room_has_one_place_and_the_newest_is_in_it() {
        let slots = Slots::default();
        assert!(!slots.put(RoomId(1), saved(1)));
        assert!(!slots.put(RoomId(2), saved(2)));
        assert!(slots.put(RoomId(1), saved(3)));
        assert_eq!(slots.waiting(), 2);
        assert_eq!(take(&slots), Some((1, Some(3))), "it keeps its turn");
        assert_eq!(take(&slots), Some((2, Some(2))));
        assert_eq!(take(&slots), None);
    }

    #[test]
    fn a_room_that_is_gone_leaves_nothing_to_keep() {
        let slots = Slots::default();
        slots.put(RoomId(1), saved(1));
        assert!(slots.put(RoomId(1), Change::Gone));
        assert_eq!(take(&slots), Some((1, None)));
        // The number is another room's now.
        slots.put(RoomId(1), Change::Gone);
        assert!(!slots.put(RoomId(1), saved(2)), "nothing is lost by it");
        assert_eq!(take(&slots), Some((1, Some(2))));
    }

    #[test]
    fn what_failed_waits_behind_the_others_and_gives_way_to_what_is_newer() {
        let slots = Slots::default();
        for room in 1..=3 {
            slots.put(RoomId(room), saved(room as u8));
        }
        let (room, change) = slots.take(Instant::now()).unwrap();
        slots.put_back(room, change);
        assert_eq!(take(&slots), Some((2, Some(2))));
        let (room, change) = slots.take(Instant::now()).unwrap();
        slots.put(room, saved(9));
        slots.put_back(room, change);
        assert_eq!(take(&slots), Some((1, Some(1))));
        assert_eq!(take(&slots), Some((3, Some(9))));
        assert_eq!(take(&slots), None);
    }

    #[test]
    fn at_the_end_what_waits_is_still_given_out() {
        let slots = Slots::default();
        slots.put(RoomId(1), saved(1));
        slots.finish();
        assert_eq!(take(&slots), Some((1, Some(1))));
        let far = Instant::now() + Duration::from_secs(3600);
        assert!(slots.take(far).is_none() && slots.is_over());
    }

    #[test]
    fn buffers_are_used_again_within_bounds() {
        let slots = Slots::default();
        slots.give_back(Vec::with_capacity(1000));
        slots.give_back(Vec::with_capacity(SPARE_BYTES_MAX + 1));
        let buffer = slots.buffer();
        assert!(buffer.is_empty() && (1000..SPARE_BYTES_MAX).contains(&buffer.capacity()));
        assert_eq!(slots.buffer().capacity(), 0);
        (0..99).for_each(|_| slots.give_back(Vec::with_capacity(8)));
        assert_eq!(slots.waiting.lock().spare.len(), SPARE_MAX);
    }
}
