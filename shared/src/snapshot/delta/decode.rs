//! From a body to the image: every number checked, nothing allocated from an unchecked one.

mod arrived;
mod entered;

use super::model::{self, Before, Model};
use super::restore::{aim, settle};
use super::{
    BACK_FOLLOWS, MODE_BACK, MODE_CHECKSUM, MODE_EPOCH, MODE_EPOCH_SHIFT, Scratch, Span, Work,
    components,
};
use crate::ids::{LayerId, Tick};
use crate::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};
use crate::protocol::frame::take_varint;
use crate::snapshot::DecodeError;
use crate::snapshot::activity::Activity;
use crate::snapshot::checksum::checksum;
use crate::snapshot::column_set::{Column, ColumnSet, ComponentColumns};
use crate::snapshot::image::{EntityHead, LayerImage, LayerView};
use crate::snapshot::layout::Layout;
use crate::snapshot::range_coder::RangeDecoder;
use crate::snapshot::symbols::{CODED_MAX, ESCAPE};

/// A body's fixed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHead {
    /// The layer.
    pub layer: LayerId,
    /// Ticks from the baseline, 0 for a keyframe.
    pub back: u32,
    /// The epoch of the tables that it is coded by, modulo 4.
    pub epoch: u8,
    /// The checksum of the image, if one came.
    pub checksum: Option<u32>,
}

/// Reads the fixed part of a layer's body; the bits follow.
pub fn decode_head(layer: LayerId, body: &[u8]) -> Result<(BodyHead, &[u8]), DecodeError> {
    let (&mode, mut rest) = body.split_first().ok_or(DecodeError::Truncated)?;
    let mut back = u32::from(mode & MODE_BACK);
    if mode & MODE_BACK == BACK_FOLLOWS {
        (back, rest) = take_varint(rest).map_err(|_| DecodeError::Truncated)?;
        if !(u32::from(BACK_FOLLOWS)..=BASELINE_BACK_MAX).contains(&back) {
            return Err(DecodeError::OutOfRange);
        }
    }
    if back == 0 {
        let (&set, after) = rest.split_first().ok_or(DecodeError::Truncated)?;
        let expected = if layer.is_group() {
            LayerId::ROOM
        } else {
            layer
        };
        if u16::from(set) != expected.0 {
            return Err(DecodeError::OtherColumns);
        }
        rest = after;
    }
    let mut checksum = None;
    if mode & MODE_CHECKSUM != 0 {
        let (bytes, after) = rest.split_at_checked(4).ok_or(DecodeError::Truncated)?;
        checksum = Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        rest = after;
    }
    let head = BodyHead {
        layer,
        back,
        epoch: mode >> MODE_EPOCH_SHIFT & MODE_EPOCH,
        checksum,
    };
    Ok((head, rest))
}

/// Whether the decoded image is the server's, as far as the body tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No checksum came.
    Unchecked,
    /// The checksum agrees.
    Agrees,
    /// It does not: drop the layer and ask for its keyframe.
    Differs,
}

/// Where those who arrive in a group come from: the head and the row of the entity in a slot, in an
/// image of another group that is of the baseline's tick, and as bare; `None` if there is none.
pub type Source<'a> = dyn Fn(u16) -> Option<(EntityHead, &'a [i32])> + 'a;

/// Decodes a body of the snapshot of `tick` into `image`, which is the baseline before and the
/// new image after. On an error the image is as it was. For layers into which nobody moves.
pub fn decode(
    head: BodyHead,
    bits: &[u8],
    tick: Tick,
    layout: &Layout,
    image: &mut LayerImage,
    scratch: &mut Scratch,
) -> Result<Verdict, DecodeError> {
    decode_moves(head, bits, tick, layout, &|_| None, image, scratch)
}

/// The same for a layer into which entities may move out of others;
/// [`departed`](Scratch::departed) has then who moved out of it.
pub fn decode_moves(
    head: BodyHead,
    bits: &[u8],
    tick: Tick,
    layout: &Layout,
    source: &Source<'_>,
    image: &mut LayerImage,
    scratch: &mut Scratch,
) -> Result<Verdict, DecodeError> {
    let set = layout.of(head.layer).ok_or(DecodeError::UnknownLayer)?;
    if head.epoch != set.epoch & MODE_EPOCH {
        return Err(DecodeError::OtherTables);
    }
    let empty = LayerImage::default();
    let from = if head.back == 0 {
        empty.view()
    } else if image.tick.0.checked_add(head.back) == Some(tick.0) {
        image.view()
    } else {
        return Err(DecodeError::WrongBaseline);
    };
    scratch.clear(set);
    let mut next = std::mem::take(&mut scratch.next);
    let mut merged = std::mem::take(&mut scratch.merged);
    next.tick = tick;
    next.entities.clear();
    next.values.clear();
    let mut body = Body {
        set,
        from,
        is_group: head.layer.is_group(),
        coder: RangeDecoder::new(bits),
        model: &mut scratch.model,
    };
    let decoded = body.head(head.back).and_then(|span| {
        next.gap = span.gap;
        if body.arrived(span, source, &mut merged)? {
            body.from = merged.view();
        }
        body.removed(&mut scratch.removed, &mut scratch.departed)?;
        body.entities(span, &scratch.removed, &mut scratch.kept, &mut next)?;
        body.kept(span, &scratch.kept, &mut next, &mut scratch.work)?;
        body.coder.finish()
    });
    scratch.merged = merged;
    if let Err(error) = decoded {
        scratch.next = next;
        return Err(error);
    }
    scratch.next = std::mem::replace(image, next);
    Ok(match head.checksum {
        None => Verdict::Unchecked,
        Some(theirs) if theirs == checksum(image.view(), set) => Verdict::Agrees,
        Some(_) => Verdict::Differs,
    })
}

