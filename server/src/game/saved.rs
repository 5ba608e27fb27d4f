//! Which types of a world are saved with its room, and how each is written and read: the engine's
//! own, and those that a game declares with `Schema::saved` and `Schema::unsaved`. Not the order in
//! which entities come back: that is `room::save`'s, which calls this.

use std::any::{TypeId, type_name};
use std::cell::UnsafeCell;

use bevy_ecs::archetype::Archetype;
use bevy_ecs::bundle::{BundleScratch, BundleWriter};
use bevy_ecs::component::ComponentId;
use bevy_ecs::entity_disabling::{DefaultQueryFilters, Disabled};
use bevy_ecs::prelude::*;
use bevy_ecs::resource::IsResource;
use bevy_ecs::schedule::Schedules;
use serde::de::DeserializeOwned;
use serde::ser::SerializeTuple;
use serde::{Serialize, Serializer};
use tickwire::codec::{SavedError, append_fixed, take_fixed, take_saved};

use super::{Game, Group, Groups, Input, Out, Owner, RoomRng, Roster, Team, Tick};
use crate::replication::slots::{Given, Slot};

/// Bytes of which a sample is read: longer than any of a fixed size.
const SAMPLE_BYTES: usize = 4096;

/// A type of a world's components or resources.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    name: &'static str,
    register: fn(&mut World) -> ComponentId,
    /// `None`: it is as the game's setup makes it, or the room gives it its value.
    value: Option<Value>,
}

/// How a type's values are written and read.
#[derive(Clone, Copy)]
struct Value {
    write: Write,
    push: Push,
    /// Adds some value, whatever it means.
    sample: Sample,
    /// What it is made of, see [`Kind::saved`].
    fill: u8,
    /// Whether any value will do, where there is none.
    is_any: bool,
}

/// Appends the values of all entities of an archetype, in order.
type Write = fn(&World, ComponentId, &Archetype, &mut Vec<u8>) -> Result<(), SavedError>;

/// Reads a value and adds it to a bundle of a world.
type Push = fn(&mut &[u8], &mut World, &mut BundleWriter<'_>) -> Result<(), SavedError>;

/// Adds a value to a bundle of a world, that which so many of this byte read as.
type Sample = fn(u8, &mut World, &mut BundleWriter<'_>) -> Result<(), SavedError>;

impl Kind {
    /// What is not saved.
    pub(super) fn unsaved<T: Component>() -> Kind {
        Kind {
            name: type_name::<T>(),
            register: |world| world.register_component::<T>(),
            value: None,
        }
    }

    /// What is. The error says why it can't be.
    pub(super) fn saved<T: Component + Serialize + DeserializeOwned>() -> Result<Kind, String> {
        let samples = |fill: &u8| sample::<T>(*fill).is_ok();
        let fill = [0, 1].into_iter().find(samples).ok_or_else(|| {
            format!(
                "{}: its Deserialize takes neither zeros nor ones, so it can't be saved",
                type_name::<T>()
            )
        })?;
        Ok(Kind::plain::<T>(fill))
    }

    fn plain<T: Component + Serialize + DeserializeOwned>(fill: u8) -> Kind {
        let value = Value {
            write: write_column::<T>,
            push: |bytes, world, bundle| {
                push(take_fixed::<T>(bytes)?, world, bundle);
                Ok(())
            },
            sample: |fill, world, bundle| {
                push(sample::<T>(fill)?, world, bundle);
                Ok(())
            },
            fill,
            is_any: false,
        };
        Kind {
            value: Some(value),
            ..Kind::unsaved::<T>()
        }
    }

    /// A component whose value the room saves; here it is the default. `is_any`: a resource that
    /// bevy makes when it first needs it.
    fn elsewhere<T: Component + Default>(is_any: bool) -> Kind {
        let value = Value {
            write: |_, _, _, _| Ok(()),
            push: |_, world, bundle| {
                push(T::default(), world, bundle);
                Ok(())
            },
            sample: |_, world, bundle| {
                push(T::default(), world, bundle);
                Ok(())
            },
            fill: 0,
            is_any,
        };
        Kind {
            value: Some(value),
            ..Kind::unsaved::<T>()
        }
    }

    /// The engine's own, first the mark of resources.
    pub(super) fn own<G: Game>() -> Vec<Kind> {
        vec![
            Kind::unsaved::<IsResource>(),
            Kind::unsaved::<DefaultQueryFilters>(),
            Kind::unsaved::<Tick>(),
            Kind::unsaved::<RoomRng>(),
            Kind::unsaved::<Roster>(),
            Kind::unsaved::<Out>(),
            Kind::unsaved::<Given>(),
            Kind::plain::<Owner>(0),
            Kind::plain::<Team>(0),
            Kind::plain::<Group>(0),
            Kind::unsaved::<Groups>(),
            Kind::plain::<Slot>(0),
            Kind::elsewhere::<Schedules>(true),
            Kind::elsewhere::<Disabled>(false),
            Kind::elsewhere::<Input<G::Input>>(false),
        ]
    }

    /// Its Rust name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its number in a world.
    pub(crate) fn id(&self, world: &mut World) -> ComponentId {
        (self.register)(world)
    }

    /// Whether there is a value to read.
    pub(crate) fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// Appends the values of all entities of an archetype that has it, as the component `id`.
    ///
    /// # Errors
    /// Its `Serialize` refused.
    pub(crate) fn write(
        &self,
        world: &World,
        id: ComponentId,
        archetype: &Archetype,
        out: &mut Vec<u8>,
    ) -> Result<(), SavedError> {
        let write = self.value.map(|value| value.write);
        write.map_or(Ok(()), |write| write(world, id, archetype, out))
    }
}

/// Column by column, which takes a third of the time that asking each entity takes.
#[allow(
    unsafe_code,
    reason = "bevy_ecs gives a table's column in no safe way without a query, which takes longer to make"
)]
fn write_column<T: Component + Serialize>(
    world: &World,
    id: ComponentId,
    archetype: &Archetype,
    out: &mut Vec<u8>,
) -> Result<(), SavedError> {
    let table = world.storages().tables.get(archetype.table_id());
    let is_there = world.components().get_id(TypeId::of::<T>()) == Some(id);
    // SAFETY: the component of this id is `T`.
    let column = table
        .filter(|_| is_there)
        .and_then(|table| unsafe { table.get_data_slice_for::<T>(id) });
    let column = Column {
        world,
        archetype,
        values: column.unwrap_or_default(),
    };
    append_fixed(&column, out)
}

