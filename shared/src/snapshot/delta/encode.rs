//! From images to a body: who was removed, who entered, whose fields were not as predicted.

use super::model::{self, Before, Model};
use super::{MODE_CHECKSUM, MODE_RANGE, Scratch, Span, components, in_reach};
use crate::ids::LayerId;
use crate::protocol::frame::push_varint;
use crate::schema::{ColumnSet, ComponentColumns, Guess};
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerView};
use crate::snapshot::predictor::{self, Stir, difference, follow, guess_bend, guess_change};
use crate::snapshot::range_coder::{Coder, Context, RangeEncoder};
use crate::snapshot::symbols::{CODED_MAX, ESCAPE, Symbols, symbol_of};
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
        residuals: &[],
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

/// A decision of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A bit, by the context at a place.
    Bit(usize, bool),
    /// A symbol, by the table at a place.
    Symbol(usize, usize),
}

/// The decisions of a body, in order, but those at even odds. For training.
pub fn trace(
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    current: LayerView<'_>,
    scratch: &mut Scratch,
) -> Vec<Decision> {
    let from = baseline.unwrap_or(LayerView {
        tick: current.tick,
        gap: 0,
        entities: &[],
        values: &[],
        residuals: &[],
    });
    let span = Span {
        dt: current.tick.since(from.tick),
        baseline_gap: from.gap,
        gap: current.gap,
    };
    code(set, from, current, span, Trace(Vec::new()), scratch).0
}

struct Trace(Vec<Decision>);

impl Coder for Trace {
    fn bit(&mut self, _contexts: &mut [Context], at: usize, bit: bool) {
        self.0.push(Decision::Bit(at, bit));
    }

