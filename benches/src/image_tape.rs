//! Images of a layer as a file: life by life, column by column, how long a value goes on as before
//! and by how much it then differs. Independent of the snapshot codec, which is measured on it and
//! may change: what predictors remember is not in it but made anew, as the server's capture makes
//! it. Called by `recording`; motion in which nobody comes or goes is [`crate::motion::Tape`]'s.

use std::collections::BTreeMap;

use tickwire::ids::Tick;
use tickwire::snapshot::column_set::ColumnSet;
use tickwire::snapshot::complete::Completer;
use tickwire::snapshot::image::{EntityHead, LayerImage};

use crate::motion::TapeError;
use crate::motion::nibbles::{Reader, Writer};

/// First bytes of a file.
const MAGIC: &[u8; 4] = b"TWI1";
/// More values than any recording has, so that a broken file can't ask for much memory.
const VALUES_MAX: usize = 1 << 24;
/// More images than any recording has.
const IMAGES_MAX: usize = 1 << 16;

/// An entity for as long as its head stays as it is.
struct Life {
    head: EntityHead,
    /// Number of its first image.
    from: usize,
    /// Its rows, image by image.
    rows: Vec<i32>,
}

/// How a column is written: `None` for what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// It goes on by its last change.
    Linear,
    /// It stays.
    Hold,
    /// The change or the second difference of a linear column.
    Remembered,
}

fn columns(set: &ColumnSet) -> Vec<Column> {
    let mut columns = vec![Column::Hold; set.width()];
    for &at in &set.linear {
        columns[at..at + 3].copy_from_slice(&[
            Column::Linear,
            Column::Remembered,
            Column::Remembered,
        ]);
    }
    columns
}

/// The columns of an entity's components that are written.
fn written(set: &ColumnSet, mask: u32) -> impl Iterator<Item = (usize, Column)> + '_ {
    let columns = columns(set);
    let components = set.components.iter().enumerate();
    components
        .filter(move |(bit, _)| mask >> bit & 1 != 0)
        .flat_map(|(_, component)| component.start..component.end)
        .map(move |at| (at, columns[at]))
        .filter(|(_, column)| *column != Column::Remembered)
}

/// The file of images at consecutive ticks.
///
/// # Panics
/// If ticks are missing.
pub fn encode(set: &ColumnSet, images: &[LayerImage]) -> Vec<u8> {
    let mut out = Writer::new(MAGIC);
    let first = images.first().map_or(0, |image| image.tick.0);
    let consecutive = (first..)
        .zip(images)
        .all(|(tick, image)| image.tick.0 == tick);
    assert!(consecutive, "every tick is recorded");
    out.push(first);
    out.push(images.len() as u32);
    let lives = lives(set, images);
    out.push(lives.len() as u32);
    for life in &lives {
        let head = life.head;
        for number in [head.slot, head.generation, head.owner] {
            out.push(u32::from(number));
        }
        out.push(head.mask);
        out.push(life.from as u32);
        out.push((life.rows.len() / set.width()) as u32);
        for (at, column) in written(set, head.mask) {
            let values = life.rows.iter().skip(at).step_by(set.width());
            encode_column(column, values.copied(), &mut out);
        }
    }
    out.bytes
}

/// By their first image, then by slot.
fn lives(set: &ColumnSet, images: &[LayerImage]) -> Vec<Life> {
    let mut done = Vec::new();
    let mut open: BTreeMap<u16, Life> = BTreeMap::new();
    for (number, image) in images.iter().enumerate() {
        let mut still = BTreeMap::new();
        for (index, head) in image.entities.iter().enumerate() {
            let known = open.remove(&head.slot);
            let (goes_on, over): (Option<Life>, Option<Life>) = match known {
                Some(life) if life.head == *head => (Some(life), None),
                other => (None, other),
            };
            done.extend(over);
            let mut life = goes_on.unwrap_or_else(|| Life {
                head: *head,
                from: number,
                rows: Vec::new(),
            });
            life.rows
                .extend_from_slice(image.view().row(index, set.width()));
            still.insert(head.slot, life);
        }
        done.extend(std::mem::replace(&mut open, still).into_values());
    }
    done.extend(open.into_values());
    done.sort_by_key(|life| (life.from, life.head.slot));
    done
}

