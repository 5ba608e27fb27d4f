//! What is not as predicted, column by column, where capture did not find it out already: its own
//! comparison is of an image with the one before.

use super::super::{Work, late_change, late_second_diff};
use super::pair::Pair;
use crate::snapshot::columns::Columns;
use crate::snapshot::rows::Table;

/// Fills a table of [`Residuals`](crate::snapshot::image::Residuals); if not steady, also with those
/// of what linear columns remember.
pub(super) fn compare(pair: &Pair<'_>, kept: &[(u32, u32)], work: &mut Work) {
    let Pair {
        set,
        from,
        current,
        span,
    } = *pair;
    let (old, new) = (from.values, current.values);
    let count = current.entities.len();
    let Work { residuals, columns } = work;
    columns.resize_with(set.components.len(), Columns::default);
    // What was there before stays where nothing is compared, and is not looked at.
    residuals.resize(count * set.residual_width(), 0);
    let mut table = Table { residuals, count };
    table.clear([set.most_activity_column(), set.any_change_column()]);
    let components = set.components.iter().zip(columns).enumerate();
    for (number, (component, columns)) in components {
        columns.start(set, number, kept, from, current.entities, &mut table);
        for (nth, &at) in set.linear[component.linear.clone()].iter().enumerate() {
            let column = &set.columns[at];
            columns.aim(column, nth, span.dt, span.baseline_gap);
            columns.compare(column, at, Some(nth), new);
            columns.put_residuals(at, false, &mut table);
            if span.steady() {
                columns.put_tables(at, nth, &mut table);
                continue;
            }
            for (a, b, index) in columns.rows() {
                let (old, new) = (&old[a..], &new[b..]);
                let change = late_change(column, at, old, new, span);
                let second_diff = late_second_diff(at, old, new, span);
                let place = (at + 1) * count + index;
                table.residuals[place] = new[at + 1].wrapping_sub(change);
                table.residuals[place + count] = new[at + 2].wrapping_sub(second_diff);
            }
            columns.note_residuals(at + 1, &mut table);
            columns.note_residuals(at + 2, &mut table);
        }
        for &at in &set.others[component.others.clone()] {
            let column = &set.columns[at];
            columns.guess(column, at, (old, new), (span.dt, span.gap));
            columns.compare(column, at, None, new);
            columns.put_residuals(at, true, &mut table);
        }
        columns.put_changes(set, number, &mut table);
    }
}
