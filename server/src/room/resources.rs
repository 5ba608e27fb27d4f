//! What the engine keeps in a game's world, and what is said when the game took it away: in
//! `bevy_ecs` resources are entities, so a system that despawns every entity despawns them too. The
//! room can't go on then; its panic says why.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use bevy_ecs::component::Mutable;
use bevy_ecs::entity_disabling::DefaultQueryFilters;
use bevy_ecs::prelude::*;
use bevy_ecs::resource::IsResource;

use crate::game::{self, Groups, Out, RoomRng, Roster};
use crate::replication::slots::Given;

/// A resource of the engine's, to be changed.
///
/// # Panics
/// The game took it out of its world, a mistake of its author.
pub(super) fn own<R: Resource<Mutability = Mutable>>(world: &mut World) -> Mut<'_, R> {
    check(world);
    world.resource_mut::<R>()
}

/// Whether all of the engine's resources are there.
///
/// # Panics
/// One of them is not.
pub(super) fn check(world: &World) {
    if let Some(name) = missing(world) {
        panic!(
            "the game took a resource of the engine's, {name}, out of its world. Resources are entities in bevy_ecs 0.20, and a \
             Query<Entity> finds them: a game that clears its world despawns what Query<Entity, With<ItsMarker>> or \
             Query<Entity, Without<IsResource>> finds, and calls neither clear_all nor clear_entities nor clear_resources"
        );
    }
}

/// Whether an entity is a resource's, whoever's.
pub(super) fn is_resource(world: &World, entity: Entity) -> bool {
    let entity = world.get_entity(entity);
    entity.is_ok_and(|entity| entity.contains::<IsResource>())
}

fn missing(world: &World) -> Option<&'static str> {
    let all = [
        // `bevy_ecs`' own, which goes first where everything goes.
        (
            "DefaultQueryFilters",
            world.contains_resource::<DefaultQueryFilters>(),
        ),
        ("Tick", world.contains_resource::<game::Tick>()),
        ("Out", world.contains_resource::<Out>()),
        ("Roster", world.contains_resource::<Roster>()),
        ("Groups", world.contains_resource::<Groups>()),
        ("RoomRng", world.contains_resource::<RoomRng>()),
        ("Given", world.contains_resource::<Given>()),
    ];
    all.iter()
        .find(|(_, is_there)| !is_there)
        .map(|(name, _)| *name)
}

/// Runs what is the game's. Where it panics because a resource is missing, or because it takes them
/// all away, `bevy_ecs` says nothing of the cause: this does.
///
/// # Panics
/// The game did, or it took one of the engine's resources away.
pub(super) fn with<T>(world: &mut World, run: impl FnOnce(&mut World) -> T) -> T {
    let ran = catch_unwind(AssertUnwindSafe(|| run(world)));
    let ran = match ran {
        Err(panic) if missing(world).is_none() => resume_unwind(panic),
        ran => ran,
    };
    // What was thrown could panic again when it is dropped.
    let ran = ran.map_err(mem::forget);
    check(world);
    match ran {
        Ok(value) => value,
        Err(()) => unreachable!("a resource is missing"),
    }
}
