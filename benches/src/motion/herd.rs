//! What the three motions share: many movers on seeded chance, their health, and the rounding of
//! what they do to recorded integers.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::exact::{floor, unit};

use super::state::{HEADINGS, HEALTH_MAX, SIZE, STEP, State, TICK_RATE, VELOCITY_STEP};
use super::tape::Tape;

/// Seconds of a tick.
pub(super) const DT: f64 = 1.0 / TICK_RATE as f64;

/// Where a mover is and how fast it goes, in units and units a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) vx: f64,
    pub(super) vy: f64,
}

impl Place {
    /// Anywhere but close to a wall, at rest.
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Place {
        let inner = 0.1 * SIZE..0.9 * SIZE;
        Place {
            x: rng.random_range(inner.clone()),
            y: rng.random_range(inner),
            vx: 0.0,
            vy: 0.0,
        }
    }

    /// Moves it by a tick of its velocity.
    pub(super) fn go(&mut self) {
        self.x += self.vx * DT;
        self.y += self.vy * DT;
    }

    /// Whether the point `ahead` units in the direction is closer to a wall than `margin`.
    pub(super) fn leads_out(&self, (dx, dy): (f64, f64), ahead: f64, margin: f64) -> bool {
        let inner = margin..SIZE - margin;
        !inner.contains(&(self.x + dx * ahead)) || !inner.contains(&(self.y + dy * ahead))
    }
}

/// One that moves.
pub(super) trait Mover: Sized {
    fn new(rng: &mut ChaCha8Rng) -> Self;
    /// One tick.
    fn step(&mut self, rng: &mut ChaCha8Rng);
    fn place(&self) -> Place;
}

/// Chance a tick of being hit.
const HIT: f64 = 0.01;

/// Records movers of one kind.
pub(super) fn simulate<M: Mover>(entities: usize, ticks: usize, seed: u64) -> Tape {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let directions: Vec<(f64, f64)> = (0..HEADINGS)
        .map(|q| unit(f64::from(q) * (std::f64::consts::TAU / f64::from(HEADINGS))))
        .collect();
    let mut movers: Vec<M> = (0..entities).map(|_| M::new(&mut rng)).collect();
    let mut states = vec![
        State {
            health: HEALTH_MAX,
            ..State::default()
        };
        entities
    ];
    let mut tape = Tape::new(entities);
    for _ in 0..ticks {
        for (mover, state) in movers.iter_mut().zip(&mut states) {
            mover.step(&mut rng);
            let place = mover.place();
            *state = State {
                x: nearest(place.x, STEP),
                y: nearest(place.y, STEP),
                heading: heading(&directions, place, state.heading),
                vx: nearest(place.vx, VELOCITY_STEP),
                vy: nearest(place.vy, VELOCITY_STEP),
                health: health(state.health, &mut rng),
            };
        }
        tape.push(&states);
    }
    tape
}

fn nearest(value: f64, step: f64) -> i32 {
    floor(value / step + 0.5) as i32
}

/// The direction that is nearest to the velocity's, found by turning from the last one. Done
/// by products, because an arc tangent has other bits elsewhere.
fn heading(directions: &[(f64, f64)], place: Place, last: i32) -> i32 {
    let along = |q: i32| {
        let (cos, sin) = directions[q as usize % directions.len()];
        cos * place.vx + sin * place.vy
    };
    let around = directions.len() as i32;
    let mut best = last;
    for turn in [1, around - 1] {
        while along(best + turn) > along(best) {
            best = (best + turn) % around;
        }
    }
    best
}

/// Hit now and then; whoever falls gets up whole.
fn health(before: i32, rng: &mut ChaCha8Rng) -> i32 {
    if before == 0 {
        return HEALTH_MAX;
    }
    if rng.random_bool(HIT) {
        (before - rng.random_range(5..=25)).max(0)
    } else {
        before
    }
}
