//! From images to a body: who was removed, who entered, whose fields were not as predicted.

use super::model::{self, Before, Model};
use super::{
    BACK_FOLLOWS, MODE_CHECKSUM, MODE_EPOCH, MODE_EPOCH_SHIFT, Scratch, Span, Work, components,
    entering, in_reach, late_change, late_second_diff,
};
use crate::ids::LayerId;
use crate::protocol::frame::push_varint;
use crate::snapshot::activity::Activity;
use crate::snapshot::checksum::checksum;
use crate::snapshot::column_set::{Column, ColumnSet, ComponentColumns, Guess};
use crate::snapshot::columns::Columns;
use crate::snapshot::image::{EntityHead, LayerView, Residuals};
use crate::snapshot::predictor::{difference, follow};
use crate::snapshot::range_coder::{Coder, Context, RangeEncoder};
use crate::snapshot::rows::Table;
use crate::snapshot::symbols::{CODED_MAX, ESCAPE, Symbols, symbol_of};
use crate::snapshot::zigzag;

/// What a body is of, beside its image.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// A layer that every client calls alike, one of [`LayerId::FIXED`].
    Fixed(LayerId),
    /// A group, with those who came from others and went to them.
    Group(Moves<'a>),
}

/// Who moves between groups, as the receiver of a body sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moves<'a> {
    /// Who arrives from groups that the receiver holds in an image of the baseline's tick, as bare
    /// as the baseline: as they are there, by rising slot. The body may keep them or remove them.
    /// Nobody may arrive in a keyframe.
    pub arrived: &'a [EntityHead],
    /// Their rows.
    pub rows: &'a [i32],
    /// Slots of those who are removed and live on elsewhere in the room, rising; others may be
    /// among them.
    pub living: &'a [u16],
}

impl Of<'_> {
    /// A layer by its number, in which nobody moves.
    pub fn layer(layer: LayerId) -> Of<'static> {
        if layer.is_group() {
            Of::Group(Moves::default())
        } else {
            Of::Fixed(layer)
        }
    }

    /// The columns' number on the wire.
    fn set(self) -> u8 {
        match self {
            Of::Fixed(layer) => layer.0 as u8,
            Of::Group(_) => LayerId::ROOM.0 as u8,
        }
    }
}

/// Appends the body of `current` against `baseline`, or a keyframe, which brings it
/// [`bare`](LayerView::bare). `periodic` asks for the
/// checksum that comes every [`crate::limits::CHECKSUM_EVERY`] images; bodies that are not
/// steady carry one anyway.
///
/// # Panics
/// When the baseline is not [`in_reach`]: the caller falls back to a keyframe.
pub fn encode(
    of: Of<'_>,
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    current: LayerView<'_>,
    periodic: bool,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) {
    if let Some(baseline) = baseline {
        assert!(in_reach(baseline.tick, current.tick));
    }
    let (from, current, span) = pair(baseline, current);
    let is_checked = periodic || !span.steady();
    let near = u8::try_from(span.dt).ok().filter(|&dt| dt < BACK_FOLLOWS);
    let epoch = (set.epoch & MODE_EPOCH) << MODE_EPOCH_SHIFT;
    let check = if is_checked { MODE_CHECKSUM } else { 0 };
    out.push(near.unwrap_or(BACK_FOLLOWS) | epoch | check);
    if near.is_none() {
        push_varint(span.dt, out);
    }
    if span.is_keyframe() {
        out.push(of.set());
    }
    if is_checked {
        out.extend_from_slice(&checksum(current, set).to_le_bytes());
    }
    let coder = RangeEncoder::new(out);
    code(of, set, from, current, span, coder, scratch).finish();
}

/// Whether `current` has the entities of `baseline`, the image before it, and all that is in it
/// follows from that: then its holder comes to it by [`advance`](super::advance), and no body need
/// be sent. By what capture found, so never of images that it is not at hand for.
pub fn is_fully_predicted(
    set: &ColumnSet,
    baseline: LayerView<'_>,
    current: LayerView<'_>,
) -> bool {
    let (from, current, span) = pair(Some(baseline), current);
    let changed = |at| current.residuals.of(set.any_change_column(), at) != 0;
    span.steady()
        && !from.bare
        && from.entities == current.entities
        && (current.entities.is_empty()
            || !current.residuals.is_empty() && !(0..current.entities.len()).any(changed))
}

/// A decision of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A bit, by the context at a place.
    Bit(usize, bool),
    /// A symbol, by the table at a place.
    Symbol(usize, usize),
}

/// The decisions of a body of a layer that is no group's, in order, but those at even odds. For
/// training.
pub fn trace(
    set: &ColumnSet,
    baseline: Option<LayerView<'_>>,
    current: LayerView<'_>,
    scratch: &mut Scratch,
) -> Vec<Decision> {
    let (from, current, span) = pair(baseline, current);
    let of = Of::Fixed(LayerId::ROOM);
    code(of, set, from, current, span, Trace(Vec::new()), scratch).0
}

