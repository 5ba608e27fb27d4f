//! Which entity has which slot: the numbers by which clients know entities. A slot is given on the
//! first capture (or event) and comes back when the entity is gone. It is the engine's alone: what
//! a game copies from one entity to another has a slot of its own.

use std::collections::VecDeque;

use bevy_ecs::entity::{EntityHashMap, EntityHashSet};
use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use bevy_ecs::world::DeferredWorld;
use serde::{Deserialize, Serialize};
use tickwire::ids::{Handle, Tick};
use tickwire::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};

/// An entity's slot. Only [`Slots`] gives it: a clone gets none, and one that came another way is
/// taken off at once.
#[derive(Component, Clone, Copy, Debug, Serialize, Deserialize)]
#[component(immutable, clone_behavior = Ignore, on_insert = check, on_remove = release)]
pub(crate) struct Slot(pub(crate) u16);

/// What happens to slots between two calls of [`Slots`].
#[derive(Resource, Default)]
pub(crate) struct Given {
    /// Who is given one at the moment.
    to: Option<Entity>,
    /// Entities whose slot was removed since the last [`Slots::settle`].
    released: Vec<Entity>,
}

impl Given {
    /// What a room saves of it.
    pub(crate) fn released(&self) -> &[Entity] {
        &self.released
    }

    /// As it is saved.
    pub(crate) fn restored(released: Vec<Entity>) -> Given {
        Given { to: None, released }
    }

    /// The slots that come next are those that the entity had.
    pub(crate) fn give_back(&mut self, to: Entity) {
        self.to = Some(to);
    }
}

fn check(mut world: DeferredWorld<'_>, context: HookContext) {
    let given = world.get_resource::<Given>();
    if given.is_none_or(|given| given.to != Some(context.entity)) {
        let mut commands = world.commands();
        commands.entity(context.entity).try_remove::<Slot>();
    }
}

fn release(mut world: DeferredWorld<'_>, context: HookContext) {
    if let Some(mut given) = world.get_resource_mut::<Given>() {
        given.released.push(context.entity);
    }
}

