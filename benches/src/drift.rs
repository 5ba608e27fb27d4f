//! A game without rules in which every entity moves every tick: what is left of a tick is the
//! schedule's overhead, two additions an entity, and the capture. Called by `counted`.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use tickwire_server::game::{Game, GameDef, Player, RoomOptions, Schema, int, range, turn};
use tickwire_server::room::Room;

/// The game.
pub struct Drift;

#[derive(Component)]
struct Body {
    x: f64,
    y: f64,
    heading: f64,
    health: u8,
}

impl Game for Drift {
    const NAME: &'static str = "drift";
    type Input = ();

    fn schema(s: &mut Schema<Self>) {
        s.component::<Body>("body", |k| {
            k.field("x", |b| &mut b.x, range(0.0, 1000.0).step(0.01).linear())
                .field("y", |b| &mut b.y, range(0.0, 1000.0).step(0.01).linear())
                .field("heading", |b| &mut b.heading, turn(256).linear())
                .field("health", |b| &mut b.health, int(0, 100))
        });
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        for number in 0..room.npcs {
            let at = f64::from(number);
            world.spawn(Body {
                x: at * 0.37 % 900.0,
                y: at * 0.61 % 900.0,
                heading: at,
                health: 100,
            });
        }
        systems.add_systems(drift);
    }

    fn join(world: &mut World, _who: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

fn drift(mut bodies: Query<&mut Body>) {
    for mut body in &mut bodies {
        body.x = (body.x + 3.3) % 1000.0;
        body.y = (body.y + 1.7) % 1000.0;
    }
}

/// A room of `entities`, without members.
pub fn room(entities: u16) -> Room<Drift> {
    let game = Arc::new(GameDef::new(30).expect("the game is well declared"));
    Room::new(
        game,
        RoomOptions {
            npcs: entities,
            ..RoomOptions::default()
        },
    )
}
