//! A pond with boats and ducks: a game in a crate of its own, which knows the engine by its public
//! interfaces alone. Its tests play it with bots. It uses every kind of field, so that what any
//! game may declare is decoded here.
//!
//! Each boat has a purse with a secret, which only its owner may learn. [`Pond`] can be told to
//! leak it, so that the test that looks for leaks is known to find them.

mod parts;
mod rules;

use bevy_ecs::prelude::*;
use tickwire_server::game::{
    Game, Player, RoomOptions, Schema, all, entity, flag, int, one_of, range, text, turn,
};

pub use parts::{Duck, Gift, Honk, Hull, Letter, Look, Paddle, Purse, Sign, Stamp};

/// Nothing private is shown.
pub const NO_LEAK: u8 = 0;
/// Everyone sees everyone's purse.
pub const PUBLIC_PURSE: u8 = 1;
/// Letters go to everyone.
pub const OPEN_LETTERS: u8 = 2;

/// Which secrets are whose: the upper four bits say that it is one, the next eight whose.
const SECRET: u32 = 0xA;

/// The player whose secret this value is, if it is one.
pub fn secret_of(value: u32) -> Option<u16> {
    (value >> 28 == SECRET).then_some((value >> 20 & 0xFF) as u16)
}

/// A secret of a player, the lower 20 bits of which are `noise`'s.
fn secret(player: u16, noise: u32) -> u32 {
    SECRET << 28 | u32::from(player) << 20 | noise & 0xF_FFFF
}

/// The game. `LEAK` is one of the constants above.
pub struct Pond<const LEAK: u8>;

impl<const LEAK: u8> Game for Pond<LEAK> {
    const NAME: &'static str = "pond";
    type Input = Paddle;

    fn schema(s: &mut Schema<Self>) {
        s.input(|k| {
            k.field("rudder", |i| &mut i.rudder, range(-1., 1.).step(1. / 32.))
                .field("oars", |i| &mut i.oars, int(-1, 3))
                .field("horn", |i| &mut i.horn, flag())
        })
        .newest_wins();
        s.component::<Hull>("hull", |k| {
            k.predicted()
                .field("x", |h| &mut h.x, range(0., 500.).linear())
                .field("y", |h| &mut h.y, range(0., 500.).linear())
        })
        .component::<Look>("look", |k| {
            k.field("heading", |l| &mut l.heading, turn(256).linear())
                .field("sign", |l| &mut l.sign, one_of(&Sign::NAMES))
                .field("name", |l| &mut l.name, text(16))
        })
        .component::<Duck>("duck", |k| {
            k.field("x", |d| &mut d.x, range(0., 500.).velocity("vx"))
                .field("y", |d| &mut d.y, range(0., 500.).velocity("vy"))
                .field("vx", |d| &mut d.vx, range(-30., 30.).step(0.3))
                .field("vy", |d| &mut d.vy, range(-30., 30.).step(0.3))
                .field("follows", |d| &mut d.follows, entity())
                .field("asleep", |d| &mut d.asleep, flag())
        })
        .component::<Purse>("purse", |k| {
            let k = if LEAK == PUBLIC_PURSE {
                k
            } else {
                k.owner_only()
            };
            k.field("coins", |p| &mut p.coins, int(0, 100_000)).field(
                "secret",
                |p| &mut p.secret,
                all(),
            )
        })
        .room::<Stamp>("stamp", |k| {
            k.field("tick", |s| &mut s.tick, all().counter(1))
                .field("noise", |s| &mut s.noise, all())
                .field("room", |s| &mut s.room, all())
        })
        .event::<Honk>("honk", |k| k.field("who", |e| &mut e.who, entity()))
        .event::<Letter>("letter", |k| k.field("secret", |e| &mut e.secret, all()))
        .action("gift", Gift::fields, rules::give);
    }

    fn setup(world: &mut World, systems: &mut Schedule, room: &RoomOptions) {
        world.insert_resource(Stamp {
            room: room.id.0,
            ..Stamp::default()
        });
        for index in 0..room.npcs {
            world.spawn(Duck::new(index));
        }
        systems.add_systems(
            (
                rules::stamp,
                rules::row,
                rules::swim,
                rules::renew_secrets::<LEAK>,
            )
                .chain(),
        );
    }

    fn join(world: &mut World, who: &Player) -> Entity {
        let look = Look {
            name: who.name.clone(),
            ..Look::default()
        };
        world
            .spawn((Hull { x: 250., y: 250. }, look, Purse::new(who.id.0)))
            .id()
    }
}
