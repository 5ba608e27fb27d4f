//! What programs of the operator's may ask of a room: the fields are decoded into the game's type,
//! and its handler runs on the room's world, between ticks. Clients know nothing of it. The lobby
//! makes a [`Job`] of what came, the room's worker runs it.

use bevy_ecs::prelude::*;
use tickwire::schema::{self as wire, Message};
use tickwire::snapshot::fields::{take_payload, unpack};

use super::payload::PayloadAccessor;
use super::record;
use crate::replication::value::Accessor;

/// What a game does with what a program asks: `Ok`, or why not, which the program is told.
pub type BackendHandler<A> = fn(&mut World, A) -> Result<(), String>;

/// A handler with what came, for one room.
pub(crate) type Job = Box<dyn FnOnce(&mut World) -> Result<(), String> + Send>;

/// All that a game declares of it.
#[derive(Default)]
pub(crate) struct Backend {
    /// Its events are what may be asked, by their numbers.
    pub(crate) schema: wire::Schema,
    pub(super) asked: Vec<Box<dyn Asked>>,
}

/// Something that may be asked, its type erased.
pub(super) trait Asked: Send + Sync {
    /// `None` if a text is not UTF-8, or the payload not JSON where it should be.
    fn job(&self, declared: &Message, values: &[i32], payload: Option<&[u8]>) -> Option<Job>;
}

pub(super) struct AskedFields<A> {
    pub(super) accessors: Vec<Accessor<A>>,
    pub(super) payload: Option<PayloadAccessor<A>>,
    pub(super) handler: BackendHandler<A>,
}

impl<A: Default + Send + 'static> Asked for AskedFields<A> {
    fn job(&self, declared: &Message, values: &[i32], payload: Option<&[u8]>) -> Option<Job> {
        let mut asked = A::default();
        let (accessors, fields) = (&self.accessors, &declared.fields);
        if !record::write(&mut asked, accessors, fields, values, |_| None) {
            return None;
        }
        if let (Some(accessor), Some(payload)) = (&self.payload, payload)
            && !accessor.write(&mut asked, payload)
        {
            return None;
        }
        let handler = self.handler;
        Some(Box::new(move |world| handler(world, asked)))
    }
}

impl Backend {
    /// Whether something of this name may be asked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.schema.events.iter().any(|event| event.name == name)
    }

    /// What is to be done for what has this number, and these packed fields; `None` if that is
    /// none.
    pub(crate) fn job(&self, number: u16, bytes: &[u8]) -> Option<Job> {
        let number = usize::from(number);
        let (declared, asked) = (self.schema.events.get(number)?, self.asked.get(number)?);
        let mut values = Vec::new();
        let rest = unpack(&declared.fields, bytes, &mut values).ok()?;
        let (payload, rest) = take_payload(declared.payload.as_ref(), rest).ok()?;
        rest.is_empty()
            .then(|| asked.job(declared, &values, payload))?
    }
}
