//! Recorded motion: how 150 entities move for 300 ticks, in the integers that a snapshot carries.
//! Every codec figure is measured on the same recordings, so that two figures differ by the codec.
//! They are made from a seed by the simulators here and kept in `benches/recordings`, written
//! by `record-motion`, read by `codec-yardstick`. What a real arena does is `recording`'s.

mod forces;
mod herd;
pub(crate) mod nibbles;
mod steered;
mod tape;
mod wasd;

pub use tape::{Tape, TapeError};

use std::io;
use std::path::PathBuf;

/// Entities of a recording.
pub const ENTITIES: usize = 150;
/// Ticks of a recording.
pub const TICKS: usize = 300;
/// Ticks a second.
pub const TICK_RATE: u16 = 30;
/// The seed of the recordings that are kept.
pub const SEED: u64 = 4;

/// Positions are in `0..=SIZE`, in units.
pub const SIZE: f64 = 1000.0;
/// Step of a position, in units: 1 cm where a unit is a metre.
pub const STEP: f64 = 0.01;
/// Directions of a heading: 8 bits.
pub const HEADINGS: u32 = 256;
/// Step of a velocity, in units a second: what moves a position by one step a tick.
pub const VELOCITY_STEP: f64 = 0.3;
/// Velocities lie within plus and minus this, in units a second.
pub const VELOCITY_MAX: f64 = 300.0;
/// Greatest health.
pub const HEALTH_MAX: i32 = 100;

/// An entity at a tick, in steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Position in [`STEP`]s, from 0.
    pub x: i32,
    /// See `x`.
    pub y: i32,
    /// Direction of the way it moves, in `0..HEADINGS`.
    pub heading: i32,
    /// Velocity in [`VELOCITY_STEP`]s, signed.
    pub vx: i32,
    /// See `vx`.
    pub vy: i32,
    /// In `0..=HEALTH_MAX`.
    pub health: i32,
}

impl State {
    /// Whether it is elsewhere than it was.
    pub fn moved_from(&self, before: &State) -> bool {
        (self.x, self.y) != (before.x, before.y)
    }
}

/// A way of moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// Constant speed; people steer left and right for a while, then go straight.
    Steered,
    /// Eight directions by keys, with acceleration and friction.
    Wasd,
    /// A new random force every tick, no friction, walls that throw back.
    Forces,
}

impl Motion {
    /// All of them, in the order of the tables.
    pub const ALL: [Motion; 3] = [Motion::Steered, Motion::Wasd, Motion::Forces];

    /// Its name in tables, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Motion::Steered => "steered",
            Motion::Wasd => "wasd",
            Motion::Forces => "forces",
        }
    }

    /// Where its recording is kept.
    pub fn path(self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("recordings")
            .join(format!("{}.tape", self.name()))
    }

    /// Makes a recording: the same for the same arguments, everywhere.
    pub fn simulate(self, entities: usize, ticks: usize, seed: u64) -> Tape {
        match self {
            Motion::Steered => herd::simulate::<steered::Walker>(entities, ticks, seed),
            Motion::Wasd => herd::simulate::<wasd::Runner>(entities, ticks, seed),
            Motion::Forces => herd::simulate::<forces::Body>(entities, ticks, seed),
        }
    }

    /// The recording that is kept; where the file is missing, the same one made anew.
    pub fn load(self) -> Result<Tape, TapeError> {
        match std::fs::read(self.path()) {
            Ok(bytes) => Tape::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(self.simulate(ENTITIES, TICKS, SEED))
            }
            Err(error) => Err(TapeError::Unreadable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_recordings_are_what_their_seed_makes() {
        for motion in Motion::ALL {
            let kept = std::fs::read(motion.path()).expect("a recording");
            let made = motion.simulate(ENTITIES, TICKS, SEED).encode();
            assert!(
                kept == made,
                "{}: run `cargo run --release -p tickwire-benches --bin record-motion`",
                motion.name()
            );
        }
    }

    #[test]
    fn another_seed_makes_another_recording() {
        for motion in Motion::ALL {
            let of_seed = |seed| motion.simulate(3, 20, seed);
            assert_eq!(of_seed(1), of_seed(1));
            assert_ne!(of_seed(1), of_seed(2));
        }
    }

    #[test]
    fn everything_moves_and_stays_inside() {
        let inside = 0..=(SIZE / STEP) as i32;
        for motion in Motion::ALL {
            let tape = motion.load().expect("a recording");
            let mut still = 0;
            for tick in 1..tape.ticks() {
                for (now, before) in tape.at(tick).iter().zip(tape.at(tick - 1)) {
                    still += usize::from(!now.moved_from(before));
                    assert!(
                        inside.contains(&now.x) && inside.contains(&now.y),
                        "{now:?}"
                    );
                    assert!((0..=HEALTH_MAX).contains(&now.health), "{now:?}");
                    assert!((0..HEADINGS as i32).contains(&now.heading), "{now:?}");
                    // A velocity is the way of the tick, but for the rounding of both.
                    let off = (now.x - before.x - now.vx).abs();
                    assert!(off <= 1, "{}: {before:?} {now:?}", motion.name());
                }
            }
            // Somebody who turns around stands for a tick.
            let moves = ENTITIES * (TICKS - 1);
            assert!(still * 1000 < moves, "{}: {still} still", motion.name());
        }
    }
}
