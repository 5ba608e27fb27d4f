//! A room's image at a tick: all its layers in two flat arrays, and the ring of the last 64.

use std::collections::VecDeque;
use std::ops::Range;

use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::limits::IMAGES_MAX;
use tickwire::schema::{ColumnSet, Layout};
use tickwire::snapshot::image::{EntityHead, LayerView};

/// A layer as the server knows it; clients see `LayerId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LayerKey {
    /// What everyone sees.
    Room,
    /// What one player sees.
    Owner(PlayerId),
    /// What a team sees; those without a team see an empty one.
    Team(Option<u8>),
}

impl LayerKey {
    /// What its holders call it.
    pub(crate) fn id(self) -> LayerId {
        match self {
            LayerKey::Room => LayerId::ROOM,
            LayerKey::Owner(_) => LayerId::OWNER,
            LayerKey::Team(_) => LayerId::TEAM,
        }
    }

    /// Its columns.
    pub(crate) fn set(self, layout: &Layout) -> &ColumnSet {
        match self {
            LayerKey::Room => &layout.room,
            LayerKey::Owner(_) => &layout.owner,
            LayerKey::Team(_) => &layout.team,
        }
    }
}

/// Where a layer's entities and rows are.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) key: LayerKey,
    pub(crate) gap: u32,
    pub(crate) entities: Range<usize>,
    pub(crate) values: Range<usize>,
}

/// All layers of a room at a tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) tick: Tick,
    /// Counts the room's images from 1.
    pub(crate) number: u32,
    /// By rising key.
    pub(crate) layers: Vec<Span>,
    pub(crate) entities: Vec<EntityHead>,
    pub(crate) values: Vec<i32>,
}

impl Image {
    pub(crate) fn clear(&mut self) {
        self.layers.clear();
        self.entities.clear();
        self.values.clear();
    }

    pub(crate) fn layer(&self, key: LayerKey) -> Option<LayerView<'_>> {
        let at = self
            .layers
            .binary_search_by_key(&key, |span| span.key)
            .ok()?;
        let span = &self.layers[at];
        Some(LayerView {
            tick: self.tick,
            gap: span.gap,
            entities: &self.entities[span.entities.clone()],
            values: &self.values[span.values.clone()],
        })
    }
}

/// The last [`IMAGES_MAX`] images, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    images: VecDeque<Image>,
}

impl Ring {
    pub(crate) fn newest(&self) -> Option<&Image> {
        self.images.back()
    }

    pub(crate) fn of_tick(&self, tick: Tick) -> Option<&Image> {
        let at = self
            .images
            .binary_search_by_key(&tick, |image| image.tick)
            .ok()?;
        self.images.get(at)
    }

    /// An image to fill: the oldest one's memory, once the ring is full.
    pub(crate) fn recycle(&mut self) -> Image {
        if self.images.len() < IMAGES_MAX {
            return Image::default();
        }
        let mut image = self.images.pop_front().unwrap_or_default();
        image.clear();
        image
    }

    pub(crate) fn push(&mut self, image: Image) {
        debug_assert!(self.newest().is_none_or(|last| last.tick < image.tick));
        self.images.push_back(image);
    }
}
