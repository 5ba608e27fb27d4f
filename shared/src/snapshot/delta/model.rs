//! Which context codes what in a body: places in a list of contexts that follow from the columns
//! of a layer (`PROTOCOL.md` §7). A body starts from the layer's prior, trained or not, and
//! learns from there; nothing is kept between bodies.

use crate::schema::ColumnSet;
use crate::snapshot::range_coder::{Context, UNSURE};

/// A body's contexts.
pub(super) type Model = Vec<Context>;

/// Contexts of a number whose size is seldom the same.
const WIDE: usize = 12;
/// Contexts of a number that is nearly always small.
const NARROW: usize = 8;

/// Place and count of a number's contexts.
pub(super) type Number = (usize, usize);

pub(super) const STEADY: usize = 0;
pub(super) const GAP: Number = (1, NARROW);
pub(super) const REMOVED: Number = (GAP.0 + NARROW, NARROW);
pub(super) const REMOVED_GAP: Number = (REMOVED.0 + NARROW, NARROW);
pub(super) const ENTERED: Number = (REMOVED_GAP.0 + NARROW, NARROW);
pub(super) const SLOT_GAP: Number = (ENTERED.0 + NARROW, NARROW);
pub(super) const GENERATION: Number = (SLOT_GAP.0 + NARROW, WIDE);
pub(super) const OWNER: Number = (GENERATION.0 + WIDE, WIDE);
const CHANGED: usize = OWNER.0 + WIDE;
const COMPONENTS: usize = CHANGED + 8;

/// Contexts of a component: its bit in a mask, and whether it changed.
const COMPONENT: usize = 5;
/// Contexts of a column: whether its residual is 0, then the residual's size.
const COLUMN: usize = ZEROS + 2 * SIZES;
const ZEROS: usize = 12;
const SIZES: usize = 14;

/// Whether a kept entity changed; `moving` as in [`is_moving`], `before` that of the entity before.
pub(super) fn changed(steady: bool, moving: bool, before: bool) -> usize {
    CHANGED + usize::from(steady) * 4 + usize::from(moving) * 2 + usize::from(before)
}

/// Whether an entering entity has a component.
pub(super) fn present(component: usize) -> usize {
    COMPONENTS + component * COMPONENT
}

/// Whether a component of a changed entity changed.
pub(super) fn component(component: usize, steady: bool, moving: bool) -> usize {
    COMPONENTS + component * COMPONENT + 1 + usize::from(steady) * 2 + usize::from(moving)
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

fn column(set: &ColumnSet, column: usize) -> usize {
    COMPONENTS + set.components.len() * COMPONENT + column * COLUMN
}

/// Whether a column's residual is 0.
pub(super) fn zero(
    set: &ColumnSet,
    index: usize,
    steady: bool,
    moving: bool,
    before: Before,
) -> usize {
    column(set, index) + usize::from(steady) * 6 + usize::from(moving) * 3 + before as usize
}

/// The size of a column's residual.
pub(super) fn size(set: &ColumnSet, index: usize, steady: bool) -> Number {
    let at = column(set, index) + ZEROS + usize::from(steady) * SIZES;
    (at, SIZES)
}

/// Contexts of a layer with these columns.
pub fn context_count(set: &ColumnSet) -> usize {
    column(set, set.width())
}

/// The prior of a layer without trained tables.
pub fn untrained(set: &ColumnSet) -> Vec<Context> {
    vec![UNSURE; context_count(set)]
}
