//! The demo game: players in a walled arena move, aim, shoot, pick things up and score, between
//! drones that wander. One implementation of [`Game`], on nothing but the engine's public
//! interface; `main` serves it with its [`page`], tests and benches play it without.
//!
//! What server and clients must agree on is public: [`control`] (the input), [`map`], [`rule`] (how
//! players move), [`kind`], [`phase`] and [`options`]. `page/arena_rule.js` and `page/arena_map.js`
//! mirror it, and `vectors/arena_step.json` holds both to the same million steps. It needs no
//! module of the server, but it is no crate of its own: nobody who has no server uses it.
//!
//! All else is decided here, by systems that run one after the other in the order of `setup`
//! below: who is first in anything is settled by `components::Serial`, chance comes
//! from the room's seed, so equal inputs make equal rooms.

pub mod control;
pub mod kind;
pub mod map;
pub mod options;
pub mod phase;
pub mod rule;

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

use std::time::Duration;

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::SingleThreadedExecutor;
use include_dir::{Dir, include_dir};
use tickwire_server::Site;
use tickwire_server::game::{Game, Player, Rewind, RoomOptions, RoomRng, Schema};
use tickwire_server::queue::{self, AtTheEnd, Missing, Window};

pub use control::Control;
pub use kind::Kind;
pub use options::Mode;
pub use phase::Phase;
pub use rule::{Mover, step};

use components::{Gun, Heading, Health, KindOf, Pos, Score, Serials};
use options::{Look, PlayerChoice, Poster, RoomChoice};

/// The queue's mode of two who hunt together.
const PAIR: &str = "pair";

static PAGE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/page");

/// The arena as a [`Game`].
pub struct Arena;

/// Its page.
pub fn page() -> Site {
    Site::new().with_dir(&PAGE)
}

impl Game for Arena {
    const NAME: &'static str = "arena";
    type Input = Control;

    fn schema(schema: &mut Schema<Arena>) {
        schema::declare(schema);
        schema.mode("duel", duel());
        schema.mode(PAIR, pair());
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        let is_pair = room.matched.as_ref().is_some_and(|of| of.mode == PAIR);
        let mode = if is_pair {
            Mode::Hunt
        } else {
            room.options.get::<RoomChoice>().mode()
        };
        world.insert_resource(mode);
        world.insert_resource(Poster::new(mode));
        world.init_resource::<Serials>();
        world.init_resource::<rounds::Round>();
        world.init_resource::<pickups::Pads>();
        world.insert_resource(Rewind::<flight::Target>::new(room.tick_rate));
        world.init_resource::<damage::Blows>();
        world.init_resource::<respawn::Fallen>();
        let teams = room.matched.iter().flat_map(|matched| &matched.teams);
        let bots: u16 = teams.map(|team| u16::from(team.bots)).sum();
        drones::spawn_drones(world, room.npcs.saturating_add(bots));
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

    fn join(world: &mut World, who: &Player) -> Entity {
        let mut players = world.query::<(&Pos, &Health, &Score)>();
        let standing = players.iter(world).filter(|(_, health, _)| health.is_up());
        let mut places = respawn::Places::among(standing.map(|(pos, ..)| (pos.x, pos.y)));
        let place = places.take(&mut world.resource_mut::<RoomRng>());
        let serial = world.resource_mut::<Serials>().next();
        world
            .spawn((
                KindOf::from(Kind::Player),
                Pos::from(place),
                looks(who),
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

    fn leave(world: &mut World, who: &Player, entity: Entity) {
        let points = world.get::<Score>(entity).map_or(0, |score| score.points);
        world.resource_mut::<rounds::Round>().left(who.id, points);
        world.despawn(entity);
    }

    /// Who joined anew may have chosen another colour.
    fn resumed(world: &mut World, who: &Player, entity: Entity) {
        if let Some(mut look) = world.get_mut::<Look>(entity) {
            look.set_if_neq(looks(who));
        }
    }
}

fn looks(who: &Player) -> Look {
    Look::of(&who.options.get::<PlayerChoice>(), who.id)
}

/// Two together against the drones, as a party or by chance; who finds nobody hunts with one drone.
fn pair() -> queue::Mode {
    queue::Mode {
        teams: 1,
        team_size: 2,
        window: Window {
            start: 50.0,
            per_second: 0.0,
            max: 50.0,
        },
        ..duel()
    }
}

/// One against one; who finds nobody plays against a drone.
fn duel() -> queue::Mode {
    queue::Mode {
        teams: 2,
        team_size: 1,
        window: Window {
            start: 4.0,
            per_second: 0.5,
            max: 25.0,
        },
        wait: Duration::from_secs(60),
        at_the_end: AtTheEnd::Bots,
        missing: Missing::CallOff,
    }
}
