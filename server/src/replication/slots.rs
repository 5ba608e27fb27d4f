//! Which entity has which slot: the numbers by which clients know entities. A slot is given on
//! the first capture (or event) and comes back when the entity is gone.

use bevy_ecs::entity::EntityHashMap;
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::world::DeferredWorld;
use tickwire::ids::Handle;
use tickwire::limits::ENTITIES_MAX;

/// An entity's slot. Only [`Slots`] gives it.
#[derive(Component, Clone, Copy, Debug)]
#[component(immutable, on_remove = release)]
pub(crate) struct Slot(pub(crate) u16);

/// Entities whose slot was removed since the last [`Slots::settle`].
#[derive(Resource, Default)]
pub(crate) struct Released(Vec<Entity>);

fn release(mut world: DeferredWorld<'_>, context: HookContext) {
    if let Some(mut released) = world.get_resource_mut::<Released>() {
        released.0.push(context.entity);
    }
}

/// The slots of a room. Slot 0 is the room's own.
pub(crate) struct Slots {
    generations: Vec<u16>,
    entities: Vec<Option<Entity>>,
    free: Vec<u16>,
    /// Looked up, never iterated.
    by_entity: EntityHashMap<u16>,
    /// Entities that found no slot, counted until read.
    pub(crate) unsent: u64,
}

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots {
            generations: vec![0],
            entities: vec![None],
            free: Vec::new(),
            by_entity: EntityHashMap::new(),
            unsent: 0,
        }
    }

    /// Slots given out so far: all lie below this.
    pub(crate) fn len(&self) -> usize {
        self.generations.len()
    }

    /// Takes back the slots of entities that are gone. Handles of those stay known until then,
    /// so that an event about a death can name the dead.
    pub(crate) fn settle(&mut self, world: &mut World) {
        let mut released = world.resource_mut::<Released>();
        for entity in released.0.drain(..) {
            if let Some(slot) = self.by_entity.remove(&entity) {
                let generation = &mut self.generations[usize::from(slot)];
                *generation = generation.wrapping_add(1);
                self.entities[usize::from(slot)] = None;
                self.free.push(slot);
            }
        }
    }

    /// Gives an entity a slot, if one is left.
    pub(crate) fn assign(&mut self, world: &mut World, entity: Entity) {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.generations.len() < ENTITIES_MAX => {
                self.generations.push(0);
                self.entities.push(None);
                (self.generations.len() - 1) as u16
            }
            None => {
                self.unsent += 1;
                return;
            }
        };
        self.by_entity.insert(entity, slot);
        self.entities[usize::from(slot)] = Some(entity);
        world.entity_mut(entity).insert(Slot(slot));
    }

    pub(crate) fn generation(&self, slot: u16) -> u16 {
        self.generations[usize::from(slot)]
    }

    /// The handle of an entity that has a slot, or had one until the next settling.
    pub(crate) fn handle(&self, entity: Entity) -> Option<Handle> {
        let slot = *self.by_entity.get(&entity)?;
        Some(Handle {
            slot,
            generation: self.generation(slot),
        })
    }

    /// The entity of a handle, if it is the one that has the slot now.
    pub(crate) fn entity(&self, handle: Handle) -> Option<Entity> {
        let slot = usize::from(handle.slot);
        let now = *self.generations.get(slot)?;
        (now == handle.generation)
            .then_some(self.entities[slot])
            .flatten()
    }

    /// The integer of a field that names an entity.
    pub(crate) fn field(&self, entity: Option<Entity>) -> i32 {
        entity
            .and_then(|entity| self.handle(entity))
            .map_or(Handle::NONE, Handle::to_field)
    }
}
