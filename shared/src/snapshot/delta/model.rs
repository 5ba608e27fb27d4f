//! Which context codes what in a body: places in a list of contexts that follow from the columns of
//! a layer (`PROTOCOL.md` §7). A body starts from the layer's prior, trained or not, and learns
//! from there; nothing is kept between bodies. What entering entities bring has contexts of its
//! own: `entering`.

use crate::snapshot::activity::{ACTIVITIES, Activity, GAINS};
use crate::snapshot::column_set::{Column, Guess};
use crate::snapshot::range_coder::{Context, UNSURE};
use crate::snapshot::symbols::Symbols;

/// A body's contexts.
pub(super) type Model = Vec<Context>;

/// The contexts of who arrives in a group, as every body begins: of their own, because no table has
/// them.
pub(super) const ARRIVALS: [Context; 2 * NARROW] = [UNSURE; 2 * NARROW];

/// Contexts of a number whose size is seldom the same.
pub(super) const WIDE: usize = 12;
/// Contexts of a number that is nearly always small.
const NARROW: usize = 8;

/// Place and count of a number's contexts.
pub(super) type Number = (usize, usize);

pub(super) const ARRIVED: Number = (0, NARROW);
pub(super) const ARRIVED_GAP: Number = (NARROW, NARROW);

pub(super) const STEADY: usize = 0;
pub(super) const GAP: Number = (1, NARROW);
pub(super) const REMOVED: Number = (GAP.0 + NARROW, NARROW);
pub(super) const REMOVED_GAP: Number = (REMOVED.0 + NARROW, NARROW);
pub(super) const ENTERED: Number = (REMOVED_GAP.0 + NARROW, NARROW);
pub(super) const SLOT_GAP: Number = (ENTERED.0 + NARROW, NARROW);
pub(super) const GENERATION: Number = (SLOT_GAP.0 + NARROW, WIDE);
pub(super) const OWNER: Number = (GENERATION.0 + WIDE, WIDE);
const CHANGED: usize = OWNER.0 + WIDE;
const COMPONENTS: usize = CHANGED + 4 * SURE_TO_CHANGE;

/// What is so active changes again: whether it does is not coded.
pub(super) const SURE_TO_CHANGE: Activity = 2;

/// Contexts of a component: its bit in a mask, whether it changed, whether its rest did.
const COMPONENT: usize = 1 + 4 * ACTIVITIES;

/// Whether a kept entity changed; `activity` is its most active component's, `before` whether the
/// entity before it changed.
pub(super) fn changed(steady: bool, activity: Activity, before: bool) -> usize {
    CHANGED + (usize::from(steady) * SURE_TO_CHANGE + activity) * 2 + usize::from(before)
}

/// Whether an entering entity has a component.
pub(super) fn present(component: usize) -> usize {
    COMPONENTS + component * COMPONENT
}

/// Whether a component of a changed entity changed.
pub(super) fn component(component: usize, steady: bool, activity: Activity) -> usize {
    present(component) + 1 + usize::from(steady) * ACTIVITIES + activity
}

/// Whether any column of a changed component that is not linear changed.
pub(super) fn rest(number: usize, steady: bool, activity: Activity) -> usize {
    component(number, steady, activity) + 2 * ACTIVITIES
}

/// What is known of the column before in the same component.
#[derive(Clone, Copy)]
pub(super) enum Before {
    /// There is none.
    Nothing = 0,
    /// Its residual was 0.
    Zero = 1,
    /// It was not.
    Other = 2,
}
const BEFORES: usize = 3;

/// Where the contexts of columns start.
pub(crate) fn columns_start(components: usize) -> usize {
    COMPONENTS + components * COMPONENT
}

/// Contexts of a column: for bodies that are not steady whether its residual is 0 and its size,
/// then what its steady residuals take, or the second difference of an entering entity.
pub(crate) fn column_contexts(guess: Guess) -> usize {
    STEADY_COLUMN
        + match guess {
            Guess::Change => 0,
            Guess::Linear | Guess::Bend => WIDE,
            _ => 2 * BEFORES + WIDE,
        }
}
const STEADY_COLUMN: usize = BEFORES + WIDE;

/// Parts of a step that a guess can stand for, as far as tables care.
const PARTS: usize = 3;
/// Tables of a linear column's steady residuals: in pairs, for a residual after a small one of the
/// same component, and after a jolt. A pair for each class of activity without a second difference;
/// in the others the guess stands for a part of a step, which tells on which side the residual will
/// be.
pub(crate) const TABLES: usize = 2 * (ACTIVE + (ACTIVITIES - ACTIVE) * PARTS);
/// The first class of activity with a second difference.
const ACTIVE: Activity = ACTIVITIES - GAINS;
/// A residual above this is a jolt.
const CALM_MAX: u32 = 1;

/// Which pair of its tables a linear column's residual takes, by its component's activity and the
/// part of a step, 0..32, that its guess stands for: place of the first.
#[inline]
pub(in crate::snapshot) fn pair(activity: Activity, part: i32) -> usize {
    let side = usize::from(part > 10) + usize::from(part > 21);
    if activity < ACTIVE {
        2 * activity
    } else {
        2 * (ACTIVE + (activity - ACTIVE) * PARTS + side)
    }
}

/// Which of a pair, by the residual before in the same component; 0 for the first.
#[inline]
pub(super) fn jolt(residual: i32) -> usize {
    usize::from(residual.unsigned_abs() > CALM_MAX)
}

/// The activity to which a table belongs.
fn activity_of(table: usize) -> Activity {
    let pair = table / 2;
    if pair < ACTIVE {
        pair
    } else {
        ACTIVE + (pair - ACTIVE) / PARTS
    }
}

/// The tables of a linear column without training.
pub(crate) fn untrained_tables() -> impl Iterator<Item = Symbols> {
    (0..TABLES).map(|table| Symbols::untrained(activity_of(table)))
}

/// Whether a residual is 0, in a body that is not steady.
pub(super) fn zero(column: &Column, before: Before) -> usize {
    column.contexts + before as usize
}

/// The size of a residual, in a body that is not steady.
pub(super) fn size(column: &Column) -> Number {
    (column.contexts + BEFORES, WIDE)
}

/// Whether the steady residual of a column that is not linear is 0.
pub(super) fn steady_zero(column: &Column, active: bool, before: Before) -> usize {
    column.contexts + STEADY_COLUMN + usize::from(active) * BEFORES + before as usize
}

/// The size of a steady residual of a column that is not linear.
pub(super) fn steady_size(column: &Column) -> Number {
    (column.contexts + STEADY_COLUMN + 2 * BEFORES, WIDE)
}

/// The second difference that an entering entity brings, where it is sent.
pub(super) fn entering_second_diff(column: &Column) -> Number {
    (column.contexts + STEADY_COLUMN, WIDE)
}

/// How far a linear column's steady residual is beyond those that have symbols.
pub(super) fn beyond(column: &Column) -> Number {
    (column.contexts + STEADY_COLUMN, WIDE)
}
