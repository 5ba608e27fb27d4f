//! Between a value of a game's type and the integers of its declared fields: inputs, actions and
//! their answers, options, metadata. Which bytes these are is `tickwire::snapshot::fields`'.

use bevy_ecs::prelude::Entity;
use tickwire::ids::Handle;
use tickwire::schema::{Field, Kind};
use tickwire::snapshot::fields::{by_field, pack, unpack};

use crate::replication::value::{Accessor, Raw};

/// Writes the integers of `fields`, which are in range, into `value`; an entity is found by
/// `entity`. False if a text is not UTF-8.
pub(super) fn write<T>(
    value: &mut T,
    accessors: &[Accessor<T>],
    fields: &[Field],
    values: &[i32],
    entity: impl Fn(Handle) -> Option<Entity>,
) -> bool {
    accessors
        .iter()
        .zip(by_field(fields, values))
        .all(|(accessor, (field, words))| accessor.write(value, &field.kind, words, &entity))
}

/// The fields of `value`, packed; an entity is what `handle` makes of it.
pub(super) fn pack_value<T>(
    value: &mut T,
    accessors: &[Accessor<T>],
    fields: &[Field],
    handle: impl Fn(Entity) -> i32,
) -> Vec<u8> {
    let mut values = Vec::new();
    for (accessor, field) in accessors.iter().zip(fields) {
        accessor.read(value, &field.kind, |raw| {
            values.push(integer(raw, &field.kind, &handle));
        });
    }
    let mut bytes = Vec::new();
    pack(fields, &values, &mut bytes);
    bytes
}

/// A value of packed fields that name no entities; `None` if that is none, to the last bit.
pub(super) fn unpack_value<T: Default>(
    bytes: &[u8],
    accessors: &[Accessor<T>],
    fields: &[Field],
) -> Option<T> {
    let mut values = Vec::new();
    let rest = unpack(fields, bytes, &mut values).ok()?;
    let mut value = T::default();
    let is_whole = rest.is_empty() && write(&mut value, accessors, fields, &values, |_| None);
    is_whole.then_some(value)
}

fn integer(raw: Raw, kind: &Kind, handle: impl Fn(Entity) -> i32) -> i32 {
    match raw {
        Raw::Number(value) => kind.quantise(value),
        Raw::Word(word) => word,
        Raw::Entity(None) => Handle::NONE,
        Raw::Entity(Some(entity)) => handle(entity),
    }
}
