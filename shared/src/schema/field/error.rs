//! Why a field's declaration is refused.

use std::fmt;

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
