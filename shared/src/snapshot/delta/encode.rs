//! From images to a body: who was removed, who entered, whose fields were not as predicted.

use super::model::{self, Before, Model};
use super::{MODE_CHECKSUM, MODE_RANGE, Scratch, Span, components, in_reach, is_moving};
use crate::ids::LayerId;
use crate::protocol::frame::push_varint;
use crate::schema::{ColumnSet, Guess};
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerView};
use crate::snapshot::predictor::{difference, predict, predict_change};
use crate::snapshot::range_coder::{Coder, Context, RangeEncoder};
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
        out.push(MODE_RANGE | MODE_CHECKSUM);
        push_varint(span.dt, out);
        out.extend_from_slice(&checksum(current, set.width()).to_le_bytes());
    } else {
        out.push(MODE_RANGE);
        push_varint(span.dt, out);
    }
    code(set, from, current, span, RangeEncoder::new(out), scratch).finish();
}

/// The decisions of a body, in order: which context, which bit. For training.
pub fn trace(
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    current: LayerView<'_>,
    scratch: &mut Scratch,
) -> Vec<(usize, bool)> {
    let from = baseline.unwrap_or(LayerView {
        tick: current.tick,
        gap: 0,
        entities: &[],
        values: &[],
    });
    let span = Span {
        dt: current.tick.since(from.tick),
        baseline_gap: from.gap,
        gap: current.gap,
    };
    code(set, from, current, span, Trace(Vec::new()), scratch).0
}

struct Trace(Vec<(usize, bool)>);

impl Coder for Trace {
    fn bit(&mut self, _contexts: &mut [Context], at: usize, bit: bool) {
        self.0.push((at, bit));
    }

    fn raw(&mut self, _value: u32, _bits: u32) {}
}

fn code<C: Coder>(
    set: &ColumnSet,
    from: LayerView<'_>,
    current: LayerView<'_>,
    span: Span,
    coder: C,
    scratch: &mut Scratch,
) -> C {
    scratch.clear(set);
    split(from.entities, current.entities, scratch);
    let mut body = Body {
        set,
        span,
        coder,
        model: &mut scratch.model,
    };
    body.head();
    body.removed(&scratch.removed);
    body.entered(current, &scratch.entered);
    body.kept(from, current, &scratch.kept, &mut scratch.residuals);
    body.coder
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

/// A body that is being coded.
struct Body<'a, C> {
    set: &'a ColumnSet,
    span: Span,
    coder: C,
    model: &'a mut Model,
}

impl<C: Coder> Body<'_, C> {
    fn head(&mut self) {
        let steady = self.span.steady();
        self.coder.bit(self.model, model::STEADY, steady);
        if !steady {
            self.coder.number(self.model, model::GAP, self.span.gap);
        }
    }

    fn removed(&mut self, removed: &[u32]) {
        self.coder
            .number(self.model, model::REMOVED, removed.len() as u32);
        let mut next = 0;
        for &index in removed {
            self.coder
                .number(self.model, model::REMOVED_GAP, index - next);
            next = index + 1;
        }
    }

    fn entered(&mut self, current: LayerView<'_>, entered: &[u32]) {
        self.coder
            .number(self.model, model::ENTERED, entered.len() as u32);
        let mut next_slot = 0;
        for &index in entered {
            let head = current.entities[index as usize];
            let row = current.row(index as usize, self.set.width());
            self.coder.number(
                self.model,
                model::SLOT_GAP,
                u32::from(head.slot) - next_slot,
            );
            next_slot = u32::from(head.slot) + 1;
            self.coder
                .number(self.model, model::GENERATION, u32::from(head.generation));
            self.coder
                .number(self.model, model::OWNER, u32::from(head.owner));
            for number in 0..self.set.components.len() {
                let context = model::present(number);
                self.coder
                    .bit(self.model, context, head.mask >> number & 1 != 0);
            }
            self.entered_row(head.mask, row);
        }
    }

    fn entered_row(&mut self, mask: u32, row: &[i32]) {
        for (_, component) in components(self.set, mask) {
            for column in component.start..component.end {
                if self.set.columns[column].guess != Guess::Change {
                    let bits = self.set.columns[column].bits;
                    self.coder.raw(row[column] as u32, bits);
                } else if !self.span.steady() {
                    let contexts = model::size(self.set, column, true);
                    self.coder.number(self.model, contexts, zigzag(row[column]));
                } else {
                    debug_assert_eq!(row[column], 0);
                }
            }
        }
    }

    fn kept(
        &mut self,
        from: LayerView<'_>,
        current: LayerView<'_>,
        kept: &[(u32, u32)],
        residuals: &mut Vec<i32>,
    ) {
        let (set, steady) = (self.set, self.span.steady());
        let width = set.width();
        residuals.resize(width, 0);
        let mut before = false;
        for &(a, b) in kept {
            let old = from.row(a as usize, width);
            let new = current.row(b as usize, width);
            let mask = current.entities[b as usize].mask;
            let row = Row::new(set, mask, old, new, self.span, residuals);
            let changed = row.changed != 0;
            let context = model::changed(steady, row.moving != 0, before);
            self.coder.bit(self.model, context, changed);
            before = changed;
            if changed {
                self.changed(mask, row, residuals);
            }
        }
    }

    fn changed(&mut self, mask: u32, row: Row, residuals: &[i32]) {
        let (set, steady) = (self.set, self.span.steady());
        for (number, component) in components(set, mask) {
            let any = row.changed >> number & 1 != 0;
            let moving = row.moving >> number & 1 != 0;
            let context = model::component(number, steady, moving);
            self.coder.bit(self.model, context, any);
            if !any {
                continue;
            }
            let mut before = Before::Nothing;
            for column in component.start..component.end {
                if steady && set.columns[column].guess == Guess::Change {
                    continue;
                }
                let residual = residuals[column];
                let context = model::zero(set, column, steady, moving, before);
                self.coder.bit(self.model, context, residual != 0);
                before = Before::Zero;
                if residual != 0 {
                    before = Before::Other;
                    self.coder.raw(u32::from(residual < 0), 1);
                    let size = residual.unsigned_abs() - 1;
                    let contexts = model::size(set, column, steady);
                    self.coder.number(self.model, contexts, size);
                }
            }
        }
    }
}

/// What a kept entity's row comes to, as bits by component.
#[derive(Clone, Copy)]
struct Row {
    changed: u32,
    moving: u32,
}

impl Row {
    /// Fills the row's residuals.
    #[inline]
    fn new(
        set: &ColumnSet,
        mask: u32,
        old: &[i32],
        new: &[i32],
        span: Span,
        residuals: &mut [i32],
    ) -> Row {
        let mut row = Row {
            changed: 0,
            moving: 0,
        };
        for (number, component) in components(set, mask) {
            let mut any = 0;
            for column in component.start..component.end {
                residuals[column] = residual(set, column, old, new, span);
                any |= residuals[column];
            }
            row.changed |= u32::from(any != 0) << number;
            row.moving |= u32::from(is_moving(set, component, old)) << number;
        }
        row
    }
}

#[inline]
fn residual(set: &ColumnSet, index: usize, old: &[i32], new: &[i32], span: Span) -> i32 {
    let column = &set.columns[index];
    if column.guess == Guess::Change {
        if span.steady() {
            return 0;
        }
        // The field's own column is the one before.
        let value = difference(&set.columns[index - 1], new[index - 1], old[index - 1]);
        return new[index].wrapping_sub(predict_change(value, span.gap, span.dt));
    }
    let guess = predict(set, index, old, span.dt, span.baseline_gap);
    difference(column, new[index], guess)
}
