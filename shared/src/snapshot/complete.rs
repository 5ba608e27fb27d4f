//! Completes a captured image by the image before it: what the predictors remember, and the guess
//! instead of the value where a field bears the difference. Called by the server's capture; a
//! client gets images that are complete.

use super::image::{EntityHead, LayerView};
use super::predictor::{self, add, difference, direction, rate, remember};
use crate::schema::{Column, ColumnSet, ComponentColumns, Guess};

/// Completes images, with reused memory.
#[derive(Debug, Default)]
pub struct Completer {
    /// Indices (before, now) of entities that were there with the same head.
    kept: Vec<(usize, usize)>,
    /// Where their rows start, of those with the component at hand.
    rows: Vec<Rows>,
}

/// Where an entity's rows start.
#[derive(Clone, Copy, Debug)]
struct Rows {
    old: usize,
    new: usize,
    residuals: usize,
}

/// An image that is being completed.
struct Work<'a> {
    set: &'a ColumnSet,
    old: &'a [i32],
    old_gap: u32,
    gap: u32,
    values: &'a mut [i32],
    residuals: &'a mut [i32],
}

impl Completer {
    /// Fills the change and bend columns of a new image, `gap` ticks after `previous`; `values` holds
    /// the other columns, and 0 in these. They stay 0 for an entity that was not there with the same
    /// head. Fills `residuals` with what [`LayerView::residuals`] says.
    ///
    /// A value with a tolerance moves towards its guess. The guess is made from
    /// `previous`, which is what clients hold, so the error of a value never exceeds the tolerance,
    /// however long it goes on.
    pub fn run(
        &mut self,
        set: &ColumnSet,
        previous: Option<LayerView<'_>>,
        gap: u32,
        entities: &[EntityHead],
        values: &mut [i32],
        residuals: &mut [i32],
    ) {
        let Some(previous) = previous else { return };
        self.find_kept(previous.entities, entities);
        let mut work = Work {
            set,
            old: previous.values,
            old_gap: previous.gap,
            gap,
            values,
            residuals,
        };
        // Column by column: what a column is like is looked up once, not for each entity.
        for (number, component) in set.components.iter().enumerate() {
            self.rows.clear();
            for &(old, new) in &self.kept {
                if entities[new].mask >> number & 1 != 0 {
                    self.rows.push(Rows {
                        old: old * set.width(),
                        new: new * set.width(),
                        residuals: new * set.residual_width(),
                    });
                }
            }
            work.stir(&self.rows, number, component);
            for &at in &set.linear[component.linear.clone()] {
                work.linear(&self.rows, at, set.width() + number);
            }
            for &at in &set.others[component.others.clone()] {
                work.other(&self.rows, at);
            }
        }
    }

    /// A merge over rising slots.
    fn find_kept(&mut self, before: &[EntityHead], now: &[EntityHead]) {
        self.kept.clear();
        let mut old = 0;
        for (new, head) in now.iter().enumerate() {
            while before.get(old).is_some_and(|old| old.slot < head.slot) {
                old += 1;
            }
            if before.get(old) == Some(head) {
                self.kept.push((old, new));
            }
        }
    }
}

impl Work<'_> {
    fn stir(&mut self, rows: &[Rows], number: usize, component: &ComponentColumns) {
        let (set, width) = (self.set, self.set.width());
        for row in rows {
            let old = &self.old[row.old..row.old + width];
            let stir = predictor::stir(set, component, old);
            self.residuals[row.residuals + width + number] = stir as i32;
        }
    }

    fn linear(&mut self, rows: &[Rows], at: usize, stir: usize) {
        let (set, width) = (self.set, self.set.width());
        let column = &set.columns[at];
        for row in rows {
            let old = &self.old[row.old..row.old + width];
            let new = &mut self.values[row.new..row.new + width];
            let residuals = &mut self.residuals[row.residuals..];
            let stir = residuals[stir] as usize;
            let aim = predictor::go_on(column, at, old, stir, self.gap, self.old_gap);
            residuals[at] = settle(column, &mut new[at], aim.value);
            residuals[at + 1] = aim.tables as i32;
            remember(column, at, old, new);
        }
    }

    fn other(&mut self, rows: &[Rows], at: usize) {
        let column = &self.set.columns[at];
        let gap = self.gap;
        match column.guess {
            Guess::Hold => self.each(rows, at, |old, _| old[at]),
            Guess::Bearing { x, y, steps } => self.each(rows, at, |old, new| {
                direction(new[x], new[y], steps).unwrap_or(old[at])
            }),
            Guess::Rate {
                change,
                zero,
                scale,
            } => self.each(rows, at, |_, new| rate(new[change], zero, scale, gap)),
            _ => self.each(rows, at, |old, new| {
                predictor::guess(column, at, old, new, gap, gap)
            }),
        }
    }

    #[inline]
    fn each(&mut self, rows: &[Rows], at: usize, guess: impl Fn(&[i32], &[i32]) -> i32) {
        let width = self.set.width();
        let column = &self.set.columns[at];
        for row in rows {
            let old = &self.old[row.old..row.old + width];
            let new = &mut self.values[row.new..row.new + width];
            let guess = guess(old, new);
            self.residuals[row.residuals + at] = settle(column, &mut new[at], guess);
        }
    }
}

