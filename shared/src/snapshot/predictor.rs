//! The guess of a column (`PROTOCOL.md` §7): from its baseline, or from what else is known of the new
//! row. Integers below 2^53, and floats only in the operations of `exact`.

use crate::exact;
use crate::schema::{Column, Guess};
use crate::snapshot::delta::model::pair;

/// Velocities and second differences are clamped to this, so that products stay exact in JavaScript.
pub(super) const TERM_MAX: i32 = 1 << 20;

/// How much a component activities, by what its linear columns remember: a class, below [`STIRS`].
pub type Stir = usize;

/// Classes of activity: still, going straight, then by the greatest second difference.
pub const STIRS: usize = 6;
/// From these second differences on a component activities as much as its third, fourth … class says.
const BENDS: [i32; 4] = [1, 2, 5, 24];

/// Gains of a linear column: one for each class of activity that has a second difference.
pub const GAINS: usize = BENDS.len();
/// Parts of the last second difference that a column repeats, in units of 1/32, by class; those of the two classes
/// without a second difference are 0.
pub type Gains = [i32; STIRS];
/// A gain of one.
pub const GAIN_UNIT: i32 = 32;
/// The greatest gain, and minus the least.
pub const GAIN_MAX: i32 = 64;
/// Without training: a second difference of one step is the rounding of a straight way, so taken back; a greater
/// one eases off; a great one is a knock.
pub const UNTRAINED_GAINS: Gains = [0, 0, -16, 8, 16, 8];

/// How much a component activities, by whether any of its linear columns remembers anything (not 0), and their greatest
/// second difference.
#[inline(always)]
pub(super) fn activity(any: i32, second_diff: i32) -> i32 {
    let mut activity = i32::from(any != 0);
    for from in BENDS {
        activity += i32::from(second_diff >= from);
    }
    activity
}

/// The same of a row, by its linear columns.
pub(super) fn activity_of(linear: &[usize], row: &[i32]) -> Stir {
    let memory = linear.iter().map(|at| (row[at + 1], row[at + 2]));
    let any = memory
        .clone()
        .fold(0, |any, (change, second_diff)| any | change | second_diff);
    let second_diff = memory
        .map(|(_, second_diff)| second_diff.saturating_abs())
        .max();
    activity(any, second_diff.unwrap_or(0)) as Stir
}

/// A guess, and the pair of tables by which a steady residual from it is coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) value: i32,
    pub(super) tables: usize,
}

/// The value that a linear column has `dt` ticks after an image with this value, change and second difference, which came `gap`
/// ticks after the one before it, in a component that activities so.
#[inline(always)]
pub(super) fn aim(
    column: &Column,
    value: i32,
    (change, second_diff): (i32, i32),
    activity: Stir,
    dt: u32,
    gap: u32,
) -> Aim {
    let half = GAIN_UNIT / 2;
    let (step, part) = if dt == gap {
        let second_diff = second_diff.clamp(-TERM_MAX, TERM_MAX);
        let bent = second_diff * gain(&column.gains, activity) + half;
        (
            change.wrapping_add(bent.div_euclid(GAIN_UNIT)),
            bent.rem_euclid(GAIN_UNIT),
        )
    } else {
        let way = i64::from(change) * i64::from(dt);
        (floor_div(way, gap.max(1)) as i32, half)
    };
    Aim {
        value: add(column, value, step),
        tables: pair(activity, part),
    }
}

/// The gain of a class, not looked up but chosen, which can be done for many at once.
#[inline(always)]
fn gain(gains: &Gains, activity: Stir) -> i32 {
    let mut gain = 0;
    for class in STIRS - GAINS..STIRS {
        gain += if activity == class { gains[class] } else { 0 };
    }
    gain
}

/// Moves a value towards its guess, as far as its column's tolerance and range allow; what it is then, and what
/// is left of its residual. To the guess where that is close enough; else to the edge of the tolerance
/// rather than to the value, for a small residual upsets what comes next the least.
#[inline(always)]
pub(super) fn settle(column: &Column, value: i32, guess: i32, residual: i32) -> (i32, i32) {
    // Without branches: whether a value is off its guess, and on which side, is anyone's guess.
    let side = residual >> 31;
    let size = (residual ^ side).wrapping_sub(side);
    let beyond = size.wrapping_sub(column.tolerance as i32).max(0);
    let left = (beyond ^ side).wrapping_sub(side);
    let settled = add(column, guess, left);
    let fits = settled as u32 <= column.q_max;
    (
        if fits { settled } else { value },
        if fits { left } else { residual },
    )
}

