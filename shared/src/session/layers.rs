//! The layers that a client holds: bodies applied to their images, those without one taken on,
//! checksums judged, keyframes asked for. Not the sending: [`super::Session`] does it when it is
//! due.
//!
//! An image that is wrong is noticed by a checksum, or by a body that makes no sense against it:
//! both are healed by a keyframe, so neither ends the connection. What does is a section of which
//! not even the layer can be told.

use std::cell::RefCell;

use crate::ids::{LayerId, Tick};
use crate::limits::{GROUP_ENTITIES_MAX, RESYNC_EVERY_MS};
use crate::schema::{Kind, is_text};
use crate::snapshot::DecodeError;
use crate::snapshot::column_set::ColumnSet;
use crate::snapshot::delta::{self, BodyHead, Scratch, Verdict};
use crate::snapshot::image::{EntityHead, LayerImage};
use crate::snapshot::layout::Layout;

const RESYNC_EVERY_US: u64 = RESYNC_EVERY_MS as u64 * 1000;

thread_local! {
    /// One for all sessions of a thread: nothing of a body is left in it that the next one's needs,
    /// and with one each, a thousand sessions would find theirs in no cache.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The layers that a body has come of, by rising number. Each is judged by itself.
///
/// A snapshot's sections are handed in one by one, then it is [`finished`](Layers::finish): an
/// entity that moves between groups is taken from where it was before the snapshot, whichever
/// section comes first.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<(LayerId, Held)>);

/// One layer.
#[derive(Debug, Default)]
struct Held {
    image: LayerImage,
    /// The image came as a keyframe.
    bare: bool,
    standing: Standing,
    /// Entities of the image that was right last.
    count: usize,
    /// The snapshot that had a section of it last.
    told: Tick,
    /// Of a group that the snapshot at hand has a section of: what was held before it.
    before: Before,
    /// When its keyframe was asked for last.
    asked_us: Option<u64>,
}

/// What of a group was held before the snapshot at hand changed it.
#[derive(Debug, Default)]
struct Before {
    image: LayerImage,
    bare: bool,
    /// Whether an image was held.
    was_held: bool,
    /// Whether the snapshot at hand changed it; else all this is of an earlier one.
    is_kept: bool,
}

/// Whether an image is the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// Nothing has come yet, or it was closed.
    #[default]
    Absent,
    /// It is.
    Held,
    /// It is not: bodies are passed over until a keyframe comes, which is asked for at the
    /// given time.
    Dropped {
        /// When to ask, `None` while an answer is awaited.
        ask_us: Option<u64>,
    },
}

/// What a body brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// It was a keyframe.
    pub(super) keyframe: bool,
    /// It does not fit what is held of this layer, which is dropped.
    pub(super) differs: Option<LayerId>,
}

impl Layers {
    /// The image of a layer, `None` while it is not held.
    pub(super) fn image(&self, layer: LayerId) -> Option<&LayerImage> {
        let (_, held) = &self.0[self.place(layer).ok()?];
        (held.standing == Standing::Held).then_some(&held.image)
    }

    /// All images that are held, by rising number of their layers.
    pub(super) fn images(&self) -> impl Iterator<Item = (LayerId, &LayerImage)> {
        let held = |(_, held): &&(LayerId, Held)| held.standing == Standing::Held;
        self.0
            .iter()
            .filter(held)
            .map(|(layer, held)| (*layer, &held.image))
    }

    /// Ticks between the image of the snapshot of `tick` and the one that the room made before it;
    /// 0 if no layer tells.
    pub(super) fn gap(&self, tick: Tick) -> u32 {
        let mut images = self.0.iter().map(|(_, held)| &held.image);
        images
            .find(|image| image.tick == tick)
            .map_or(0, |image| image.gap)
    }

    /// The same, to be spoiled by a test.
    pub(super) fn image_mut(&mut self, layer: LayerId) -> Option<&mut LayerImage> {
        let place = self.place(layer).ok()?;
        let (_, held) = &mut self.0[place];
        (held.standing == Standing::Held).then_some(&mut held.image)
    }

