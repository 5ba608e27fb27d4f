//! What happens in a tick, and what an action does.

use bevy_ecs::prelude::*;
use rand::RngExt;
use tickwire::ids::PlayerId;
use tickwire_server::game::{Input, Out, Owner, Player, RoomRng, Tick, To};

use super::{Duck, Gift, Honk, Hull, Letter, Look, OPEN_LETTERS, Paddle, Purse, Stamp, secret};

/// Ticks between two letters to a player.
const LETTER_EVERY: u32 = 10;

pub(super) fn stamp(tick: Res<Tick>, mut stamp: ResMut<Stamp>) {
    stamp.tick = tick.number;
    stamp.noise = Stamp::noise_of(tick.number);
}

pub(super) fn row(
    tick: Res<Tick>,
    mut out: ResMut<Out>,
    mut boats: Query<(Entity, &Owner, &mut Hull, &mut Look, &Input<Paddle>)>,
) {
    for (boat, owner, mut hull, mut look, input) in &mut boats {
        let Paddle { rudder, oars, horn } = input.now;
        hull.x += f64::from(oars) * 20. * tick.dt;
        hull.y += f64::from(rudder) * 40. * tick.dt;
        look.heading += rudder * tick.dt as f32;
        look.sign = match oars {
            0 => 0,
            1.. => 1,
            _ => 2,
        };
        if horn {
            out.send(To::AllBut(owner.0), Honk { who: Some(boat) });
        }
    }
}

/// Ducks turn at random now and then, rest, and look for boats.
pub(super) fn swim(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut ducks: Query<&mut Duck>,
    boats: Query<Entity, With<Hull>>,
) {
    let mut fleet: Vec<Entity> = boats.iter().collect();
    fleet.sort_unstable();
    for mut duck in &mut ducks {
        if rng.0.random_ratio(1, 40) {
            duck.asleep = rng.0.random_ratio(1, 4);
            duck.vx = rng.0.random_range(-30.0..30.0);
            duck.vy = rng.0.random_range(-30.0..30.0);
            let index = rng.0.random_range(0..=fleet.len());
            duck.follows = fleet.get(index).copied();
        }
        if !duck.asleep {
            duck.x = (duck.x + duck.vx * tick.dt as f32).clamp(0., 500.);
            duck.y = (duck.y + duck.vy * tick.dt as f32).clamp(0., 500.);
        }
    }
}

/// Secrets change, and letters tell them.
pub(super) fn renew_secrets<const LEAK: u8>(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut out: ResMut<Out>,
    mut purses: Query<&mut Purse>,
) {
    for mut purse in &mut purses {
        purse.secret = secret(purse.player, rng.0.random());
        if (tick.number + u32::from(purse.player)).is_multiple_of(LETTER_EVERY) {
            let to = if LEAK == OPEN_LETTERS {
                To::All
            } else {
                To::Player(PlayerId(purse.player))
            };
            let secret = purse.secret;
            out.send(to, Letter { secret });
        }
    }
}

/// Gives coins from one purse to another.
///
/// # Errors
/// There is no such boat, or there are not so many coins.
pub(super) fn give(world: &mut World, who: &Player, gift: Gift) -> Result<(), String> {
    let mut purses = world.query::<(Entity, &Owner, &Purse)>();
    let own = purses.iter(world).find(|(_, owner, _)| owner.0 == who.id);
    let (from, left) = own
        .map(|(from, _, purse)| (from, purse.coins))
        .ok_or("you have no boat")?;
    let left = left.checked_sub(gift.coins).ok_or("not so many coins")?;
    let to = gift.to.filter(|&to| world.get::<Purse>(to).is_some());
    let to = to.ok_or("there is no such boat")?;
    if let Some(mut purse) = world.get_mut::<Purse>(from) {
        purse.coins = left;
    }
    if let Some(mut purse) = world.get_mut::<Purse>(to) {
        purse.coins += gift.coins;
    }
    Ok(())
}
