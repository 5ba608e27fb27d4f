//! Which context codes what in a body: places in a list of contexts that follow from the columns
//! of a layer (`PROTOCOL.md` §7). A body starts from the layer's prior, trained or not, and
//! learns from there; nothing is kept between bodies.

use crate::schema::{Column, ColumnSet, Guess};
use crate::snapshot::predictor::{GAINS, STIRS, Stir};
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
const COMPONENTS: usize = CHANGED + 4 * SURE_TO_CHANGE;

/// What stirs so much changes again: whether it does is not coded.
pub(super) const SURE_TO_CHANGE: Stir = 2;

/// Contexts of a component: its bit in a mask, whether it changed, whether its rest did.
const COMPONENT: usize = 1 + 4 * STIRS;

/// Whether a kept entity changed; `stir` is its most stirring component's, `before` whether the
/// entity before it changed.
pub(super) fn changed(steady: bool, stir: Stir, before: bool) -> usize {
    CHANGED + (usize::from(steady) * SURE_TO_CHANGE + stir) * 2 + usize::from(before)
}

/// Whether an entering entity has a component.
pub(super) fn present(component: usize) -> usize {
    COMPONENTS + component * COMPONENT
}

/// Whether a component of a changed entity changed.
pub(super) fn component(component: usize, steady: bool, stir: Stir) -> usize {
    present(component) + 1 + usize::from(steady) * STIRS + stir
}

/// Whether any column of a changed component that is not linear changed.
pub(super) fn rest(number: usize, steady: bool, stir: Stir) -> usize {
    component(number, steady, stir) + 2 * STIRS
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

/// Contexts of a column: for bodies that are not steady whether its residual is 0 and its size, then
/// what its steady residuals take.
pub(crate) fn column_contexts(guess: Guess) -> usize {
    STEADY_COLUMN
        + match guess {
            Guess::Linear => LINEAR,
            Guess::Change | Guess::Bend => WIDE,
            _ => 2 * BEFORES + WIDE,
        }
}
const STEADY_COLUMN: usize = BEFORES + WIDE;

/// Unary contexts of a steady linear residual's size; its next digit's, by the size.
const SIZES: usize = 8;
const DIGITS: usize = 2;
/// Parts of a step that a guess can stand for, as far as a residual's sign cares.
const PARTS: usize = 3;
const SIGN: usize = STIRS * BEFORES;
const SIZE: usize = SIGN + STIRS * PARTS;
const DIGIT: usize = SIZE + STIRS * SIZES;
const LINEAR: usize = DIGIT + STIRS * DIGITS;

/// Whether a residual is 0, in a body that is not steady.
pub(super) fn zero(column: &Column, before: Before) -> usize {
    column.contexts + before as usize
}

/// The size of a residual, in a body that is not steady.
pub(super) fn size(column: &Column) -> Number {
    (column.contexts + BEFORES, WIDE)
}

/// Whether the steady residual of a column that is not linear is 0.
pub(super) fn steady_zero(column: &Column, stirs: bool, before: Before) -> usize {
    column.contexts + STEADY_COLUMN + usize::from(stirs) * BEFORES + before as usize
}

/// The size of a steady residual of a column that is not linear.
pub(super) fn steady_size(column: &Column) -> Number {
    (column.contexts + STEADY_COLUMN + 2 * BEFORES, WIDE)
}

/// What an entering entity remembers in a change or bend column, where that is sent.
pub(super) fn memory(column: &Column) -> Number {
    (column.contexts + STEADY_COLUMN, WIDE)
}

/// Contexts of a linear column's steady residual, in a component that stirs so.
#[derive(Clone, Copy)]
pub(super) struct Linear {
    at: usize,
    stir: Stir,
}

impl Linear {
    #[inline]
    pub(super) fn new(column: &Column, stir: Stir) -> Linear {
        Linear {
            at: column.contexts + STEADY_COLUMN,
            stir,
        }
    }

    /// Whether it is 0.
    #[inline]
    pub(super) fn zero(self, before: Before) -> usize {
        self.at + self.stir * BEFORES + before as usize
    }

    /// Whether it is negative, by the part of a step, 0..32, that the guess stands for.
    #[inline]
    pub(super) fn sign(self, part: i32) -> usize {
        let side = usize::from(part > 10) + usize::from(part > 21);
        self.at + SIGN + self.stir * PARTS + side
    }

    /// Its size.
    #[inline]
    pub(super) fn size(self) -> Number {
        (self.at + SIZE + self.stir * SIZES, SIZES)
    }

    /// The highest digit below the first one, of one with so many below.
    #[inline]
    pub(super) fn digit(self, digits: usize) -> usize {
        self.at + DIGIT + self.stir * DIGITS + digits.min(DIGITS) - 1
    }
}

/// Contexts of a layer with these columns.
pub fn context_count(set: &ColumnSet) -> usize {
    let columns = set.columns.iter();
    columns_start(set.components.len())
        + columns
            .map(|column| column_contexts(column.guess))
            .sum::<usize>()
}

/// Numbers of a layer's table: its contexts and the gains of its linear columns.
pub fn table_size(set: &ColumnSet) -> usize {
    context_count(set) + GAINS * set.linear.len()
}

/// The prior of a layer without trained tables.
pub fn untrained(set: &ColumnSet) -> Vec<Context> {
    vec![UNSURE; context_count(set)]
}
