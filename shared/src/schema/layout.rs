//! Which columns an image has, derived from the schema by both ends in the same way.
//! Not the values: those are `snapshot::image`.

use std::ops::Range;

use super::{Audience, Component, Kind, Predicted, Predictor, Schema};
use crate::exact::clamp;
use crate::ids::LayerId;
use crate::snapshot::delta::entering;
use crate::snapshot::delta::model::{
    self, TABLES, context_count, table_size, untrained, untrained_tables,
};
use crate::snapshot::predictor::{GAINS, Gains, STIRS, UNTRAINED_GAINS, floor_bits};
use crate::snapshot::range_coder::Context;
use crate::snapshot::symbols::Symbols;

/// The column sets of a schema: for what everyone sees, an owner, a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Columns of [`LayerId::ROOM`].
    pub room: ColumnSet,
    /// Columns of every player's [`LayerId::OWNER`].
    pub owner: ColumnSet,
    /// Columns of every team's [`LayerId::TEAM`].
    pub team: ColumnSet,
}

/// The columns of one kind of layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSet {
    /// Components in schema order; the index is the bit in an entity's mask.
    pub components: Vec<ComponentColumns>,
    /// All columns, component by component, field by field: an entity's row in an image. A
    /// text has one for each of its integers. A field with [`Predictor::Linear`] is followed by the
    /// columns of its last change and of that change's second difference.
    pub columns: Vec<Column>,
    /// The columns of linear fields' values, by rising number.
    pub linear: Vec<usize>,
    /// The columns of all other fields, by rising number.
    pub others: Vec<usize>,
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
    /// Index in [`Schema::components`].
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
    /// Of a linear field: how much of its last second difference it repeats, by its component's activity.
    pub gains: Gains,
    /// Place of its contexts in a body's.
    pub contexts: usize,
    /// Place of those for entering entities.
    pub(crate) entering: usize,
    /// Of a linear field: place of its tables in the set's.
    pub symbols: usize,
    /// How far from the world's value an image may be where that saves bytes, in steps. Known to the
    /// server alone, 0 in a client.
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

impl Layout {
    /// The layout of a schema that [`Schema::check`] accepts.
    pub fn new(schema: &Schema) -> Layout {
        let mut room = ColumnSet::empty();
        let mut owner = ColumnSet::empty();
        let mut team = ColumnSet::empty();
        for (index, component) in schema.components.iter().enumerate() {
            match component.audience {
                Audience::Everyone | Audience::Room => room.push(index, component, false),
                Audience::Owner => owner.push(index, component, false),
                Audience::Team => team.push(index, component, false),
            }
            if component.predicted == Predicted::Fine {
                owner.push(index, component, true);
            }
        }
        for (layer, set) in [&mut room, &mut owner, &mut team].into_iter().enumerate() {
            set.place_contexts();
            match schema.tables.get(layer) {
                Some(table) if table.len() == table_size(set) => set.train(table),
                _ => set.prior = untrained(set),
            }
        }
        Layout { room, owner, team }
    }

    /// The columns of a layer; `None` for a layer that no schema has.
    pub fn of(&self, layer: LayerId) -> Option<&ColumnSet> {
        match layer {
            LayerId::ROOM => Some(&self.room),
            LayerId::OWNER => Some(&self.owner),
            LayerId::TEAM => Some(&self.team),
            _ => None,
        }
    }
}

impl Column {
    /// The integer of a value, as [`Kind::quantise`] has it but for the last bit: it multiplies where
    /// that divides, so a value in the middle between two may go to the other one.
    #[inline]
    pub fn quantise(&self, value: f64) -> i32 {
        match self.kind {
            Kind::Real { min, max, .. } => {
                // NaN becomes `min`.
                let above = clamp(value, min, max) - min;
                (floor_bits(above * self.per_unit + 0.5) as u32).min(self.q_max) as i32
            }
            Kind::Turn { steps } if value.abs() < TURNING_MAX => {
                floor_bits(value * self.per_unit + 0.5) & (steps as i32 - 1)
            }
            _ => self.kind.quantise(value),
        }
    }
}

/// Beyond this an angle's fraction of a turn is lost anyway.
const TURNING_MAX: f64 = 1e9;

impl ColumnSet {
    fn empty() -> ColumnSet {
        ColumnSet {
            components: Vec::new(),
            columns: Vec::new(),
            linear: Vec::new(),
            others: Vec::new(),
            prior: Vec::new(),
            entering: 0,
            symbols: Vec::new(),
        }
    }

    /// Integers of an entity's row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Columns of a table of residuals: one for each column; then for each component its activity, whether any of
    /// its columns that are not linear has a residual, whether any at all has; then for the entity its most
    /// active component's activity, and whether any of them has a residual.
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

    /// Where a table of residuals has a number that is 0 if a component's columns have no residuals.
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

