//! Recorded motion: how 150 entities move for 300 ticks, in the integers that a snapshot carries.
//! Every codec figure is measured on the same recordings, so that two figures differ by the codec.
//! They are made from a seed by the simulators here, to the bit the same everywhere, read by
//! `codec-yardstick`. What a real arena does is `recording`'s.

mod forces;
mod herd;
mod state;
mod steered;
mod tape;
mod wasd;

pub use state::{HEADINGS, HEALTH_MAX, SIZE, STEP, State, TICK_RATE, VELOCITY_MAX, VELOCITY_STEP};
pub use tape::Tape;

/// Entities of a recording.
const ENTITIES: usize = 150;
/// Ticks of a recording.
const TICKS: usize = 300;
/// The seed of the recordings.
const SEED: u64 = 4;

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

    /// Its name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Motion::Steered => "steered",
            Motion::Wasd => "wasd",
            Motion::Forces => "forces",
        }
    }

    /// Its recording.
    pub fn record(self) -> Tape {
        self.simulate(ENTITIES, TICKS, SEED)
    }

    /// Another one: the same for the same arguments, everywhere.
    pub fn simulate(self, entities: usize, ticks: usize, seed: u64) -> Tape {
        match self {
            Motion::Steered => herd::simulate::<steered::Walker>(entities, ticks, seed),
            Motion::Wasd => herd::simulate::<wasd::Runner>(entities, ticks, seed),
            Motion::Forces => herd::simulate::<forces::Body>(entities, ticks, seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Crc;

    use super::*;

    /// Whoever changes a simulator, or what chance is drawn from, takes new figures of the codec.
    #[test]
    fn recordings_are_the_same_everywhere() {
        let sums = Motion::ALL.map(|motion| {
            let tape = motion.record();
            let mut sum = Crc::new();
            for state in (0..tape.ticks()).flat_map(|tick| tape.at(tick)) {
                let State {
                    x,
                    y,
                    heading,
                    vx,
                    vy,
                    health,
                } = *state;
                for number in [x, y, heading, vx, vy, health] {
                    sum.update(&number.to_le_bytes());
                }
            }
            sum.sum()
        });
        assert_eq!(sums, [2_375_410_811, 889_891_754, 280_391_755]);
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
            let tape = motion.record();
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