/// How long it goes on as guessed, by how much it differs then, and so on to the end.
fn encode_column(column: Column, values: impl Iterator<Item = i32>, out: &mut Writer) {
    let mut course = Course::default();
    let mut run = 0;
    for value in values {
        let off = value.wrapping_sub(course.guess(column));
        if off == 0 {
            run += 1;
        } else {
            out.push(run);
            out.push_signed(off);
            run = 0;
        }
        course.advance(value);
    }
    out.push(run);
}

/// What a column did so far.
#[derive(Default)]
struct Course {
    values: u32,
    last: i32,
    change: i32,
}

impl Course {
    fn guess(&self, column: Column) -> i32 {
        match column {
            Column::Linear => self.last.wrapping_add(self.change),
            Column::Hold | Column::Remembered => self.last,
        }
    }

    fn advance(&mut self, value: i32) {
        if self.values > 0 {
            self.change = value.wrapping_sub(self.last);
        }
        self.last = value;
        self.values += 1;
    }
}

/// Reads a file. What predictors remember is as if nothing had been before the first image.
pub fn decode(set: &ColumnSet, bytes: &[u8]) -> Result<Vec<LayerImage>, TapeError> {
    let bytes = bytes.strip_prefix(MAGIC).ok_or(TapeError::Broken)?;
    let mut from = Reader::new(bytes);
    let first = from.take()?;
    let count = from.take()? as usize;
    if count > IMAGES_MAX {
        return Err(TapeError::Broken);
    }
    let mut room = VALUES_MAX;
    let mut rows: Vec<Vec<(EntityHead, Vec<i32>)>> = vec![Vec::new(); count];
    for _ in 0..from.take()? {
        let mut number = || from.take().map(u16::try_from);
        let (slot, generation, owner) = (number()?, number()?, number()?);
        let (Ok(slot), Ok(generation), Ok(owner)) = (slot, generation, owner) else {
            return Err(TapeError::Broken);
        };
        let head = EntityHead {
            slot,
            generation,
            owner,
            mask: from.take()?,
        };
        let (begin, length) = (from.take()? as usize, from.take()? as usize);
        let cells = length.checked_mul(set.width().max(1));
        let left = cells.and_then(|cells| room.checked_sub(cells));
        room = left.ok_or(TapeError::Broken)?;
        let lived = begin
            .checked_add(length)
            .and_then(|end| rows.get_mut(begin..end));
        let lived = lived.ok_or(TapeError::Broken)?;
        let mut life = vec![vec![0; set.width()]; length];
        for (at, column) in written(set, head.mask) {
            decode_column(column, &mut life, at, &mut from)?;
        }
        for (image, row) in lived.iter_mut().zip(life) {
            image.push((head, row));
        }
    }
    from.finish()?;
    complete(set, first, rows)
}

fn decode_column(
    column: Column,
    life: &mut [Vec<i32>],
    at: usize,
    from: &mut Reader<'_>,
) -> Result<(), TapeError> {
    let mut course = Course::default();
    let mut run = from.take()? as usize;
    let length = life.len();
    for (number, row) in life.iter_mut().enumerate() {
        let mut value = course.guess(column);
        if run == 0 {
            value = value.wrapping_add(from.take_signed()?);
            run = from.take()? as usize;
            if run > length - number - 1 {
                return Err(TapeError::Broken);
            }
        } else {
            run -= 1;
        }
        row[at] = value;
        course.advance(value);
    }
    if run == 0 {
        Ok(())
    } else {
        Err(TapeError::Broken)
    }
}

/// Puts the images together and fills what predictors remember.
fn complete(
    set: &ColumnSet,
    first: u32,
    rows: Vec<Vec<(EntityHead, Vec<i32>)>>,
) -> Result<Vec<LayerImage>, TapeError> {
    let mut images: Vec<LayerImage> = Vec::with_capacity(rows.len());
    let mut completer = Completer::default();
    for (tick, mut all) in (first..).zip(rows) {
        all.sort_by_key(|(head, _)| head.slot);
        if all.windows(2).any(|pair| pair[0].0.slot == pair[1].0.slot) {
            return Err(TapeError::Broken);
        }
        let (entities, rows): (Vec<EntityHead>, Vec<Vec<i32>>) = all.into_iter().unzip();
        let mut values = rows.concat();
        let mut residuals = vec![0; entities.len() * set.residual_width()];
        let before = images.last();
        let gap = u32::from(before.is_some());
        let previous = before.map(LayerImage::view);
        completer.run(set, previous, gap, &entities, &mut values, &mut residuals);
        images.push(LayerImage {
            tick: Tick(tick),
            gap,
            entities,
            values,
        });
    }
    Ok(images)
}
