//! Reads the replicated components of a world into an image: marks who has what, lays out the
//! layers, quantises every field into its column. Also snaps predicted fields, so that the
//! world holds exactly what the owner is sent.

use std::sync::Arc;

use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use tickwire::ids::{PlayerId, Tick};
use tickwire::schema::{Column, ColumnSet, Guess, Kind, Layout, Schema};
use tickwire::snapshot::image::{EntityHead, OwnerCode, fill_changes};

use super::image::{Image, LayerKey, Ring, Span};
use super::slots::{Slot, Slots};
use crate::game::{Accessor, ComponentDef, Owner, Raw};

/// What capture knows of a slot while it fills an image.
#[derive(Clone, Copy, Default)]
pub(crate) struct SlotState {
    room_mask: u32,
    owner_mask: u32,
    owner: u16,
    /// Start of its row in the room's layer and in its owner's.
    room_row: u32,
    owner_row: u32,
}

/// Where a component's fields go in a layer's rows.
#[derive(Clone)]
pub(crate) struct Target {
    bit: u32,
    /// Column and kind of each field.
    fields: Vec<(usize, Kind)>,
}

impl Target {
    fn find(set: &ColumnSet, component: usize) -> Option<Target> {
        let number = set
            .components
            .iter()
            .position(|columns| columns.component == component)?;
        let columns = &set.components[number];
        let is_value = |column: &Column| column.guess != Guess::Change;
        Some(Target {
            bit: 1 << number,
            fields: (columns.start..columns.end)
                .filter(|&index| is_value(&set.columns[index]))
                .map(|index| (index, set.columns[index].kind.clone()))
                .collect(),
        })
    }
}

/// Where a component goes: to everyone, to its owner, or both.
pub(crate) struct Targets {
    room: Option<Target>,
    owner: Option<Target>,
}

/// A component's reader, bound to a room's world.
pub(crate) trait CaptureComponent: Send + Sync {
    /// Entities that have it and no slot yet.
    fn find_unslotted(&mut self, world: &World, into: &mut Vec<Entity>);
    /// Sets the component's bits for every slot that has it.
    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]);
    /// Snaps the fields to what `fine` can say.
    fn snap(&mut self, world: &mut World, fine: &Target);
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

/// Reads a component of the game's entities.
pub(crate) struct EntityReader<C: Component<Mutability = Mutable>> {
    accessors: Vec<Accessor<C>>,
    unslotted: QueryState<Entity, (With<C>, Without<Slot>)>,
    slotted: QueryState<&'static Slot, With<C>>,
    fields: QueryState<(&'static Slot, &'static mut C)>,
}

impl<C: Component<Mutability = Mutable>> EntityReader<C> {
    pub(crate) fn new(world: &mut World, accessors: Vec<Accessor<C>>) -> Self {
        EntityReader {
            accessors,
            unslotted: world.query_filtered(),
            slotted: world.query_filtered(),
            fields: world.query(),
        }
    }
}

impl<C: Component<Mutability = Mutable>> CaptureComponent for EntityReader<C> {
    fn find_unslotted(&mut self, world: &World, into: &mut Vec<Entity>) {
        into.extend(self.unslotted.iter(world));
    }

    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]) {
        let room = targets.room.as_ref().map_or(0, |target| target.bit);
        let owner = targets.owner.as_ref().map_or(0, |target| target.bit);
        for slot in self.slotted.iter(world) {
            let state = &mut slots[usize::from(slot.0)];
            state.room_mask |= room;
            state.owner_mask |= owner;
        }
    }

    fn snap(&mut self, world: &mut World, fine: &Target) {
        for (_, mut component) in self.fields.iter_mut(world) {
            // The game did not change it in any way that it could see.
            let component = component.bypass_change_detection();
            snap_fields(&self.accessors, component, fine);
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
            if let Some(target) = &targets.room {
                let row = &mut values[state.room_row as usize..];
                fill_row(&self.accessors, component, target, slots, row);
            }
            if let Some(target) = &targets.owner
                && state.owner != 0
            {
                let row = &mut values[state.owner_row as usize..];
                fill_row(&self.accessors, component, target, slots, row);
            }
        }
    }
}