    /// Where a layer is, or would be.
    fn place(&self, layer: LayerId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&layer, |(layer, _)| *layer)
    }

    /// Closes the groups that a section of the snapshot of `tick` lists.
    ///
    /// # Errors
    /// What is no group's number, or not held; one of which the snapshot had a section before.
    pub(super) fn close(&mut self, numbers: &[u8], tick: Tick) -> Result<(), DecodeError> {
        for &number in numbers {
            let layer = LayerId(number.into());
            let place = self.place(layer).ok().filter(|_| layer.is_group());
            let (_, held) = &mut self.0[place.ok_or(DecodeError::NotOpen)?];
            if held.standing == Standing::Absent {
                return Err(DecodeError::NotOpen);
            }
            if held.told == tick {
                return Err(DecodeError::Twice);
            }
            held.keep_before();
            held.standing = Standing::Absent;
            held.count = 0;
            held.asked_us = None;
        }
        Ok(())
    }

    /// Applies a layer's section of the snapshot of `tick`.
    ///
    /// # Errors
    /// What of its head can't be read, or a second section of the same layer. A body that does not
    /// decode is no error: the layer is dropped, as if its checksum disagreed.
    pub(super) fn apply(
        &mut self,
        layer: LayerId,
        body: &[u8],
        tick: Tick,
        layout: &Layout,
        now_us: u64,
    ) -> Result<Applied, DecodeError> {
        let (head, bits) = delta::decode_head(layer, body)?;
        let keyframe = head.back == 0;
        let place = self.place(layer).unwrap_or_else(|place| {
            self.0.insert(place, (layer, Held::default()));
            place
        });
        let mut held = std::mem::take(&mut self.0[place].1);
        if std::mem::replace(&mut held.told, tick) == tick {
            return Err(DecodeError::Twice);
        }
        let mut applied = Applied::default();
        // Else it was sent before the server heard of it.
        if keyframe || !matches!(held.standing, Standing::Dropped { .. }) {
            applied.keyframe = keyframe;
            if layer.is_group() {
                held.keep_before();
            }
            if held.take(head, bits, tick, layout, self)
                && (!layer.is_group() || self.has_room_for(held.image.entities.len()))
            {
                held.standing = Standing::Held;
                held.count = held.image.entities.len();
            } else {
                held.drop_at(now_us);
                applied.differs = Some(layer);
            }
        }
        self.0[place].1 = held;
        Ok(applied)
    }

    /// Whether a group may have so many entities, beside the other ones.
    fn has_room_for(&self, count: usize) -> bool {
        let others = self.0.iter().filter(|(layer, _)| layer.is_group());
        let counts = others.map(|(_, held)| held.count);
        counts.sum::<usize>() + count <= GROUP_ENTITIES_MAX
    }

    /// The snapshot of `tick` has no more sections: what it had none of went as predicted.
    /// `differs` is told of layers that can't have, which are dropped.
    pub(super) fn finish(
        &mut self,
        tick: Tick,
        layout: &Layout,
        now_us: u64,
        mut differs: impl FnMut(LayerId),
    ) {
        self.0.retain_mut(|(layer, held)| {
            held.before.is_kept = false;
            if held.standing == Standing::Held && held.told != tick {
                let advanced = layout.of(*layer).is_some_and(|set| {
                    SCRATCH.with_borrow_mut(|scratch| {
                        delta::advance(set, tick, &mut held.image, scratch).is_ok()
                    })
                });
                held.bare = false;
                if !advanced {
                    held.drop_at(now_us);
                    differs(*layer);
                }
            }
            held.standing != Standing::Absent
        });
    }

    /// The entity that is in a slot of a group held before the snapshot of which sections are being
    /// applied, in an image of this tick that is as bare: the group of the lowest number, if there
    /// are several.
    fn source(
        &self,
        slot: u16,
        tick: Tick,
        bare: bool,
        width: usize,
    ) -> Option<(EntityHead, &[i32])> {
        let groups = self.0.iter().filter(|(layer, _)| layer.is_group());
        let mut images = groups.filter_map(|(_, held)| held.as_before());
        images.find_map(|(image, of_keyframe)| {
            if image.tick != tick || of_keyframe != bare {
                return None;
            }
            let at = image
                .entities
                .binary_search_by_key(&slot, |of| of.slot)
                .ok()?;
            Some((image.entities[at], image.view().row(at, width)))
        })
    }

    /// A layer whose keyframe is to be asked for now; the caller asks.
    ///
    /// The server drops what comes too often, so an unanswered request is made again after
    /// twice [`RESYNC_EVERY_MS`].
    pub(super) fn take_resync(&mut self, now_us: u64) -> Option<LayerId> {
        let is_due = |held: &Held| held.ask_at().is_some_and(|at| at <= now_us);
        let (layer, held) = self.0.iter_mut().find(|(_, held)| is_due(held))?;
        held.asked_us = Some(now_us);
        held.standing = Standing::Dropped { ask_us: None };
        Some(*layer)
    }

    /// When [`Layers::take_resync`] has one.
    pub(super) fn resync_due_us(&self) -> Option<u64> {
        self.0.iter().filter_map(|(_, held)| held.ask_at()).min()
    }
}

