//! Somebody who walks, as a snapshot has them or a frame shows them.

use serde::Deserialize;
use tickwire_arena::rule::SPEED;

use super::case::TICK_RATE;

/// Greatest speed of a drone in units a second: the server's own tuning.
const DRONE_SPEED: f64 = 45.0;

/// See the module's description.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct Seen {
    /// As events name them.
    pub(super) handle: u32,
    /// A player, or else a drone.
    pub(super) is_player: bool,
    pub(super) is_up: bool,
    /// In units.
    pub(super) place: [f64; 2],
}

impl Seen {
    /// The greatest speed of its kind, in units a second.
    pub(super) fn top_speed(&self) -> f64 {
        if self.is_player { SPEED } else { DRONE_SPEED }
    }

    /// Whether they walked to where they are, `ticks` later, as far as one can tell: they neither
    /// fell nor were put there.
    pub(super) fn walks_to(&self, later: &Seen, ticks: f64) -> bool {
        let free = 2.0 * self.top_speed() * ticks / f64::from(TICK_RATE);
        self.is_up && later.is_up && apart(self.place, later.place) <= free
    }
}

/// One of many.
pub(super) fn find(all: &[Seen], handle: u32) -> Option<&Seen> {
    all.iter().find(|one| one.handle == handle)
}

/// The distance between two places.
pub(super) fn apart(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}