/// The slots of a room. Slot 0 is the room's own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Slots {
    #[serde(with = "super::raw::shorts")]
    generations: Vec<u16>,
    #[serde(with = "super::raw::entities")]
    entities: Vec<Option<Entity>>,
    #[serde(with = "super::raw::shorts")]
    free: Vec<u16>,
    /// Free ones whose generation has come round, and when, oldest first. They are given when there
    /// is no other, after [`BASELINE_BACK_MAX`] ticks: nobody who is sent deltas holds their first
    /// entity any more, and pages that remember a handle have forgotten it for as long as there is
    /// room for fresher ones.
    worn: VecDeque<(u16, Tick)>,
    /// How many of those, from the oldest on, may be given.
    rested: usize,
    /// Looked up, never iterated.
    #[serde(skip)]
    by_entity: EntityHashMap<u16>,
    /// Entities that found no slot, counted until read.
    #[serde(skip)]
    pub(crate) unsent: u64,
}

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots {
            generations: vec![0],
            entities: vec![None],
            free: Vec::new(),
            worn: VecDeque::new(),
            rested: 0,
            by_entity: EntityHashMap::new(),
            unsent: 0,
        }
    }

    /// What was saved, ready for use in that world; `None` if it is no such thing: each slot but the
    /// room's own is an entity's, or free, or worn. An entity that has one has that one here, and one
    /// that has one here has it, or is among the `released`.
    pub(crate) fn restored(mut self, world: &mut World, released: &[Entity]) -> Option<Slots> {
        let len = self.generations.len();
        if !(1..=ENTITIES_MAX).contains(&len)
            || self.entities.len() != len
            || self.rested > self.worn.len()
        {
            return None;
        }
        let mut is_known = vec![false; len];
        let mut is_new = |slot: u16| {
            let known = is_known.get_mut(usize::from(slot));
            known.is_some_and(|known| !std::mem::replace(known, true))
        };
        let mut are_sound = is_new(0);
        let released: EntityHashSet = released.iter().copied().collect();
        for (slot, entity) in (0..).zip(&self.entities) {
            if let Some(entity) = *entity {
                let has_it = world.get::<Slot>(entity).is_some_and(|its| its.0 == slot);
                are_sound &= has_it != released.contains(&entity);
                are_sound &= self.by_entity.insert(entity, slot).is_none() && is_new(slot);
            }
        }
        let worn = self.worn.iter().map(|(slot, _)| slot);
        are_sound &= self.free.iter().chain(worn).all(|slot| is_new(*slot));
        are_sound &= is_known.into_iter().all(|is_known| is_known);
        let mut given = world.query_filtered::<(Entity, &Slot), Allow<Disabled>>();
        let is_theirs = |(entity, slot): (Entity, &Slot)| {
            self.entities.get(usize::from(slot.0)) == Some(&Some(entity))
        };
        are_sound &= given.iter(world).all(is_theirs);
        are_sound.then_some(self)
    }

    /// Slots given out so far: all lie below this.
    pub(crate) fn len(&self) -> usize {
        self.generations.len()
    }

    /// Slots that may be given now.
    pub(crate) fn spare(&self) -> usize {
        self.free.len() + ENTITIES_MAX - self.generations.len() + self.rested
    }

    /// Takes back the slots of entities that are gone, after `now`. Handles of those stay known
    /// until then, so that an event about a death can name the dead.
    pub(crate) fn settle(&mut self, world: &mut World, now: Tick) {
        let is_rested = |(_, since): &(u16, Tick)| now.since(*since) >= BASELINE_BACK_MAX;
        while self.worn.get(self.rested).is_some_and(is_rested) {
            self.rested += 1;
        }
        let mut given = world.resource_mut::<Given>();
        for entity in given.released.drain(..) {
            if let Some(slot) = self.by_entity.remove(&entity) {
                let generation = &mut self.generations[usize::from(slot)];
                *generation = generation.wrapping_add(1);
                self.entities[usize::from(slot)] = None;
                match *generation {
                    0 => self.worn.push_back((slot, now)),
                    _ => self.free.push(slot),
                }
            }
        }
    }

    /// Gives an entity a slot, if more than `kept` are left, which are for others.
    pub(crate) fn assign(&mut self, world: &mut World, entity: Entity, kept: usize) {
        let Some(slot) = self.take(kept) else {
            self.unsent += 1;
            return;
        };
        self.by_entity.insert(entity, slot);
        self.entities[usize::from(slot)] = Some(entity);
        world.resource_mut::<Given>().to = Some(entity);
        world.entity_mut(entity).insert(Slot(slot));
        world.resource_mut::<Given>().to = None;
    }

    fn take(&mut self, kept: usize) -> Option<u16> {
        if self.spare() <= kept {
            return None;
        }
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        if self.generations.len() < ENTITIES_MAX {
            self.generations.push(0);
            self.entities.push(None);
            return Some((self.generations.len() - 1) as u16);
        }
        self.rested = self.rested.saturating_sub(1);
        self.worn.pop_front().map(|(slot, _)| slot)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn world() -> (World, Slots) {
        let mut world = World::new();
        world.init_resource::<Given>();
        (world, Slots::new())
    }

    /// An entity with a slot, whose handle.
    fn born(world: &mut World, slots: &mut Slots) -> (Entity, Handle) {
        let entity = world.spawn_empty().id();
        slots.assign(world, entity, 0);
        (entity, slots.handle(entity).expect("there is room"))
    }

    #[test]
    fn a_slot_that_is_used_70_000_times_never_looks_like_an_old_entity() {
        let (mut world, mut slots) = world();
        let (first, old) = born(&mut world, &mut slots);
        world.despawn(first);
        let mut handles = HashSet::from([old]);
        for tick in 1..=70_000 {
            slots.settle(&mut world, Tick(tick));
            let (entity, handle) = born(&mut world, &mut slots);
            assert!(handles.insert(handle), "{handle:?} again, at {tick}");
            assert_eq!(slots.entity(handle), Some(entity));
            assert_ne!(
                slots.entity(old),
                Some(entity),
                "who remembers the first one"
            );
            world.despawn(entity);
        }
        assert!(slots.len() <= 3, "a slot more, once the first is worn");
    }

    #[test]
    fn where_there_is_no_other_a_worn_slot_is_given_again_once_nobody_can_hold_its_first_entity() {
        let (mut world, mut slots) = world();
        for _ in 0..ENTITIES_MAX - 2 {
            born(&mut world, &mut slots);
        }
        let mut tick = 0;
        let (mut entity, first) = born(&mut world, &mut slots);
        for _ in 0..=u16::MAX {
            world.despawn(entity);
            tick += 1;
            slots.settle(&mut world, Tick(tick));
            entity = world.spawn_empty().id();
            slots.assign(&mut world, entity, 0);
        }
        assert_eq!((slots.handle(entity), slots.spare()), (None, 0), "it rests");
        slots.settle(&mut world, Tick(tick + BASELINE_BACK_MAX - 1));
        slots.assign(&mut world, entity, 0);
        assert_eq!((slots.handle(entity), slots.unsent), (None, 2));
        slots.settle(&mut world, Tick(tick + BASELINE_BACK_MAX));
        slots.assign(&mut world, entity, 0);
        assert_eq!(slots.handle(entity), Some(first));
    }

    #[test]
    fn slots_are_kept_for_others() {
        let (mut world, mut slots) = world();
        let all: Vec<Entity> = (0..ENTITIES_MAX)
            .map(|_| world.spawn_empty().id())
            .collect();
        for entity in &all {
            slots.assign(&mut world, *entity, 10);
        }
        assert_eq!((slots.spare(), slots.unsent), (10, 11));
        let late = all[all.len() - 1];
        slots.assign(&mut world, late, 9);
        assert!(slots.handle(late).is_some() && slots.spare() == 9);
    }

    #[test]
    fn a_slot_that_came_another_way_is_taken_off() {
        let (mut world, mut slots) = world();
        let (mine, handle) = born(&mut world, &mut slots);
        let (other, _) = born(&mut world, &mut slots);
        let clone = world.entity_mut(mine).clone_and_spawn();
        assert!(world.get::<Slot>(clone).is_none());
        let copied = *world.get::<Slot>(mine).expect("it has one");
        let late = world.spawn(copied).id();
        world.entity_mut(other).insert(copied);
        world.flush();
        assert!(world.get::<Slot>(late).is_none() && world.get::<Slot>(other).is_none());
        slots.settle(&mut world, Tick(1));
        assert_eq!(
            slots.entity(handle),
            Some(mine),
            "it is the first one's as before"
        );
        assert_eq!(slots.handle(other), None, "which gets another one");
        slots.assign(&mut world, other, 0);
        assert_ne!(
            slots.handle(other).map(|other| other.slot),
            Some(handle.slot)
        );
    }
}