impl Held {
    /// Whether a body makes sense against what is held, and says that the outcome is right. If not,
    /// the image is not the server's, before or after. `others` are the layers beside it.
    fn take(
        &mut self,
        head: BodyHead,
        bits: &[u8],
        tick: Tick,
        layout: &Layout,
        others: &Layers,
    ) -> bool {
        if self.standing == Standing::Absent && head.back != 0 {
            return false;
        }
        let width = layout.of(head.layer).map_or(0, ColumnSet::width);
        let (from, bare) = (self.image.tick, self.bare);
        let source = |slot| others.source(slot, from, bare, width);
        let image = &mut self.image;
        let verdict = SCRATCH.with_borrow_mut(|scratch| {
            delta::decode_moves(head, bits, tick, layout, &source, image, scratch)
        });
        self.bare = head.back == 0;
        match verdict {
            Err(_) | Ok(Verdict::Differs) => false,
            Ok(_) => check_texts(layout, head.layer, image).is_ok(),
        }
    }

    /// The snapshot at hand is about to change it, perhaps once more: a group that it closes it may
    /// open again.
    fn keep_before(&mut self) {
        let before = &mut self.before;
        if std::mem::replace(&mut before.is_kept, true) {
            return;
        }
        before.was_held = self.standing == Standing::Held;
        before.bare = self.bare;
        if before.was_held {
            before.image.clone_from(&self.image);
        }
    }

    /// What it held before the snapshot at hand, and whether that came as a keyframe.
    fn as_before(&self) -> Option<(&LayerImage, bool)> {
        let before = &self.before;
        if before.is_kept {
            return before.was_held.then_some((&before.image, before.bare));
        }
        (self.standing == Standing::Held).then_some((&self.image, self.bare))
    }

    /// Its image is not the server's: its keyframe is asked for as soon as it may be.
    fn drop_at(&mut self, now_us: u64) {
        let earliest = self.asked_us.map_or(now_us, |us| us + RESYNC_EVERY_US);
        self.standing = Standing::Dropped {
            ask_us: Some(earliest.max(now_us)),
        };
    }

    fn ask_at(&self) -> Option<u64> {
        match self.standing {
            Standing::Dropped { ask_us: Some(at) } => Some(at),
            Standing::Dropped { ask_us: None } => {
                self.asked_us.map(|asked| asked + 2 * RESYNC_EVERY_US)
            }
            _ => None,
        }
    }
}

/// Refuses a text that is none, so that nobody who shows one has to expect it.
fn check_texts(layout: &Layout, layer: LayerId, image: &LayerImage) -> Result<(), DecodeError> {
    let set = layout.of(layer).ok_or(DecodeError::UnknownLayer)?;
    for (number, component) in set.components.iter().enumerate() {
        let mut at = component.start;
        while at < component.end {
            let Kind::Text { .. } = set.columns[at].kind else {
                at += 1;
                continue;
            };
            let words = at..at + set.columns[at].kind.words();
            at = words.end;
            for (index, head) in image.entities.iter().enumerate() {
                let row = image.view().row(index, set.width());
                if head.mask >> number & 1 != 0 && !is_text(&row[words.clone()]) {
                    return Err(DecodeError::NotText);
                }
            }
        }
    }
    Ok(())
}