/// The values of all entities of an archetype, in order, as a tuple of them is written.
struct Column<'a, T> {
    world: &'a World,
    archetype: &'a Archetype,
    /// Of their table. Empty: each is asked for its own.
    values: &'a [UnsafeCell<T>],
}

impl<T: Component + Serialize> Serialize for Column<'_, T> {
    #[allow(unsafe_code, reason = "see `write_column`")]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let rows = self.archetype.entities();
        let mut tuple = to.serialize_tuple(rows.len())?;
        for row in rows {
            let place = self.values.get(row.table_row().index());
            // SAFETY: nobody changes the world while it is borrowed.
            let value = place.map(|value| unsafe { &*value.get() });
            let value = value.or_else(|| self.world.entity(row.id()).get::<T>());
            if let Some(value) = value {
                tuple.serialize_element(value)?;
            }
        }
        tuple.end()
    }
}

/// Of so many bytes of one kind, each a number; whatever it means.
fn sample<T: DeserializeOwned>(fill: u8) -> Result<T, SavedError> {
    take_saved(&mut &[fill; SAMPLE_BYTES][..])
}

/// Gives an entity a value of each of `kinds` at once, so that it goes to their archetype by no
/// other: those at the front of `columns`, one for each kind that has values, which go on behind
/// them; or without any, samples. Kinds without a value stay as they are.
///
/// # Errors
/// The bytes are no such values; the entity is as it was.
#[allow(
    unsafe_code,
    reason = "bevy_ecs inserts components that are known only at run time in no safe way"
)]
pub(crate) fn give<'a>(
    world: &mut World,
    entity: Entity,
    kinds: impl Iterator<Item = &'a Kind>,
    mut columns: Option<&mut [&[u8]]>,
    scratch: &mut BundleScratch,
) -> Result<(), SavedError> {
    let mut bundle = scratch.writer();
    let values = (0..).zip(kinds.filter_map(|kind| kind.value));
    let is_sample = columns.is_none();
    for (number, value) in values.filter(|(_, value)| is_sample || !value.is_any) {
        let column = columns.as_mut().and_then(|columns| columns.get_mut(number));
        let read = match column {
            Some(column) => (value.push)(column, world, &mut bundle),
            None => (value.sample)(value.fill, world, &mut bundle),
        };
        if read.is_err() {
            // SAFETY: all that was pushed, was for this world.
            unsafe { scratch.manual_drop(world.components()) };
            return read;
        }
    }
    if !bundle.is_empty() {
        // SAFETY: as above.
        unsafe { bundle.write(&mut world.entity_mut(entity)) };
    }
    Ok(())
}

#[allow(unsafe_code, reason = "see `give`")]
fn push<T: Component>(value: T, world: &mut World, bundle: &mut BundleWriter<'_>) {
    // SAFETY: `give` alone has this called, with one world for all of a bundle.
    unsafe { bundle.push_component(&mut world.components_registrator(), value) }
}
