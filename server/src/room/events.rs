//! The room's events, each encoded once: momentary ones in a ring at their tick, durable ones in
//! the room's log. What a player still has to get is what came after their last snapshot, so there
//! is no queue per player.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;
use tickwire::limits::{EVENT_BYTES_MAX, EVENT_RING_TICKS};
use tickwire::protocol::frame::push_varint;
use tickwire::schema::{Kind, Schema};
use tickwire::snapshot::fields::{pack, push_payload};

use super::durable::{COUNT_MAX, Log};
use super::event::{Event, Listener};
use crate::game::{Queued, To};
use crate::replication::slots::Slots;
use crate::replication::value::Raw;

/// Momentary events of the last [`EVENT_RING_TICKS`] ticks, oldest first, and durable ones.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Events {
    /// Not saved: who comes to a room later is told none of before.
    #[serde(skip)]
    ring: VecDeque<Event>,
    log: Log,
    said: u64,
    #[serde(skip)]
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

    /// Whether these can have been kept at `tick`.
    pub(super) fn are_sound(&self, tick: Tick) -> bool {
        self.said < COUNT_MAX && self.log.is_sound(tick, self.said)
    }

    /// Whether an event can be encoded that a save says waits for that.
    pub(super) fn takes(queued: &Queued, schema: &Schema) -> bool {
        let Some(event) = schema.events.get(usize::from(queued.event)) else {
            return false;
        };
        let kinds = event.fields.iter().map(|field| &field.kind);
        let kinds = kinds.flat_map(|kind| std::iter::repeat_n(kind, kind.words()));
        let raws = &queued.contents.values;
        // A number is brought into its range; what is written as it is fits where all of them do.
        let fits =
            |(kind, raw): (&Kind, &Raw)| matches!(raw, Raw::Number(_)) || kind.q_max() == u32::MAX;
        kinds.clone().count() == raws.len() && kinds.zip(raws).all(fits)
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
        self.keep(tick, queued.to, queued.is_durable, bytes);
    }

    fn keep(&mut self, tick: Tick, to: To, is_durable: bool, bytes: Vec<u8>) {
        self.said += 1;
        let event = Event {
            tick,
            serial: self.said,
            to,
            bytes,
        };
        if is_durable {
            self.log.push(event);
        } else {
            self.ring.push_back(event);
        }
    }

    /// Appends what `listener` has not got up to `now`, in the order in which it was said: all of
    /// the log, and of the ring the newest that fit [`EVENT_BYTES_MAX`].
    pub(super) fn append(&self, listener: &Listener, now: Tick, out: &mut Vec<u8>) {
        let mut first = self.ring.len();
        let mut bytes = 0;
        while bytes < EVENT_BYTES_MAX
            && let Some(before) = first.checked_sub(1)
            && self.ring[before].tick > listener.momentary
        {
            first = before;
            // One byte more for the ticks back.
            bytes += self.ring[first].bytes.len() + 1;
        }
        if bytes > EVENT_BYTES_MAX {
            first += 1;
        }
        let mut durable = self.log.after(listener.durable).peekable();
        let mut tell = |event: &Event| {
            if event.is_for(listener) {
                push_varint(now.since(event.tick), out);
                out.extend_from_slice(&event.bytes);
            }
        };
        for event in self.ring.range(first..) {
            while let Some(earlier) = durable.next_if(|other| other.serial < event.serial) {
                tell(earlier);
            }
            tell(event);
        }
        durable.for_each(tell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire::ids::PlayerId;
    use tickwire::limits::{DURABLE_BYTES_MAX, DURABLE_EVENTS_MAX};

    fn listener(last: u32) -> Listener {
        Listener {
            player: PlayerId(0),
            team: None,
            came_at: Tick(0),
            momentary: Tick(last),
            durable: Tick(last),
        }
    }

    fn told(events: &Events, listener: Listener, now: u32) -> Vec<u8> {
        let mut out = Vec::new();
        events.append(&listener, Tick(now), &mut out);
        out
    }

    #[test]
    fn a_laggard_gets_the_newest_that_fit() {
        let mut events = Events::default();
        for tick in 1..=60 {
            for part in 0..3 {
                events.keep(Tick(tick), To::All, false, vec![part; 1000]);
            }
        }
        let all = told(&events, listener(0), 60);
        assert_eq!(all.len(), EVENT_BYTES_MAX / 1001 * 1001);
        assert_eq!(all[all.len() - 1000..], [2; 1000], "the newest is there");
        let some = told(&events, listener(58), 60);
        assert_eq!(some.len(), 6 * 1001);
        assert_eq!(some[..2], [1, 0], "one tick back, its first part");
    }

    #[test]
    fn durable_ones_outlast_the_ring_and_keep_their_place() {
        let mut events = Events::default();
        for tick in 1..=100 {
            events.expire(Tick(tick));
            events.keep(Tick(tick), To::All, false, vec![1]);
            if tick % 60 == 20 {
                events.keep(Tick(tick), To::All, true, vec![2]);
                events.keep(Tick(tick), To::All, false, vec![3]);
            }
        }
        let all = told(&events, listener(0), 100);
        assert_eq!(all[..2], [80, 2], "of tick 20, which is out of the ring");
        assert_eq!(all[2..4], [63, 1], "the oldest in the ring");
        let at_80 = all.windows(6).any(|w| w == [20, 1, 20, 2, 20, 3]);
        assert!(at_80, "{all:?}");
        assert!(
            told(&events, listener(100), 100).is_empty(),
            "all is told once"
        );
        let resumed = Listener {
            momentary: Tick(100),
            ..listener(40)
        };
        assert_eq!(told(&events, resumed, 100), [20, 2], "only durable ones");
    }

    #[test]
    fn what_was_said_to_a_seat_is_not_told_to_who_takes_it_later() {
        let mut events = Events::default();
        let audiences = [
            To::All,
            To::Player(PlayerId(0)),
            To::AllBut(PlayerId(0)),
            To::Team(1),
        ];
        for (number, to) in (0..).zip(audiences) {
            events.keep(Tick(5), to, true, vec![number]);
        }
        let of = |came_at, team| {
            let mut listener = listener(0);
            listener.came_at = Tick(came_at);
            listener.team = team;
            let out = told(&events, listener, 5);
            out.chunks(2).map(|event| event[1]).collect::<Vec<_>>()
        };
        assert_eq!(of(4, None), [0, 1]);
        assert_eq!(of(4, Some(1)), [0, 1, 3]);
        assert_eq!(of(4, Some(0)), [0, 1]);
        assert_eq!(of(5, Some(1)), [0, 2], "the history is what everyone heard");
    }

    #[test]
    fn the_log_forgets_the_oldest() {
        let mut events = Events::default();
        for tick in 1..=DURABLE_EVENTS_MAX as u32 + 5 {
            events.keep(Tick(tick), To::All, true, vec![9]);
        }
        let now = DURABLE_EVENTS_MAX as u32 + 5;
        let all = told(&events, listener(0), now);
        assert_eq!(all.len(), 2 * DURABLE_EVENTS_MAX);
        assert_eq!(u32::from(all[0]), now - 6);
        for tick in now + 1..=now + 4 {
            let bytes = vec![7; DURABLE_BYTES_MAX / 3];
            events.keep(Tick(tick), To::All, true, bytes);
        }
        let all = told(&events, listener(0), now + 4);
        let three = 3 * (1 + DURABLE_BYTES_MAX / 3);
        assert_eq!(all.len(), three, "{:?}", &all[..4]);
        events.keep(Tick(now + 5), To::All, true, vec![7; 2 * DURABLE_BYTES_MAX]);
        assert!(
            told(&events, listener(0), now + 5).is_empty(),
            "too long to be kept"
        );
    }
}
