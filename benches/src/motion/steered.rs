//! Steered motion: full speed always, and a hand that turns left or right for a while, then lets
//! go. A turn sets in and ends softly, as with a wheel or a stick. Called by `herd`.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::exact::unit;

use super::herd::{DT, Mover, Place};
use super::state::SIZE;

/// Fastest turn, in radians a second.
const TURN_MAX: f64 = 2.5;
/// Part of the way to the wanted rate of turning that is made in a tick.
const EASE: f64 = 0.25;
/// Below this a rate of turning is the wanted one, in radians a second: hands are still at rest.
const SETTLED: f64 = 0.05;

/// One that walks.
pub(super) struct Walker {
    place: Place,
    speed: f64,
    angle: f64,
    /// Radians a second.
    rate: f64,
    wanted: f64,
    /// Ticks until the hand does something else.
    left: u32,
}

impl Mover for Walker {
    fn new(rng: &mut ChaCha8Rng) -> Walker {
        Walker {
            place: Place::random(rng),
            speed: rng.random_range(60.0..120.0),
            angle: rng.random_range(0.0..std::f64::consts::TAU),
            rate: 0.0,
            wanted: 0.0,
            left: 0,
        }
    }

    fn step(&mut self, rng: &mut ChaCha8Rng) {
        if self.left == 0 {
            if rng.random_bool(0.5) {
                self.wanted = 0.0;
                self.left = rng.random_range(10..60);
            } else {
                let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
                self.wanted = side * rng.random_range(0.6..TURN_MAX);
                self.left = rng.random_range(6..30);
            }
        }
        self.left -= 1;
        let (dx, dy) = unit(self.angle);
        if self.place.leads_out((dx, dy), 120.0, 40.0) {
            // Turn to the side on which the centre is, until the way is free.
            let to_x = SIZE / 2.0 - self.place.x;
            let to_y = SIZE / 2.0 - self.place.y;
            let side = if dx * to_y - dy * to_x > 0.0 {
                1.0
            } else {
                -1.0
            };
            self.wanted = side * TURN_MAX;
            self.left = 3;
        }
        self.rate += (self.wanted - self.rate) * EASE;
        if (self.wanted - self.rate).abs() < SETTLED {
            self.rate = self.wanted;
        }
        self.angle += self.rate * DT;
        let (dx, dy) = unit(self.angle);
        self.place.vx = dx * self.speed;
        self.place.vy = dy * self.speed;
        self.place.go();
    }

    fn place(&self) -> Place {
        self.place
    }
}
