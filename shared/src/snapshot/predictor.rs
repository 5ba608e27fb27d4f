//! The guess of a column (`PROTOCOL.md` §7): from its baseline, or from what else is known of the new
//! row. Integers below 2^53, and floats only in the operations of `exact`.

use crate::exact;
use crate::schema::{Column, ColumnSet, ComponentColumns, Guess};
use crate::snapshot::delta::model::pair;

/// Velocities and bends are clamped to this, so that products stay exact in JavaScript.
pub(super) const TERM_MAX: i32 = 1 << 20;

/// How much a component stirs, by what its linear columns remember: a class, below [`STIRS`].
pub type Stir = usize;

/// Classes of stirring: still, going straight, then by the greatest bend.
pub const STIRS: usize = 6;
/// From these bends on a component stirs as much as its third, fourth … class says.
const BENDS: [u32; 4] = [1, 2, 5, 24];

/// Gains of a linear column: one for each class of stirring that has a bend.
pub const GAINS: usize = BENDS.len();
/// Parts of the last bend that a column repeats, in units of 1/32, by class; those of the two classes
/// without a bend are 0.
pub type Gains = [i32; STIRS];
/// A gain of one.
pub const GAIN_UNIT: i32 = 32;
/// The greatest gain, and minus the least.
pub const GAIN_MAX: i32 = 64;
/// Without training: a bend of one step is the rounding of a straight way, so taken back; a greater
/// one eases off; a great one is a knock.
pub const UNTRAINED_GAINS: Gains = [0, 0, -16, 8, 16, 8];

/// How much a component stirs in a row.
#[inline]
pub(super) fn stir(set: &ColumnSet, component: &ComponentColumns, row: &[i32]) -> Stir {
    let mut changes = 0;
    let mut bend = 0;
    for &column in &set.linear[component.linear.clone()] {
        let remembered = &row[column + 1..column + 3];
        changes |= remembered[0];
        bend = bend.max(remembered[1].unsigned_abs());
    }
    if changes == 0 && bend == 0 {
        return 0;
    }
    1 + BENDS.iter().filter(|&&from| bend >= from).count()
}

/// A guess, and the pair of tables by which a steady residual from it is coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    pub(super) value: i32,
    pub(super) tables: usize,
}

/// The value of a linear column `dt` ticks after the row `baseline`, whose image came `gap` ticks
/// after the one before it, in a component that stirs so.
#[inline]
pub(super) fn go_on(
    column: &Column,
    index: usize,
    baseline: &[i32],
    stir: Stir,
    dt: u32,
    gap: u32,
) -> Aim {
    let change = baseline[index + 1];
    let half = GAIN_UNIT / 2;
    let (step, part) = if dt == gap {
        let bend = baseline[index + 2].clamp(-TERM_MAX, TERM_MAX);
        let bent = bend * column.gains[stir] + half;
        (
            change.wrapping_add(bent.div_euclid(GAIN_UNIT)),
            bent.rem_euclid(GAIN_UNIT),
        )
    } else {
        let way = i64::from(change) * i64::from(dt);
        (floor_div(way, gap.max(1)) as i32, half)
    };
    Aim {
        value: add(column, baseline[index], step),
        tables: pair(stir, part),
    }
}

/// The value that another column has `dt` ticks after the row `baseline`. `row` is the new one, as far
/// as the column's predecessors; its image comes `gap` ticks after the one before it. Not for linear
/// fields and what they remember.
#[inline]
pub(super) fn guess(
    column: &Column,
    index: usize,
    baseline: &[i32],
    row: &[i32],
    dt: u32,
    gap: u32,
) -> i32 {
    let from = baseline[index];
    match column.guess {
        Guess::Hold | Guess::Linear | Guess::Change | Guess::Bend => from,
        Guess::Bearing { .. } | Guess::Rate { .. } => {
            follow(column.guess, row, gap).unwrap_or(from)
        }
        Guess::Velocity { by, zero, num, den } => {
            let velocity = baseline[by].wrapping_sub(zero).clamp(-TERM_MAX, TERM_MAX);
            let way = i64::from(velocity) * i64::from(num) * i64::from(dt);
            add(column, from, floor_div(way, den as u32) as i32)
        }
        Guess::Counter { per_tick } => {
            add(column, from, (i64::from(per_tick) * i64::from(dt)) as i32)
        }
    }
}

/// What a column that follows others comes to by their changes in its own row, `gap` ticks long.
/// `None` where they tell nothing: a direction without a way, and for other columns.
#[inline]
pub(super) fn follow(guess: Guess, row: &[i32], gap: u32) -> Option<i32> {
    match guess {
        Guess::Bearing { x, y, steps } => direction(row[x], row[y], steps),
        Guess::Rate {
            change,
            zero,
            scale,
        } => Some(rate(row[change], zero, scale, gap)),
        _ => None,
    }
}

/// The direction of a way, of so many; `None` without a way.
#[inline]
pub(super) fn direction(x: i32, y: i32, steps: u32) -> Option<i32> {
    if x == 0 && y == 0 {
        return None;
    }
    let turn = exact::bearing(f64::from(x), f64::from(y));
    let direction = (turn * f64::from(steps) + 0.5) as i32;
    Some(direction & (steps as i32 - 1))
}

/// The rate of a change in `gap` ticks.
#[inline]
pub(super) fn rate(change: i32, zero: i32, scale: f64, gap: u32) -> i32 {
    let way = f64::from(change) * scale;
    let rate = if gap > 1 { way / f64::from(gap) } else { way };
    let limit = f64::from(1 << 30);
    zero.wrapping_add(round(exact::clamp(rate, -limit, limit)))
}

/// `exact::round` for what fits an i32, without a call.
#[inline]
fn round(value: f64) -> i32 {
    let up = value + 0.5;
    let whole = up as i32;
    whole - i32::from(f64::from(whole) > up)
}

/// The change guessed for an image that is not steady, from the decoded difference.
#[inline]
pub(super) fn guess_change(difference: i32, gap: u32, dt: u32) -> i32 {
    floor_div(i64::from(difference) * i64::from(gap), dt) as i32
}

/// The bend guessed for an image that is not steady, from the change that is new and the baseline's.
#[inline]
pub(super) fn guess_bend(change: i32, before: i32, gap: u32, dt: u32) -> i32 {
    guess_change(bend(change, before), gap, dt)
}

/// The bend of a change after another; a start from rest is none.
#[inline]
fn bend(change: i32, before: i32) -> i32 {
    if before == 0 {
        0
    } else {
        change.wrapping_sub(before)
    }
}

/// Fills what a linear column of `row` remembers, where the image before is the baseline.
#[inline]
pub(super) fn remember(column: &Column, at: usize, old: &[i32], row: &mut [i32]) {
    row[at + 1] = difference(column, row[at], old[at]);
    row[at + 2] = bend(row[at + 1], old[at + 1]);
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
