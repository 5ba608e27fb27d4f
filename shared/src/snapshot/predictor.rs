//! The guess of a column from its baseline (`PROTOCOL.md` §7), in integers below 2^53.

use crate::exact;
use crate::schema::{Column, ColumnSet, Guess};

/// Velocities are clamped to this, so that products stay exact in JavaScript.
const VELOCITY_MAX: i32 = 1 << 20;

/// The value guessed `dt` ticks after the row `baseline`, whose image came `gap` ticks after the
/// one before it. Not for change columns.
#[inline]
pub(super) fn predict(set: &ColumnSet, index: usize, baseline: &[i32], dt: u32, gap: u32) -> i32 {
    let column = &set.columns[index];
    let from = baseline[index];
    let step = match column.guess {
        Guess::Hold | Guess::Change => return from,
        Guess::Linear => go_on(baseline[index + 1], dt, gap),
        Guess::Rotate {
            x,
            y,
            heading,
            steps,
            second,
        } => {
            if dt == gap {
                let (cos, sin) = set.turns.of(baseline[heading + 1], steps);
                rotate(baseline[x + 1], baseline[y + 1], cos, sin, second)
            } else {
                go_on(baseline[index + 1], dt, gap)
            }
        }
        Guess::Velocity { by, zero, num, den } => {
            let velocity = baseline[by]
                .wrapping_sub(zero)
                .clamp(-VELOCITY_MAX, VELOCITY_MAX);
            floor_div(
                i64::from(velocity) * i64::from(num) * i64::from(dt),
                den as u32,
            )
        }
        Guess::Counter { per_tick } => i64::from(per_tick) * i64::from(dt),
    };
    add(column, from, step as i32)
}

/// A change of `gap` ticks, made for `dt` ticks.
fn go_on(change: i32, dt: u32, gap: u32) -> i64 {
    if dt == gap {
        i64::from(change)
    } else {
        floor_div(i64::from(change) * i64::from(dt), gap.max(1))
    }
}

/// Unit of the sines and cosines of rotations.
const UNIT: i64 = 16384;
/// Changes of a rotating pair are clamped to this, so that products stay exact in JavaScript.
const CHANGE_MAX: i32 = 1 << 30;

/// Cosines and sines of small turns, which most are, in units of 1/16384.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    steps: u32,
    /// Of -[`SMALL_TURN`]..[`SMALL_TURN`] steps.
    small: Vec<(i64, i64)>,
}

/// Steps of a heading a tick that are looked up.
const SMALL_TURN: i32 = 64;

impl Turns {
    /// Those of a heading with so many steps.
    pub fn new(steps: u32) -> Turns {
        Turns {
            steps,
            small: (-SMALL_TURN..SMALL_TURN)
                .map(|q| turned(q, steps))
                .collect(),
        }
    }

    #[inline]
    fn of(&self, q: i32, steps: u32) -> (i64, i64) {
        match self.small.get(q.wrapping_add(SMALL_TURN) as usize) {
            Some(&turn) if steps == self.steps => turn,
            _ => turned(q, steps),
        }
    }
}

/// Cosine and sine of a turn of `q` of `steps`.
fn turned(q: i32, steps: u32) -> (i64, i64) {
    let q = q & (steps as i32 - 1);
    let (cos, sin) = exact::unit(f64::from(q) * (std::f64::consts::TAU / f64::from(steps)));
    let whole = |of: f64| exact::floor(of * UNIT as f64 + 0.5) as i64;
    (whole(cos), whole(sin))
}

fn rotate(x: i32, y: i32, cos: i64, sin: i64, second: bool) -> i64 {
    let x = i64::from(x.clamp(-CHANGE_MAX, CHANGE_MAX));
    let y = i64::from(y.clamp(-CHANGE_MAX, CHANGE_MAX));
    let turned = if second {
        x * sin + y * cos
    } else {
        x * cos - y * sin
    };
    floor_div(turned + UNIT / 2, UNIT as u32)
}

/// The change column guessed for an image that is not steady, from the decoded difference.
#[inline]
pub(super) fn predict_change(difference: i32, gap: u32, dt: u32) -> i32 {
    floor_div(i64::from(difference) * i64::from(gap), dt) as i32
}

/// `to - from`, the short way around for turns.
#[inline]
pub(super) fn difference(column: &Column, to: i32, from: i32) -> i32 {
    let plain = to.wrapping_sub(from);
    if column.modulus == 0 {
        return plain;
    }
    let half = (column.modulus / 2) as i32;
    ((plain.wrapping_add(half)) & (column.modulus as i32 - 1)) - half
}

/// `from + step`, around for turns.
#[inline]
pub(super) fn add(column: &Column, from: i32, step: i32) -> i32 {
    let sum = from.wrapping_add(step);
    if column.modulus == 0 {
        sum
    } else {
        sum & (column.modulus as i32 - 1)
    }
}

/// Rounds towards minus infinity. Divisors are mostly powers of two, and dividing is slow.
#[inline]
fn floor_div(a: i64, b: u32) -> i64 {
    if b.is_power_of_two() {
        a >> b.trailing_zeros()
    } else {
        a.div_euclid(i64::from(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_takes_x_to_y_and_y_to_minus_x() {
        let (cos, sin) = turned(256, 1024);
        assert_eq!((cos, sin), (0, UNIT));
        assert_eq!(rotate(1000, 7, cos, sin, false), -7);
        assert_eq!(rotate(1000, 7, cos, sin, true), 1000);
        let (cos, sin) = turned(-256, 1024);
        assert_eq!(rotate(1000, 0, cos, sin, true), -1000);
    }

    #[test]
    fn a_walker_on_a_circle_is_foreseen_to_a_step() {
        // 333 steps a tick, turning 4 of 1024 directions a tick.
        let at = |tick: i32| {
            let (cos, sin) = exact::unit(f64::from(tick * 4) * (std::f64::consts::TAU / 1024.0));
            (333.0 * cos, 333.0 * sin)
        };
        let (cos, sin) = turned(4, 1024);
        for tick in 0..1024 {
            let (x, y) = at(tick);
            let (next_x, next_y) = at(tick + 1);
            let (x, y) = (x.round() as i32, y.round() as i32);
            for (second, next) in [(false, next_x), (true, next_y)] {
                let guess = rotate(x, y, cos, sin, second) as f64;
                assert!((guess - next).abs() <= 1.5, "{tick}: {guess} for {next}");
            }
        }
    }
}
