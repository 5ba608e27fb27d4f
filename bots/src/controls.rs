//! The inputs of a bot that knows its game by the schema only: each kind of field is steered in its
//! own way. Pure but for the random numbers that it is given. Called by `player`, and by `hostile`
//! for what cheats send.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::ids::Handle;
use tickwire::schema::{Field, Kind};

use crate::roles::Behaviour;

/// One bot's controls: the integers of the input's fields, tick by tick.
#[derive(Debug)]
pub(crate) struct Controls {
    behaviour: Behaviour,
    ticks_per_s: u32,
    controls: Vec<Control>,
    values: Vec<i32>,
}

/// What one field is being steered to.
#[derive(Debug)]
struct Control {
    kind: Kind,
    /// Ticks until it is decided anew.
    hold: u32,
    /// The value held, or steps a tick for a turn.
    aim: i32,
}

impl Controls {
    /// Controls for an input of these fields at `tick_rate` ticks a second.
    pub(crate) fn new(behaviour: Behaviour, fields: &[Field], tick_rate: u16) -> Controls {
        Controls {
            behaviour,
            ticks_per_s: u32::from(tick_rate.max(1)),
            values: fields.iter().map(|field| neutral(&field.kind)).collect(),
            controls: fields
                .iter()
                .map(|field| Control {
                    kind: field.kind.clone(),
                    hold: 0,
                    aim: 0,
                })
                .collect(),
        }
    }

    /// Whether inputs are sent at all.
    pub(crate) fn play(&self) -> bool {
        self.behaviour != Behaviour::Spectate
    }

    /// The input of the next tick.
    pub(crate) fn next(&mut self, rng: &mut ChaCha8Rng) -> &[i32] {
        match self.behaviour {
            Behaviour::Idle | Behaviour::Spectate => {}
            Behaviour::Random => {
                for (control, value) in self.controls.iter().zip(&mut self.values) {
                    *value = anything(&control.kind, rng);
                }
            }
            Behaviour::Wander => {
                for (control, value) in self.controls.iter_mut().zip(&mut self.values) {
                    if control.hold == 0 {
                        control.decide(*value, self.ticks_per_s, rng);
                    }
                    control.hold -= 1;
                    *value = control.moved(*value);
                }
            }
        }
        &self.values
    }
}

impl Control {
    /// Chooses what to do next and for how long, as a person would with such a control.
    fn decide(&mut self, value: i32, ticks_per_s: u32, rng: &mut ChaCha8Rng) {
        let spread: f64 = rng.random();
        let ticks = |from_ms: f64, to_ms: f64| {
            let ms = from_ms + (to_ms - from_ms) * spread;
            ((ms * f64::from(ticks_per_s) / 1000.0) as u32).max(1)
        };
        match &self.kind {
            // A stick or a pair of keys: both ends and the middle.
            Kind::Real { min, max, .. } => {
                self.hold = ticks(300.0, 1500.0);
                let to = match rng.random_range(0..5) {
                    0 | 1 => *min,
                    2 | 3 => *max,
                    _ => 0.0,
                };
                self.aim = self.kind.quantise(to);
            }
            // The mouse: some way round at an even pace, or resting.
            Kind::Turn { steps } => {
                self.hold = ticks(150.0, 800.0);
                let fastest = (steps / ticks_per_s.max(1)).max(1) as i32;
                self.aim = if rng.random_bool(0.3) {
                    0
                } else {
                    rng.random_range(-fastest..=fastest)
                };
            }
            // A button: short presses, long pauses.
            Kind::Bool if value == 0 && rng.random_bool(0.5) => {
                self.hold = ticks(60.0, 300.0);
                self.aim = 1;
            }
            Kind::Bool => {
                self.hold = ticks(400.0, 2000.0);
                self.aim = 0;
            }
            Kind::Int { .. } | Kind::Bits | Kind::Enum { .. } => {
                self.hold = ticks(1000.0, 3000.0);
                self.aim = anything(&self.kind, rng);
            }
            Kind::Entity | Kind::Text { .. } => {
                self.hold = ticks(1000.0, 3000.0);
                self.aim = Handle::NONE;
            }
        }
    }

    fn moved(&self, value: i32) -> i32 {
        match self.kind {
            Kind::Turn { steps } => (value + self.aim).rem_euclid(steps as i32),
            _ => self.aim,
        }
    }
}

fn neutral(kind: &Kind) -> i32 {
    match kind {
        Kind::Entity | Kind::Text { .. } => Handle::NONE,
        _ => kind.quantise(0.0),
    }
}

fn anything(kind: &Kind, rng: &mut ChaCha8Rng) -> i32 {
    match kind {
        Kind::Entity | Kind::Text { .. } => Handle::NONE,
        _ => rng.random_range(0..=kind.q_max()) as i32,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use tickwire::schema::Predictor;

    use super::*;

    fn fields() -> Vec<Field> {
        let kinds = [
            Kind::Real {
                min: -1.0,
                max: 1.0,
                step: 1.0 / 64.0,
            },
            Kind::Int { min: -3, max: 9 },
            Kind::Bits,
            Kind::Bool,
            Kind::Turn { steps: 4096 },
            Kind::Enum {
                names: vec!["a".into(), "b".into(), "c".into()],
            },
            Kind::Entity,
        ];
        kinds
            .into_iter()
            .enumerate()
            .map(|(index, kind)| Field {
                name: format!("f{index}"),
                kind,
                predictor: Predictor::Hold,
            })
            .collect()
    }

    /// A minute of inputs.
    fn minute(behaviour: Behaviour, seed: u64) -> Vec<Vec<i32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut controls = Controls::new(behaviour, &fields(), 30);
        (0..1800)
            .map(|_| controls.next(&mut rng).to_vec())
            .collect()
    }

    #[test]
    fn every_value_is_in_its_range() {
        for behaviour in [Behaviour::Wander, Behaviour::Random, Behaviour::Idle] {
            for values in minute(behaviour, 1) {
                for (field, value) in fields().iter().zip(values) {
                    assert!(
                        value as u32 <= field.kind.q_max(),
                        "{behaviour:?} {field:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_seed_plays_the_same_again() {
        assert_eq!(minute(Behaviour::Wander, 7), minute(Behaviour::Wander, 7));
        assert_ne!(minute(Behaviour::Wander, 7), minute(Behaviour::Wander, 8));
    }

    #[test]
    fn a_wanderer_moves_rests_and_presses_sometimes() {
        let inputs = minute(Behaviour::Wander, 3);
        let share = |field: usize, of: &dyn Fn(i32) -> bool| {
            inputs.iter().filter(|values| of(values[field])).count() as f64 / inputs.len() as f64
        };
        for end in [0, 128] {
            assert!((0.2..0.6).contains(&share(0, &|q| q == end)));
        }
        assert!((0.05..0.4).contains(&share(3, &|q| q == 1)));
        let turns = inputs
            .windows(2)
            .filter(|pair| pair[0][4] != pair[1][4])
            .count();
        assert!(turns > inputs.len() / 3);
    }

    #[test]
    fn idle_hands_are_neutral() {
        let inputs = minute(Behaviour::Idle, 1);
        assert_eq!(inputs[0], [64, 3, 0, 0, 0, 0, Handle::NONE]);
        assert!(inputs.iter().all(|values| *values == inputs[0]));
    }
}
