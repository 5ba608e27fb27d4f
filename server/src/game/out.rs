//! What a game says to its players beside its state: events, sent once, in order.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use tickwire::ids::PlayerId;
use tickwire::limits::EVENTS_PER_TICK_MAX;

use super::value::Raw;

/// Who gets an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Everyone in the room.
    All,
    /// One player.
    Player(PlayerId),
    /// Everyone but one.
    AllBut(PlayerId),
}

impl To {
    /// Whether a player is meant.
    pub fn includes(self, player: PlayerId) -> bool {
        match self {
            To::All => true,
            To::Player(one) => one == player,
            To::AllBut(one) => one != player,
        }
    }
}

/// What is sent of an event; `None` if its payload is too long.
type Reader = Box<dyn Fn(&mut dyn Any) -> Option<Contents> + Send + Sync>;

/// An event's values, and its payload if it declares one.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) values: Vec<Raw>,
    pub(crate) payload: Option<Arc<[u8]>>,
}

/// Event types by Rust type. Looked up, never iterated.
#[derive(Default)]
pub(crate) struct EventTable {
    pub(super) by_type: HashMap<TypeId, (u16, Reader)>,
}

/// An event that waits for the end of its tick, when entities have their handles.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) to: To,
    pub(crate) event: u16,
    pub(crate) contents: Contents,
}

/// Where systems put their events. At most [`EVENTS_PER_TICK_MAX`] a tick; more, and those whose
/// payload is longer than [`tickwire::limits::PAYLOAD_BYTES_MAX`] or no JSON, are dropped and counted.
#[derive(Resource)]
pub struct Out {
    table: Arc<EventTable>,
    pub(crate) queued: Vec<Queued>,
    pub(crate) dropped: u64,
}

impl Out {
    pub(crate) fn new(table: Arc<EventTable>) -> Out {
        Out {
            table,
            queued: Vec::new(),
            dropped: 0,
        }
    }

    /// Sends an event of a type that the schema declares.
    ///
    /// # Panics
    /// When the schema does not declare it: a mistake of the game's author.
    pub fn send<E: Send + Sync + 'static>(&mut self, to: To, mut event: E) {
        let (number, read) = self
            .table
            .by_type
            .get(&TypeId::of::<E>())
            .unwrap_or_else(|| panic!("event {} is not in the schema", std::any::type_name::<E>()));
        let room = self.queued.len() < EVENTS_PER_TICK_MAX;
        match read(&mut event).filter(|_| room) {
            Some(contents) => self.queued.push(Queued {
                to,
                event: *number,
                contents,
            }),
            None => self.dropped += 1,
        }
    }
}
