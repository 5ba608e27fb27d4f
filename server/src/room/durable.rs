//! The room's log of durable events: what happened that who missed it must still learn, like a goal
//! or a round's result. It serves players who fell behind the ring of momentary events, who come
//! back after a loss, and who join later. `events` keeps it; chat has a log of its own.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;
use tickwire::limits::{DURABLE_BYTES_MAX, DURABLE_EVENTS_MAX};

use super::event::Event;

/// What is counted from the room's beginning in 64 bits has not come this far; a save that says so
/// was made up.
pub(super) const COUNT_MAX: u64 = 1 << 62;

/// The last [`DURABLE_EVENTS_MAX`] durable events of at most [`DURABLE_BYTES_MAX`], oldest first.
///
/// An event's tick is its number: snapshots come in the order of ticks, and each brings all events
/// up to its own, so "after the newest snapshot seen" misses none and repeats none. Nothing is
/// counted on the wire, so nobody learns how many events were for others.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Log {
    events: VecDeque<Event>,
    bytes: usize,
}

impl Log {
    /// Takes the newest event; the oldest are forgotten for it.
    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.bytes.len();
        self.events.push_back(event);
        while self.events.len() > DURABLE_EVENTS_MAX || self.bytes > DURABLE_BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else {
                return;
            };
            self.bytes -= oldest.bytes.len();
        }
    }

    /// Whether these can have been kept at `tick`, after so many events.
    pub(super) fn is_sound(&self, tick: Tick, said: u64) -> bool {
        let bytes: usize = self.events.iter().map(|event| event.bytes.len()).sum();
        bytes == self.bytes
            && bytes <= DURABLE_BYTES_MAX
            && self.events.len() <= DURABLE_EVENTS_MAX
            && self.events.iter().is_sorted_by_key(|event| event.tick)
            && self.events.iter().is_sorted_by(|a, b| a.serial < b.serial)
            && self
                .events
                .back()
                .is_none_or(|last| last.tick <= tick && last.serial <= said)
    }

    /// Those of later ticks than `tick`, oldest first.
    pub(super) fn after(&self, tick: Tick) -> impl Iterator<Item = &Event> {
        let from = self.events.partition_point(|event| event.tick <= tick);
        self.events.range(from..)
    }
}
