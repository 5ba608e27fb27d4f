//! From a body to the image: every number checked, nothing allocated from an unchecked one.

use super::adaptive::Adaptive;
use super::{MODE_BITS, MODE_CHECKSUM, Scratch, Span, components};
use crate::ids::{LayerId, Tick};
use crate::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};
use crate::protocol::frame::take_varint;
use crate::schema::{ColumnSet, Guess, Layout};
use crate::snapshot::bit_coder::BitReader;
use crate::snapshot::checksum::checksum;
use crate::snapshot::image::{EntityHead, LayerImage, LayerView};
use crate::snapshot::predictor::{add, difference, predict, predict_change};
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
    if mode & !MODE_CHECKSUM != MODE_BITS {
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
    scratch.clear(set.width());
    let mut reader = BitReader::new(bits);
    let steady = reader.bits(1)? == 1;
    let gap = if steady { head.back } else { reader.eg(0)? };
    if gap > BASELINE_BACK_MAX || (steady && head.back == 0) {
        return Err(DecodeError::OutOfRange);
    }
    let span = Span {
        dt: head.back,
        baseline_gap: from.gap,
        gap,
    };
    // A body that names the gap although it equals `back` would decode, but is never sent.
    if !steady && span.steady() {
        return Err(DecodeError::OutOfRange);
    }
    decode_indices(&mut reader, from.entities.len(), &mut scratch.removed)?;
    let mut next = std::mem::take(&mut scratch.next);
    next.tick = tick;
    next.gap = gap;
    next.entities.clear();
    next.values.clear();
    let result = decode_entities(set, from, span, &mut reader, scratch, &mut next)
        .and_then(|()| reader.finish());
    if let Err(error) = result {
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

fn decode_indices(
    reader: &mut BitReader<'_>,
    below: usize,
    indices: &mut Vec<u32>,
) -> Result<(), DecodeError> {
    let count = reader.eg(0)?;
    if count as usize > below {
        return Err(DecodeError::OutOfRange);
    }
    let mut next = 0u32;
    for _ in 0..count {
        let index = next
            .checked_add(reader.eg(0)?)
            .filter(|&index| (index as usize) < below)
            .ok_or(DecodeError::OutOfRange)?;
        indices.push(index);
        next = index + 1;
    }
    Ok(())
}

/// Reads what entered, merges it with what is kept, and applies the residuals.
fn decode_entities(
    set: &ColumnSet,
    from: LayerView<'_>,
    span: Span,
    reader: &mut BitReader<'_>,
    scratch: &mut Scratch,
    next: &mut LayerImage,
) -> Result<(), DecodeError> {
    let width = set.width();
    let entered = reader.eg(0)? as usize;
    let kept = from.entities.len() - scratch.removed.len();
    if entered + kept > ENTITIES_MAX {
        return Err(DecodeError::OutOfRange);
    }
    let mut removed = scratch.removed.iter().copied().peekable();
    let mut old = 0usize;
    let mut next_slot = 0u32;
    for done in 0..=entered {
        // The slot of the next one that enters, or beyond all once they are through.
        let slot = if done < entered {
            next_slot
                .checked_add(reader.eg(0)?)
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
            scratch.kept.push((old as u32, next.entities.len() as u32));
            next.entities.push(head);
            carry_on(set, from.row(old, width), head.mask, span, &mut next.values);
            old += 1;
        }
        if done < entered {
            next_slot = slot + 1;
            decode_entered(set, span, slot as u16, reader, next)?;
        }
    }
    decode_changed(set, from, span, reader, scratch, next)
}

fn decode_entered(
    set: &ColumnSet,
    span: Span,
    slot: u16,
    reader: &mut BitReader<'_>,
    next: &mut LayerImage,
) -> Result<(), DecodeError> {
    let short = |value: u32| u16::try_from(value).map_err(|_| DecodeError::OutOfRange);
    let head = EntityHead {
        slot,
        generation: short(reader.eg(0)?)?,
        owner: short(reader.eg(0)?)?,
        mask: reader.bits(set.components.len() as u32)?,
    };
    next.entities.push(head);
    let start = next.values.len();
    next.values.resize(start + set.width(), 0);
    let row = &mut next.values[start..];
    for component in components(set, head.mask) {
        for index in component.start..component.end {
            let column = &set.columns[index];
            if column.guess == Guess::Change {
                row[index] = if span.steady() {
                    0
                } else {
                    reader.signed_eg(4)?
                };
                continue;
            }
            let value = reader.bits(column.bits)?;
            if value > column.kind.q_max() {
                return Err(DecodeError::OutOfRange);
            }
            row[index] = value as i32;
        }
    }
    Ok(())
}

/// Appends the row that a kept entity has when all its residuals are 0.
fn carry_on(set: &ColumnSet, old: &[i32], mask: u32, span: Span, values: &mut Vec<i32>) {
    let start = values.len();
    values.resize(start + set.width(), 0);
    let row = &mut values[start..];
    for component in components(set, mask) {
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
        predict(column, index, old, span.dt, span.baseline_gap)
    }
}

fn decode_changed(
    set: &ColumnSet,
    from: LayerView<'_>,
    span: Span,
    reader: &mut BitReader<'_>,
    scratch: &mut Scratch,
    next: &mut LayerImage,
) -> Result<(), DecodeError> {
    let width = set.width();
    let mut changed = std::mem::take(&mut scratch.changed);
    // The gaps stand between the residuals, so they can't be read ahead.
    changed.clear();
    let count = reader.eg(0)? as usize;
    if count > scratch.kept.len() {
        scratch.changed = changed;
        return Err(DecodeError::OutOfRange);
    }
    let mut at = 0u32;
    for _ in 0..count {
        let index = at
            .checked_add(reader.eg(0)?)
            .filter(|&index| (index as usize) < scratch.kept.len())
            .ok_or(DecodeError::OutOfRange)?;
        at = index + 1;
        let (a, b) = scratch.kept[index as usize];
        let old = from.row(a as usize, width);
        let mask = next.entities[b as usize].mask;
        let row = &mut next.values[b as usize * width..(b as usize + 1) * width];
        for component in components(set, mask) {
            if reader.bits(1)? == 0 {
                continue;
            }
            for index in component.start..component.end {
                decode_column(set, index, old, row, span, reader, &mut scratch.adaptive)?;
            }
        }
    }
    scratch.changed = changed;
    Ok(())
}

#[inline]
fn decode_column(
    set: &ColumnSet,
    index: usize,
    old: &[i32],
    row: &mut [i32],
    span: Span,
    reader: &mut BitReader<'_>,
    adaptive: &mut [Adaptive],
) -> Result<(), DecodeError> {
    let column = &set.columns[index];
    if column.guess != Guess::Change {
        let z = reader.eg(adaptive[index].k())?;
        adaptive[index].update(z);
        row[index] = add(column, row[index], unzigzag(z));
        return Ok(());
    }
    // The value before it may have changed, so the guess is made anew.
    row[index] = carried(set, index, old, row, span);
    if !span.steady() {
        row[index] = row[index].wrapping_add(reader.signed_eg(0)?);
    }
    Ok(())
}
