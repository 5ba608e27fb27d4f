//! One field: how its value becomes an integer and back, and how the next integer is guessed.
//! The arithmetic is exact in JavaScript too (`client-web/src/schema/field.js`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::ENUM_NAMES_MAX;

/// A field of a component, an input, an event or an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, unique among its siblings: the property in JavaScript.
    pub name: String,
    /// Its type, range and step.
    pub kind: Kind,
    /// How snapshots guess it; inputs, events and actions are sent absolutely.
    pub predictor: Predictor,
}

/// A field's type. Its integer is called `q`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// `min + q * step`, clamped to `min..=max`, rounded to the nearest step.
    Real {
        /// Least value, in the game's unit.
        min: f64,
        /// Greatest value, in the game's unit.
        max: f64,
        /// Distance between neighbouring values, in the game's unit.
        step: f64,
    },
    /// `min + q`, exact, clamped to `min..=max`.
    Int {
        /// Least value.
        min: i32,
        /// Greatest value.
        max: i32,
    },
    /// Any u32, exact: its bits are `q`.
    Bits,
    /// `q` is 0 or 1.
    Bool,
    /// An angle in radians, `q * 2π / steps`; wraps around. Steps are a power of two.
    Turn {
        /// Directions that can be told apart, 2..=65536.
        steps: u32,
    },
    /// One of these names, `q` is its index.
    Enum {
        /// The names, at most 256.
        names: Vec<String>,
    },
    /// An entity, `q` as in [`crate::ids::Handle::to_field`].
    Entity,
    /// UTF-8 in at most `bytes` bytes, without NUL; one `q` for every four of them, the first
    /// in its lowest bits, filled with zeros. Not for inputs.
    Text {
        /// Room for it: a multiple of 4, 4..=64.
        bytes: u8,
    },
}

/// How a snapshot guesses a field from the baseline; only the difference is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Predictor {
    /// It stays.
    #[default]
    Hold,
    /// It goes on by its last change, bent as that change last differed from the one before. Both
    /// are columns of the image of their own.
    Linear,
    /// It moves by another field of the same component: `q += v * num * dt / den`, where `v` is
    /// that field's value in its steps (`q` less the `q` of zero).
    Velocity {
        /// Index of the other field among its component's.
        by: u8,
        /// Steps of this field that one step of the other makes in `den` ticks.
        num: i32,
        /// See `num`; positive.
        den: i32,
    },
    /// It rises by `per_tick` every tick (timers, stamps).
    Counter {
        /// Change of `q` a tick.
        per_tick: i32,
    },
    /// It is the direction in which two other fields last changed: headings of what looks where
    /// it goes. For a [`Kind::Turn`].
    Bearing {
        /// Index of the first field, an earlier one with [`Predictor::Linear`].
        x: u8,
        /// Index of the second field, a quarter turn further, in the same step.
        y: u8,
    },
    /// It is the rate at which another field last changed: velocities. `q` is that of zero and
    /// `change * scale / gap`, rounded.
    Rate {
        /// Index of the other field, an earlier one with [`Predictor::Linear`].
        of: u8,
        /// Steps of this field that one step a tick of the other makes; within ±2^20, not 0.
        scale: f64,
    },
}

/// Why a field's declaration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// `min` is not below `max`, or one is not a number.
    EmptyRange,
    /// The step is not a positive number.
    BadStep,
    /// More than 2^31 steps between `min` and `max`.
    TooManySteps,
    /// A turn's steps are not a power of two in 2..=65536.
    BadTurn,
    /// A text whose bytes are not a multiple of 4 in 4..=64.
    BadText,
    /// An enum without names or with more than 256.
    BadEnum,
    /// The predictor names a field that is not there, divides by zero or less, or guesses a
    /// text.
    BadPredictor,
    /// It follows fields that are not linear and before it in the component, or of a kind that can't
    /// be followed so, or by a scale that is 0 or beyond ±2^20.
    BadFollowing,
    /// A finely predicted field whose least value is not a multiple of 2^-10.
    NotFine,
    /// A field that is predicted on its grid, with a step that is not a power of two from 2^-20 to 1.
    BadGrid,
    /// The same with a least value that is not a multiple of the step, or beyond ±2^31.
    OffGrid,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldError::EmptyRange => "its range is empty",
            FieldError::BadStep => "its step must be positive",
            FieldError::TooManySteps => "its range has more than 2^31 steps",
            FieldError::BadTurn => "a turn's steps must be a power of two from 2 to 65536",
            FieldError::BadText => "a text's bytes must be a multiple of 4 from 4 to 64",
            FieldError::BadEnum => "an enum needs 1 to 256 names",
            FieldError::BadPredictor => {
                "its predictor must name another field of its component and a positive divisor, and not guess a text"
            }
            FieldError::BadFollowing => {
                "what it follows must be a linear real or int declared before it (for a bearing two of one step), by a scale within 2^20"
            }
            FieldError::NotFine => "a predicted field's least value must be a multiple of 1/1024",
            FieldError::BadGrid => {
                "a field predicted on its grid needs a step that is a power of two from 2^-20 to 1, to which both ends snap alike"
            }
            FieldError::OffGrid => {
                "the least value of a field predicted on its grid must be a multiple of its step, within 2^31"
            }
        })
    }
}

