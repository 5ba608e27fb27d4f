//! A layer's state at a tick, as integers: what both ends agree on, to the bit.

use serde::{Deserialize, Serialize};

use super::column_set::{ColumnSet, Guess};
use crate::ids::{Handle, PlayerId, Tick};

/// An entity of a layer, without its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityHead {
    /// Its slot in the room.
    pub slot: u16,
    /// Which use of the slot.
    pub generation: u16,
    /// Whose it is, as [`OwnerCode::encode`] says.
    pub owner: u16,
    /// Which of the layer's components it has.
    pub mask: u32,
}

impl EntityHead {
    /// Its handle.
    pub fn handle(&self) -> Handle {
        Handle {
            slot: self.slot,
            generation: self.generation,
        }
    }

    /// Whose it is, and whether it is what that player steers.
    pub fn owner(&self) -> Option<OwnerCode> {
        OwnerCode::decode(self.owner)
    }
}

/// Who owns an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerCode {
    /// The player.
    pub player: PlayerId,
    /// Whether it is what they steer.
    pub avatar: bool,
}

impl OwnerCode {
    /// `1 + 2 * player`, plus 1 for what is not their avatar; 0 stands for nobody.
    pub fn encode(self) -> u16 {
        1 + 2 * self.player.0 + u16::from(!self.avatar)
    }

    /// Inverse of [`OwnerCode::encode`].
    pub fn decode(code: u16) -> Option<OwnerCode> {
        let code = code.checked_sub(1)?;
        Some(OwnerCode {
            player: PlayerId(code / 2),
            avatar: code % 2 == 0,
        })
    }
}

/// A layer's image, borrowed: entities by rising slot, their rows one after the other.
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a> {
    /// The tick that it shows.
    pub tick: Tick,
    /// Ticks since the image before, 0 in the layer's first.
    pub gap: u32,
    /// Entities, by rising slot.
    pub entities: &'a [EntityHead],
    /// Their rows, [`crate::snapshot::column_set::ColumnSet::width`] integers each.
    pub values: &'a [i32],
    /// What capture found when it compared the image with the one before, for the encoder; empty
    /// for an image that it is not at hand for.
    pub residuals: Residuals<'a>,
    /// Its second difference columns count as 0, whatever stands in them: it is what somebody holds
    /// who got this image as a keyframe, which leaves them out.
    pub bare: bool,
}

/// A table of [`crate::snapshot::column_set::ColumnSet::residual_width`] columns, one after the
/// other, each with a number for every entity: what its value differs by from its guess; in a
/// linear field's change column which of the field's tables code that; behind them what the
/// components come to. Numbers of entities that were not there before mean nothing. Layers of the
/// same columns may share a table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Residuals<'a> {
    table: &'a [i32],
    /// Entities of the table.
    count: usize,
    /// The layer's first of them.
    first: usize,
}

impl<'a> Residuals<'a> {
    /// A table of `count` entities, the layer's from `first` on.
    pub fn new(table: &'a [i32], count: usize, first: usize) -> Residuals<'a> {
        Residuals {
            table,
            count,
            first,
        }
    }

    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The number of a column, for the layer's entity at an index.
    #[inline(always)]
    pub fn of(&self, column: usize, at: usize) -> i32 {
        self.table[column * self.count + self.first + at]
    }
}

impl<'a> LayerView<'a> {
    /// The image as a keyframe brings it.
    pub fn bare(self) -> LayerView<'a> {
        LayerView { bare: true, ..self }
    }

    /// The row of the entity at an index.
    pub fn row(&self, index: usize, width: usize) -> &'a [i32] {
        &self.values[index * width..(index + 1) * width]
    }

    /// The index of an entity with this head.
    pub fn find(&self, head: &EntityHead) -> Option<usize> {
        let index = self.entities.binary_search_by_key(&head.slot, |of| of.slot);
        index.ok().filter(|&index| self.entities[index] == *head)
    }
}

/// A layer's image, owned: what a client holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerImage {
    /// The tick that it shows.
    pub tick: Tick,
    /// Ticks since the image before, 0 in the layer's first.
    pub gap: u32,
    /// Entities, by rising slot.
    pub entities: Vec<EntityHead>,
    /// Their rows.
    pub values: Vec<i32>,
}

impl LayerImage {
    /// The image, borrowed.
    pub fn view(&self) -> LayerView<'_> {
        LayerView {
            tick: self.tick,
            gap: self.gap,
            entities: &self.entities,
            values: &self.values,
            residuals: Residuals::default(),
            bare: false,
        }
    }

    /// Starts anew, as an image of another one's entities and some more.
    pub(super) fn start_join(&mut self, image: LayerView<'_>) {
        (self.tick, self.gap) = (image.tick, image.gap);
        self.entities.clear();
        self.values.clear();
    }

    /// Appends those of the other image from index `first` on whose slots are below `slot`; the
    /// index of the next one.
    pub(super) fn join_below(
        &mut self,
        image: LayerView<'_>,
        first: usize,
        slot: u32,
        width: usize,
    ) -> usize {
        let rest = &image.entities[first..];
        let end = first + rest.partition_point(|head| u32::from(head.slot) < slot);
        self.entities.extend_from_slice(&image.entities[first..end]);
        self.values
            .extend_from_slice(&image.values[first * width..end * width]);
        end
    }

    /// How many of its entities were in an image before with the same head and another row.
    pub fn moved_since(&self, before: &LayerImage) -> usize {
        let (old, new) = (before.view(), self.view());
        let width = self.values.len() / self.entities.len().max(1);
        let moved = |(index, head): &(usize, &EntityHead)| {
            let known = old.find(head);
            known.is_some_and(|known| old.row(known, width) != new.row(*index, width))
        };
        new.entities.iter().enumerate().filter(moved).count()
    }

    /// The image as a keyframe brings it: its second difference columns are 0.
    pub fn bare(&self, set: &ColumnSet) -> LayerImage {
        let mut image = self.clone();
        for row in image.values.chunks_exact_mut(set.width().max(1)) {
            for (value, column) in row.iter_mut().zip(&set.columns) {
                if column.guess == Guess::Bend {
                    *value = 0;
                }
            }
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_counted_by_handle() {
        let image = |entities: &[(u16, u16, i32)]| LayerImage {
            entities: entities
                .iter()
                .map(|&(slot, generation, _)| EntityHead {
                    slot,
                    generation,
                    owner: 0,
                    mask: 1,
                })
                .collect(),
            values: entities.iter().flat_map(|&(_, _, x)| [x, 0]).collect(),
            ..LayerImage::default()
        };
        let before = image(&[(1, 0, 5), (2, 0, 5), (4, 0, 5), (5, 0, 5)]);
        let now = image(&[(0, 0, 1), (1, 0, 6), (2, 0, 5), (4, 1, 9), (5, 0, 7)]);
        assert_eq!(now.moved_since(&before), 2);
        assert_eq!(now.moved_since(&LayerImage::default()), 0);
    }
}