/// Moves a value towards its guess, as far as the tolerance and the column's range allow, and tells
/// what they still differ by. To the guess where that is close enough; else to the edge of the
/// tolerance rather than to the value, for a small residual upsets what comes next the least.
#[inline]
fn settle(column: &Column, value: &mut i32, guess: i32) -> i32 {
    let residual = difference(column, *value, guess);
    if column.tolerance == 0 {
        return residual;
    }
    // Without branches: whether a value is off its guess, and on which side, is anyone's guess.
    let beyond = residual.unsigned_abs().saturating_sub(column.tolerance) as i32;
    let side = residual >> 31;
    let rest = (beyond ^ side).wrapping_sub(side);
    let settled = add(column, guess, rest);
    let fits = settled as u32 <= column.q_max;
    *value = if fits { settled } else { *value };
    if fits { rest } else { residual }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Tick;
    use crate::schema::{Audience, Component, Field, Kind, Layout, Predictor, Schema};

    fn set() -> ColumnSet {
        let step = Kind::Real {
            min: 0.0,
            max: 100.0,
            step: 0.01,
        };
        let field = |name: &str, kind: &Kind, predictor| Field {
            name: name.to_owned(),
            kind: kind.clone(),
            predictor,
        };
        let speed = Kind::Int {
            min: -100,
            max: 100,
        };
        let body = Component {
            name: "body".to_owned(),
            audience: Audience::Everyone,
            predicted: false,
            fields: vec![
                field("x", &step, Predictor::Linear),
                field("v", &speed, Predictor::Rate { of: 0, scale: 1.0 }),
            ],
        };
        let schema = Schema {
            components: vec![body],
            ..Schema::default()
        };
        schema.check().expect("the schema is sound");
        Layout::new(&schema).room
    }

    /// Completes one entity's images, one a tick; their rows.
    fn images(set: &ColumnSet, rows: &[[i32; 2]]) -> Vec<Vec<i32>> {
        let head = [EntityHead {
            mask: 1,
            ..EntityHead::default()
        }];
        let mut completer = Completer::default();
        let mut done: Vec<Vec<i32>> = Vec::new();
        for (tick, &[x, v]) in rows.iter().enumerate() {
            let mut values = vec![x, 0, 0, v];
            let mut residuals = vec![0; set.residual_width()];
            let previous = done.last().map(|values| LayerView {
                tick: Tick(tick as u32),
                gap: u32::from(tick > 1),
                entities: &head,
                values,
                residuals: &[],
            });
            completer.run(set, previous, 1, &head, &mut values, &mut residuals);
            done.push(values);
        }
        done
    }

    #[test]
    fn a_bend_is_a_changed_change_and_a_start_is_none() {
        let rows = [[10, 100], [10, 100], [13, 103], [18, 105], [18, 100]];
        let seen: Vec<(i32, i32)> = images(&set(), &rows)
            .iter()
            .map(|row| (row[1], row[2]))
            .collect();
        assert_eq!(seen, [(0, 0), (0, 0), (3, 0), (5, 2), (0, -5)]);
    }

    #[test]
    fn an_error_stays_within_the_tolerance_however_long_it_goes_on() {
        let mut set = set();
        set.columns[0].tolerance = 2;
        set.columns[3].tolerance = 1;
        // 3.3 steps a tick, with a turn back in the middle.
        let way = |tick: i32| (500.0 - f64::from((tick - 500).abs()) * 0.33) * 10.0;
        let rows: Vec<[i32; 2]> = (0..1000)
            .map(|tick| [way(tick) as i32, if tick < 500 { 103 } else { 97 }])
            .collect();
        let done = images(&set, &rows);
        let off = |at: usize, of: usize| done[at][of].abs_diff(rows[at][of.min(1)]);
        let worst = (0..rows.len()).map(|at| off(at, 0)).max();
        assert!(
            worst.is_some_and(|worst| (1..=2).contains(&worst)),
            "{worst:?}"
        );
        assert!((1..rows.len()).all(|at| off(at, 3) <= 1));
    }
}
