//! Motion by eight keys with acceleration and friction: full speed is where both are equal.
//! Called by `herd`.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::exact::unit;

use super::herd::{DT, Mover, Place};

/// Of a held key, in units a second squared.
const ACCELERATION: f64 = 1000.0;
/// Part of the velocity that is lost in a second. Full speed is `ACCELERATION / FRICTION`, 95 % of
/// it after 0.3 s.
const FRICTION: f64 = 10.0;
/// Closer to the final velocity than this a runner has it, in units a second: else friction
/// would take for ever.
const SETTLED: f64 = 0.5;

/// One that runs.
pub(super) struct Runner {
    place: Place,
    /// In eighths of a turn.
    keys: i32,
    /// Ticks until other keys are held.
    left: u32,
}

fn direction(keys: i32) -> (f64, f64) {
    unit(f64::from(keys) * std::f64::consts::FRAC_PI_4)
}

impl Mover for Runner {
    fn new(rng: &mut ChaCha8Rng) -> Runner {
        let mut runner = Runner {
            place: Place::random(rng),
            keys: rng.random_range(0..8),
            left: rng.random_range(0..40),
        };
        let (dx, dy) = direction(runner.keys);
        runner.place.vx = dx * ACCELERATION / FRICTION;
        runner.place.vy = dy * ACCELERATION / FRICTION;
        runner
    }

    fn step(&mut self, rng: &mut ChaCha8Rng) {
        if self.left == 0 {
            // A key more or less is an eighth, another key a quarter; about-turns are rare.
            let eighths = [1, 1, 1, 2, 2, 3, 4][rng.random_range(0..7)];
            let side = if rng.random_bool(0.5) { 1 } else { -1 };
            self.keys = (self.keys + side * eighths).rem_euclid(8);
            self.left = rng.random_range(10..60);
        }
        self.left -= 1;
        while self.place.leads_out(direction(self.keys), 60.0, 20.0) {
            self.keys = rng.random_range(0..8);
            self.left = rng.random_range(10..60);
        }
        let (dx, dy) = direction(self.keys);
        self.place.vx = pushed(self.place.vx, dx);
        self.place.vy = pushed(self.place.vy, dy);
        self.place.go();
    }

    fn place(&self) -> Place {
        self.place
    }
}

fn pushed(v: f64, key: f64) -> f64 {
    let v = v + (key * ACCELERATION - v * FRICTION) * DT;
    let last = key * ACCELERATION / FRICTION;
    if (v - last).abs() < SETTLED { last } else { v }
}
