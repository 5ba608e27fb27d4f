//! One field: its kind, a file for each that takes more than a line, and how the next integer is
//! guessed.

mod kind;
mod predictor;
pub(crate) mod real;
mod text;
pub(crate) mod turn;

pub use kind::Kind;
pub use predictor::Predictor;
pub use real::FINE_STEP;
pub use text::{is_text, text_words, words_text};

use serde::{Deserialize, Serialize};

const BAD_PREDICTOR: &str = "its predictor must name another field of its component and a positive divisor, and not guess a text";
const BAD_FOLLOWING: &str = "what it follows must be a linear real or int declared before it (for a bearing two of one step), by a scale within 2^20";

/// Keeps a rate far from where a float loses whole numbers.
const RATE_SCALE_MAX: f64 = (1 << 20) as f64;

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

impl Field {
    /// The error says what is wrong with it, as those of its kind do.
    pub(super) fn check(&self, siblings: &[Field]) -> Result<(), &'static str> {
        self.kind.check()?;
        let text = matches!(self.kind, Kind::Text { .. });
        match self.predictor {
            Predictor::Linear | Predictor::Counter { .. } if text => Err(BAD_PREDICTOR),
            Predictor::Velocity { by, den, .. }
                if text
                    || den <= 0
                    || siblings.get(usize::from(by)).is_none_or(|other| {
                        other.name == self.name
                            || !matches!(other.kind, Kind::Real { .. } | Kind::Int { .. })
                    }) =>
            {
                Err(BAD_PREDICTOR)
            }
            Predictor::Velocity { num, .. } if num.unsigned_abs() > 1 << 20 => Err(BAD_PREDICTOR),
            Predictor::Bearing { x, y } if !self.bears(siblings, x, y) => Err(BAD_FOLLOWING),
            Predictor::Rate { of, scale } if !self.rates(siblings, of, scale) => Err(BAD_FOLLOWING),
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
