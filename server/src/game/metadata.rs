//! What a room tells of itself to who is not in it: fields of a resource that the game declares,
//! which lists show and quick joins filter by. When it is told is `room::listing`'s.

use std::any::type_name;

use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use tickwire::ids::Handle;
use tickwire::schema::Field;

use super::record;
use crate::replication::value::Accessor;

/// How a room's metadata is read off its world.
pub(crate) struct MetadataReader {
    name: &'static str,
    has_changed: fn(&World) -> Option<bool>,
    pack: Pack,
}

/// The bytes of it in a world; `None` if it is not there.
type Pack = Box<dyn Fn(&mut World) -> Option<Vec<u8>> + Send + Sync>;

impl MetadataReader {
    /// Of a resource with these fields.
    pub(super) fn of<R: Resource + Component<Mutability = Mutable>>(
        fields: Vec<Field>,
        accessors: Vec<Accessor<R>>,
    ) -> MetadataReader {
        MetadataReader {
            name: type_name::<R>(),
            has_changed: |world| Some(world.get_resource_ref::<R>()?.is_changed()),
            pack: Box::new(move |world| {
                let mut told = world.get_resource_mut::<R>()?;
                let told = told.bypass_change_detection();
                Some(record::pack_value(told, &accessors, &fields, |_| {
                    Handle::NONE
                }))
            }),
        }
    }

    /// Whether the game changed it since the end of the last tick; `None` if it is not there.
    pub(crate) fn has_changed(&self, world: &World) -> Option<bool> {
        (self.has_changed)(world)
    }

    /// It, packed; `None` if it is not there.
    pub(crate) fn pack(&self, world: &mut World) -> Option<Vec<u8>> {
        (self.pack)(world)
    }

    /// The Rust name of its resource.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}
