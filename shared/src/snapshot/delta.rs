//! Bodies: an image of a layer against the image that the receiver holds, or against nothing
//! (`PROTOCOL.md` §7). Lossless: decode gives back the image that encode was given.

use super::DecodeError;
use super::bit_coder::{BitReader, BitWriter};
use super::checksum::checksum;
use super::image::{EntityHead, LayerImage, LayerView};
use super::predictor::{add, difference, predict, predict_change};
use super::{unzigzag, zigzag};
use crate::ids::{LayerId, Tick};
use crate::limits::{BASELINE_BACK_MAX, ENTITIES_MAX};
use crate::protocol::frame::{push_varint, take_varint};
use crate::schema::{ColumnSet, ComponentColumns, Guess, Layout};

/// Mode of a body: packed bits.
const MODE_BITS: u8 = 1;
/// Set in the mode when a checksum follows.
const MODE_CHECKSUM: u8 = 0x80;

/// The order of a column's Exp-Golomb code, adapted within one body.
#[derive(Clone, Copy)]
struct Adaptive {
    sum: u32,
    count: u32,
}

impl Adaptive {
    const NEW: Adaptive = Adaptive { sum: 0, count: 1 };

    #[inline]
    fn k(self) -> u32 {
        // The least k for which count << (k + 1) exceeds sum.
        let mut k = 0;
        while k < 24 && (u64::from(self.count) << (k + 1)) <= u64::from(self.sum) {
            k += 1;
        }
        k
    }

    #[inline]
    fn update(&mut self, z: u32) {
        self.sum += z.min(1 << 20);
        self.count += 1;
        if self.count == 32 {
            self.sum /= 2;
            self.count /= 2;
        }
    }
}

/// Reused memory of [`encode`] and [`decode`].
#[derive(Default)]
pub struct Scratch {
    adaptive: Vec<Adaptive>,
    removed: Vec<u32>,
    entered: Vec<u32>,
    /// Pairs of indices (baseline, current) of kept entities, and those of them that changed.
    kept: Vec<(u32, u32)>,
    changed: Vec<u32>,
    residuals: Vec<i32>,
    next: LayerImage,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

impl Scratch {
    fn clear(&mut self, columns: usize) {
        self.adaptive.clear();
        self.adaptive.resize(columns, Adaptive::NEW);
        self.removed.clear();
        self.entered.clear();
        self.kept.clear();
        self.changed.clear();
        self.residuals.clear();
    }
}

/// How an image stands to its baseline.
#[derive(Clone, Copy)]
struct Span {
    /// Ticks from the baseline, 0 for a keyframe.
    dt: u32,
    /// The baseline's gap.
    baseline_gap: u32,
    /// The image's gap.
    gap: u32,
}

impl Span {
    /// Whether the baseline is the image before, so that change columns follow from values.
    fn steady(self) -> bool {
        self.dt != 0 && self.dt == self.gap
    }
}

/// Whether `current` can be coded against a baseline of tick `baseline`.
pub fn in_reach(baseline: Tick, current: Tick) -> bool {
    (1..=BASELINE_BACK_MAX).contains(&current.since(baseline))
}

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

fn components(set: &ColumnSet, mask: u32) -> impl Iterator<Item = &ComponentColumns> {
    set.components
        .iter()
        .enumerate()
        .filter(move |(index, _)| mask >> index & 1 != 0)
        .map(|(_, component)| component)
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