/// What is coded against what: a keyframe, without a baseline, against nothing, and bare.
fn pair<'a>(
    baseline: Option<LayerView<'a>>,
    current: LayerView<'a>,
) -> (LayerView<'a>, LayerView<'a>, Span) {
    let nothing = LayerView {
        tick: current.tick,
        gap: 0,
        entities: &[],
        values: &[],
        residuals: Residuals::default(),
        bare: false,
    };
    let span = |from: LayerView<'_>| Span {
        dt: current.tick.since(from.tick),
        baseline_gap: from.gap,
        gap: current.gap,
    };
    match baseline {
        Some(from) => (from, current, span(from)),
        None => (nothing, current.bare(), span(nothing)),
    }
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
    of: Of<'_>,
    set: &ColumnSet,
    from: LayerView<'_>,
    current: LayerView<'_>,
    span: Span,
    coder: C,
    scratch: &mut Scratch,
) -> C {
    let moves = match of {
        Of::Fixed(_) => None,
        Of::Group(moves) => Some(moves),
    };
    let Some(moves) = moves.filter(|moves| !moves.arrived.is_empty()) else {
        return code_against(moves, set, from, current, span, coder, scratch);
    };
    assert!(!span.is_keyframe(), "nobody arrives in a keyframe");
    let (mut merged, width) = (std::mem::take(&mut scratch.merged), set.width());
    merged.start_join(from);
    let mut next = 0;
    for (head, row) in moves.arrived.iter().zip(moves.rows.chunks_exact(width)) {
        next = merged.join_below(from, next, head.slot.into(), width);
        merged.entities.push(*head);
        merged.values.extend_from_slice(row);
    }
    merged.join_below(from, next, u32::MAX, width);
    let from = LayerView {
        bare: from.bare,
        ..merged.view()
    };
    let coder = code_against(Some(moves), set, from, current, span, coder, scratch);
    scratch.merged = merged;
    coder
}

