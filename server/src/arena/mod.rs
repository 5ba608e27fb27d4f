//! The demo game: players in a walled arena move, aim, shoot, pick things up and score, between
//! drones that wander. One implementation of [`Game`]; nothing outside of here but the program
//! that starts it names it.
//!
//! Map, input and movement rule are `tickwire::arena`, because clients predict with them. All
//! else is decided here, by systems that run one after the other in the order of `setup`
//! below: who is first in anything is settled by `components::Serial`, chance comes
//! from the room's seed, so equal inputs make equal rooms.

mod components;
mod damage;
mod drones;
mod events;
mod flight;
mod movement;
mod pickups;
mod players;
mod respawn;
mod rounds;
#[cfg(test)]
mod scene;
mod schema;
mod score;
mod shooting;
mod sweep;
mod tables;
mod tuning;

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::SingleThreadedExecutor;
use tickwire::arena::{Control, Kind};

use crate::game::{Game, Player, Rewind, RoomOptions, RoomRng, Schema};
use components::{Gun, Heading, Health, KindOf, Pos, Score, Serials};

/// The arena as a [`Game`].
pub struct Arena;

impl Game for Arena {
    const NAME: &'static str = "arena";
    type Input = Control;

    fn schema(schema: &mut Schema<Arena>) {
        schema::declare(schema);
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        world.init_resource::<Serials>();
        world.init_resource::<rounds::Round>();
        world.init_resource::<pickups::Pads>();
        world.insert_resource(Rewind::<flight::Target>::new(room.tick_rate));
        world.init_resource::<damage::Blows>();
        world.init_resource::<respawn::Fallen>();
        drones::spawn_drones(world, room.npcs);
        systems.set_executor(SingleThreadedExecutor::new());
        systems.add_systems(
            (
                rounds::advance_round,
                drones::drive_drones,
                players::act,
                flight::record_targets,
                flight::fly_projectiles,
                damage::deal_damage,
                pickups::tend_pads,
                respawn::raise_fallen,
            )
                .chain(),
        );
    }

    fn join(world: &mut World, _who: &Player) -> Entity {
        let mut players = world.query::<(&Pos, &Health, &Score)>();
        let standing = players.iter(world).filter(|(_, health, _)| health.is_up());
        let mut places = respawn::Places::among(standing.map(|(pos, ..)| (pos.x, pos.y)));
        let place = places.take(&mut world.resource_mut::<RoomRng>());
        let serial = world.resource_mut::<Serials>().next();
        world
            .spawn((
                KindOf::from(Kind::Player),
                Pos::from(place),
                Heading::default(),
                Health {
                    hp: tuning::HEALTH_MAX,
                },
                Score::default(),
                Gun::fresh(),
                serial,
            ))
            .id()
    }
}
