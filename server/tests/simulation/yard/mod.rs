//! The simulation's game: a yard in which things are born and die, reuse slots, gain and lose
//! components, and change owners, teams and groups, and whose players make requests and are told
//! events. It keeps a diary of what it said, which the oracle reads. Every private value is marked
//! with whose it is.

mod parts;
mod rules;

use bevy_ecs::prelude::*;
use tickwire_server::game::{
    Game, Out, Owner, Player, RoomOptions, RoomRng, Schema, Team, all, entity, flag, int, range,
    text, turn,
};

pub(crate) use parts::{
    Adopt, Avatar, Bye, Cry, DEED, Deed, Diary, Drift, Look, News, Plan, Poke, Pos, Purse, Push,
    Round, Said, Tag, Walk, Whisper, Whose, whose,
};
use rules::Births;

use crate::oracle::{Witness, witness};

/// The game.
pub(crate) struct Yard;

impl Game for Yard {
    const NAME: &'static str = "yard";
    type Input = Push;

    fn schema(s: &mut Schema<Self>) {
        s.input(|k| {
            k.field("dx", |i| &mut i.dx, range(-1., 1.).step(1. / 16.))
                .field("cry", |i| &mut i.cry, flag())
        });
        s.component::<Tag>("tag", |k| k.field("id", |t| &mut t.id, all()))
            .component::<Pos>("pos", |k| {
                k.predicted()
                    .field("x", |p| &mut p.x, range(-500., 500.).linear())
                    .field("y", |p| &mut p.y, range(0., 90.).step(0.1))
            })
            .component::<Drift>("drift", |k| {
                k.field("x", |d| &mut d.x, range(0., 500.).velocity("vx"))
                    .field("vx", |d| &mut d.vx, range(-30., 30.).step(0.3))
            })
            .component::<Look>("look", |k| {
                k.field("follows", |l| &mut l.follows, entity()).field(
                    "name",
                    |l| &mut l.name,
                    text(8),
                )
            })
            .component::<Walk>("walk", |k| {
                // The oracle knows the world, not what is close to it.
                let heading = turn(256).bearing("x", "y").tolerance(0.0);
                k.field("x", |w| &mut w.x, range(-500., 500.).linear())
                    .field("y", |w| &mut w.y, range(-500., 500.).linear())
                    .field("heading", |w| &mut w.heading, heading)
            })
            .component::<Purse>("purse", |k| {
                k.owner_only()
                    .field("coins", |p| &mut p.coins, int(0, 1_000_000))
                    .field("secret", |p| &mut p.secret, all())
            })
            .component::<Plan>("plan", |k| {
                k.team_only()
                    .field("goal", |p| &mut p.goal, int(0, 700))
                    .field("secret", |p| &mut p.secret, all())
            });
        s.room::<Round>("round", |k| {
            k.field("number", |r| &mut r.number, all().counter(1))
                .field("noise", |r| &mut r.noise, all())
        });
        s.event::<Cry>("cry", |k| {
            k.field("serial", |e| &mut e.serial, all())
                .field("who", |e| &mut e.who, entity())
        })
        .event::<Bye>("bye", |k| {
            k.field("serial", |e| &mut e.serial, all())
                .field("who", |e| &mut e.who, entity())
        })
        .event::<Whisper>("whisper", |k| {
            k.field("serial", |e| &mut e.serial, all())
                .field("secret", |e| &mut e.secret, all())
        })
        .event::<News>("news", |k| {
            k.field("serial", |e| &mut e.serial, all())
                .json("note", |e| &mut e.note)
        })
        .event::<Deed>("deed", |k| {
            k.durable().field("serial", |e| &mut e.serial, all()).field(
                "who",
                |e| &mut e.who,
                entity(),
            )
        });
        s.action(
            "adopt",
            |k| k.field("whom", |a: &mut Adopt| &mut a.whom, entity()),
            rules::adopt,
        )
        .action(
            "poke",
            |k| {
                k.field("whom", |p: &mut Poke| &mut p.whom, entity()).field(
                    "coins",
                    |p| &mut p.coins,
                    int(1, 50),
                )
            },
            rules::poke,
        );
        s.saved::<Avatar>()
            .saved::<Tag>()
            .saved::<Pos>()
            .saved::<Drift>()
            .saved::<Look>()
            .saved::<Walk>()
            .saved::<Purse>()
            .saved::<Plan>()
            .saved::<Round>()
            .saved::<Diary>()
            .saved::<Births>()
            .unsaved::<Witness>();
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        world.init_resource::<Round>();
        world.init_resource::<Diary>();
        world.insert_resource(Births::new(room.npcs));
        let witnessing = Witness::new(world);
        world.insert_resource(witnessing);
        systems.add_systems(
            (
                rules::count_round,
                rules::push,
                rules::roam,
                rules::live_and_die,
                rules::change_sides,
                rules::change_groups,
                rules::look_about,
                rules::mark_secrets,
                rules::speak,
                witness,
            )
                .chain(),
        );
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let id = world.resource_mut::<Births>().number();
        let team = (who.id.0 % 3) as u8;
        let pos = Pos {
            x: 0.,
            y: f64::from(who.id.0),
        };
        let me = world
            .spawn((Avatar, Tag { id }, pos, Purse::default(), Plan::default()))
            .id();
        if team < 2 {
            world.entity_mut(me).insert(Team(team));
        }
        me
    }

    /// The player's things go with them, or are nobody's, which is the engine's to see to.
    fn leave(world: &mut World, who: &Player, entity: Entity) {
        world.despawn(entity);
        let mut owned = world.query::<(Entity, &Owner)>();
        let things: Vec<Entity> = owned
            .iter(world)
            .filter(|(_, owner)| owner.0 == who.id)
            .map(|(thing, _)| thing)
            .collect();
        for (index, thing) in things.into_iter().enumerate() {
            if index % 2 == 0 {
                world.despawn(thing);
            }
        }
    }
}

/// Says something and writes it down.
fn say<E: Send + Sync + 'static>(out: &mut Out, diary: &mut Diary, said: Said, event: E) {
    out.send(said.to, event);
    diary.said.push(said);
}

/// A fraction of the room's chance.
fn chance(rng: &mut RoomRng, one_in: u32) -> bool {
    use rand::RngExt;
    rng.0.random_ratio(1, one_in)
}
