//! A component's way into an image: which slots have it, and its fields' integers in the rows of
//! every layer that shows it. Also the snapping of predicted fields.

use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use tickwire::schema::text_words;

use super::rows::{NO_ROW, SlotState, Target, Targets};
use crate::replication::layer::SCOPES;
use crate::replication::slots::{Slot, Slots};
use crate::replication::value::{Accessor, Raw};

/// A component's reader, bound to a room's world.
pub(crate) trait CaptureComponent: Send + Sync {
    /// Entities that have it and no slot yet.
    fn find_unslotted(&mut self, _world: &World, _into: &mut Vec<Entity>) {}
    /// Sets the component's bits for every slot that has it.
    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]);
    /// Snaps the fields to what `steps` can say.
    fn snap(&mut self, _world: &mut World, _steps: &Target) {}
    /// Writes every row's columns.
    fn fill(
        &mut self,
        world: &mut World,
        targets: &Targets,
        states: &[SlotState],
        slots: &Slots,
        values: &mut [i32],
    );
}

/// Makes a declared component's reader for a room's world.
pub(crate) type ReaderOf = Box<dyn Fn(&mut World) -> Box<dyn CaptureComponent> + Send + Sync>;

/// Reads a component of the game's entities.
pub(crate) struct EntityReader<C: Component<Mutability = Mutable>> {
    accessors: Vec<Accessor<C>>,
    unslotted: QueryState<Entity, (With<C>, Without<Slot>)>,
    slotted: QueryState<&'static Slot, With<C>>,
    fields: QueryState<(&'static Slot, &'static mut C)>,
    values: QueryState<&'static mut C>,
}

impl<C: Component<Mutability = Mutable>> EntityReader<C> {
    pub(crate) fn of(accessors: Vec<Accessor<C>>) -> ReaderOf {
        Box::new(move |world| {
            Box::new(EntityReader {
                accessors: accessors.clone(),
                unslotted: world.query_filtered(),
                slotted: world.query_filtered(),
                fields: world.query(),
                values: world.query(),
            })
        })
    }
}

fn bits(targets: &Targets) -> [u32; SCOPES] {
    std::array::from_fn(|scope| targets[scope].as_ref().map_or(0, |target| target.bit))
}

impl<C: Component<Mutability = Mutable>> CaptureComponent for EntityReader<C> {
    fn find_unslotted(&mut self, world: &World, into: &mut Vec<Entity>) {
        into.extend(self.unslotted.iter(world));
    }

    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]) {
        let bits = bits(targets);
        for slot in self.slotted.iter(world) {
            let state = &mut slots[usize::from(slot.0)];
            for scope in 0..SCOPES {
                state.masks[scope] |= bits[scope];
            }
        }
    }

    fn snap(&mut self, world: &mut World, steps: &Target) {
        for mut component in self.values.iter_mut(world) {
            // The game did not change it in any way that it could see.
            let component = component.bypass_change_detection();
            for (accessor, (_, column)) in self.accessors.iter().zip(&steps.fields) {
                accessor.snap(component, column);
            }
        }
    }

    fn fill(
        &mut self,
        world: &mut World,
        targets: &Targets,
        states: &[SlotState],
        slots: &Slots,
        values: &mut [i32],
    ) {
        for (slot, mut component) in self.fields.iter_mut(world) {
            let state = &states[usize::from(slot.0)];
            let component = component.bypass_change_detection();
            fill_rows(&self.accessors, component, targets, state, slots, values);
        }
    }
}

/// Reads a resource that describes the room; it stands on slot 0.
pub(crate) struct RoomReader<R> {
    accessors: Vec<Accessor<R>>,
}

impl<R: Resource + Component<Mutability = Mutable>> RoomReader<R> {
    pub(crate) fn of(accessors: Vec<Accessor<R>>) -> ReaderOf {
        Box::new(move |_| {
            Box::new(RoomReader {
                accessors: accessors.clone(),
            })
        })
    }
}

impl<R: Resource + Component<Mutability = Mutable>> CaptureComponent for RoomReader<R> {
    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]) {
        if world.contains_resource::<R>() {
            let bits = bits(targets);
            for scope in 0..SCOPES {
                slots[0].masks[scope] |= bits[scope];
            }
        }
    }

    fn fill(
        &mut self,
        world: &mut World,
        targets: &Targets,
        states: &[SlotState],
        slots: &Slots,
        values: &mut [i32],
    ) {
        if let Some(mut resource) = world.get_resource_mut::<R>() {
            let resource = resource.bypass_change_detection();
            fill_rows(
                &self.accessors,
                resource,
                targets,
                &states[0],
                slots,
                values,
            );
        }
    }
}

/// Fills what an entity has of a component in the rows of its layers.
#[inline]
fn fill_rows<C>(
    accessors: &[Accessor<C>],
    component: &mut C,
    targets: &Targets,
    state: &SlotState,
    slots: &Slots,
    values: &mut [i32],
) {
    for (target, &row) in targets.iter().zip(&state.rows) {
        if let Some(target) = target
            && row != NO_ROW
        {
            let row = &mut values[row as usize..];
            fill_row(accessors, component, target, slots, row);
        }
    }
}

#[inline]
fn fill_row<C>(
    accessors: &[Accessor<C>],
    component: &mut C,
    target: &Target,
    slots: &Slots,
    row: &mut [i32],
) {
    for (accessor, &(at, ref column)) in accessors.iter().zip(&target.fields) {
        if let Accessor::Text(get) = accessor {
            let words = text_words(get(component), column.kind.words());
            for (place, word) in row[at..].iter_mut().zip(words) {
                *place = word;
            }
            continue;
        }
        row[at] = match accessor.read_one(component) {
            Raw::Number(value) => column.quantise(value),
            Raw::Entity(entity) => slots.field(entity),
            Raw::Word(word) => word,
        };
    }
}