/// How far a velocity, as steps off its zero, takes a column in `dt` ticks.
#[inline]
pub(super) fn velocity_way(velocity: i32, num: i32, den: i32, dt: u32) -> i32 {
    let velocity = velocity.clamp(-TERM_MAX, TERM_MAX);
    let way = i64::from(velocity) * i64::from(num) * i64::from(dt);
    floor_div(way, den as u32) as i32
}

/// What a column that follows others comes to by their changes in its own row, `gap` ticks long.
/// `None` where they tell nothing: a direction without a way, and for other columns.
#[inline]
pub(super) fn follow(guess: Guess, row: &[i32], gap: u32) -> Option<i32> {
    match guess {
        Guess::Bearing { x, y, .. } if row[x] == 0 && row[y] == 0 => None,
        Guess::Bearing { x, y, steps } => {
            Some(direction(f64::from(row[x]), f64::from(row[y]), steps))
        }
        Guess::Rate {
            change,
            zero,
            scale,
        } => Some(rate(f64::from(row[change]), zero, scale, gap)),
        _ => None,
    }
}

/// The direction of a way, of so many; 0 without a way.
#[inline]
pub(super) fn direction(x: f64, y: f64, steps: u32) -> i32 {
    let turn = exact::bearing(x, y);
    let direction = floor_bits(turn * f64::from(steps) + 0.5);
    direction & (steps as i32 - 1)
}

/// The rate of a change in `gap` ticks.
#[inline]
pub(super) fn rate(change: f64, zero: i32, scale: f64, gap: u32) -> i32 {
    let way = change * scale;
    let rate = if gap > 1 { way / f64::from(gap) } else { way };
    let limit = f64::from(1 << 30);
    zero.wrapping_add(floor_bits(exact::clamp(rate, -limit, limit) + 0.5))
}

/// The lower 32 bits of the greatest whole number that is not above `value`, which lies within 2^51 of 0. There is
/// no vector instruction for a conversion that saturates, so it is none: with so great a number added a fraction has no
/// bits left, and the whole stands in the lowest ones.
#[inline(always)]
pub(crate) fn floor_bits(value: f64) -> i32 {
    const GREAT: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    let nearest = value + GREAT;
    let above = nearest - GREAT > value;
    (nearest.to_bits() as i32).wrapping_sub(i32::from(above))
}

/// The change guessed for an image that is not steady, from the decoded difference.
#[inline]
pub(super) fn guess_change(difference: i32, gap: u32, dt: u32) -> i32 {
    floor_div(i64::from(difference) * i64::from(gap), dt) as i32
}

/// The second difference guessed for an image that is not steady, from the change that is new and the baseline's.
#[inline]
pub(super) fn guess_second_diff(change: i32, before: i32, gap: u32, dt: u32) -> i32 {
    guess_change(second_diff(change, before), gap, dt)
}

/// The second difference of a change after another; a start from rest is none.
#[inline]
pub(super) fn second_diff(change: i32, before: i32) -> i32 {
    if before == 0 {
        0
    } else {
        change.wrapping_sub(before)
    }
}

/// `to - from`, the short way around for turns.
#[inline]
pub(super) fn difference(column: &Column, to: i32, from: i32) -> i32 {
    (to.wrapping_sub(from) << column.spare) >> column.spare
}

/// `from + step`, around for turns.
#[inline]
pub(super) fn add(column: &Column, from: i32, step: i32) -> i32 {
    let sum = from.wrapping_add(step) as u32;
    ((sum << column.spare) >> column.spare) as i32
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn floor_bits_are_those_of_the_floor(
            whole in -(1i64 << 50)..1 << 50,
            small in -(1i64 << 20)..1 << 20,
            part in 0.0..1.0f64,
        ) {
            for value in [whole as f64, whole as f64 + part, small as f64 + part, small as f64 + 0.5] {
                prop_assert_eq!(floor_bits(value), value.floor() as i64 as i32, "{}", value);
            }
        }
    }
}
