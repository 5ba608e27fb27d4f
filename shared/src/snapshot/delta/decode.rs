//! From a body to the image: every number checked, nothing allocated from an unchecked one.

use super::model::{self, Before, Model};
use super::{MODE_CHECKSUM, MODE_RANGE, Scratch, Span, components, is_moving};
use crate::ids::{LayerId, Tick};
use crate::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};
use crate::protocol::frame::take_varint;
use crate::schema::{ColumnSet, Guess, Layout};
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerImage, LayerView};
use crate::snapshot::predictor::{add, difference, predict, predict_change};
use crate::snapshot::range_coder::RangeDecoder;
use crate::snapshot::{DecodeError, unzigzag};

/// A body's fixed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyHead {
    /// The layer.
    pub layer: LayerId,
    /// Ticks from the baseline, 0 for a keyframe.
    pub back: u32,
    /// The checksum of the image, if one came.
    pub checksum: Option<u32>,
}

/// Reads a body's fixed part; the bits follow.
pub fn decode_head(body: &[u8]) -> Result<(BodyHead, &[u8]), DecodeError> {
    let (layer, rest) = take_varint(body).map_err(|_| DecodeError::Truncated)?;
    let layer = u16::try_from(layer).map_err(|_| DecodeError::UnknownLayer)?;
    let (&mode, rest) = rest.split_first().ok_or(DecodeError::Truncated)?;
    if mode & !MODE_CHECKSUM != MODE_RANGE {
        return Err(DecodeError::UnknownMode);
    }
    let (back, mut rest) = take_varint(rest).map_err(|_| DecodeError::Truncated)?;
    if back > BASELINE_BACK_MAX {
        return Err(DecodeError::OutOfRange);
    }
    let mut checksum = None;
    if mode & MODE_CHECKSUM != 0 {
        let (bytes, after) = rest.split_at_checked(4).ok_or(DecodeError::Truncated)?;
        checksum = Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        rest = after;
    }
    let head = BodyHead {
        layer: LayerId(layer),
        back,
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

/// Decodes a body of the snapshot of `tick` into `image`, which is the baseline before and the
/// new image after. On an error the image is as it was.
pub fn decode(
    head: BodyHead,
    bits: &[u8],
    tick: Tick,
    layout: &Layout,
    image: &mut LayerImage,
    scratch: &mut Scratch,
) -> Result<Verdict, DecodeError> {
    let set = layout.of(head.layer).ok_or(DecodeError::UnknownLayer)?;
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
    next.tick = tick;
    next.entities.clear();
    next.values.clear();
    let mut body = Body {
        set,
        from,
        coder: RangeDecoder::new(bits),
        model: &mut scratch.model,
    };
    let decoded = body
        .head(head.back)
        .and_then(|span| {
            next.gap = span.gap;
            body.removed(&mut scratch.removed)?;
            body.entities(span, &scratch.removed, &mut scratch.kept, &mut next)?;
            body.kept(span, &scratch.kept, &mut next)
        })
        .and_then(|()| body.coder.finish());
    if let Err(error) = decoded {
        scratch.next = next;
        return Err(error);
    }
    scratch.next = std::mem::replace(image, next);
    Ok(match head.checksum {
        None => Verdict::Unchecked,
        Some(theirs) if theirs == checksum(image.view(), set.width()) => Verdict::Agrees,
        Some(_) => Verdict::Differs,
    })
}

/// A body that is being read.
struct Body<'a> {
    set: &'a ColumnSet,
    from: LayerView<'a>,
    coder: RangeDecoder<'a>,
    model: &'a mut Model,
}

impl Body<'_> {
    fn head(&mut self, back: u32) -> Result<Span, DecodeError> {
        let steady = self.coder.bit(self.model, model::STEADY);
        let gap = if steady {
            back
        } else {
            let contexts = model::GAP;
            self.coder.number(self.model, contexts)?
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

    fn removed(&mut self, removed: &mut Vec<u32>) -> Result<(), DecodeError> {
        let below = self.from.entities.len();
        let contexts = model::REMOVED;
        let count = self.coder.number(self.model, contexts)?;
        if count as usize > below {
            return Err(DecodeError::OutOfRange);
        }
        let mut next = 0u32;
        for _ in 0..count {
            let contexts = model::REMOVED_GAP;
            let index = next
                .checked_add(self.coder.number(self.model, contexts)?)
                .filter(|&index| (index as usize) < below)
                .ok_or(DecodeError::OutOfRange)?;
            removed.push(index);
            next = index + 1;
        }
        Ok(())
    }

    /// Reads what entered and merges it with what is kept, whose rows are as predicted.
    fn entities(
        &mut self,
        span: Span,
        removed: &[u32],
        kept: &mut Vec<(u32, u32)>,
        next: &mut LayerImage,
    ) -> Result<(), DecodeError> {
        let from = self.from;
        let contexts = model::ENTERED;
        let entered = self.coder.number(self.model, contexts)? as usize;
        if entered + from.entities.len() - removed.len() > ENTITIES_MAX {
            return Err(DecodeError::OutOfRange);
        }
        let mut removed = removed.iter().copied().peekable();
        let mut old = 0usize;
        let mut next_slot = 0u32;
        for done in 0..=entered {
            // The slot of the next one that enters, or beyond all once they are through.
            let slot = if done < entered {
                let contexts = model::SLOT_GAP;
                next_slot
                    .checked_add(self.coder.number(self.model, contexts)?)
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
                let row = from.row(old, self.set.width());
                carry_on(self.set, row, head.mask, span, &mut next.values);
                old += 1;
            }
            if done < entered {
                next_slot = slot + 1;
                self.entered(span, slot as u16, next)?;
            }
        }
        Ok(())
    }

    fn entered(&mut self, span: Span, slot: u16, next: &mut LayerImage) -> Result<(), DecodeError> {
        let short = |value: u32| u16::try_from(value).map_err(|_| DecodeError::OutOfRange);
        let generation = model::GENERATION;
        let generation = short(self.coder.number(self.model, generation)?)?;
        let owner = model::OWNER;
        let owner = short(self.coder.number(self.model, owner)?)?;
        let mut mask = 0;
        for number in 0..self.set.components.len() {
            let context = model::present(number);
            mask |= u32::from(self.coder.bit(self.model, context)) << number;
        }
        next.entities.push(EntityHead {
            slot,
            generation,
            owner,
            mask,
        });
        let start = next.values.len();
        next.values.resize(start + self.set.width(), 0);
        let row = &mut next.values[start..];
        for (_, component) in components(self.set, mask) {
            for index in component.start..component.end {
                let column = &self.set.columns[index];
                if column.guess == Guess::Change {
                    if !span.steady() {
                        let contexts = model::size(self.set, index, true);
                        row[index] = unzigzag(self.coder.number(self.model, contexts)?);
                    }
                    continue;
                }
                let value = self.coder.raw(column.bits);
                if value > column.q_max {
                    return Err(DecodeError::OutOfRange);
                }
                row[index] = value as i32;
            }
        }
        self.coder.check()
    }

    fn kept(
        &mut self,
        span: Span,
        kept: &[(u32, u32)],
        next: &mut LayerImage,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let width = set.width();
        let mut before = false;
        for &(a, b) in kept {
            let old = self.from.row(a as usize, width);
            let mask = next.entities[b as usize].mask;
            let moving = components(set, mask).any(|(_, component)| is_moving(set, component, old));
            let context = model::changed(span.steady(), moving, before);
            before = self.coder.bit(self.model, context);
            if before {
                let row = &mut next.values[b as usize * width..(b as usize + 1) * width];
                self.changed(span, mask, old, row)?;
            }
        }
        Ok(())
    }

    fn changed(
        &mut self,
        span: Span,
        mask: u32,
        old: &[i32],
        row: &mut [i32],
    ) -> Result<(), DecodeError> {
        let (set, steady) = (self.set, span.steady());
        for (number, component) in components(set, mask) {
            let moving = is_moving(set, component, old);
            let context = model::component(number, steady, moving);
            if !self.coder.bit(self.model, context) {
                continue;
            }
            let mut before = Before::Nothing;
            for index in component.start..component.end {
                let column = &set.columns[index];
                if column.guess == Guess::Change {
                    // The value before it may have changed, so the guess is made anew.
                    row[index] = carried(set, index, old, row, span);
                    if steady {
                        continue;
                    }
                }
                let context = model::zero(set, index, steady, moving, before);
                before = Before::Zero;
                if self.coder.bit(self.model, context) {
                    before = Before::Other;
                    let residual = self.residual(index, steady)?;
                    row[index] = if column.guess == Guess::Change {
                        row[index].wrapping_add(residual)
                    } else {
                        add(column, row[index], residual)
                    };
                }
            }
        }
        self.coder.check()
    }

    /// A residual that is not 0.
    fn residual(&mut self, index: usize, steady: bool) -> Result<i32, DecodeError> {
        let negative = self.coder.raw(1) == 1;
        let contexts = model::size(self.set, index, steady);
        let size = self.coder.number(self.model, contexts)?.wrapping_add(1);
        Ok(if negative {
            (size as i32).wrapping_neg()
        } else {
            size as i32
        })
    }
}

/// Appends the row that a kept entity has when all its residuals are 0.
fn carry_on(set: &ColumnSet, old: &[i32], mask: u32, span: Span, values: &mut Vec<i32>) {
    let start = values.len();
    values.resize(start + set.width(), 0);
    let row = &mut values[start..];
    for (_, component) in components(set, mask) {
        for index in component.start..component.end {
            row[index] = carried(set, index, old, row, span);
        }
    }
}

#[inline]
fn carried(set: &ColumnSet, index: usize, old: &[i32], row: &[i32], span: Span) -> i32 {
    let column = &set.columns[index];
    if column.guess == Guess::Change {
        let value = difference(&set.columns[index - 1], row[index - 1], old[index - 1]);
        if span.steady() {
            value
        } else {
            predict_change(value, span.gap, span.dt)
        }
    } else {
        predict(set, index, old, span.dt, span.baseline_gap)
    }
}
