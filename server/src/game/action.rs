//! Requests of a game's clients that get an answer: the fields are decoded into the game's type
//! and its handler runs on the room's world, between ticks. `room::inbox` calls it.

use bevy_ecs::prelude::*;
use tickwire::schema::Message;
use tickwire::snapshot::fields::by_field;

use super::Player;
use super::payload::PayloadAccessor;
use crate::replication::slots::Slots;
use crate::replication::value::Accessor;

/// What a game does with an action: `Ok`, or why not, which the client is told.
pub type Handler<A> = fn(&mut World, &Player, A) -> Result<(), String>;

/// A declared action, its type erased.
pub(crate) trait ActionDef: Send + Sync {
    /// Runs the handler. `values` are the integers of the declared fields, in range. `None` if a
    /// text is not UTF-8 or the payload not JSON where it should be: nothing was run.
    fn run(
        &self,
        world: &mut World,
        slots: &Slots,
        who: &Player,
        declared: &Message,
        values: &[i32],
        payload: Option<&[u8]>,
    ) -> Option<Result<(), String>>;
}

pub(super) struct ActionFields<A> {
    pub(super) accessors: Vec<Accessor<A>>,
    pub(super) payload: Option<PayloadAccessor<A>>,
    pub(super) handler: Handler<A>,
}

impl<A: Default + 'static> ActionDef for ActionFields<A> {
    fn run(
        &self,
        world: &mut World,
        slots: &Slots,
        who: &Player,
        declared: &Message,
        values: &[i32],
        payload: Option<&[u8]>,
    ) -> Option<Result<(), String>> {
        let mut action = A::default();
        let fields = &declared.fields;
        for (accessor, (field, words)) in self.accessors.iter().zip(by_field(fields, values)) {
            // Slots of what died since the last image are not free yet.
            let alive = |entity: &Entity| world.get_entity(*entity).is_ok();
            let entity = |handle| slots.entity(handle).filter(alive);
            if !accessor.write(&mut action, &field.kind, words, entity) {
                return None;
            }
        }
        if let (Some(accessor), Some(payload)) = (&self.payload, payload)
            && !accessor.write(&mut action, payload)
        {
            return None;
        }
        Some((self.handler)(world, who, action))
    }
}
