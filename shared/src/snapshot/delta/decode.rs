//! From a body to the image: every number checked, nothing allocated from an unchecked one.

use super::model::{self, Before, Model};
use super::{MODE_CHECKSUM, MODE_RANGE, Scratch, Span, components};
use crate::ids::{LayerId, Tick};
use crate::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};
use crate::protocol::frame::take_varint;
use crate::schema::{Column, ColumnSet, ComponentColumns, Guess, Layout};
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerImage, LayerView};
use crate::snapshot::predictor::{
    self, Stir, add, difference, follow, guess_bend, guess_change, remember,
};
use crate::snapshot::range_coder::RangeDecoder;
use crate::snapshot::symbols::{CODED_MAX, ESCAPE};
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

    /// Reads what entered and merges it with what is kept, whose rows are still to come.
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
        if entered == 0 && removed.is_empty() {
            // The usual case, in bulk.
            next.entities.extend_from_slice(from.entities);
            next.values.resize(from.values.len(), 0);
            kept.extend((0..from.entities.len() as u32).map(|index| (index, index)));
            return Ok(());
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
                row[index] = self.entered_value(span, index, row)?;
            }
        }
        self.coder.check()
    }

    fn entered_value(&mut self, span: Span, index: usize, row: &[i32]) -> Result<i32, DecodeError> {
        let column = &self.set.columns[index];
        match column.guess {
            Guess::Change | Guess::Bend if span.steady() => Ok(0),
            Guess::Change | Guess::Bend => {
                let contexts = model::memory(column);
                self.coder.number(self.model, contexts).map(unzigzag)
            }
            guess => match follow(guess, row, span.gap).filter(|_| !span.steady()) {
                Some(guess) => {
                    let contexts = model::size(column);
                    let residual = unzigzag(self.coder.number(self.model, contexts)?);
                    Ok(add(column, guess, residual))
                }
                None => {
                    let value = self.coder.raw(column.bits);
                    if value > column.q_max {
                        return Err(DecodeError::OutOfRange);
                    }
                    Ok(value as i32)
                }
            },
        }
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
            let row = &mut next.values[b as usize * width..(b as usize + 1) * width];
            let stirs =
                components(set, mask).map(|(_, component)| predictor::stir(set, component, old));
            let stir = stirs.max().unwrap_or(0);
            before = stir >= model::SURE_TO_CHANGE || {
                let context = model::changed(span.steady(), stir, before);
                self.coder.bit(self.model, context)
            };
            if before {
                self.changed(span, mask, stir, old, row)?;
            } else {
                for (_, component) in components(set, mask) {
                    carry_on(set, component, old, row, span);
                }
            }
        }
        self.settle(span, kept, next);
        Ok(())
    }

    /// Turns the residuals that stand in the other columns of kept entities into values: column by
    /// column, for what a column is like is then looked up once.
    fn settle(&self, span: Span, kept: &[(u32, u32)], next: &mut LayerImage) {
        let (set, width) = (self.set, self.set.width());
        for (number, component) in set.components.iter().enumerate() {
            for &at in &set.others[component.others.clone()] {
                let column = &set.columns[at];
                for &(a, b) in kept {
                    if next.entities[b as usize].mask >> number & 1 == 0 {
                        continue;
                    }
                    let old = self.from.row(a as usize, width);
                    let row = &mut next.values[b as usize * width..(b as usize + 1) * width];
                    let guess = predictor::guess(column, at, old, row, span.dt, span.gap);
                    row[at] = match row[at] {
                        0 => guess,
                        residual => add(column, guess, residual),
                    };
                }
            }
        }
    }

    fn changed(
        &mut self,
        span: Span,
        mask: u32,
        most: Stir,
        old: &[i32],
        row: &mut [i32],
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let alone = mask.is_power_of_two();
        for (number, component) in components(set, mask) {
            let stir = if alone {
                most
            } else {
                predictor::stir(set, component, old)
            };
            let context = model::component(number, span.steady(), stir);
            if !alone && !self.coder.bit(self.model, context) {
                carry_on(set, component, old, row, span);
                continue;
            }
            if span.steady() {
                self.steady_linear(component, stir, old, row, span)?;
            } else {
                self.linear(component, stir, old, row, span)?;
            }
            let context = model::rest(number, span.steady(), stir);
            if !component.has_rest_bit() || self.coder.bit(self.model, context) {
                self.others(component, stir > 0, row, span.steady())?;
            }
        }
        self.coder.check()
    }

    fn steady_linear(
        &mut self,
        component: &ComponentColumns,
        stir: Stir,
        old: &[i32],
        row: &mut [i32],
        span: Span,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let mut jolt = 0;
        for &at in &set.linear[component.linear.clone()] {
            let column = &set.columns[at];
            let aim = predictor::go_on(column, at, old, stir, span.dt, span.baseline_gap);
            let table = column.symbols + aim.tables + jolt;
            let symbol = self.coder.symbol(&set.symbols, table);
            let residual = if symbol == ESCAPE {
                self.beyond(column)?
            } else {
                symbol as i32 - CODED_MAX
            };
            jolt = model::jolt(residual);
            row[at] = add(column, aim.value, residual);
            remember(column, at, old, row);
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
        stir: Stir,
        old: &[i32],
        row: &mut [i32],
        span: Span,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let mut before = Before::Nothing;
        for &at in &set.linear[component.linear.clone()] {
            let column = &set.columns[at];
            let aim = predictor::go_on(column, at, old, stir, span.dt, span.baseline_gap);
            row[at] = add(column, aim.value, self.late(at, &mut before)?);
            let way = difference(column, row[at], old[at]);
            let change = guess_change(way, span.gap, span.dt);
            row[at + 1] = change.wrapping_add(self.late(at + 1, &mut before)?);
            let bend = guess_bend(row[at + 1], old[at + 1], span.gap, span.dt);
            row[at + 2] = bend.wrapping_add(self.late(at + 2, &mut before)?);
        }
        Ok(())
    }

    /// Leaves a component's other residuals where the values will be.
    fn others(
        &mut self,
        component: &ComponentColumns,
        stirs: bool,
        row: &mut [i32],
        steady: bool,
    ) -> Result<(), DecodeError> {
        let set = self.set;
        let mut before = Before::Nothing;
        for &at in &set.others[component.others.clone()] {
            row[at] = if steady {
                let column = &set.columns[at];
                let context = model::steady_zero(column, stirs, before);
                self.residual(context, model::steady_size(column), &mut before)?
            } else {
                self.late(at, &mut before)?
            };
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

/// Fills the linear columns of a component whose residuals are all 0.
fn carry_on(
    set: &ColumnSet,
    component: &ComponentColumns,
    old: &[i32],
    row: &mut [i32],
    span: Span,
) {
    let stir = predictor::stir(set, component, old);
    for &at in &set.linear[component.linear.clone()] {
        let column = &set.columns[at];
        row[at] = predictor::go_on(column, at, old, stir, span.dt, span.baseline_gap).value;
        if span.steady() {
            remember(column, at, old, row);
        } else {
            let way = difference(column, row[at], old[at]);
            row[at + 1] = guess_change(way, span.gap, span.dt);
            row[at + 2] = guess_bend(row[at + 1], old[at + 1], span.gap, span.dt);
        }
    }
}
