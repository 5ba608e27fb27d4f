//! The guess of a column (`PROTOCOL.md` §7): from its baseline, or from what else is known of the
//! new row. Integers below 2^53, and floats only in the operations of `exact`.

use super::activity::{ACTIVITIES, Activity, GAIN_UNIT, GAINS, Gains};
use super::column_set::{Column, Guess};
use super::delta::model::pair;
use crate::exact::{self, floor_bits};

/// Velocities and second differences are clamped to this, so that products stay exact in
/// JavaScript.
pub(super) const TERM_MAX: i32 = 1 << 20;

/// A guess, and the pair of tables by which a steady residual from it is coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) value: i32,
    pub(super) tables: usize,
}

/// The value that a linear column has `dt` ticks after an image with this value, change and second
/// difference, which came `gap` ticks after the one before it, in a component of that activity.
#[inline(always)]
pub(super) fn aim(
    column: &Column,
    value: i32,
    (change, second_diff): (i32, i32),
    activity: Activity,
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
fn gain(gains: &Gains, activity: Activity) -> i32 {
    let mut gain = 0;
    for class in ACTIVITIES - GAINS..ACTIVITIES {
        gain += if activity == class { gains[class] } else { 0 };
    }
    gain
}

/// Moves a value towards its guess, as far as its column's tolerance and range allow; what it is
/// then, and what is left of its residual. To the guess where that is close enough; else to the
/// edge of the tolerance rather than to the value, for a small residual upsets what comes next the
/// least.
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

/// The change guessed for an image that is not steady, from the decoded difference.
#[inline]
pub(super) fn guess_change(difference: i32, gap: u32, dt: u32) -> i32 {
    floor_div(i64::from(difference) * i64::from(gap), dt) as i32
}

/// The second difference guessed for an image that is not steady, from the change that is new and
/// the baseline's.
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
