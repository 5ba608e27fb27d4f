//! What an entity of the arena is, and how big: what collides on the server and is drawn by
//! clients.

use serde::{Deserialize, Serialize};

/// What an entity is. The index is the value of the schema's `kind.is`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Steered by a person or a bot.
    Player,
    /// Wanders by itself; worth a point.
    Drone,
    /// On its way from a gun.
    Projectile,
    /// First aid, waiting on its pad.
    Health,
    /// Ammunition, waiting on its pad.
    Ammo,
}

impl Kind {
    /// The names in the schema, by index.
    pub const NAMES: [&'static str; 5] = ["player", "drone", "projectile", "health", "ammo"];

    /// The index in [`Kind::NAMES`].
    pub fn index(self) -> u8 {
        self as u8
    }

    /// Radius in units.
    pub fn radius(self) -> f64 {
        match self {
            Kind::Player => crate::rule::RADIUS,
            Kind::Drone | Kind::Health | Kind::Ammo => 10.0,
            Kind::Projectile => 3.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_match_names() {
        for (kind, name) in [
            (Kind::Player, "player"),
            (Kind::Drone, "drone"),
            (Kind::Projectile, "projectile"),
            (Kind::Health, "health"),
            (Kind::Ammo, "ammo"),
        ] {
            assert_eq!(Kind::NAMES[usize::from(kind.index())], name);
        }
    }
}
