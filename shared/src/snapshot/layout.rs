//! Which columns an image has, derived from the schema by both ends in the same way.
//! Not the values: those are `snapshot::image`.

use super::activity::{ACTIVITIES, GAIN_MAX, GAINS, UNTRAINED_GAINS};
use super::column_set::{Column, ColumnSet, ComponentColumns, Guess};
use super::delta::entering;
use super::delta::model::{self, TABLES};
use super::range_coder::{ODDS, UNSURE};
use super::symbols::Symbols;
use crate::ids::LayerId;
use crate::limits::COLUMNS_MAX;
use crate::schema::{Audience, Component, Kind, Predicted, Predictor, Schema, Tables};

/// The column sets of a schema, by who sees what is in them. A layer's number does not say more
/// than which set it has: layers of the same set have the same columns and tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// What everyone sees.
    pub room: ColumnSet,
    /// What an entity's owner sees.
    pub owner: ColumnSet,
    /// What a team sees.
    pub team: ColumnSet,
}

impl Layout {
    /// The layout of a schema, with what its bodies are coded by.
    ///
    /// # Errors
    /// What no game can mean: see [`Schema::check`]; too many columns, or tables that are not for
    /// these.
    pub fn new(schema: &Schema, tables: &Tables) -> Result<Layout, String> {
        schema.check()?;
        let mut layout = Layout {
            room: ColumnSet::default(),
            owner: ColumnSet::default(),
            team: ColumnSet::default(),
        };
        for (index, component) in schema.components.iter().enumerate() {
            let set = match component.audience {
                Audience::Everyone | Audience::Room => &mut layout.room,
                Audience::Owner => &mut layout.owner,
                Audience::Team => &mut layout.team,
            };
            set.push(index, component, false);
            if component.predicted == Predicted::Fine {
                layout.owner.push(index, component, true);
            }
        }
        let sets = [&mut layout.room, &mut layout.owner, &mut layout.team];
        if tables.layers.len() > sets.len() {
            return Err("more tables than layers".to_owned());
        }
        for (layer, set) in sets.into_iter().enumerate() {
            let columns = set.width();
            if columns > COLUMNS_MAX {
                return Err(format!(
                    "layer {layer}: {columns} columns, at most {COLUMNS_MAX}; a text has one for four bytes"
                ));
            }
            set.place_contexts();
            set.epoch = tables.epoch;
            if let Some(table) = tables.layers.get(layer).filter(|table| !table.is_empty()) {
                let trained = set.train(table);
                trained.map_err(|what| format!("tables of layer {layer}: {what}"))?;
            }
        }
        Ok(layout)
    }

    /// The sets, in the order of [`Tables::layers`].
    pub fn sets(&self) -> [&ColumnSet; 3] {
        [&self.room, &self.owner, &self.team]
    }

    /// The columns of a layer; `None` beyond the last one.
    pub fn of(&self, layer: LayerId) -> Option<&ColumnSet> {
        match layer {
            LayerId::ROOM => Some(&self.room),
            LayerId::OWNER => Some(&self.owner),
            LayerId::TEAM => Some(&self.team),
            // What everyone sees of a group's entities.
            _ => layer.is_group().then_some(&self.room),
        }
    }
}

impl ColumnSet {
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
                    self.symbols.extend(model::untrained_tables());
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

    /// Gives every column the place of its contexts, once all columns are known. They start from
    /// even odds.
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
        self.prior = vec![UNSURE; at];
    }

    /// Takes what was learnt offline, as [`ColumnSet::table_size`] counts it.
    fn train(&mut self, table: &[u16]) -> Result<(), String> {
        let size = self.table_size();
        if table.len() != size {
            return Err(format!(
                "{} numbers, not {size}; they were trained for another schema",
                table.len()
            ));
        }
        let (prior, rest) = table.split_at(self.prior.len());
        let (gains, thresholds) = rest.split_at(GAINS * self.linear.len());
        let [least, most] = ODDS;
        if !prior
            .iter()
            .all(|context| (least..=most).contains(&(context >> 4)))
        {
            return Err("odds out of range".to_owned());
        }
        self.prior.copy_from_slice(prior);
        for (&column, learnt) in self.linear.iter().zip(gains.chunks_exact(GAINS)) {
            let gains = &mut self.columns[column].gains[ACTIVITIES - GAINS..];
            for (gain, &learnt) in gains.iter_mut().zip(learnt) {
                *gain = i32::from(learnt as i16);
                if gain.abs() > GAIN_MAX {
                    return Err("a gain out of range".to_owned());
                }
            }
        }
        for (table, thresholds) in self.symbols.iter_mut().zip(thresholds.as_chunks().0) {
            *table = Symbols::new(thresholds).ok_or("thresholds do not rise")?;
        }
        Ok(())
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

/// In the fine columns of the owner the ratios of velocities and rates would not hold (steps
/// change), so those fields go on by their last change there.
fn goes_on(predictor: Predictor, fine: bool, kind: &Kind) -> bool {
    match predictor {
        Predictor::Linear => true,
        Predictor::Velocity { .. } => fine && matches!(kind, Kind::Real { .. }),
        Predictor::Rate { .. } => fine,
        _ => false,
    }
}
