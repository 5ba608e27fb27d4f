//! Recorded motion: how 150 entities move for 300 ticks, in the integers that a snapshot carries.
//! Every codec figure is measured on the same recordings, so that two figures differ by the codec.
//! They are made from a seed by the simulators here and kept in `benches/recordings`, written
//! by `record-motion`, read by `codec-yardstick`. What a real arena does is `recording`'s.

mod error;
mod forces;
mod herd;
pub(crate) mod nibbles;
mod state;
mod steered;
mod tape;
mod wasd;

pub use error::TapeError;
pub use state::{HEADINGS, HEALTH_MAX, SIZE, STEP, State, TICK_RATE, VELOCITY_MAX, VELOCITY_STEP};
pub use tape::Tape;

use std::io;
use std::path::PathBuf;

/// Entities of a recording.
pub const ENTITIES: usize = 150;
/// Ticks of a recording.
pub const TICKS: usize = 300;
/// The seed of the recordings that are kept.
pub const SEED: u64 = 4;

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

    #[test]
    fn a_file_is_the_recording_and_its_parts_are_none() {
        for motion in Motion::ALL {
            let tape = motion.simulate(2, 40, 9);
            let file = tape.encode();
            assert_eq!(Tape::decode(&file), Ok(tape), "{}", motion.name());
            for end in 0..file.len() {
                assert_eq!(Tape::decode(&file[..end]), Err(TapeError::Broken));
            }
            let longer = [file.as_slice(), &[0]].concat();
            assert_eq!(Tape::decode(&longer), Err(TapeError::Broken));
        }
    }

    #[test]
    fn a_broken_file_is_an_error_or_a_recording() {
        let file = Motion::Forces.simulate(2, 10, 9).encode();
        let mut recordings = 0;
        for bit in 0..file.len() * 8 {
            let mut broken = file.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            if let Ok(tape) = Tape::decode(&broken) {
                assert_eq!(Tape::decode(&tape.encode()), Ok(tape), "bit {bit}");
                recordings += 1;
            }
        }
        assert!(recordings > 0);
    }
}
