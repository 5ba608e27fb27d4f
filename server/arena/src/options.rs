//! What is chosen before the game: a room's mode, a player's colour; and what lists tell of a room.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;

use crate::phase::Phase;

/// Colours that a player may have.
pub const COLOURS: [&str; 8] = [
    "sky", "orange", "violet", "teal", "pink", "gold", "indigo", "clay",
];

/// The choices of a player: a colour, or none.
pub(super) const WISHES: [&str; 9] = [
    "any", "sky", "orange", "violet", "teal", "pink", "gold", "indigo", "clay",
];

/// What a room is for.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everyone against everyone, and the drones.
    #[default]
    Brawl,
    /// Everyone against the drones: no player is hurt by another.
    Hunt,
}

impl Mode {
    /// The names in the schema, by index.
    pub const NAMES: [&'static str; 2] = ["brawl", "hunt"];

    fn from_index(index: u8) -> Mode {
        match index {
            1 => Mode::Hunt,
            _ => Mode::Brawl,
        }
    }
}

/// What whoever makes a room chooses.
#[derive(Clone, Debug, Default)]
pub(super) struct RoomChoice {
    /// Index of [`Mode::NAMES`].
    pub(super) mode: u8,
}

impl RoomChoice {
    pub(super) fn mode(&self) -> Mode {
        Mode::from_index(self.mode)
    }
}

/// What a player brings.
#[derive(Clone, Debug, Default)]
pub(super) struct PlayerChoice {
    /// Index of [`WISHES`].
    pub(super) colour: u8,
}

/// A player's looks; everyone sees them.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Look {
    /// Index of [`COLOURS`].
    pub(super) colour: u8,
}

impl Look {
    /// What they wish; who has no wish gets a colour by their number.
    pub(super) fn of(choice: &PlayerChoice, player: PlayerId) -> Look {
        let by_number = (player.0 % COLOURS.len() as u16) as u8;
        Look {
            colour: choice.colour.checked_sub(1).unwrap_or(by_number),
        }
    }
}

/// What lists tell of the room.
#[derive(Resource, Serialize, Deserialize)]
pub(super) struct Poster {
    /// Index of [`Mode::NAMES`].
    pub(super) mode: u8,
    /// Index of [`Phase::NAMES`].
    pub(super) phase: u8,
}

impl Poster {
    pub(super) fn new(mode: Mode) -> Poster {
        Poster {
            mode: mode as u8,
            phase: Phase::default().index(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_match_names() {
        for (mode, name) in [(Mode::Brawl, "brawl"), (Mode::Hunt, "hunt")] {
            assert_eq!(Mode::NAMES[mode as usize], name);
            assert_eq!(Mode::from_index(mode as u8), mode);
        }
        assert_eq!(WISHES[1..], COLOURS);
    }

    #[test]
    fn who_has_no_wish_has_a_colour_of_their_number() {
        let look = |colour, player| Look::of(&PlayerChoice { colour }, PlayerId(player)).colour;
        assert_eq!(
            [look(0, 0), look(0, 7), look(0, 8), look(0, 1001)],
            [0, 7, 0, 1]
        );
        assert_eq!([look(1, 5), look(8, 5)], [0, 7]);
    }
}
