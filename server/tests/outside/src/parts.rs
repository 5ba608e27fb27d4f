//! What the pond is made of: components, the input, room state, events and the action.

use bevy_ecs::prelude::*;
use tickwire_server::game::{Declaration, entity, int};

use super::secret;

/// What a player does in a tick.
#[derive(Clone, Debug, Default)]
pub struct Paddle {
    /// Up or down the pond, -1..=1.
    pub rudder: f32,
    /// Strength, -1 for backwards, up to 3.
    pub oars: i32,
    /// Whether the horn is pressed.
    pub horn: bool,
}

/// Where a boat is, in units; its owner predicts it.
#[derive(Component, Debug)]
pub struct Hull {
    /// 0..=500.
    pub x: f64,
    /// 0..=500.
    pub y: f64,
}

/// What a boat shows.
#[derive(Component, Debug, Default)]
pub struct Look {
    /// Radians.
    pub heading: f32,
    /// Index in [`Sign::NAMES`].
    pub sign: u8,
    /// Its player's name, as far as it fits.
    pub name: String,
}

/// What a boat's flag says.
pub struct Sign;

impl Sign {
    /// The signs by their index.
    pub const NAMES: [&str; 3] = ["drifting", "rowing", "backwards"];
}

/// A duck: nobody's, it swims by itself.
#[derive(Component, Debug, Default)]
pub struct Duck {
    /// 0..=500 units.
    pub x: f32,
    /// 0..=500 units.
    pub y: f32,
    /// Units a second.
    pub vx: f32,
    /// Units a second.
    pub vy: f32,
    /// The boat that it swims after.
    pub follows: Option<Entity>,
    /// Whether it rests.
    pub asleep: bool,
}

impl Duck {
    /// The duck of a number.
    pub(super) fn new(index: u16) -> Duck {
        Duck {
            x: 5. * f32::from(index % 100),
            y: 250.,
            ..Duck::default()
        }
    }
}

/// What only the owner of a boat knows.
#[derive(Component, Debug)]
pub struct Purse {
    /// Up to 100,000.
    pub coins: u32,
    /// Another one in every tick; [`super::secret_of`] tells whose.
    pub secret: u32,
    pub(super) player: u16,
}

impl Purse {
    pub(super) fn new(player: u16) -> Purse {
        Purse {
            coins: 100,
            secret: secret(player, 0),
            player,
        }
    }
}

/// Room state that changes in every tick, and can be foretold.
#[derive(Resource, Debug, Default)]
pub struct Stamp {
    /// The tick.
    pub tick: u32,
    /// [`Stamp::noise_of`] the tick.
    pub noise: u32,
    /// The room's number.
    pub room: u32,
}

impl Stamp {
    /// What the noise of a tick is: no predictor guesses it.
    pub fn noise_of(tick: u32) -> u32 {
        (tick ^ 0x5EED).wrapping_mul(0x9E37_79B1) >> 8
    }
}

/// A horn, heard by all others.
pub struct Honk {
    /// Whose.
    pub who: Option<Entity>,
}

/// A boat's secret, for its owner.
pub struct Letter {
    /// The secret.
    pub secret: u32,
}

/// A request to give coins away.
#[derive(Debug, Default)]
pub struct Gift {
    /// The boat that gets them.
    pub to: Option<Entity>,
    /// 1..=50.
    pub coins: u32,
}

impl Gift {
    pub(super) fn fields(k: Declaration<Gift>) -> Declaration<Gift> {
        k.field("to", |g| &mut g.to, entity())
            .field("coins", |g| &mut g.coins, int(1, 50))
    }
}
