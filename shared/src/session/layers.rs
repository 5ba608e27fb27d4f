//! The layers that a client holds: bodies applied to their images, checksums judged, keyframes
//! asked for. Not the sending: [`super::Session`] does it when it is due.

use std::cell::RefCell;

use crate::ids::{LayerId, Tick};
use crate::limits::RESYNC_EVERY_MS;
use crate::schema::{Kind, Layout, is_text};
use crate::snapshot::DecodeError;
use crate::snapshot::delta::{self, Scratch, Verdict};
use crate::snapshot::image::LayerImage;

const RESYNC_EVERY_US: u64 = RESYNC_EVERY_MS as u64 * 1000;

thread_local! {
    /// One for all sessions of a thread: nothing of a body is left in it that the next one's needs, and with one each, a
    /// thousand sessions would find theirs in no cache.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The images of the layers, by [`LayerId`].
#[derive(Debug, Default)]
pub(super) struct Layers {
    held: [Held; LayerId::COUNT],
}

/// One layer.
#[derive(Debug, Default)]
struct Held {
    image: LayerImage,
    standing: Standing,
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
    /// Its checksum disagreed in this layer, which is dropped.
    pub(super) differs: Option<LayerId>,
}

impl Layers {
    /// The image of a layer, `None` while it is not held.
    pub(super) fn image(&self, layer: LayerId) -> Option<&LayerImage> {
        let held = self.held.get(usize::from(layer.0))?;
        (held.standing == Standing::Held).then_some(&held.image)
    }

    /// Applies a layer's section of the snapshot of `tick`.
    pub(super) fn apply(
        &mut self,
        body: &[u8],
        tick: Tick,
        layout: &Layout,
        now_us: u64,
    ) -> Result<Applied, DecodeError> {
        let (head, bits) = delta::decode_head(body)?;
        let keyframe = head.back == 0;
        let held = self
            .held
            .get_mut(usize::from(head.layer.0))
            .ok_or(DecodeError::UnknownLayer)?;
        match held.standing {
            Standing::Held if held.image.tick == tick => return Err(DecodeError::Twice),
            Standing::Absent if !keyframe => return Err(DecodeError::WrongBaseline),
            // Sent before the server heard of it.
            Standing::Dropped { .. } if !keyframe => return Ok(Applied::default()),
            _ => {}
        }
        let verdict = SCRATCH.with_borrow_mut(|scratch| {
            delta::decode(head, bits, tick, layout, &mut held.image, scratch)
        })?;
        let mut applied = Applied {
            keyframe,
            differs: None,
        };
        held.standing = Standing::Held;
        if verdict != Verdict::Differs {
            check_texts(layout, head.layer, &held.image)?;
        } else {
            let earliest = held.asked_us.map_or(now_us, |us| us + RESYNC_EVERY_US);
            held.standing = Standing::Dropped {
                ask_us: Some(earliest.max(now_us)),
            };
            applied.differs = Some(head.layer);
        }
        Ok(applied)
    }

    /// A layer whose keyframe is to be asked for now; the caller asks.
    ///
    /// The server drops what comes too often, so an unanswered request is made again after
    /// twice [`RESYNC_EVERY_MS`].
    pub(super) fn take_resync(&mut self, now_us: u64) -> Option<LayerId> {
        let index = self
            .held
            .iter()
            .position(|held| held.ask_at().is_some_and(|at| at <= now_us))?;
        let held = &mut self.held[index];
        held.asked_us = Some(now_us);
        held.standing = Standing::Dropped { ask_us: None };
        Some(LayerId(index as u16))
    }

    /// When [`Layers::take_resync`] has one.
    pub(super) fn resync_due_us(&self) -> Option<u64> {
        self.held.iter().filter_map(Held::ask_at).min()
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

impl Held {
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
