//! The layers that a client holds: bodies applied to their images, checksums judged, keyframes
//! asked for. Not the sending: [`super::Session`] does it when it is due.
//!
//! An image that is wrong is noticed by a checksum, or by a body that makes no sense against it:
//! both are healed by a keyframe, so neither ends the connection. What does is a section of which
//! not even the layer can be told.

use std::cell::RefCell;

use crate::ids::{LayerId, Tick};
use crate::limits::RESYNC_EVERY_MS;
use crate::schema::{Kind, is_text};
use crate::snapshot::DecodeError;
use crate::snapshot::delta::{self, BodyHead, Scratch, Verdict};
use crate::snapshot::image::LayerImage;
use crate::snapshot::layout::Layout;

const RESYNC_EVERY_US: u64 = RESYNC_EVERY_MS as u64 * 1000;

thread_local! {
    /// One for all sessions of a thread: nothing of a body is left in it that the next one's needs,
    /// and with one each, a thousand sessions would find theirs in no cache.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The layers that a body has come of, by rising number. Each is judged by itself.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<(LayerId, Held)>);

/// One layer.
#[derive(Debug, Default)]
struct Held {
    image: LayerImage,
    standing: Standing,
    /// The snapshot that had a section of it last.
    told: Tick,
    /// When its keyframe was asked for last.
    asked_us: Option<u64>,
}

/// Whether an image is the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// Nothing has come yet.
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

    /// Applies a layer's section of the snapshot of `tick`.
    ///
    /// # Errors
    /// What of its head can't be read, or a second section of the same layer. A body that does not
    /// decode is no error: the layer is dropped, as if its checksum disagreed.
    pub(super) fn apply(
        &mut self,
        body: &[u8],
        tick: Tick,
        layout: &Layout,
        now_us: u64,
    ) -> Result<Applied, DecodeError> {
        let (head, bits) = delta::decode_head(body)?;
        let keyframe = head.back == 0;
        layout.of(head.layer).ok_or(DecodeError::UnknownLayer)?;
        let place = self.place(head.layer).unwrap_or_else(|place| {
            self.0.insert(place, (head.layer, Held::default()));
            place
        });
        let (_, held) = &mut self.0[place];
        if std::mem::replace(&mut held.told, tick) == tick {
            return Err(DecodeError::Twice);
        }
        if matches!(held.standing, Standing::Dropped { .. }) && !keyframe {
            // Sent before the server heard of it.
            return Ok(Applied::default());
        }
        let mut applied = Applied {
            keyframe,
            differs: None,
        };
        if held.take(head, bits, tick, layout) {
            held.standing = Standing::Held;
        } else {
            held.drop_at(now_us);
            applied.differs = Some(head.layer);
        }
        Ok(applied)
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
    /// the image is not the server's, before or after.
    fn take(&mut self, head: BodyHead, bits: &[u8], tick: Tick, layout: &Layout) -> bool {
        if self.standing == Standing::Absent && head.back != 0 {
            return false;
        }
        let image = &mut self.image;
        let verdict = SCRATCH
            .with_borrow_mut(|scratch| delta::decode(head, bits, tick, layout, image, scratch));
        match verdict {
            Err(_) | Ok(Verdict::Differs) => false,
            Ok(_) => check_texts(layout, head.layer, image).is_ok(),
        }
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
