//! Motion that nobody steers: a new random force every tick, without friction; walls throw back.
//! The part that no predictor can know is the whole of it. Called by `herd`.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::herd::{DT, Mover, Place};
use super::state::SIZE;

/// Greatest force along an axis, in units a second squared: 3.3 steps of position a tick.
const FORCE_MAX: f64 = 30.0;
/// Distance from a wall at which a body is thrown back, in units.
const WALL: f64 = 10.0;

/// One that is pushed.
pub(super) struct Body {
    place: Place,
}

impl Mover for Body {
    fn new(rng: &mut ChaCha8Rng) -> Body {
        let mut place = Place::random(rng);
        let mut speed = || {
            let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
            side * rng.random_range(20.0..80.0)
        };
        place.vx = speed();
        place.vy = speed();
        Body { place }
    }

    fn step(&mut self, rng: &mut ChaCha8Rng) {
        let place = &mut self.place;
        place.vx = thrown_back(place.x, place.vx) + rng.random_range(-FORCE_MAX..FORCE_MAX) * DT;
        place.vy = thrown_back(place.y, place.vy) + rng.random_range(-FORCE_MAX..FORCE_MAX) * DT;
        place.go();
    }

    fn place(&self) -> Place {
        self.place
    }
}

fn thrown_back(at: f64, v: f64) -> f64 {
    if at < WALL {
        v.abs()
    } else if at > SIZE - WALL {
        -v.abs()
    } else {
        v
    }
}
