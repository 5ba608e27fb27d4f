//! What a game says beside its state: events, sent once, in order; how a round ended; whom it sends
//! away, and whether it lets others in.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use bevy_ecs::prelude::Resource;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire::limits::EVENTS_PER_TICK_MAX;

use super::RoundResult;
use crate::replication::value::Raw;

/// Who gets an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum To {
    /// Everyone in the room.
    All,
    /// One player.
    Player(PlayerId),
    /// Everyone but one.
    AllBut(PlayerId),
    /// The players whose avatar has this [`super::Team`] when they are told.
    Team(u8),
}

impl To {
    /// Whether a player of this team is meant.
    pub fn includes(self, player: PlayerId, team: Option<u8>) -> bool {
        match self {
            To::All => true,
            To::Player(one) => one == player,
            To::AllBut(one) => one != player,
            To::Team(of) => team == Some(of),
        }
    }

    /// Whether who joins later may know of it: it was not said to some alone.
    pub(crate) fn is_public(self) -> bool {
        matches!(self, To::All | To::AllBut(_))
    }
}

/// What is sent of an event; `None` if its payload is too long.
pub(super) type Reader = Box<dyn Fn(&mut dyn Any) -> Option<Contents> + Send + Sync>;

/// An event's values, and its payload if it declares one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) values: Vec<Raw>,
    pub(crate) payload: Option<Box<[u8]>>,
}

/// Event types by Rust type. Looked up, never iterated.
#[derive(Default)]
pub(crate) struct EventTable {
    pub(super) by_type: HashMap<TypeId, EventType>,
}

/// How events of one type go out.
pub(super) struct EventType {
    /// Index in the schema's events.
    pub(super) number: u16,
    pub(super) is_durable: bool,
    pub(super) read: Reader,
}

/// An event that waits for the end of its tick, when entities have their handles.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub(crate) to: To,
    pub(crate) event: u16,
    pub(crate) is_durable: bool,
    pub(crate) contents: Contents,
}

/// Where systems put their events. At most [`EVENTS_PER_TICK_MAX`] a tick; more, and those whose
/// payload is longer than [`tickwire::limits::PAYLOAD_BYTES_MAX`] or no JSON, are dropped and
/// counted.
#[derive(Resource)]
pub struct Out {
    table: Arc<EventTable>,
    pub(crate) queued: Vec<Queued>,
    pub(crate) kicked: Vec<PlayerId>,
    pub(crate) result: Option<RoundResult>,
    pub(crate) locked: bool,
    pub(crate) dropped: u64,
}

impl Out {
    pub(super) fn new(table: Arc<EventTable>) -> Out {
        Out {
            table,
            queued: Vec::new(),
            kicked: Vec::new(),
            result: None,
            locked: false,
            dropped: 0,
        }
    }

    /// Sends an event of a type that the schema declares.
    ///
    /// # Panics
    /// When the schema does not declare it: a mistake of the game's author.
    pub fn send<E: Send + Sync + 'static>(&mut self, to: To, mut event: E) {
        let declared = self
            .table
            .by_type
            .get(&TypeId::of::<E>())
            .unwrap_or_else(|| panic!("event {} is not in the schema", std::any::type_name::<E>()));
        let room = self.queued.len() < EVENTS_PER_TICK_MAX;
        match (declared.read)(&mut event).filter(|_| room) {
            Some(contents) => self.queued.push(Queued {
                to,
                event: declared.number,
                is_durable: declared.is_durable,
                contents,
            }),
            None => self.dropped += 1,
        }
    }

    /// How many events of a type wait for the end of the tick: for tests of systems, see
    /// [`GameDef::out`](super::GameDef::out).
    pub fn sent<E: 'static>(&self) -> usize {
        let declared = self.table.by_type.get(&TypeId::of::<E>());
        let is_one =
            |queued: &&Queued| declared.is_some_and(|declared| declared.number == queued.event);
        self.queued.iter().filter(is_one).count()
    }

    /// Reports how a round ended: it is stored after the tick, once for a room and a round, and
    /// ratings and boards follow. A server without a store forgets it. One that can't be (nobody in
    /// it, somebody twice, a place 0), and more than one a tick, is dropped and counted.
    pub fn result(&mut self, result: RoundResult) {
        if self.result.is_none() && result.is_sound() {
            self.result = Some(result);
        } else {
            self.dropped += 1;
        }
    }

    /// What was reported in this tick: for tests of systems.
    pub fn reported(&self) -> Option<&RoundResult> {
        self.result.as_ref()
    }

    /// Sends a player back to the lobby, who is kept out of the room for ten minutes: who was voted
    /// out, or does nothing. They leave at the end of the tick; [`super::Game::leave`] is called.
    /// Nothing if nobody has that number.
    pub fn kick(&mut self, player: PlayerId) {
        // Once each, so no longer than there are numbers.
        if !self.kicked.contains(&player) {
            self.kicked.push(player);
        }
    }

    /// Lets nobody new into the room from the end of the tick on, or lets them in again: a round
    /// that nobody may enter late, a table that is set. Lists show the room as locked, who wants to
    /// join is refused with `Locked`, a quick join passes it over. Who has a seat keeps it, and
    /// comes back to it; so does whoever makes a room that is locked from its setup on.
    pub fn lock(&mut self, locked: bool) {
        self.locked = locked;
    }

    /// Nobody is `player` any more: what was for them alone must not wait for the next with that
    /// number.
    pub(crate) fn forget(&mut self, player: PlayerId) {
        self.queued.retain(|event| event.to != To::Player(player));
        self.kicked.retain(|kicked| *kicked != player);
    }
}
