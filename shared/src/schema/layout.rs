//! Which columns an image has, derived from the schema by both ends in the same way.
//! Not the values: those are `snapshot::image`.

use std::ops::Range;

use super::{Audience, Component, Kind, Predictor, Schema};
use crate::ids::LayerId;
use crate::snapshot::delta::model::{context_count, untrained};
use crate::snapshot::predictor::Turns;
use crate::snapshot::range_coder::Context;

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
    /// text has one for each of its integers. A field with [`Predictor::Linear`] or [`Predictor::Rotate`] is
    /// followed by the column of its last change.
    pub columns: Vec<Column>,
    /// The change columns, by rising number.
    pub changes: Vec<usize>,
    /// Cosines and sines of the first heading that something rotates with.
    pub turns: Turns,
    /// What every body's contexts start from: trained, or even odds.
    pub prior: Vec<Context>,
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
    /// Its part of [`ColumnSet::changes`].
    pub changes: Range<usize>,
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
    /// How it is guessed; `by` of a velocity is a column of the set here.
    pub guess: Guess,
}

/// A column's predictor with fields resolved to columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Stays.
    Hold,
    /// Goes on by the next column.
    Linear,
    /// Goes on by the next column, turned with a heading.
    Rotate {
        /// The pair's columns.
        x: usize,
        /// See `x`.
        y: usize,
        /// The heading's column.
        heading: usize,
        /// Steps of the heading's turn.
        steps: u32,
        /// Whether this is the pair's second field.
        second: bool,
    },
    /// The last change of the column before: implied where the baseline is the image before.
    Change,
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
            if component.predicted {
                owner.push(index, component, true);
            }
        }
        for (layer, set) in [&mut room, &mut owner, &mut team].into_iter().enumerate() {
            set.prior = match schema.tables.get(layer) {
                Some(table) if table.len() == context_count(set) => table.clone(),
                _ => untrained(set),
            };
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
    /// The integer of a value, as [`Kind::quantise`] has it.
    #[inline]
    pub fn quantise(&self, value: f64) -> i32 {
        self.kind.quantise_below(value, self.q_max)
    }
}

impl ColumnSet {
    fn empty() -> ColumnSet {
        ColumnSet {
            components: Vec::new(),
            columns: Vec::new(),
            changes: Vec::new(),
            turns: Turns::default(),
            prior: Vec::new(),
        }
    }

    /// Integers of an entity's row.
    pub fn width(&self) -> usize {
        self.columns.len()
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
        // Where each field's value column will be, which velocities refer to.
        let mut at = start;
        let value_columns: Vec<usize> = component
            .fields
            .iter()
            .map(|field| {
                let column = at;
                at += field.kind.words();
                at += usize::from(has_change(field.predictor, fine, &field.kind));
                column
            })
            .collect();
        for (number, field) in component.fields.iter().enumerate() {
            let kind = kind_of(&field.kind);
            let guess = if goes_on(field.predictor, fine, &field.kind) {
                Guess::Linear
            } else {
                match field.predictor {
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
                    Predictor::Rotate { x, y, heading } => Guess::Rotate {
                        x: value_columns[usize::from(x)],
                        y: value_columns[usize::from(y)],
                        heading: value_columns[usize::from(heading)],
                        steps: component.fields[usize::from(heading)].kind.modulus(),
                        second: number == usize::from(y),
                    },
                    Predictor::Hold | Predictor::Linear => Guess::Hold,
                }
            };
            let column = Column {
                field: number,
                bits: kind.bits(),
                q_max: kind.q_max(),
                modulus: kind.modulus(),
                kind,
                guess,
            };
            for _ in 0..column.kind.words() {
                self.columns.push(column.clone());
            }
            if has_change(field.predictor, fine, &field.kind) {
                self.columns.push(Column {
                    guess: Guess::Change,
                    bits: 32,
                    ..column
                });
            }
        }
        for column in &self.columns[start..] {
            if let (Guess::Rotate { steps, .. }, true) =
                (column.guess, self.turns == Turns::default())
            {
                self.turns = Turns::new(steps);
            }
        }
        let first_change = self.changes.len();
        let is_change = |column: &usize| self.columns[*column].guess == Guess::Change;
        self.changes
            .extend((start..self.columns.len()).filter(is_change));
        self.components.push(ComponentColumns {
            component: index,
            start,
            end: self.columns.len(),
            changes: first_change..self.changes.len(),
        });
    }
}

/// In the fine columns of the owner, a velocity's ratio would not hold (both steps change), so
/// `Real` fields that move go on by their last change there.
fn goes_on(predictor: Predictor, fine: bool, kind: &Kind) -> bool {
    match predictor {
        Predictor::Linear => true,
        Predictor::Velocity { .. } | Predictor::Rotate { .. } => {
            fine && matches!(kind, Kind::Real { .. })
        }
        _ => false,
    }
}

/// Whether a column of the last change follows the field's.
fn has_change(predictor: Predictor, fine: bool, kind: &Kind) -> bool {
    goes_on(predictor, fine, kind) || matches!(predictor, Predictor::Rotate { .. })
}
