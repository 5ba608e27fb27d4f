//! From images to a body: who was removed, who entered, whose fields were not as predicted.

mod arrived;
mod compare;
mod entered;
mod pair;

use super::model::{self, Before, Model};
use super::{
    BACK_FOLLOWS, MODE_CHECKSUM, MODE_EPOCH, MODE_EPOCH_SHIFT, Scratch, Span, components, in_reach,
};
use crate::ids::LayerId;
use crate::protocol::frame::push_varint;
use crate::snapshot::activity::Activity;
use crate::snapshot::checksum::checksum;
use crate::snapshot::column_set::{Column, ColumnSet, ComponentColumns};
use crate::snapshot::image::{EntityHead, LayerView, Residuals};
use crate::snapshot::range_coder::{Coder, Context, RangeEncoder};
use crate::snapshot::symbols::{CODED_MAX, ESCAPE, Symbols, symbol_of};
use compare::compare;
use pair::Pair;

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

impl<'a> Of<'a> {
    /// A layer by its number, in which nobody moves.
    pub fn layer(layer: LayerId) -> Of<'static> {
        if layer.is_group() {
            Of::Group(Moves::default())
        } else {
            Of::Fixed(layer)
        }
    }

    /// Who moves, where somebody can.
    fn moves(self) -> Option<Moves<'a>> {
        match self {
            Of::Fixed(_) => None,
            Of::Group(moves) => Some(moves),
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
    let pair = Pair::new(set, baseline, current);
    let span = pair.span;
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
        out.extend_from_slice(&checksum(pair.current, set).to_le_bytes());
    }
    let coder = RangeEncoder::new(out);
    code(of.moves(), &pair, coder, scratch).finish();
}

/// Whether `current` has the entities of `baseline`, the image before it, and all that is in it
/// follows from that: then its holder comes to it by [`advance`](super::advance), and no body need
/// be sent. By what capture found, so never of images that it is not at hand for.
pub fn is_fully_predicted(
    set: &ColumnSet,
    baseline: LayerView<'_>,
    current: LayerView<'_>,
) -> bool {
    let Pair {
        from,
        current,
        span,
        ..
    } = Pair::new(set, Some(baseline), current);
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
    let pair = Pair::new(set, baseline, current);
    code(None, &pair, Trace(Vec::new()), scratch).0
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

/// Codes a body. Without `moves` it is no group's.
fn code<C: Coder>(moves: Option<Moves<'_>>, pair: &Pair<'_>, coder: C, scratch: &mut Scratch) -> C {
    let Some(arriving) = moves.filter(|moves| !moves.arrived.is_empty()) else {
        return code_against(moves, pair, coder, scratch);
    };
    assert!(!pair.span.is_keyframe(), "nobody arrives in a keyframe");
    let mut merged = std::mem::take(&mut scratch.merged);
    arriving.join(pair, &mut merged);
    let from = LayerView {
        bare: pair.from.bare,
        ..merged.view()
    };
    let coder = code_against(moves, &Pair { from, ..*pair }, coder, scratch);
    scratch.merged = merged;
    coder
}

/// The same against a baseline that has who arrives.
fn code_against<C: Coder>(
    moves: Option<Moves<'_>>,
    pair: &Pair<'_>,
    coder: C,
    scratch: &mut Scratch,
) -> C {
    let Pair {
        set,
        from,
        current,
        span,
    } = *pair;
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
        compare(pair, &scratch.kept, &mut scratch.work);
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
