//! A room's image at a tick: all its layers in two flat arrays, and those of the last 64 that
//! some client holds: a room whose clients all keep up remembers one.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;
use tickwire::limits::IMAGES_MAX;
use tickwire::snapshot::delta::in_reach;
use tickwire::snapshot::image::{EntityHead, LayerView, Residuals};
use tickwire::snapshot::layout::Layout;

use super::layer::{Baseline, LayerKey};

/// A range of one of an image's arrays. In half the memory of one of `usize`: every player has a layer
/// of their own in each image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    start: u32,
    end: u32,
}

impl Part {
    /// Arrays have fewer than 2^32 numbers: some hundred of each entity at most.
    pub(super) fn new(range: Range<usize>) -> Part {
        debug_assert!(u32::try_from(range.end).is_ok());
        Part {
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn len(self) -> usize {
        self.range().len()
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

/// Where a layer's entities and rows are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) key: LayerKey,
    pub(crate) gap: u32,
    pub(crate) entities: Part,
    pub(crate) values: Part,
    pub(crate) residuals: TablePart,
}

impl Span {
    /// Of a layer whose gap and residuals are not known yet.
    pub(super) fn new(key: LayerKey, entities: Range<usize>, values: Range<usize>) -> Span {
        Span {
            key,
            gap: 0,
            entities: Part::new(entities),
            values: Part::new(values),
            residuals: TablePart::default(),
        }
    }
}

/// A layer's part of a table of residuals, which several layers may have in common.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TablePart {
    /// Where the table is.
    pub(crate) numbers: Part,
    /// Entities of the table.
    pub(crate) count: u32,
    /// The layer's first of them.
    pub(crate) first: u32,
}

/// All layers of a room at a tick.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) tick: Tick,
    /// Counts the room's images from 1.
    pub(crate) number: u32,
    /// By rising key: the room's, the groups', then the private ones.
    pub(crate) layers: Vec<Span>,
    /// How many of them are of groups.
    #[serde(skip)]
    groups: usize,
    /// Where groups are: by slot the index of the entity that everyone or a group sees,
    /// [`NOWHERE`] for none. Else empty.
    #[serde(skip)]
    places: Vec<u32>,
    pub(crate) entities: Vec<EntityHead>,
    #[serde(with = "super::raw::numbers")]
    pub(crate) values: Vec<i32>,
    /// Tables of [`Residuals`]; of the newest image only.
    #[serde(skip)]
    pub(crate) residuals: Vec<i32>,
}

/// No entity.
const NOWHERE: u32 = u32::MAX;

impl Image {
    pub(crate) fn clear(&mut self) {
        self.layers.clear();
        self.groups = 0;
        self.places.clear();
        self.entities.clear();
        self.values.clear();
    }

    /// Whether what was saved is one: its layers follow one another, and each has its rows.
    pub(crate) fn is_sound(&self, layout: &Layout, tick: Tick) -> bool {
        let (mut entities, mut values) = (0, 0);
        let follow = self.layers.iter().all(|span| {
            let rows = span.entities.len() * span.key.set(layout).width();
            let follows = span.entities.start() == entities
                && span.values.start() == values
                && span.entities.end() >= entities
                && span.values.len() == rows;
            (entities, values) = (span.entities.end(), span.values.end());
            follows
        });
        let rises = self.layers.is_sorted_by(|a, b| a.key < b.key);
        let room = self.layers.first().map(|span| span.key);
        let ends = entities == self.entities.len() && values == self.values.len();
        // One a tick at most, the first of which is 1.
        let is_past = self.tick <= tick && self.number <= self.tick.0;
        is_past && follow && rises && ends && room == Some(LayerKey::Room)
    }

    /// Notes where entities are, once the layers of groups are laid out.
    pub(crate) fn index(&mut self) {
        let is_group = |span: &&Span| span.key.is_group();
        self.groups = self.layers.iter().skip(1).take_while(is_group).count();
        self.places.clear();
        if self.groups == 0 {
            return;
        }
        let all = &self.entities[..self.everyones().entities.end()];
        let slots = all.iter().map(|head| usize::from(head.slot) + 1).max();
        self.places.resize(slots.unwrap_or(0), NOWHERE);
        for (at, head) in all.iter().enumerate() {
            self.places[usize::from(head.slot)] = at as u32;
        }
    }

    /// How many layers are of groups; they follow the first one, the room's.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// All entities that everyone or a group sees, as one layer, but not by rising slot.
    pub(crate) fn everyones(&self) -> Span {
        let last = self.layers.get(self.groups).or(self.layers.last());
        let ends = last.map_or((0, 0), |span| (span.entities.end(), span.values.end()));
        Span {
            key: LayerKey::Room,
            gap: self.layers.first().map_or(0, |span| span.gap),
            entities: Part::new(0..ends.0),
            values: Part::new(0..ends.1),
            residuals: TablePart::default(),
        }
    }

    /// The index among [`Image::everyones`] of the entity in a slot.
    pub(crate) fn find(&self, slot: u16) -> Option<usize> {
        if self.groups == 0 {
            let room = &self.entities[self.layers.first()?.entities.range()];
            return room.binary_search_by_key(&slot, |head| head.slot).ok();
        }
        let at = *self.places.get(usize::from(slot))?;
        (at != NOWHERE).then_some(at as usize)
    }

    /// The group that the entity of an index of [`Image::everyones`] is in, if it is in any.
    pub(crate) fn group_of(&self, at: usize) -> Option<u16> {
        let spans = &self.layers[..=self.groups];
        let place = spans.partition_point(|span| span.entities.end() <= at);
        match spans.get(place)?.key {
            LayerKey::Group(group) => Some(group),
            _ => None,
        }
    }