/// Bytes of the longest text.
const TEXT_BYTES_MAX: u8 = 64;

/// The integers of a text in a field of `words` integers: cut between characters where it does
/// not fit, and at its first NUL.
pub fn text_words(text: &str, words: usize) -> impl Iterator<Item = i32> + '_ {
    let end = text.find('\0').unwrap_or(text.len()).min(words * 4);
    let bytes = &text.as_bytes()[..text.floor_char_boundary(end)];
    (0..words).map(move |word| {
        let mut four = [0; 4];
        let rest = bytes.get(word * 4..).unwrap_or_default();
        let here = rest.len().min(4);
        four[..here].copy_from_slice(&rest[..here]);
        i32::from_le_bytes(four)
    })
}

/// The text of a field's integers, `None` if they are not UTF-8.
pub fn words_text(words: &[i32]) -> Option<String> {
    let bytes: Vec<u8> = words
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .take_while(|&byte| byte != 0)
        .collect();
    String::from_utf8(bytes).ok()
}

/// Whether [`words_text`] has a text for these integers; most have ASCII only.
pub fn is_text(words: &[i32]) -> bool {
    let all = words.iter().fold(0, |all, word| all | word);
    all as u32 & 0x8080_8080 == 0 || words_text(words).is_some()
}

/// The step in which a finely predicted component's `Real` fields are snapped and sent to their owner.
pub const FINE_STEP: f64 = 1.0 / 1024.0;

impl Field {
    pub(super) fn check(&self, siblings: &[Field]) -> Result<(), FieldError> {
        self.kind.check()?;
        let text = matches!(self.kind, Kind::Text { .. });
        match self.predictor {
            Predictor::Linear | Predictor::Counter { .. } if text => Err(FieldError::BadPredictor),
            Predictor::Velocity { by, den, .. }
                if text
                    || den <= 0
                    || siblings.get(usize::from(by)).is_none_or(|other| {
                        other.name == self.name
                            || !matches!(other.kind, Kind::Real { .. } | Kind::Int { .. })
                    }) =>
            {
                Err(FieldError::BadPredictor)
            }
            Predictor::Velocity { num, .. } if num.unsigned_abs() > 1 << 20 => {
                Err(FieldError::BadPredictor)
            }
            Predictor::Bearing { x, y } if !self.bears(siblings, x, y) => {
                Err(FieldError::BadFollowing)
            }
            Predictor::Rate { of, scale } if !self.rates(siblings, of, scale) => {
                Err(FieldError::BadFollowing)
            }
            _ => Ok(()),
        }
    }

    fn bears(&self, siblings: &[Field], x: u8, y: u8) -> bool {
        let leaders = [x, y].map(|index| self.leader(siblings, index));
        x != y
            && matches!(self.kind, Kind::Turn { .. })
            && leaders[0].is_some()
            && leaders[0] == leaders[1]
    }

    fn rates(&self, siblings: &[Field], of: u8, scale: f64) -> bool {
        matches!(self.kind, Kind::Real { .. } | Kind::Int { .. })
            && self.leader(siblings, of).is_some()
            && scale.abs() <= RATE_SCALE_MAX
            && scale != 0.0
    }

    /// Whether a field that this one may follow is real, and its step.
    fn leader(&self, siblings: &[Field], index: u8) -> Option<(bool, f64)> {
        let own = siblings.iter().position(|field| field.name == self.name)?;
        let index = usize::from(index);
        let leader = siblings.get(index).filter(|_| index < own)?;
        match leader.kind {
            _ if leader.predictor != Predictor::Linear => None,
            Kind::Real { step, .. } => Some((true, step)),
            Kind::Int { .. } => Some((false, 1.0)),
            _ => None,
        }
    }
}

/// Steps a unit in the finest grid. With [`GRID_LEAST_MAX`] and 2^31 steps at most, all values on a grid and their
/// differences have less than 53 bits.
const GRID_PER_UNIT_MAX: f64 = (1 << 20) as f64;
/// Bound of the least value on a grid.
const GRID_LEAST_MAX: f64 = (1u32 << 31) as f64;

/// Keeps a rate far from where a float loses whole numbers.
const RATE_SCALE_MAX: f64 = (1 << 20) as f64;

impl Kind {
    fn check(&self) -> Result<(), FieldError> {
        match self {
            Kind::Real { min, max, step } => {
                if !(min.is_finite() && max.is_finite() && min < max) {
                    Err(FieldError::EmptyRange)
                } else if !(step.is_finite() && *step > 0.0) {
                    Err(FieldError::BadStep)
                } else if (max - min) / step > f64::from(1u32 << 31) - 1.0 {
                    Err(FieldError::TooManySteps)
                } else {
                    Ok(())
                }
            }
            Kind::Int { min, max } if min >= max => Err(FieldError::EmptyRange),
            Kind::Turn { steps } if !steps.is_power_of_two() || !(2..=65536).contains(steps) => {
                Err(FieldError::BadTurn)
            }
            Kind::Text { bytes } if bytes % 4 != 0 || !(4..=TEXT_BYTES_MAX).contains(bytes) => {
                Err(FieldError::BadText)
            }
            Kind::Enum { names } if names.is_empty() || names.len() > ENUM_NAMES_MAX => {
                Err(FieldError::BadEnum)
            }
            _ => Ok(()),
        }
    }