    fn symbol(&mut self, _tables: &[Symbols], at: usize, symbol: usize) {
        self.0.push(Decision::Symbol(at, symbol));
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
    if from == to {
        // The usual case, in bulk.
        let same = (0..to.len() as u32).map(|index| (index, index));
        scratch.kept.extend(same);
        return;
    }
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
        let steady = self.span.steady();
        for (_, component) in components(self.set, mask) {
            for index in component.start..component.end {
                let column = &self.set.columns[index];
                match column.guess {
                    Guess::Change | Guess::Bend if steady => debug_assert_eq!(row[index], 0),
                    Guess::Change | Guess::Bend => {
                        let contexts = model::memory(column);
                        self.coder.number(self.model, contexts, zigzag(row[index]));
                    }
                    guess => match follow(guess, row, self.span.gap).filter(|_| !steady) {
                        Some(guess) => {
                            let residual = difference(column, row[index], guess);
                            let contexts = model::size(column);
                            self.coder.number(self.model, contexts, zigzag(residual));
                        }
                        None => self.coder.raw(row[index] as u32, column.bits),
                    },
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
        let residual_width = set.residual_width();
        residuals.resize(residual_width, 0);
        // Capture compared the image with the one before.
        let compared = steady && !current.residuals.is_empty();
        let mut before = false;
        for &(a, b) in kept {
            let mask = current.entities[b as usize].mask;
            let row = if compared {
                &current.residuals[b as usize * residual_width..(b as usize + 1) * residual_width]
            } else {
                let old = from.row(a as usize, width);
                let new = current.row(b as usize, width);
                compare(set, mask, old, new, self.span, residuals);
                &*residuals
            };
            let (changed, stir) = sum_up(set, mask, steady, row);
            if stir < model::SURE_TO_CHANGE {
                let context = model::changed(steady, stir, before);
                before = changed != 0;
                self.coder.bit(self.model, context, before);
            } else {
                before = true;
            }
            if before {
                self.changed(mask, changed, row);
            }
        }
    }

    fn changed(&mut self, mask: u32, changed: u32, residuals: &[i32]) {
        let (set, steady) = (self.set, self.span.steady());
        let alone = mask.is_power_of_two();
        for (number, component) in components(set, mask) {
            let any = alone || changed >> number & 1 != 0;
            let stir = residuals[set.width() + number] as Stir;
            if !alone {
                let context = model::component(number, steady, stir);
                self.coder.bit(self.model, context, any);
            }
            if !any {
                continue;
            }
            if steady {
                self.steady_linear(component, residuals);
            } else {
                self.linear(component, residuals);
            }
            let others = &set.others[component.others.clone()];
            if component.has_rest_bit() {
                let rest = others.iter().any(|&at| residuals[at] != 0);
                let context = model::rest(number, steady, stir);
                self.coder.bit(self.model, context, rest);
                if !rest {
                    continue;
                }
            }
            self.others(others, stir > 0, residuals);
        }
    }

    fn steady_linear(&mut self, component: &ComponentColumns, residuals: &[i32]) {
        let set = self.set;
        let mut jolt = 0;
        for &at in &set.linear[component.linear.clone()] {
            let (residual, pair) = (residuals[at], residuals[at + 1] as usize);
            let column = &set.columns[at];
            let symbol = symbol_of(residual);
            self.coder
                .symbol(&set.symbols, column.symbols + pair + jolt, symbol);
            if symbol == ESCAPE {
                let beyond = residual.unsigned_abs() - CODED_MAX as u32 - 1;
                self.coder.raw(u32::from(residual < 0), 1);
                self.coder.number(self.model, model::beyond(column), beyond);
            }
            jolt = model::jolt(residual);
        }
    }

    fn linear(&mut self, component: &ComponentColumns, residuals: &[i32]) {
        let mut before = Before::Nothing;
        for &at in &self.set.linear[component.linear.clone()] {
            for at in at..at + 3 {
                let column = &self.set.columns[at];
                let context = model::zero(column, before);
                before = self.residual(context, model::size(column), residuals[at]);
            }
        }
    }

    fn others(&mut self, others: &[usize], stirs: bool, residuals: &[i32]) {
        let steady = self.span.steady();
        let mut before = Before::Nothing;
        for &at in others {
            let column = &self.set.columns[at];
            let (context, size) = if steady {
                let context = model::steady_zero(column, stirs, before);
                (context, model::steady_size(column))
            } else {
                (model::zero(column, before), model::size(column))
            };
            before = self.residual(context, size, residuals[at]);
        }
    }

    fn residual(&mut self, zero: usize, size: model::Number, residual: i32) -> Before {
        self.coder.bit(self.model, zero, residual != 0);
        if residual == 0 {
            return Before::Zero;
        }
        self.coder.raw(u32::from(residual < 0), 1);
        self.coder
            .number(self.model, size, residual.unsigned_abs() - 1);
        Before::Other
    }
}

/// Which components changed, as bits, and how much the most stirring one stirs.
#[inline]
fn sum_up(set: &ColumnSet, mask: u32, steady: bool, residuals: &[i32]) -> (u32, Stir) {
    let (mut changed, mut most) = (0, 0);
    for (number, component) in components(set, mask) {
        let mut any = 0;
        for &at in &set.linear[component.linear.clone()] {
            any |= residuals[at];
            if !steady {
                any |= residuals[at + 1] | residuals[at + 2];
            }
        }
        for &at in &set.others[component.others.clone()] {
            any |= residuals[at];
        }
        changed |= u32::from(any != 0) << number;
        most = most.max(residuals[set.width() + number]);
    }
    (changed, most as Stir)
}

/// Fills a row of residuals, as [`LayerView::residuals`] has them; if not steady, with those of
/// what linear columns remember.
fn compare(
    set: &ColumnSet,
    mask: u32,
    old: &[i32],
    new: &[i32],
    span: Span,
    residuals: &mut [i32],
) {
    for (number, component) in components(set, mask) {
        let stir = predictor::stir(set, component, old);
        for &at in &set.linear[component.linear.clone()] {
            let column = &set.columns[at];
            let aim = predictor::go_on(column, at, old, stir, span.dt, span.baseline_gap);
            residuals[at] = difference(column, new[at], aim.value);
            if span.steady() {
                residuals[at + 1] = aim.tables as i32;
                continue;
            }
            let way = difference(column, new[at], old[at]);
            let change = guess_change(way, span.gap, span.dt);
            let bend = guess_bend(new[at + 1], old[at + 1], span.gap, span.dt);
            residuals[at + 1] = new[at + 1].wrapping_sub(change);
            residuals[at + 2] = new[at + 2].wrapping_sub(bend);
        }
        for &at in &set.others[component.others.clone()] {
            let column = &set.columns[at];
            let guess = predictor::guess(column, at, old, new, span.dt, span.gap);
            residuals[at] = difference(column, new[at], guess);
        }
        residuals[set.width() + number] = stir as i32;
    }
}
