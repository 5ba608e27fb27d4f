//! The guess of a column from its baseline (`PROTOCOL.md` §7), in integers below 2^53.

use crate::schema::{Column, Guess};

/// Velocities are clamped to this, so that products stay exact in JavaScript.
const VELOCITY_MAX: i32 = 1 << 20;

/// The value guessed `dt` ticks after the row `baseline`, whose image came `gap` ticks after the
/// one before it. Not for change columns.
#[inline]
pub(super) fn predict(column: &Column, index: usize, baseline: &[i32], dt: u32, gap: u32) -> i32 {
    let from = baseline[index];
    let step = match column.guess {
        Guess::Hold | Guess::Change => return from,
        Guess::Linear => {
            let change = baseline[index + 1];
            if dt == gap {
                i64::from(change)
            } else {
                floor_div(i64::from(change) * i64::from(dt), gap.max(1))
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

fn floor_div(a: i64, b: u32) -> i64 {
    a.div_euclid(i64::from(b))
}
