//! What the yard is made of: components, the input, room state, events, actions, the diary.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, Tick};
use tickwire_server::game::To;

/// Upper four bits of a value that is private. No other value of the game has them.
const PRIVATE: u32 = 0xA;

/// Who may know a private value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Player(PlayerId),
    Team(u8),
}

/// A number that no player has.
pub(crate) const NOBODY: u16 = 0x7FFF;

/// A private value, different in its lower 12 bits.
pub(crate) fn private(whose: Whose, noise: u32) -> u32 {
    let whose = match whose {
        Whose::Player(player) => u32::from(player.0),
        Whose::Team(team) => 0x8000 | u32::from(team),
    };
    PRIVATE << 28 | whose << 12 | noise & 0xFFF
}

/// Whose value this is, if it is private.
pub(crate) fn whose(value: u32) -> Option<Whose> {
    let whose = value >> 12 & 0xFFFF;
    let whose = match whose & 0x8000 {
        0 => Whose::Player(PlayerId(whose as u16)),
        _ => Whose::Team(whose as u8),
    };
    (value >> 28 == PRIVATE).then_some(whose)
}

/// What a player does in a tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct Push {
    pub(crate) dx: f64,
    pub(crate) cry: bool,
}

/// On what a player steers.
#[derive(Component, Serialize, Deserialize)]
pub(crate) struct Avatar;

/// By what the oracle knows a thing, whatever slot it has. Never given twice.
#[derive(Component, Clone, Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) id: u32,
}

#[derive(Component, Clone, Serialize, Deserialize)]
pub(crate) struct Pos {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Component, Clone, Serialize, Deserialize)]
pub(crate) struct Drift {
    pub(crate) x: f32,
    pub(crate) vx: f32,
}

#[derive(Component, Clone, Serialize, Deserialize)]
pub(crate) struct Look {
    pub(crate) follows: Option<Entity>,
    pub(crate) name: String,
}

#[derive(Component, Clone, Serialize, Deserialize)]
pub(crate) struct Walk {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) heading: f64,
}

/// For the owner's eyes.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Purse {
    pub(crate) coins: u32,
    pub(crate) secret: u32,
}

/// For the team's eyes.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) goal: u32,
    pub(crate) secret: u32,
}

#[derive(Resource, Default, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) number: u32,
    pub(crate) noise: u32,
}

/// Somebody cried.
pub(crate) struct Cry {
    pub(crate) serial: u32,
    pub(crate) who: Option<Entity>,
}

/// Something died in this tick.
pub(crate) struct Bye {
    pub(crate) serial: u32,
    pub(crate) who: Option<Entity>,
}

/// For one player.
pub(crate) struct Whisper {
    pub(crate) serial: u32,
    pub(crate) secret: u32,
}

pub(crate) struct News {
    pub(crate) serial: u32,
    pub(crate) note: String,
}

/// Somebody did something that is remembered.
pub(crate) struct Deed {
    pub(crate) serial: u32,
    pub(crate) who: Option<Entity>,
}

/// The index of [`Deed`] in the schema.
pub(crate) const DEED: u16 = 4;

/// Makes an ownerless thing one's own, or gives it up.
#[derive(Default)]
pub(crate) struct Adopt {
    pub(crate) whom: Option<Entity>,
}

/// Gives coins away.
#[derive(Default)]
pub(crate) struct Poke {
    pub(crate) whom: Option<Entity>,
    pub(crate) coins: u32,
}

/// An event that the game sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) tick: Tick,
    pub(crate) to: To,
    pub(crate) serial: u32,
    /// Index in the schema.
    pub(crate) event: u16,
    /// The thing that it names; `true`: it died, so the name may be lost already.
    pub(crate) names: Option<(u32, bool)>,
    /// What else is in it.
    pub(crate) secret: Option<u32>,
    pub(crate) note: Option<String>,
}

/// What the game did, for the oracle.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(crate) struct Diary {
    pub(crate) said: Vec<Said>,
    #[serde(skip)]
    pub(crate) answers: Vec<(PlayerId, Result<(), String>)>,
    /// How many went from one group to another.
    #[serde(skip)]
    pub(crate) moves: u64,
    /// Nobody is sent away any more.
    pub(crate) is_calm: bool,
    serial: u32,
}

impl Diary {
    /// Numbers an event.
    pub(crate) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}