    fn push(&mut self, index: usize, component: &Component, fine: bool) {
        let start = self.columns.len();
        let kind_of = |kind: &Kind| {
            if fine {
                kind.fine().expect("a checked schema has fine kinds")
            } else {
                kind.clone()
            }
        };
        // Where each field's value column will be, which others refer to.
        let mut at = start;
        let value_columns: Vec<usize> = component
            .fields
            .iter()
            .map(|field| {
                let column = at;
                at += field.kind.words();
                at += 2 * usize::from(goes_on(field.predictor, fine, &field.kind));
                column
            })
            .collect();
        let change_of = |field: u8| value_columns[usize::from(field)] + 1;
        let (first_linear, first_other) = (self.linear.len(), self.others.len());
        for (number, field) in component.fields.iter().enumerate() {
            let kind = kind_of(&field.kind);
            let guess = match field.predictor {
                _ if goes_on(field.predictor, fine, &field.kind) => Guess::Linear,
                Predictor::Velocity { by, num, den } => {
                    let by = usize::from(by);
                    Guess::Velocity {
                        by: value_columns[by],
                        zero: kind_of(&component.fields[by].kind).q_zero(),
                        num,
                        den,
                    }
                }
                Predictor::Counter { per_tick } => Guess::Counter { per_tick },
                Predictor::Bearing { x, y } => Guess::Bearing {
                    x: change_of(x),
                    y: change_of(y),
                    steps: kind.modulus(),
                },
                Predictor::Rate { of, scale } => Guess::Rate {
                    change: change_of(of),
                    zero: kind.q_zero(),
                    scale,
                },
                Predictor::Hold | Predictor::Linear => Guess::Hold,
            };
            let column = Column {
                field: number,
                bits: kind.bits(),
                q_max: kind.q_max(),
                modulus: kind.modulus(),
                spare: spare(kind.modulus()),
                per_unit: per_unit(&kind),
                kind,
                guess,
                gains: UNTRAINED_GAINS,
                contexts: 0,
                entering: 0,
                symbols: TABLES * self.linear.len(),
                tolerance: 0,
            };
            for _ in 0..column.kind.words() {
                if guess == Guess::Linear {
                    self.linear.push(self.columns.len());
                    self.symbols.extend(untrained_tables());
                } else {
                    self.others.push(self.columns.len());
                }
                self.columns.push(column.clone());
            }
            if guess == Guess::Linear {
                for guess in [Guess::Change, Guess::Bend] {
                    self.columns.push(Column {
                        guess,
                        bits: 32,
                        ..column.clone()
                    });
                }
            }
        }
        self.components.push(ComponentColumns {
            component: index,
            start,
            end: self.columns.len(),
            linear: first_linear..self.linear.len(),
            others: first_other..self.others.len(),
        });
    }

    /// Gives every column the place of its contexts, once all columns are known.
    fn place_contexts(&mut self) {
        let mut at = model::columns_start(self.components.len());
        for column in &mut self.columns {
            column.contexts = at;
            at += model::column_contexts(column.guess);
        }
        self.entering = at;
        for column in &mut self.columns {
            column.entering = at;
            at += entering::contexts(column);
        }
    }

    /// Takes what was learnt offline, as [`table_size`] counts it. Thresholds that do not rise are left out;
    /// a checked schema has none.
    fn train(&mut self, table: &[u16]) {
        let (prior, rest) = table.split_at(context_count(self));
        let (gains, thresholds) = rest.split_at(GAINS * self.linear.len());
        self.prior = prior.to_vec();
        for (table, thresholds) in self.symbols.iter_mut().zip(thresholds.as_chunks().0) {
            *table = Symbols::new(thresholds).unwrap_or(*table);
        }
        for (&column, learnt) in self.linear.iter().zip(gains.chunks_exact(GAINS)) {
            let gains = &mut self.columns[column].gains[STIRS - GAINS..];
            for (gain, &learnt) in gains.iter_mut().zip(learnt) {
                *gain = i32::from(learnt as i16);
            }
        }
    }
}

/// A modulus is a power of two.
fn spare(modulus: u32) -> u32 {
    match modulus {
        0 => 0,
        _ => (modulus - 1).leading_zeros(),
    }
}

fn per_unit(kind: &Kind) -> f64 {
    match kind {
        Kind::Real { step, .. } => 1.0 / step,
        Kind::Turn { steps } => f64::from(*steps) / std::f64::consts::TAU,
        _ => 1.0,
    }
}

/// In the fine columns of the owner the ratios of velocities and rates would not hold (steps change), so
/// those fields go on by their last change there.
fn goes_on(predictor: Predictor, fine: bool, kind: &Kind) -> bool {
    match predictor {
        Predictor::Linear => true,
        Predictor::Velocity { .. } => fine && matches!(kind, Kind::Real { .. }),
        Predictor::Rate { .. } => fine,
        _ => false,
    }
}