    /// The same kind in the step that owners get finely predicted fields in; only `Real` changes.
    pub fn fine(&self) -> Result<Kind, FieldError> {
        match *self {
            Kind::Real { min, max, .. } => {
                if (min / FINE_STEP).fract() != 0.0 {
                    return Err(FieldError::NotFine);
                }
                let fine = Kind::Real {
                    min,
                    max,
                    step: FINE_STEP,
                };
                fine.check().map(|()| fine)
            }
            _ => Ok(self.clone()),
        }
    }

    /// Refuses a `Real` that can't be predicted in its own steps. With a power of two every value is exact, and so
    /// is every division by the step, also as the product with its inverse: whoever snaps a value gets the same
    /// bits, and what is snapped stays where it is.
    pub(super) fn check_grid(&self) -> Result<(), FieldError> {
        let Kind::Real { min, step, .. } = *self else {
            return Ok(());
        };
        let per_unit = 1.0 / step;
        let whole = (1.0..=GRID_PER_UNIT_MAX).contains(&per_unit) && per_unit.fract() == 0.0;
        if !whole || !(per_unit as u32).is_power_of_two() || per_unit * step != 1.0 {
            Err(FieldError::BadGrid)
        } else if min.abs() > GRID_LEAST_MAX || (min / step).fract() != 0.0 {
            Err(FieldError::OffGrid)
        } else {
            Ok(())
        }
    }

    /// The greatest `q`, as unsigned bits.
    pub fn q_max(&self) -> u32 {
        match self {
            Kind::Real { min, max, step } => ((max - min) / step + 0.5) as u32,
            Kind::Int { min, max } => (i64::from(*max) - i64::from(*min)) as u32,
            Kind::Bits | Kind::Entity | Kind::Text { .. } => u32::MAX,
            Kind::Bool => 1,
            Kind::Turn { steps } => steps - 1,
            Kind::Enum { names } => names.len() as u32 - 1,
        }
    }

    /// Bits of an absolute `q`, 0..=32.
    pub fn bits(&self) -> u32 {
        32 - self.q_max().leading_zeros()
    }

    /// Integers of a value: 1, but for a text.
    pub fn words(&self) -> usize {
        match self {
            Kind::Text { bytes } => usize::from(*bytes) / 4,
            _ => 1,
        }
    }

    /// `steps` of a turn, whose differences wrap around; 0 for the others.
    pub fn modulus(&self) -> u32 {
        match self {
            Kind::Turn { steps } => *steps,
            _ => 0,
        }
    }

    /// The `q` of the value zero, which velocities are counted from.
    pub fn q_zero(&self) -> i32 {
        self.quantise(0.0)
    }

    /// The integer of a value: clamp, divide by the step, add 0.5, truncate. NaN becomes the
    /// least value. For `Entity` and `Bits` the value is the integer itself; a text's integers
    /// are [`text_words`].
    #[inline]
    pub fn quantise(&self, value: f64) -> i32 {
        match self {
            Kind::Real { min, max, step } => {
                // `max` before `min`: NaN falls to `min`.
                let clamped = value.min(*max).max(*min);
                let clamped = if value.is_nan() { *min } else { clamped };
                (((clamped - min) / step + 0.5) as u32).min(self.q_max()) as i32
            }
            Kind::Int { min, max } => {
                let whole = if value.is_nan() { *min } else { value as i32 };
                (i64::from(whole.clamp(*min, *max)) - i64::from(*min)) as u32 as i32
            }
            Kind::Bits => value as u32 as i32,
            Kind::Entity | Kind::Text { .. } => value as i32,
            Kind::Bool => i32::from(value != 0.0 && !value.is_nan()),
            Kind::Turn { steps } => {
                let turns = value / std::f64::consts::TAU;
                if !turns.is_finite() {
                    return 0;
                }
                let fraction = turns - turns.floor();
                ((fraction * f64::from(*steps) + 0.5) as u32 & (steps - 1)) as i32
            }
            Kind::Enum { names } => (value as u32).min(names.len() as u32 - 1) as i32,
        }
    }

    /// The value of an integer, as far as a number can say it.
    pub fn dequantise(&self, q: i32) -> f64 {
        match self {
            Kind::Real { min, step, .. } => min + f64::from(q as u32) * step,
            Kind::Int { min, .. } => f64::from(*min) + f64::from(q as u32),
            Kind::Bits => f64::from(q as u32),
            Kind::Bool | Kind::Enum { .. } | Kind::Entity | Kind::Text { .. } => f64::from(q),
            Kind::Turn { steps } => f64::from(q) * (std::f64::consts::TAU / f64::from(*steps)),
        }
    }
}
