//! The reference work: the same images as plain deltas, each number of an entity its difference
//! from the frame before, in a zigzag varint. What anybody would write first, fixed, and measured
//! in turn with the codec, so that figures are ratios to it that hold on any machine.
//! `benches/js/varint_frames.mjs` decodes the same bytes.
//!
//! A frame is the number of entities; for each, by rising slot, the slots since the last one and a
//! bit that says whether its head (generation, owner, components) is another than before and
//! follows; then the differences of its fields, from 0 where its head is new.

use tickwire::protocol::frame::{FrameError, push_varint, take_varint};
use tickwire::snapshot::column_set::{ColumnSet, Guess};
use tickwire::snapshot::image::{EntityHead, LayerImage};

/// The columns that hold fields, component by component: the others follow from them.
pub(super) fn fields(set: &ColumnSet) -> Vec<Vec<usize>> {
    let sent = |&column: &usize| !matches!(set.columns[column].guess, Guess::Change | Guess::Bend);
    let of_component = |start, end| (start..end).filter(sent).collect();
    let components = set.components.iter();
    components
        .map(|component| of_component(component.start, component.end))
        .collect()
}

/// A coder of one layer.
pub(super) struct Plain {
    fields: Vec<Vec<usize>>,
    width: usize,
}

impl Plain {
    pub(super) fn new(set: &ColumnSet) -> Plain {
        Plain {
            fields: fields(set),
            width: set.width(),
        }
    }

    /// Appends a frame.
    pub(super) fn encode(&self, before: &LayerImage, now: &LayerImage, out: &mut Vec<u8>) {
        push_varint(now.entities.len() as u32, out);
        let (mut at, mut slot) = (0, 0);
        for (index, head) in now.entities.iter().enumerate() {
            let known = seek(before, &mut at, head.slot).filter(|&at| before.entities[at] == *head);
            let gap = u32::from(head.slot - slot);
            slot = head.slot;
            push_varint(gap << 1 | u32::from(known.is_none()), out);
            if known.is_none() {
                push_varint(u32::from(head.generation), out);
                push_varint(u32::from(head.owner), out);
                push_varint(head.mask, out);
            }
            let row = &now.values[index * self.width..][..self.width];
            let old = known.map(|at| &before.values[at * self.width..][..self.width]);
            for (component, columns) in self.fields.iter().enumerate() {
                if head.mask >> component & 1 == 0 {
                    continue;
                }
                for &column in columns {
                    let difference = row[column].wrapping_sub(old.map_or(0, |old| old[column]));
                    push_varint((difference << 1 ^ difference >> 31) as u32, out);
                }
            }
        }
    }

    /// Decodes a frame: the fields of an image, all else 0.
    pub(super) fn decode(
        &self,
        mut bytes: &[u8],
        before: &LayerImage,
        now: &mut LayerImage,
    ) -> Result<(), FrameError> {
        let mut next = || {
            let (value, rest) = take_varint(bytes)?;
            bytes = rest;
            Ok(value)
        };
        now.entities.clear();
        now.values.clear();
        let (mut at, mut slot) = (0, 0u16);
        for index in 0..next()? as usize {
            let head = next()?;
            slot = slot.wrapping_add((head >> 1) as u16);
            let mut known = None;
            let head = if head & 1 == 0 {
                known = seek(before, &mut at, slot);
                known.map(|at| before.entities[at]).unwrap_or_default()
            } else {
                EntityHead {
                    slot,
                    generation: next()? as u16,
                    owner: next()? as u16,
                    mask: next()?,
                }
            };
            now.entities.push(head);
            now.values.resize((index + 1) * self.width, 0);
            let row = &mut now.values[index * self.width..];
            let old = known.map(|at| &before.values[at * self.width..][..self.width]);
            for (component, columns) in self.fields.iter().enumerate() {
                if head.mask >> component & 1 == 0 {
                    continue;
                }
                for &column in columns {
                    let zigzag = next()?;
                    let difference = (zigzag >> 1) as i32 ^ -((zigzag & 1) as i32);
                    row[column] = difference.wrapping_add(old.map_or(0, |old| old[column]));
                }
            }
        }
        Ok(())
    }

    /// What `decode` comes to: the image without the columns that are not sent.
    pub(super) fn bare(&self, image: &LayerImage) -> LayerImage {
        let mut bare = image.clone();
        for value in bare
            .values
            .chunks_exact_mut(self.width)
            .zip(&image.entities)
        {
            let (row, head) = value;
            let all = row.to_vec();
            row.fill(0);
            for (component, columns) in self.fields.iter().enumerate() {
                for &column in columns {
                    if head.mask >> component & 1 == 1 {
                        row[column] = all[column];
                    }
                }
            }
        }
        bare
    }
}

/// The index of the entity in a slot, going on from `at`.
fn seek(image: &LayerImage, at: &mut usize, slot: u16) -> Option<usize> {
    while *at < image.entities.len() && image.entities[*at].slot < slot {
        *at += 1;
    }
    let found = image.entities.get(*at)?;
    (found.slot == slot).then_some(*at)
}

/// What both languages come to: every slot and row, mixed.
pub(super) fn mix(mixed: u32, image: &LayerImage) -> u32 {
    let step = |mixed: u32, value: i32| (mixed ^ value as u32).wrapping_mul(0x0100_0193);
    let mixed = image
        .entities
        .iter()
        .fold(mixed, |mixed, head| step(mixed, i32::from(head.slot)));
    image.values.iter().copied().fold(mixed, step)
}

/// The frames of some images, the first against nothing.
pub(super) fn frames(plain: &Plain, images: &[LayerImage]) -> Vec<Vec<u8>> {
    let nothing = LayerImage::default();
    let befores = std::iter::once(&nothing).chain(images);
    befores
        .zip(images)
        .map(|(before, now)| {
            let mut frame = Vec::new();
            plain.encode(before, now, &mut frame);
            frame
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena_play::Hands;
    use crate::recording::Recording;

    /// The arena's images have entities that come, go and change their components.
    #[test]
    fn a_played_arena_decodes_to_its_fields() {
        let recording = Recording::of(Hands::Random);
        let plain = Plain::new(&recording.layout.room);
        let (mut held, mut next) = (LayerImage::default(), LayerImage::default());
        for (frame, image) in frames(&plain, &recording.images)
            .iter()
            .zip(&recording.images)
        {
            plain
                .decode(frame, &held, &mut next)
                .expect("it was encoded");
            (next.tick, next.gap) = (image.tick, image.gap);
            assert!(next == plain.bare(image), "{:?}", image.tick);
            std::mem::swap(&mut held, &mut next);
        }
    }

    #[test]
    fn a_frame_that_ends_early_is_an_error() {
        let recording = Recording::of(Hands::People);
        let plain = Plain::new(&recording.layout.room);
        let frames = frames(&plain, &recording.images[..2]);
        let mut now = LayerImage::default();
        let cut = &frames[1][..frames[1].len() - 1];
        assert!(plain.decode(cut, &recording.images[0], &mut now).is_err());
    }
}
