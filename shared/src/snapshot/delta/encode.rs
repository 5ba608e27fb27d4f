//! From images to a body: who was removed, who entered, whose fields were not as predicted.

use super::{MODE_BITS, MODE_CHECKSUM, Scratch, Span, components, in_reach};
use crate::ids::LayerId;
use crate::protocol::frame::push_varint;
use crate::schema::{ColumnSet, Guess};
use crate::snapshot::bit_coder::BitWriter;
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerView};
use crate::snapshot::predictor::{difference, predict, predict_change};
use crate::snapshot::zigzag;

/// Appends the body of `current` against `baseline`, or a keyframe. `periodic` asks for the
/// checksum that comes every [`crate::limits::CHECKSUM_EVERY`] images; bodies that are not
/// steady carry one anyway.
///
/// # Panics
/// When the baseline is not [`in_reach`]: the caller falls back to a keyframe.
pub fn encode(
    layer: LayerId,
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    current: LayerView<'_>,
    periodic: bool,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) {
    let empty = LayerView {
        tick: current.tick,
        gap: 0,
        entities: &[],
        values: &[],
    };
    if let Some(baseline) = baseline {
        assert!(in_reach(baseline.tick, current.tick));
    }
    let from = baseline.unwrap_or(empty);
    let span = Span {
        dt: current.tick.since(from.tick),
        baseline_gap: from.gap,
        gap: current.gap,
    };
    push_varint(u32::from(layer.0), out);
    if periodic || !span.steady() {
        out.push(MODE_BITS | MODE_CHECKSUM);
        push_varint(span.dt, out);
        out.extend_from_slice(&checksum(current, set.width()).to_le_bytes());
    } else {
        out.push(MODE_BITS);
        push_varint(span.dt, out);
    }
    scratch.clear(set.width());
    split(from.entities, current.entities, scratch);
    find_changed(set, from, current, span, scratch);

    let mut bits = BitWriter::new(out);
    bits.bits(u32::from(span.steady()), 1);
    if !span.steady() {
        bits.eg(span.gap, 0);
    }
    encode_indices(&scratch.removed, &mut bits);
    encode_entered(set, current, span, &scratch.entered, &mut bits);
    encode_changed(set, current, span, scratch, &mut bits);
    bits.finish();
}

/// Sorts entities into removed, entered and kept, by a merge over rising slots.
fn split(from: &[EntityHead], to: &[EntityHead], scratch: &mut Scratch) {
    let (mut a, mut b) = (0, 0);
    while a < from.len() || b < to.len() {
        let slot_a = from.get(a).map_or(u32::MAX, |head| u32::from(head.slot));
        let slot_b = to.get(b).map_or(u32::MAX, |head| u32::from(head.slot));
        if slot_a == slot_b && from[a] == to[b] {
            scratch.kept.push((a as u32, b as u32));
        } else {
            if slot_a <= slot_b {
                scratch.removed.push(a as u32);
            }
            if slot_b <= slot_a {
                scratch.entered.push(b as u32);
            }
        }
        a += usize::from(slot_a <= slot_b);
        b += usize::from(slot_b <= slot_a);
    }
}

/// Computes the residuals of every kept entity; keeps those of the ones that changed.
fn find_changed(
    set: &ColumnSet,
    from: LayerView<'_>,
    current: LayerView<'_>,
    span: Span,
    scratch: &mut Scratch,
) {
    let width = set.width();
    for (index, &(a, b)) in scratch.kept.iter().enumerate() {
        let old = from.row(a as usize, width);
        let new = current.row(b as usize, width);
        let start = scratch.residuals.len();
        let mask = current.entities[b as usize].mask;
        let mut any = 0;
        for component in components(set, mask) {
            for column in component.start..component.end {
                let residual = residual(set, column, old, new, span);
                any |= residual;
                scratch.residuals.push(residual);
            }
        }
        if any == 0 {
            scratch.residuals.truncate(start);
        } else {
            scratch.changed.push(index as u32);
        }
    }
}

#[inline]
fn residual(set: &ColumnSet, index: usize, old: &[i32], new: &[i32], span: Span) -> i32 {
    let column = &set.columns[index];
    if column.guess == Guess::Change {
        // The field's own column is the one before.
        let value = difference(&set.columns[index - 1], new[index - 1], old[index - 1]);
        if span.steady() {
            debug_assert_eq!(new[index], value);
            return 0;
        }
        return new[index].wrapping_sub(predict_change(value, span.gap, span.dt));
    }
    let guess = predict(column, index, old, span.dt, span.baseline_gap);
    difference(column, new[index], guess)
}

fn encode_indices(indices: &[u32], bits: &mut BitWriter<'_>) {
    bits.eg(indices.len() as u32, 0);
    let mut next = 0;
    for &index in indices {
        bits.eg(index - next, 0);
        next = index + 1;
    }
}

fn encode_entered(
    set: &ColumnSet,
    current: LayerView<'_>,
    span: Span,
    entered: &[u32],
    bits: &mut BitWriter<'_>,
) {
    bits.eg(entered.len() as u32, 0);
    let mut next_slot = 0;
    for &index in entered {
        let head = current.entities[index as usize];
        let row = current.row(index as usize, set.width());
        bits.eg(u32::from(head.slot) - next_slot, 0);
        next_slot = u32::from(head.slot) + 1;
        bits.eg(u32::from(head.generation), 0);
        bits.eg(u32::from(head.owner), 0);
        bits.bits(head.mask, set.components.len() as u32);
        for component in components(set, head.mask) {
            for column in component.start..component.end {
                if set.columns[column].guess != Guess::Change {
                    bits.bits(row[column] as u32, set.columns[column].bits);
                } else if !span.steady() {
                    bits.signed_eg(row[column], 4);
                } else {
                    debug_assert_eq!(row[column], 0);
                }
            }
        }
    }
}

fn encode_changed(
    set: &ColumnSet,
    current: LayerView<'_>,
    span: Span,
    scratch: &mut Scratch,
    bits: &mut BitWriter<'_>,
) {
    bits.eg(scratch.changed.len() as u32, 0);
    let mut next = 0;
    let mut residuals = scratch.residuals.as_slice();
    for &index in &scratch.changed {
        bits.eg(index - next, 0);
        next = index + 1;
        let head = current.entities[scratch.kept[index as usize].1 as usize];
        for component in components(set, head.mask) {
            let (of_component, rest) = residuals.split_at(component.end - component.start);
            residuals = rest;
            let any = of_component.iter().any(|&residual| residual != 0);
            bits.bits(u32::from(any), 1);
            if !any {
                continue;
            }
            for (column, &residual) in (component.start..component.end).zip(of_component) {
                if set.columns[column].guess != Guess::Change {
                    let adaptive = &mut scratch.adaptive[column];
                    let z = zigzag(residual);
                    bits.eg(z, adaptive.k());
                    adaptive.update(z);
                } else if !span.steady() {
                    bits.signed_eg(residual, 0);
                }
            }
        }
    }
}
