//! Requests of a game's clients that get an answer: the fields are decoded into the game's type
//! and its handler runs on the room's world, between ticks. `room::inbox` calls it.

use bevy_ecs::prelude::*;
use tickwire::ids::Handle;
use tickwire::schema::{Field, Message};
use tickwire::snapshot::fields::push_payload;

use super::payload::PayloadAccessor;
use super::{Player, record};
use crate::replication::slots::Slots;
use crate::replication::value::Accessor;

/// What a game does with an action: `Ok`, with its answer if it declares one, or why not, which the
/// client is told.
pub type Handler<A, R = ()> = fn(&mut World, &Player, A) -> Result<R, String>;

/// What a client is told whose action was done, but the answer has a payload that can't be sent.
const NO_ANSWER: &str = "the game's answer can't be sent";

/// A declared action, its type erased.
pub(crate) trait ActionDef: Send + Sync {
    /// Runs the handler. `values` are the integers of the declared fields, in range. The answer is
    /// packed. `None` if a text is not UTF-8 or the payload not JSON where it should be: nothing
    /// was run.
    fn run(
        &self,
        world: &mut World,
        slots: &Slots,
        who: &Player,
        declared: &Message,
        values: &[i32],
        payload: Option<&[u8]>,
    ) -> Option<Result<Vec<u8>, String>>;
}

pub(super) struct ActionFields<A, R> {
    pub(super) accessors: Vec<Accessor<A>>,
    pub(super) payload: Option<PayloadAccessor<A>>,
    pub(super) answer: Answer<R>,
    pub(super) handler: Handler<A, R>,
}

/// What an action gives back.
pub(super) struct Answer<R> {
    pub(super) fields: Vec<Field>,
    pub(super) accessors: Vec<Accessor<R>>,
    pub(super) payload: Option<PayloadAccessor<R>>,
}

impl<A: Default + 'static, R: 'static> ActionDef for ActionFields<A, R> {
    fn run(
        &self,
        world: &mut World,
        slots: &Slots,
        who: &Player,
        declared: &Message,
        values: &[i32],
        payload: Option<&[u8]>,
    ) -> Option<Result<Vec<u8>, String>> {
        let mut action = A::default();
        // Slots of what died since the last image are not free yet.
        let alive = |entity: &Entity| world.get_entity(*entity).is_ok();
        let entity = |handle| slots.entity(handle).filter(alive);
        let (accessors, fields) = (&self.accessors, &declared.fields);
        if !record::write(&mut action, accessors, fields, values, entity) {
            return None;
        }
        if let (Some(accessor), Some(payload)) = (&self.payload, payload)
            && !accessor.write(&mut action, payload)
        {
            return None;
        }
        let answer = (self.handler)(world, who, action);
        Some(answer.and_then(|answer| self.answer.pack(answer, slots)))
    }
}

impl<R> Answer<R> {
    fn pack(&self, mut answer: R, slots: &Slots) -> Result<Vec<u8>, String> {
        let handle = |entity| slots.handle(entity).map_or(Handle::NONE, Handle::to_field);
        let mut bytes = record::pack_value(&mut answer, &self.accessors, &self.fields, handle);
        if let Some(payload) = &self.payload {
            let payload = payload.read(&mut answer).ok_or(NO_ANSWER)?;
            push_payload(&payload, &mut bytes);
        }
        Ok(bytes)
    }
}