/// A body that is being read.
struct Body<'a> {
    set: &'a ColumnSet,
    from: LayerView<'a>,
    is_group: bool,
    coder: RangeDecoder<'a>,
    model: &'a mut Model,
}

impl Body<'_> {
    fn head(&mut self, back: u32) -> Result<Span, DecodeError> {
        let steady = self.coder.bit(self.model, model::STEADY);
        let gap = if steady {
            back
        } else {
            self.coder.number(self.model, model::GAP)?
        };
        let span = Span {
            dt: back,
            baseline_gap: self.from.gap,
            gap,
        };
        // A body that names the gap although it equals `back` would decode, but is never sent.
        if gap > BASELINE_BACK_MAX || span.steady() != steady {
            return Err(DecodeError::OutOfRange);
        }
        Ok(span)
    }

    fn removed(
        &mut self,
        removed: &mut Vec<u32>,
        departed: &mut Vec<(EntityHead, bool)>,
    ) -> Result<(), DecodeError> {
        let below = self.from.entities.len();
        let count = self.coder.number(self.model, model::REMOVED)?;
        if count as usize > below {
            return Err(DecodeError::OutOfRange);
        }
        let mut next = 0u32;
        for _ in 0..count {
            let index = next
                .checked_add(self.coder.number(self.model, model::REMOVED_GAP)?)
                .filter(|&index| (index as usize) < below)
                .ok_or(DecodeError::OutOfRange)?;
            removed.push(index);
            next = index + 1;
            if self.is_group {
                let lives = self.coder.raw(1) == 1;
                departed.push((self.from.entities[index as usize], lives));
            }
        }
        Ok(())
    }

    /// Reads what entered and merges it with what is kept, whose rows are still to come.
    fn entities(
        &mut self,
        span: Span,
        removed: &[u32],
        kept: &mut Vec<(u32, u32)>,
        next: &mut LayerImage,
    ) -> Result<(), DecodeError> {
        let from = self.from;
        let entered = self.coder.number(self.model, model::ENTERED)? as usize;
        if entered + from.entities.len() - removed.len() > ENTITIES_MAX {
            return Err(DecodeError::OutOfRange);
        }
        if entered == 0 && removed.is_empty() {
            // The usual case, in bulk.
            next.entities.extend_from_slice(from.entities);
            next.values.resize(from.values.len(), 0);
            kept.extend((0..from.entities.len() as u32).map(|index| (index, index)));
            return Ok(());
        }
        if entered > 0 {
            self.model
                .extend_from_slice(&self.set.prior[self.set.entering..]);
        }
        let mut removed = removed.iter().copied().peekable();
        let mut old = 0usize;
        let mut next_slot = 0u32;
        for done in 0..=entered {
            // The slot of the next one that enters, or beyond all once they are through.
            let slot = if done < entered {
                next_slot
                    .checked_add(self.coder.number(self.model, model::SLOT_GAP)?)
                    .filter(|&slot| slot < u32::from(u16::MAX))
                    .ok_or(DecodeError::OutOfRange)?
            } else {
                u32::from(u16::MAX)
            };
            while old < from.entities.len() && u32::from(from.entities[old].slot) <= slot {
                let head = from.entities[old];
                if removed.next_if_eq(&(old as u32)).is_some() {
                    old += 1;
                    continue;
                }
                if u32::from(head.slot) == slot {
                    return Err(DecodeError::OutOfRange);
                }
                kept.push((old as u32, next.entities.len() as u32));
                next.entities.push(head);
                next.values.resize(next.values.len() + self.set.width(), 0);
                old += 1;
            }
            if done < entered {
                next_slot = slot + 1;
                self.entered(span, slot as u16, next)?;
            }
        }
        Ok(())
    }

    /// What is kept: predicts what does not depend on residuals, reads these, and puts both
    /// together, the first and the last column by column.
    fn kept(
        &mut self,
        span: Span,
        kept: &[(u32, u32)],
        next: &mut LayerImage,
        work: &mut Work,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let count = next.entities.len();
        work.residuals.clear();
        work.residuals.resize(count * set.residual_width(), 0);
        aim(set, self.from, span, kept, next, work);
        let mut before = false;
        for &(_, at) in kept {
            let at = at as usize;
            let mask = next.entities[at].mask;
            let mut row = Row {
                residuals: &mut work.residuals,
                count,
                at,
            };
            let activity = row.of(set.most_activity_column()) as Activity;
            before = activity >= model::SURE_TO_CHANGE || {
                let context = model::changed(span.steady(), activity, before);
                self.coder.bit(self.model, context)
            };
            if before {
                self.changed(span, mask, &mut row)?;
            }
        }
        settle(set, self.from, span, next, work);
        Ok(())
    }

    fn changed(&mut self, span: Span, mask: u32, row: &mut Row<'_>) -> Result<(), DecodeError> {
        let (set, steady) = (self.set, span.steady());
        let alone = mask.is_power_of_two();
        for (number, component) in components(set, mask) {
            let activity = row.of(set.activity_column(number)) as Activity;
            let context = model::component(number, steady, activity);
            if !alone && !self.coder.bit(self.model, context) {
                continue;
            }
            if steady {
                self.steady_linear(component, row)?;
            } else {
                self.linear(component, row)?;
            }
            let context = model::rest(number, steady, activity);
            if !component.has_rest_bit() || self.coder.bit(self.model, context) {
                self.others(component, activity > 0, row, steady)?;
            }
        }
        self.coder.check()
    }

    fn steady_linear(
        &mut self,
        component: &ComponentColumns,
        row: &mut Row<'_>,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let mut jolt = 0;
        for &at in &set.linear[component.linear.clone()] {
            let column = &set.columns[at];
            let table = column.symbols + row.of(at + 1) as usize + jolt;
            let symbol = self.coder.symbol(&set.symbols, table);
            let residual = if symbol == ESCAPE {
                self.beyond(column)?
            } else {
                symbol as i32 - CODED_MAX
            };
            jolt = model::jolt(residual);
            row.put(at, residual);
        }
        Ok(())
    }

    /// A linear column's residual that has no symbol.
    fn beyond(&mut self, column: &Column) -> Result<i32, DecodeError> {
        let negative = self.coder.raw(1) == 1;
        let beyond = self.coder.number(self.model, model::beyond(column))?;
        let size = beyond.wrapping_add(CODED_MAX as u32 + 1) as i32;
        Ok(if negative { size.wrapping_neg() } else { size })
    }

    fn linear(
        &mut self,
        component: &ComponentColumns,
        row: &mut Row<'_>,
    ) -> Result<(), DecodeError> {
        let mut before = Before::Nothing;
        for &at in &self.set.linear[component.linear.clone()] {
            for at in at..at + 3 {
                row.put(at, self.late(at, &mut before)?);
            }
        }
        Ok(())
    }

    fn others(
        &mut self,
        component: &ComponentColumns,
        active: bool,
        row: &mut Row<'_>,
        steady: bool,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let mut before = Before::Nothing;
        for &at in &set.others[component.others.clone()] {
            let residual = if steady {
                let column = &set.columns[at];
                let context = model::steady_zero(column, active, before);
                self.residual(context, model::steady_size(column), &mut before)?
            } else {
                self.late(at, &mut before)?
            };
            row.put(at, residual);
        }
        Ok(())
    }

    /// A residual of a body that is not steady.
    fn late(&mut self, at: usize, before: &mut Before) -> Result<i32, DecodeError> {
        let column = &self.set.columns[at];
        self.residual(model::zero(column, *before), model::size(column), before)
    }

    fn residual(
        &mut self,
        zero: usize,
        size: model::Number,
        before: &mut Before,
    ) -> Result<i32, DecodeError> {
        *before = Before::Zero;
        if !self.coder.bit(self.model, zero) {
            return Ok(0);
        }
        *before = Before::Other;
        let negative = self.coder.raw(1) == 1;
        let size = self.coder.number(self.model, size)?.wrapping_add(1) as i32;
        Ok(if negative { size.wrapping_neg() } else { size })
    }
}

/// An entity's numbers in a table of [`Residuals`](crate::snapshot::image::Residuals).
struct Row<'a> {
    residuals: &'a mut [i32],
    count: usize,
    at: usize,
}

impl Row<'_> {
    #[inline(always)]
    fn of(&self, column: usize) -> i32 {
        self.residuals[column * self.count + self.at]
    }

    #[inline(always)]
    fn put(&mut self, column: usize, residual: i32) {
        self.residuals[column * self.count + self.at] = residual;
    }
}
