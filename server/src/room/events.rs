//! The room's events: encoded once, kept in a ring at their tick. What a player still has to get
//! is the range after their last snapshot, so there is no queue per player.

use std::collections::VecDeque;

use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::{EVENT_BYTES_MAX, EVENT_RING_TICKS};
use tickwire::protocol::frame::push_varint;
use tickwire::schema::Schema;
use tickwire::snapshot::fields::{pack, push_payload};

use crate::game::{Queued, Raw, To};
use crate::replication::slots::Slots;

struct Event {
    tick: Tick,
    to: To,
    /// Its index and its fields, as they go out.
    bytes: Vec<u8>,
}

/// Events of the last [`EVENT_RING_TICKS`] ticks, oldest first.
#[derive(Default)]
pub(super) struct Events {
    ring: VecDeque<Event>,
    values: Vec<i32>,
}

impl Events {
    /// Forgets what is older than the ring at `tick`.
    pub(super) fn expire(&mut self, tick: Tick) {
        while self
            .ring
            .front()
            .is_some_and(|event| tick.since(event.tick) >= EVENT_RING_TICKS)
        {
            self.ring.pop_front();
        }
    }

    /// Encodes an event of `tick`.
    pub(super) fn push(&mut self, tick: Tick, queued: &Queued, schema: &Schema, slots: &Slots) {
        let fields = &schema.events[usize::from(queued.event)].fields;
        self.values.clear();
        let mut raws = queued.contents.values.iter();
        for field in fields {
            for raw in raws.by_ref().take(field.kind.words()) {
                self.values.push(match *raw {
                    Raw::Number(value) => field.kind.quantise(value),
                    Raw::Entity(entity) => slots.field(entity),
                    Raw::Word(word) => word,
                });
            }
        }
        let mut bytes = Vec::new();
        push_varint(u32::from(queued.event), &mut bytes);
        pack(fields, &self.values, &mut bytes);
        if let Some(payload) = &queued.contents.payload {
            push_payload(payload, &mut bytes);
        }
        self.ring.push_back(Event {
            tick,
            to: queued.to,
            bytes,
        });
    }

    /// Appends the events after `last` up to `now` that are for `player`: the newest ones that fit
    /// [`EVENT_BYTES_MAX`].
    pub(super) fn append(&self, player: PlayerId, last: Tick, now: Tick, out: &mut Vec<u8>) {
        let from = self.ring.partition_point(|event| event.tick <= last);
        let mut first = self.ring.len();
        let mut bytes = 0;
        while first > from && bytes < EVENT_BYTES_MAX {
            first -= 1;
            // One byte more for the ticks back.
            bytes += self.ring[first].bytes.len() + 1;
        }
        if bytes > EVENT_BYTES_MAX {
            first += 1;
        }
        for event in self.ring.range(first..) {
            if event.to.includes(player) {
                push_varint(now.since(event.tick), out);
                out.extend_from_slice(&event.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_laggard_gets_the_newest_that_fit() {
        let mut events = Events::default();
        for tick in 1..=60 {
            for part in 0..3 {
                events.ring.push_back(Event {
                    tick: Tick(tick),
                    to: To::All,
                    bytes: vec![part; 1000],
                });
            }
        }
        let mut all = Vec::new();
        events.append(PlayerId(0), Tick(0), Tick(60), &mut all);
        assert_eq!(all.len(), EVENT_BYTES_MAX / 1001 * 1001);
        assert_eq!(all[all.len() - 1000..], [2; 1000], "the newest is there");
        let mut some = Vec::new();
        events.append(PlayerId(0), Tick(58), Tick(60), &mut some);
        assert_eq!(some.len(), 6 * 1001);
        assert_eq!(some[..2], [1, 0], "one tick back, its first part");
    }
}