    /// A group, which is empty if nobody is in it.
    pub(crate) fn group(&self, group: u16) -> LayerView<'_> {
        self.layer(LayerKey::Group(group)).unwrap_or(LayerView {
            tick: self.tick,
            gap: self.layers.first().map_or(0, |span| span.gap),
            entities: &[],
            values: &[],
            residuals: Residuals::default(),
            bare: false,
        })
    }

    pub(crate) fn layer(&self, key: LayerKey) -> Option<LayerView<'_>> {
        let span = &self.layers[self.place(key)?];
        let part = &span.residuals;
        let table = self.residuals.get(part.numbers.range());
        Some(LayerView {
            tick: self.tick,
            gap: span.gap,
            entities: &self.entities[span.entities.range()],
            values: &self.values[span.values.range()],
            residuals: table.map_or(Residuals::default(), |table| {
                Residuals::new(table, part.count as usize, part.first as usize)
            }),
            bare: false,
        })
    }

    /// How many layers from the one at `at` on, of the same columns, are in both images with the
    /// same entities and the same gap, and where the first of them is in the older one. 0: not even
    /// the first.
    pub(crate) fn alike(&self, at: usize, older: &Image) -> (usize, usize) {
        let key = self.layers[at].key;
        let Some(from) = older.place(key) else {
            return (0, 0);
        };
        let gap = older.layers[from].gap;
        let pairs = self.layers[at..].iter().zip(&older.layers[from..]);
        let alike = pairs.take_while(|(now, before)| {
            let entities = &self.entities[now.entities.range()];
            now.key == before.key
                && now.key.scope() == key.scope()
                && before.gap == gap
                && *entities == older.entities[before.entities.range()]
        });
        (alike.count(), from)
    }

    fn place(&self, key: LayerKey) -> Option<usize> {
        // The room's layer comes first, behind the groups' the owners': where nobody left, as far
        // apart as their numbers.
        let private = 1 + self.groups;
        let likely = match key {
            LayerKey::Room | LayerKey::Group(_) => 0,
            LayerKey::Owner(player) => match self.layers.get(private).map(|span| span.key) {
                Some(LayerKey::Owner(first)) => {
                    private + usize::from(player.0.wrapping_sub(first.0))
                }
                _ => 0,
            },
            LayerKey::Team(_) => self.layers.len().saturating_sub(1),
        };
        if self.layers.get(likely).is_some_and(|span| span.key == key) {
            return Some(likely);
        }
        self.layers.binary_search_by_key(&key, |span| span.key).ok()
    }
}

/// The newest image and those of the last [`IMAGES_MAX`] that a client holds, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    images: VecDeque<Image>,
    /// Memory of an image that nobody holds any more.
    spare: Option<Image>,
}

impl Ring {
    pub(crate) fn newest(&self) -> Option<&Image> {
        self.images.back()
    }

    pub(crate) fn of_tick(&self, tick: Tick) -> Option<&Image> {
        // Nearly everyone is on the newest, or on the one before it.
        let images = self.images.iter().rev();
        let mut until = images.take_while(|image| image.tick >= tick);
        until.find(|image| image.tick == tick)
    }

    /// What somebody holds, and the image that it is of, as far as a body of an image of `tick` can
    /// be against it.
    pub(crate) fn base(&self, held: Option<Baseline>, tick: Tick) -> Option<(Baseline, &Image)> {
        let held = held.filter(|held| in_reach(held.tick, tick))?;
        Some((held, self.of_tick(held.tick)?))
    }

    /// Forgets all images but the newest and those of the ticks `held`, which rise, as far as they
    /// will be among the last [`IMAGES_MAX`] with the next one.
    pub(crate) fn forget_all_but(&mut self, held: &[Tick]) {
        let Some(newest) = self.newest().map(|image| image.number) else {
            return;
        };
        let spare = &mut self.spare;
        self.images.retain_mut(|image| {
            let age = newest - image.number;
            let kept = age == 0
                || (age + 1 < IMAGES_MAX as u32 && held.binary_search(&image.tick).is_ok());
            if !kept {
                *spare = Some(std::mem::take(image));
            }
            kept
        });
    }

    /// An image to fill, in the memory of one that was forgotten.
    pub(crate) fn recycle(&mut self) -> Image {
        let mut image = self.spare.take().unwrap_or_default();
        image.clear();
        image
    }

    /// The newest image loses its residuals: nobody asks any more how it differs from the one
    /// before.
    pub(crate) fn drop_residuals(&mut self, spare: &mut Vec<i32>) {
        if let Some(last) = self.images.back_mut()
            && !last.residuals.is_empty()
        {
            *spare = std::mem::take(&mut last.residuals);
        }
    }

    pub(crate) fn push(&mut self, image: Image) {
        debug_assert!(self.newest().is_none_or(|last| last.tick < image.tick));
        self.images.push_back(image);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Ring {
        pub(crate) fn len(&self) -> usize {
            self.images.len()
        }
    }

    #[test]
    fn images_that_nobody_holds_are_forgotten() {
        let mut ring = Ring::default();
        for number in 1..=200 {
            let held = [Tick(20), Tick(200), Tick(300)];
            ring.forget_all_but(&held);
            let mut image = ring.recycle();
            (image.tick, image.number) = (Tick(number * 2), number);
            ring.push(image);
            let of_20 = (10..10 + IMAGES_MAX as u32).contains(&number);
            assert_eq!(ring.of_tick(Tick(20)).is_some(), of_20, "{number}");
            assert!(ring.len() <= 4, "two to make the next, two that are held");
        }
        assert_eq!(ring.of_tick(Tick(400)).map(|image| image.number), Some(200));
        assert!(ring.of_tick(Tick(398)).is_some() && ring.of_tick(Tick(396)).is_none());
    }
}
