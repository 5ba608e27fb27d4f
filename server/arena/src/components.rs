//! What the arena's entities are made of. Each has only what it needs; which of it travels, and
//! in what steps, is declared in the schema.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::exact::Xorshift32;

use crate::kind::Kind;
use crate::rule::Mover;
use crate::rule::Stride;
use crate::tuning;

/// What the entity is, as an index of [`Kind::NAMES`].
#[derive(Component, Serialize, Deserialize)]
pub(super) struct KindOf {
    pub(super) is: u8,
}

impl From<Kind> for KindOf {
    fn from(kind: Kind) -> KindOf {
        KindOf { is: kind.index() }
    }
}

/// Where it is, in units: everything but projectiles.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pos {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl From<(f64, f64)> for Pos {
    fn from((x, y): (f64, f64)) -> Pos {
        Pos { x, y }
    }
}

impl From<Mover> for Pos {
    fn from(mover: Mover) -> Pos {
        Pos {
            x: mover.x,
            y: mover.y,
        }
    }
}

impl From<Pos> for Mover {
    fn from(pos: Pos) -> Mover {
        Mover { x: pos.x, y: pos.y }
    }
}

/// Where a player looks, in radians. Drones look where they go: receivers see that.
#[derive(Component, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Heading {
    pub(super) angle: f64,
}

/// How far from falling; 0 is fallen: it neither moves, shoots nor is hit. When it returns,
/// `respawn::Fallen` knows.
#[derive(Component, Serialize, Deserialize)]
pub(super) struct Health {
    pub(super) hp: u8,
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.hp > 0
    }
}

/// What a player has achieved since the round began.
#[derive(Component, Default, Serialize, Deserialize)]
pub(super) struct Score {
    pub(super) points: u16,
    pub(super) kills: u16,
    pub(super) deaths: u16,
}

/// A player's gun; only its owner learns of it.
#[derive(Component, Serialize, Deserialize)]
pub(super) struct Gun {
    /// In the magazine.
    pub(super) rounds: u8,
    /// Beside the magazine.
    pub(super) spare: u8,
    /// Tick at which reloading is done, 0 when not reloading.
    pub(super) ready_at: u32,
    /// First tick at which it may fire again.
    pub(super) next_shot: u32,
}

impl Gun {
    pub(super) fn fresh() -> Gun {
        Gun {
            rounds: tuning::MAGAZINE,
            spare: tuning::SPARE_FRESH,
            ready_at: 0,
            next_shot: 0,
        }
    }
}

/// A projectile's straight way. Its velocity is told once, so that it flies for nothing.
#[derive(Component, Serialize, Deserialize)]
pub(super) struct Flight {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Units a second, what receivers go on by.
    pub(super) vx: f64,
    /// Units a second.
    pub(super) vy: f64,
    /// Units a tick, what the server goes on by: exact on the grid.
    pub(super) way: (f64, f64),
    /// Who shot; may be gone by now.
    pub(super) by: Entity,
    /// Tick at which it is spent.
    pub(super) spent_at: u32,
    /// Ticks that who shot saw the others behind their own time: it is theirs that it meets.
    pub(super) lag: f64,
}

/// A drone's mind.
#[derive(Component, Serialize, Deserialize)]
pub(super) struct Drone {
    pub(super) dice: Xorshift32,
    /// Where it goes, in radians.
    pub(super) heading: f64,
    /// Its unit vector.
    pub(super) ahead: (f64, f64),
    /// What it goes in a tick.
    pub(super) stride: Stride,
    /// What it still means to turn, in radians.
    pub(super) turn: f64,
    /// Tick at which it gets another idea.
    pub(super) bored_at: u32,
}

/// In what order things came to be: settles who is first, whatever the ECS's order.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Serial(pub(super) u32);

/// Gives out [`Serial`]s.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(super) struct Serials(u32);

impl Serials {
    pub(super) fn next(&mut self) -> Serial {
        self.0 = self.0.wrapping_add(1);
        Serial(self.0)
    }
}
