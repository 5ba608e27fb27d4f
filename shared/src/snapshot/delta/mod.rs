//! Bodies: an image of a layer against the image that the receiver holds, or against nothing
//! (`PROTOCOL.md` §7). Lossless: decode gives back the image that encode was given.

mod adaptive;
mod decode;
mod encode;

pub use decode::{BodyHead, Verdict, decode, decode_head};
pub use encode::encode;

use super::image::LayerImage;
use crate::ids::Tick;
use crate::limits::BASELINE_BACK_MAX;
use crate::schema::{ColumnSet, ComponentColumns};
use adaptive::Adaptive;

/// Mode of a body: packed bits.
const MODE_BITS: u8 = 1;
/// Set in the mode when a checksum follows.
const MODE_CHECKSUM: u8 = 0x80;

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

fn components(set: &ColumnSet, mask: u32) -> impl Iterator<Item = &ComponentColumns> {
    set.components
        .iter()
        .enumerate()
        .filter(move |(index, _)| mask >> index & 1 != 0)
        .map(|(_, component)| component)
}
