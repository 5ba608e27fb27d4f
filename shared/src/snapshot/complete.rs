//! Completes a captured image by the image before it: what the predictors remember, and the guess
//! instead of the value where a field bears the difference. Called by the server's capture; a
//! client gets images that are complete.

use super::column_set::ColumnSet;
use super::columns::Columns;
use super::image::{EntityHead, LayerView};
use super::rows::Table;

/// Completes images, with reused memory.
#[derive(Debug, Default)]
pub struct Completer {
    /// Indices (before, now) of entities that were there with the same head.
    kept: Vec<(u32, u32)>,
    columns: Columns,
}

impl Completer {
    /// Fills the change and second difference columns of a new image, `gap` ticks after `previous`;
    /// `values` holds the other columns, and 0 in these. They stay 0 for an entity that was not
    /// there with the same head. Fills `residuals`, the table of
    /// [`Residuals`](super::image::Residuals).
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
        self.fill(set, previous, gap, entities, values, residuals);
    }

    /// The same of entities that stand in another order than by rising slot: `kept` are the indices
    /// (before, now) of those that were there with the same head, by rising `now`.
    #[allow(clippy::too_many_arguments)]
    pub fn run_kept(
        &mut self,
        set: &ColumnSet,
        previous: LayerView<'_>,
        kept: impl Iterator<Item = (u32, u32)>,
        gap: u32,
        entities: &[EntityHead],
        values: &mut [i32],
        residuals: &mut [i32],
    ) {
        self.kept.clear();
        self.kept.extend(kept);
        self.fill(set, previous, gap, entities, values, residuals);
    }

    /// By who was found to be there before.
    fn fill(
        &mut self,
        set: &ColumnSet,
        previous: LayerView<'_>,
        gap: u32,
        entities: &[EntityHead],
        values: &mut [i32],
        residuals: &mut [i32],
    ) {
        let (columns, old) = (&mut self.columns, previous.values);
        let count = entities.len();
        let mut table = Table { residuals, count };
        table.clear([set.most_activity_column(), set.any_change_column()]);
        for (number, component) in set.components.iter().enumerate() {
            columns.start(set, number, &self.kept, previous, entities, &mut table);
            for (nth, &at) in set.linear[component.linear.clone()].iter().enumerate() {
                let column = &set.columns[at];
                columns.aim(column, nth, gap, previous.gap);
                columns.compare_and_settle(column, at, Some(nth), values);
                columns.remember(column, at, nth, values);
                columns.put_residuals(at, false, &mut table);
                columns.put_tables(at, nth, &mut table);
            }
            for &at in &set.others[component.others.clone()] {
                let column = &set.columns[at];
                columns.guess(column, at, (old, values), (gap, gap));
                columns.compare_and_settle(column, at, None, values);
                columns.put_residuals(at, true, &mut table);
            }
            columns.put_changes(set, number, &mut table);
        }
    }

    /// A merge over rising slots.
    fn find_kept(&mut self, before: &[EntityHead], now: &[EntityHead]) {
        self.kept.clear();
        if before == now {
            // The usual case, in bulk.
            self.kept.extend((0..now.len() as u32).map(|at| (at, at)));
            return;
        }
        let mut old = 0;
        for (new, head) in now.iter().enumerate() {
            while before.get(old).is_some_and(|old| old.slot < head.slot) {
                old += 1;
            }
            if before.get(old) == Some(head) {
                self.kept.push((old as u32, new as u32));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Tick;
    use crate::schema::{Audience, Component, Field, Kind, Predicted, Predictor, Schema, Tables};
    use crate::snapshot::image::Residuals;
    use crate::snapshot::layout::Layout;

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
            predicted: Predicted::No,
            fields: vec![
                field("x", &step, Predictor::Linear),
                field("v", &speed, Predictor::Rate { of: 0, scale: 1.0 }),
            ],
        };
        let schema = Schema {
            components: vec![body],
            ..Schema::default()
        };
        Layout::new(&schema, &Tables::default())
            .expect("the schema is sound")
            .room
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
                residuals: Residuals::default(),
                bare: false,
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