/// Reads a resource that describes the room; it stands on slot 0.
pub(crate) struct RoomReader<R> {
    accessors: Vec<Accessor<R>>,
}

impl<R> RoomReader<R> {
    pub(crate) fn new(accessors: Vec<Accessor<R>>) -> Self {
        RoomReader { accessors }
    }
}

impl<R: Resource + Component<Mutability = Mutable>> CaptureComponent for RoomReader<R> {
    fn find_unslotted(&mut self, _world: &World, _into: &mut Vec<Entity>) {}

    fn mark(&mut self, world: &World, targets: &Targets, slots: &mut [SlotState]) {
        if let Some(target) = &targets.room
            && world.contains_resource::<R>()
        {
            slots[0].room_mask |= target.bit;
        }
    }

    fn snap(&mut self, _world: &mut World, _fine: &Target) {}

    fn fill(
        &mut self,
        world: &mut World,
        targets: &Targets,
        states: &[SlotState],
        slots: &Slots,
        values: &mut [i32],
    ) {
        if let (Some(target), Some(mut resource)) = (&targets.room, world.get_resource_mut::<R>()) {
            let row = &mut values[states[0].room_row as usize..];
            let resource = resource.bypass_change_detection();
            fill_row(&self.accessors, resource, target, slots, row);
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
    for (accessor, (column, kind)) in accessors.iter().zip(&target.fields) {
        row[*column] = match accessor.read(component) {
            Raw::Number(value) => kind.quantise(value),
            Raw::Entity(entity) => slots.field(entity),
        };
    }
}

fn snap_fields<C>(accessors: &[Accessor<C>], component: &mut C, fine: &Target) {
    for (accessor, (_, kind)) in accessors.iter().zip(&fine.fields) {
        if let (Kind::Real { .. }, Raw::Number(value)) = (kind, accessor.read(component)) {
            accessor.write(component, kind.dequantise(kind.quantise(value)));
        }
    }
}

struct Reader {
    component: Box<dyn CaptureComponent>,
    targets: Targets,
    predicted: bool,
}

/// A room's capture: readers, slots and reused memory.
pub(crate) struct Capture {
    readers: Vec<Reader>,
    owners: QueryState<(Entity, &'static Slot, &'static Owner)>,
    pub(crate) slots: Slots,
    states: Vec<SlotState>,
    unslotted: Vec<Entity>,
    owned: Vec<(PlayerId, u16)>,
    room_width: usize,
    owner_width: usize,
}

impl Capture {
    pub(crate) fn new(
        world: &mut World,
        layout: &Layout,
        schema: &Schema,
        components: &[Arc<dyn ComponentDef>],
    ) -> Capture {
        world.init_resource::<super::slots::Released>();
        let readers = components
            .iter()
            .enumerate()
            .map(|(index, component)| Reader {
                component: component.reader(world),
                targets: Targets {
                    room: Target::find(&layout.room, index),
                    owner: Target::find(&layout.owner, index),
                },
                predicted: schema.components[index].predicted,
            })
            .collect();
        Capture {
            readers,
            owners: world.query(),
            slots: Slots::new(),
            states: Vec::new(),
            unslotted: Vec::new(),
            owned: Vec::new(),
            room_width: layout.room.width(),
            owner_width: layout.owner.width(),
        }
    }

    /// Snaps every predicted field. Every tick, whether captured or not: prediction replays it.
    pub(crate) fn snap(&mut self, world: &mut World) {
        for reader in &mut self.readers {
            if let (true, Some(fine)) = (reader.predicted, &reader.targets.owner) {
                reader.component.snap(world, fine);
            }
        }
    }

    /// Fills `image` with the world at `tick`. `members` are by rising number, each with the
    /// entity that they steer; every one of them gets a layer, though it may be empty.
    pub(crate) fn run(
        &mut self,
        world: &mut World,
        layout: &Layout,
        tick: Tick,
        members: &[(PlayerId, Entity)],
        ring: &Ring,
        image: &mut Image,
    ) {
        image.tick = tick;
        image.number = ring.newest().map_or(1, |last| last.number + 1);
        self.slots.settle(world);
        self.give_slots(world);
        self.mark(world, members);
        self.lay_out(members, image);
        for reader in &mut self.readers {
            reader.component.fill(
                world,
                &reader.targets,
                &self.states,
                &self.slots,
                &mut image.values,
            );
        }
        let previous = ring.newest();
        for at in 0..image.layers.len() {
            let span = image.layers[at].clone();
            let set = match span.key {
                LayerKey::Room => &layout.room,
                LayerKey::Owner(_) => &layout.owner,
            };
            let before = previous.and_then(|previous| previous.layer(span.key));
            image.layers[at].gap = before.map_or(0, |before| tick.since(before.tick));
            fill_changes(
                set,
                before,
                &image.entities[span.entities],
                &mut image.values[span.values],
            );
        }
    }

    fn give_slots(&mut self, world: &mut World) {
        self.unslotted.clear();
        for reader in &mut self.readers {
            reader.component.find_unslotted(world, &mut self.unslotted);
        }
        self.unslotted.sort_unstable();
        self.unslotted.dedup();
        for &entity in &self.unslotted {
            self.slots.assign(world, entity);
        }
        self.states.clear();
        self.states.resize(self.slots.len(), SlotState::default());
    }

    fn mark(&mut self, world: &World, members: &[(PlayerId, Entity)]) {
        for reader in &mut self.readers {
            reader
                .component
                .mark(world, &reader.targets, &mut self.states);
        }
        for (entity, slot, owner) in self.owners.iter(world) {
            // An entity whose owner left is nobody's.
            if let Ok(at) = members.binary_search_by_key(&owner.0, |(player, _)| *player) {
                let code = OwnerCode {
                    player: owner.0,
                    avatar: members[at].1 == entity,
                };
                self.states[usize::from(slot.0)].owner = code.encode();
            }
        }
    }

    /// Lists each layer's entities and gives them their rows.
    fn lay_out(&mut self, members: &[(PlayerId, Entity)], image: &mut Image) {
        self.owned.clear();
        let mut room = 0..0;
        for (slot, state) in self.states.iter_mut().enumerate() {
            let slot = slot as u16;
            if let Some(code) = OwnerCode::decode(state.owner)
                && state.owner_mask != 0
            {
                self.owned.push((code.player, slot));
            }
            if state.room_mask == 0 {
                continue;
            }
            state.room_row = (room.end * self.room_width) as u32;
            room.end += 1;
            image.entities.push(EntityHead {
                slot,
                generation: self.slots.generation(slot),
                owner: state.owner,
                mask: state.room_mask,
            });
        }
        image.layers.push(Span {
            key: LayerKey::Room,
            gap: 0,
            values: 0..room.end * self.room_width,
            entities: room,
        });
        if self.owner_width > 0 {
            self.lay_out_owners(members, image);
        }
        let values = image.layers.last().map_or(0, |span| span.values.end);
        image.values.resize(values, 0);
    }

    fn lay_out_owners(&mut self, members: &[(PlayerId, Entity)], image: &mut Image) {
        self.owned.sort_unstable();
        let mut owned = self.owned.iter().peekable();
        let mut values = image.layers[0].values.end;
        for &(player, _) in members {
            let first_entity = image.entities.len();
            let first_value = values;
            while let Some(&(_, slot)) = owned.next_if(|(of, _)| *of == player) {
                let state = &mut self.states[usize::from(slot)];
                state.owner_row = values as u32;
                values += self.owner_width;
                image.entities.push(EntityHead {
                    slot,
                    generation: self.slots.generation(slot),
                    owner: state.owner,
                    mask: state.owner_mask,
                });
            }
            image.layers.push(Span {
                key: LayerKey::Owner(player),
                gap: 0,
                entities: first_entity..image.entities.len(),
                values: first_value..values,
            });
        }
    }
}
