//! From a baseline and residuals to the values of the next image, column by column. [`decode`] reads
//! the residuals in between, [`advance`] has none.
//!
//! [`decode`]: super::decode()
//! [`advance`]: super::advance()

use super::{Span, Work, late_change, late_second_diff};
use crate::snapshot::column_set::ColumnSet;
use crate::snapshot::columns::Columns;
use crate::snapshot::image::{LayerImage, LayerView};
use crate::snapshot::rows::Table;

/// Guesses what linear columns come to; fills the activity of components, and if steady the
/// tables by which residuals of linear columns are coded.
pub(super) fn aim(
    set: &ColumnSet,
    from: LayerView<'_>,
    span: Span,
    kept: &[(u32, u32)],
    next: &LayerImage,
    work: &mut Work,
) {
    let Work { residuals, columns } = work;
    let count = next.entities.len();
    let mut table = Table { residuals, count };
    // Never fewer: the memory of those that this layer lacks is the next one's.
    columns.resize_with(set.components.len().max(columns.len()), Columns::default);
    let components = set.components.iter().zip(columns).enumerate();
    for (number, (component, columns)) in components {
        columns.start(set, number, kept, from, &next.entities, &mut table);
        for (nth, &at) in set.linear[component.linear.clone()].iter().enumerate() {
            columns.aim(&set.columns[at], nth, span.dt, span.baseline_gap);
            if span.steady() {
                columns.put_tables(at, nth, &mut table);
            }
        }
    }
}

/// Turns guesses and residuals into values.
pub(super) fn settle(
    set: &ColumnSet,
    from: LayerView<'_>,
    span: Span,
    next: &mut LayerImage,
    work: &mut Work,
) {
    let old = from.values;
    let count = next.entities.len();
    let values = next.values.as_mut_slice();
    let Work { residuals, columns } = work;
    let mut table = Table { residuals, count };
    for (component, columns) in set.components.iter().zip(columns) {
        for (nth, &at) in set.linear[component.linear.clone()].iter().enumerate() {
            let column = &set.columns[at];
            columns.restore(column, at, Some(nth), &mut table, values);
            if span.steady() {
                columns.remember(column, at, nth, values);
                continue;
            }
            for (a, b, index) in columns.rows() {
                let (old, new) = (&old[a..], &mut values[b..]);
                let place = (at + 1) * count + index;
                let change = late_change(column, at, old, new, span);
                new[at + 1] = change.wrapping_add(table.residuals[place]);
                let second_diff = late_second_diff(at, old, new, span);
                new[at + 2] = second_diff.wrapping_add(table.residuals[place + count]);
            }
        }
        for &at in &set.others[component.others.clone()] {
            let column = &set.columns[at];
            columns.guess(column, at, (old, values), (span.dt, span.gap));
            columns.restore(column, at, None, &mut table, values);
        }
    }
}
