//! The columns of a layer's rows, derived from a schema by `layout`: what each is like, and where a
//! body's contexts and tables for it are. Plain data, which all of the codec reads. Not the values:
//! those are `image`'s.

use std::ops::Range;

use super::activity::{GAINS, Gains};
use super::range_coder::Context;
use super::symbols::{Symbols, THRESHOLDS};
use crate::schema::Kind;
use crate::schema::field::{real, turn};

/// The columns of a layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnSet {
    /// Components in schema order; the index is the bit in an entity's mask.
    pub components: Vec<ComponentColumns>,
    /// All columns, component by component, field by field: an entity's row in an image. A text has
    /// one for each of its integers. A field with [`crate::schema::Predictor::Linear`] is followed
    /// by the columns of its last change and of that change's second difference.
    pub columns: Vec<Column>,
    /// The columns of linear fields' values, by rising number.
    pub linear: Vec<usize>,
    /// The columns of all other fields, by rising number.
    pub others: Vec<usize>,
    /// Which training its prior, gains and symbols are of, 0 for none: [`crate::schema::Tables`].
    pub epoch: u8,
    /// What every body's contexts start from: trained, or even odds.
    pub prior: Vec<Context>,
    /// Where in it those start that only entering entities need.
    pub(crate) entering: usize,
    /// Tables of linear columns' steady residuals, by [`Column::symbols`].
    pub symbols: Vec<Symbols>,
}

/// A component's place in a column set.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentColumns {
    /// Index in [`crate::schema::Schema::components`].
    pub component: usize,
    /// First column.
    pub start: usize,
    /// One past the last column.
    pub end: usize,
    /// Its part of [`ColumnSet::linear`].
    pub linear: Range<usize>,
    /// Its part of [`ColumnSet::others`].
    pub others: Range<usize>,
}

impl ComponentColumns {
    /// Whether one bit says that none of its other columns differs from its guess: where things
    /// move, the rest seldom changes.
    pub(crate) fn has_rest_bit(&self) -> bool {
        !self.linear.is_empty() && self.others.len() > 1
    }
}

/// One i32 of an entity's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Index of its field in the component.
    pub field: usize,
    /// The kind that its integers follow.
    pub kind: Kind,
    /// Bits of an absolute value.
    pub bits: u32,
    /// The greatest integer, as unsigned bits.
    pub q_max: u32,
    /// Modulus of differences, 0 for 2^32.
    pub modulus: u32,
    /// Bits of an i32 above those of a number below the modulus.
    pub spare: u32,
    /// Steps of a real number's unit, or of a turn's radian.
    pub per_unit: f64,
    /// How it is guessed, with fields resolved to columns.
    pub guess: Guess,
    /// Of a linear field: how much of its last second difference it repeats, by its component's
    /// activity.
    pub gains: Gains,
    /// Place of its contexts in a body's.
    pub contexts: usize,
    /// Place of those for entering entities.
    pub(crate) entering: usize,
    /// Of a linear field: place of its tables in the set's.
    pub symbols: usize,
    /// How far from the world's value an image may be where that saves bytes, in steps. Known to
    /// the server alone, 0 in a client.
    pub tolerance: u32,
}

/// A column's predictor with fields resolved to columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Guess {
    /// Stays.
    Hold,
    /// Goes on by the next column, the change, and part of the one after it, the second difference.
    Linear,
    /// The last change of the column before: implied where the baseline is the image before.
    Change,
    /// What the change, the column before, differs by from the change before it; 0 where there was
    /// none. Implied like the change.
    Bend,
    /// The direction of two change columns.
    Bearing {
        /// The first field's change.
        x: usize,
        /// The second field's change.
        y: usize,
        /// Directions of a turn.
        steps: u32,
    },
    /// `zero + round(row[change] * scale / gap)`.
    Rate {
        /// The other field's change.
        change: usize,
        /// Its `q` of zero.
        zero: i32,
        /// Steps for each step of change a tick.
        scale: f64,
    },
    /// `q += (row[by] - zero) * num * dt / den`.
    Velocity {
        /// The velocity's column.
        by: usize,
        /// Its `q` of zero.
        zero: i32,
        /// Numerator.
        num: i32,
        /// Denominator, positive.
        den: i32,
    },
    /// `q += per_tick * dt`.
    Counter {
        /// Change a tick.
        per_tick: i32,
    },
}

impl Column {
    /// The integer of a value, as [`Kind::quantise`] has it but for the last bit: it multiplies
    /// where that divides, so a value in the middle between two may go to the other one.
    #[inline]
    pub fn quantise(&self, value: f64) -> i32 {
        match self.kind {
            Kind::Real { min, max, .. } => {
                real::quantise_at(self.per_unit, self.q_max, min, max, value)
            }
            Kind::Turn { steps } => turn::quantise_at(self.per_unit, steps, value),
            _ => self.kind.quantise(value),
        }
    }
}

impl ColumnSet {
    /// Integers of an entity's row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Columns of a table of residuals: one for each column; then for each component its activity,
    /// whether any of its columns that are not linear has a residual, whether any at all has; then
    /// for the entity its most active component's activity, and whether any of them has a residual.
    pub fn residual_width(&self) -> usize {
        self.any_change_column() + 1
    }

    /// Where a table of residuals has a component's activity.
    pub(crate) fn activity_column(&self, component: usize) -> usize {
        self.columns.len() + component
    }

    /// Where a table of residuals has a number that is 0 if a component's columns that are not
    /// linear have no residuals.
    pub(crate) fn rest_column(&self, component: usize) -> usize {
        self.activity_column(self.components.len()) + component
    }

    /// Where a table of residuals has a number that is 0 if a component's columns have no
    /// residuals.
    pub(crate) fn change_column(&self, component: usize) -> usize {
        self.rest_column(self.components.len()) + component
    }

    /// Where a table of residuals has an entity's activity: its most active component's.
    pub(crate) fn most_activity_column(&self) -> usize {
        self.change_column(self.components.len())
    }

    /// Where a table of residuals has a number that is 0 if an entity has no residuals.
    pub(crate) fn any_change_column(&self) -> usize {
        self.most_activity_column() + 1
    }

    /// Numbers of what is trained for a layer of these columns: what its contexts start from, then
    /// the gains of its linear columns, then the thresholds of their tables.
    pub fn table_size(&self) -> usize {
        self.prior.len() + GAINS * self.linear.len() + THRESHOLDS * self.symbols.len()
    }
}
