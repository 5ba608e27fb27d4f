//! A field's type: how its value becomes an integer and back. What takes more than a line is a file
//! of its kind's. The arithmetic is exact in JavaScript too (`client-web/src/schema/field.js`).

use serde::{Deserialize, Serialize};

use super::{real, text, turn};
use crate::limits::ENUM_NAMES_MAX;

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

impl Kind {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Kind::Real { min, max, step } => real::check(*min, *max, *step),
            Kind::Int { min, max } if min >= max => Err("its range is empty"),
            Kind::Turn { steps } => turn::check(*steps),
            Kind::Text { bytes } => text::check(*bytes),
            Kind::Enum { names } if names.is_empty() || names.len() > ENUM_NAMES_MAX => {
                Err("an enum needs 1 to 256 names")
            }
            _ => Ok(()),
        }
    }

    /// The same kind in the step that owners get finely predicted fields in; only `Real` changes.
    pub fn fine(&self) -> Result<Kind, &'static str> {
        let Kind::Real { min, max, .. } = *self else {
            return Ok(self.clone());
        };
        let step = real::FINE_STEP;
        real::check_fine(min, max).map(|()| Kind::Real { min, max, step })
    }

    /// Refuses a `Real` that can't be predicted in its own steps.
    pub(in crate::schema) fn check_grid(&self) -> Result<(), &'static str> {
        match *self {
            Kind::Real { min, step, .. } => real::check_grid(min, step),
            _ => Ok(()),
        }
    }

    /// The greatest `q`, as unsigned bits.
    pub fn q_max(&self) -> u32 {
        match self {
            Kind::Real { min, max, step } => real::q_max(*min, *max, *step),
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
    /// are [`super::text_words`].
    #[inline]
    pub fn quantise(&self, value: f64) -> i32 {
        match self {
            Kind::Real { min, max, step } => real::quantise(*min, *max, *step, value),
            Kind::Int { min, max } => {
                let whole = if value.is_nan() { *min } else { value as i32 };
                (i64::from(whole.clamp(*min, *max)) - i64::from(*min)) as u32 as i32
            }
            Kind::Bits => value as u32 as i32,
            Kind::Entity | Kind::Text { .. } => value as i32,
            Kind::Bool => i32::from(value != 0.0 && !value.is_nan()),
            Kind::Turn { steps } => turn::quantise(*steps, value),
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
            Kind::Turn { steps } => turn::dequantise(*steps, q),
        }
    }
}