/// The same against a baseline that has who arrives. Without `moves` it is no group's.
fn code_against<C: Coder>(
    moves: Option<Moves<'_>>,
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
        moves,
        coder,
        model: &mut scratch.model,
    };
    body.head();
    body.arrived();
    body.removed(from.entities, &scratch.removed);
    body.entered(current, &scratch.entered);
    // Where capture compared the image with the one before, that is done.
    let residuals = if span.steady() && !from.bare && !current.residuals.is_empty() {
        current.residuals
    } else {
        compare(set, from, current, span, &scratch.kept, &mut scratch.work);
        Residuals::new(&scratch.work.residuals, current.entities.len(), 0)
    };
    body.kept(current.entities, residuals, &scratch.kept);
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
    moves: Option<Moves<'a>>,
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

    fn arrived(&mut self) {
        let Some(moves) = self.moves.filter(|_| !self.span.is_keyframe()) else {
            return;
        };
        let (mut contexts, mut next_slot) = (model::ARRIVALS, 0);
        let count = moves.arrived.len() as u32;
        self.coder.number(&mut contexts, model::ARRIVED, count);
        for head in moves.arrived {
            let slot = u32::from(head.slot);
            self.coder
                .number(&mut contexts, model::ARRIVED_GAP, slot - next_slot);
            next_slot = slot + 1;
        }
    }

    fn removed(&mut self, from: &[EntityHead], removed: &[u32]) {
        self.coder
            .number(self.model, model::REMOVED, removed.len() as u32);
        let mut next = 0;
        for &index in removed {
            self.coder
                .number(self.model, model::REMOVED_GAP, index - next);
            next = index + 1;
            if let Some(moves) = self.moves {
                let slot = from[index as usize].slot;
                let lives = moves.living.binary_search(&slot).is_ok();
                self.coder.raw(u32::from(lives), 1);
            }
        }
    }

    fn entered(&mut self, current: LayerView<'_>, entered: &[u32]) {
        self.coder
            .number(self.model, model::ENTERED, entered.len() as u32);
        if entered.is_empty() {
            return;
        }
        self.model
            .extend_from_slice(&self.set.prior[self.set.entering..]);
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
        // Who comes into a group may have been elsewhere in the image before.
        let steady = self.span.steady() && self.moves.is_none();
        for (_, component) in components(self.set, mask) {
            let mut change_before = 0;
            for index in component.start..component.end {
                let column = &self.set.columns[index];
                match column.guess {
                    Guess::Change | Guess::Bend if steady => debug_assert_eq!(row[index], 0),
                    Guess::Change => {
                        self.entered_change(column, change_before, row[index]);
                        change_before = row[index];
                    }
                    Guess::Bend if self.span.is_keyframe() => {}
                    Guess::Bend => {
                        let contexts = model::entering_second_diff(column);
                        self.coder.number(self.model, contexts, zigzag(row[index]));
                    }
                    guess => match follow(guess, row, self.span.gap).filter(|_| !steady) {
                        Some(guess) => {
                            let residual = difference(column, row[index], guess);
                            let contexts = model::size(column);
                            self.coder.number(self.model, contexts, zigzag(residual));
                        }
                        None => {
                            let top = entering::top_bits(column);
                            let (at, value) = (column.entering, row[index] as u32);
                            self.coder.digits(self.model, at, value, column.bits, top);
                        }
                    },
                }
            }
        }
    }

    fn entered_change(&mut self, column: &Column, before: i32, change: i32) {
        let size = change.unsigned_abs() + 1;
        let length = size.ilog2();
        let contexts = entering::length(column, before);
        self.coder.unary(self.model, contexts, length);
        if length > 0 {
            let (at, modelled) = entering::size(column, length);
            self.coder.digits(self.model, at, size, length, modelled);
            self.coder.raw(u32::from(change < 0), 1);
        }
    }

    /// `residuals` are capture's, or [`compare`]'s.
    fn kept(&mut self, entities: &[EntityHead], residuals: Residuals<'_>, kept: &[(u32, u32)]) {
        let (set, steady) = (self.set, self.span.steady());
        let (most_activity, any_change) = (set.most_activity_column(), set.any_change_column());
        let mut before = false;
        for &(_, at) in kept {
            let at = at as usize;
            let mask = entities[at].mask;
            let row = Row { residuals, at };
            let activity = row.of(most_activity) as Activity;
            let sure = activity >= model::SURE_TO_CHANGE;
            if !sure {
                let changed = row.of(any_change) != 0;
                let context = model::changed(steady, activity, before);
                self.coder.bit(self.model, context, changed);
                before = changed;
            }
            if sure || before {
                before = true;
                self.changed(mask, row);
            }
        }
    }

    fn changed(&mut self, mask: u32, row: Row<'_>) {
        let (set, steady) = (self.set, self.span.steady());
        let alone = mask.is_power_of_two();
        for (number, component) in components(set, mask) {
            let activity = row.of(set.activity_column(number)) as Activity;
            if !alone {
                let any = row.of(set.change_column(number)) != 0;
                let context = model::component(number, steady, activity);
                self.coder.bit(self.model, context, any);
                if !any {
                    continue;
                }
            }
            if steady {
                self.steady_linear(component, row);
            } else {
                self.linear(component, row);
            }
            if component.has_rest_bit() {
                let rest = row.of(set.rest_column(number)) != 0;
                let context = model::rest(number, steady, activity);
                self.coder.bit(self.model, context, rest);
                if !rest {
                    continue;
                }
            }
            self.others(&set.others[component.others.clone()], activity > 0, row);
        }
    }

    fn steady_linear(&mut self, component: &ComponentColumns, row: Row<'_>) {
        let set = self.set;
        let mut jolt = 0;
        for &at in &set.linear[component.linear.clone()] {
            let (residual, pair) = (row.of(at), row.of(at + 1) as usize);
            let column = &set.columns[at];
            let symbol = symbol_of(residual);
            self.coder
                .symbol(&set.symbols, column.symbols + pair + jolt, symbol);
            if symbol == ESCAPE {
                self.beyond(column, residual);
            }
            jolt = model::jolt(residual);
        }
    }

    /// A linear column's residual that has no symbol.
    fn beyond(&mut self, column: &Column, residual: i32) {
        let beyond = residual.unsigned_abs() - CODED_MAX as u32 - 1;
        self.coder.raw(u32::from(residual < 0), 1);
        self.coder.number(self.model, model::beyond(column), beyond);
    }

    fn linear(&mut self, component: &ComponentColumns, row: Row<'_>) {
        let mut before = Before::Nothing;
        for &at in &self.set.linear[component.linear.clone()] {
            for at in at..at + 3 {
                let column = &self.set.columns[at];
                let context = model::zero(column, before);
                before = self.residual(context, model::size(column), row.of(at));
            }
        }
    }

    fn others(&mut self, others: &[usize], active: bool, row: Row<'_>) {
        let steady = self.span.steady();
        let mut before = Before::Nothing;
        for &at in others {
            let column = &self.set.columns[at];
            let (context, size) = if steady {
                let context = model::steady_zero(column, active, before);
                (context, model::steady_size(column))
            } else {
                (model::zero(column, before), model::size(column))
            };
            before = self.residual(context, size, row.of(at));
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

/// An entity's numbers in a table of residuals.
#[derive(Clone, Copy)]
struct Row<'a> {
    residuals: Residuals<'a>,
    at: usize,
}

impl Row<'_> {
    #[inline(always)]
    fn of(self, column: usize) -> i32 {
        self.residuals.of(column, self.at)
    }
}

/// Fills a table of [`Residuals`]; if not steady, with those of
/// what linear columns remember.
fn compare(
    set: &ColumnSet,
    from: LayerView<'_>,
    current: LayerView<'_>,
    span: Span,
    kept: &[(u32, u32)],
    work: &mut Work,
) {
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
