//! Bodies: an image of a layer against the image that the receiver holds, or against nothing
//! (`PROTOCOL.md` §7). Lossless: decode gives back the image that encode was given, as a keyframe
//! without its second differences.

mod advance;
mod decode;
mod encode;
pub(crate) mod entering;
pub mod model;
mod restore;

pub use advance::advance;
pub use decode::{BodyHead, Source, Verdict, decode, decode_head, decode_moves};
pub use encode::{Decision, Moves, Of, encode, is_fully_predicted, trace};

use super::column_set::{Column, ColumnSet, ComponentColumns};
use super::columns::Columns;
use super::image::{EntityHead, LayerImage};
use super::predictor::{difference, guess_change, guess_second_diff};
use crate::ids::Tick;
use crate::limits::BASELINE_BACK_MAX;
use model::Model;

/// A body's mode: in its low bits how far back the baseline is, 0 for a keyframe.
const MODE_BACK: u8 = 31;
/// As which it says that a varint follows.
const BACK_FOLLOWS: u8 = MODE_BACK;
/// Then the epoch of the tables, modulo 4.
const MODE_EPOCH_SHIFT: u32 = 5;
const MODE_EPOCH: u8 = 3;
/// Set in the mode when a checksum follows.
const MODE_CHECKSUM: u8 = 0x80;

/// Reused memory of [`encode`] and [`decode`].
#[derive(Default)]
pub struct Scratch {
    model: Model,
    removed: Vec<u32>,
    /// Of a group's body: who was removed, and whether they live on elsewhere in the room.
    departed: Vec<(EntityHead, bool)>,
    entered: Vec<u32>,
    /// The baseline with those who arrive, where some do.
    merged: LayerImage,
    /// Pairs of indices (baseline, current) of kept entities.
    kept: Vec<(u32, u32)>,
    work: Work,
    next: LayerImage,
}

/// What columns are compared and predicted in.
#[derive(Default)]
struct Work {
    /// A table of [`super::image::Residuals`].
    residuals: Vec<i32>,
    /// By component.
    columns: Vec<Columns>,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

impl Scratch {
    /// Who left the group by the body that was decoded last, and whether they live on elsewhere in
    /// the room. Who stays with another owner or other components is among them, and living.
    pub fn departed(&self) -> &[(EntityHead, bool)] {
        &self.departed
    }

    fn clear(&mut self, set: &ColumnSet) {
        // Most bodies bring nobody: what entering entities need is copied when one does.
        self.model.clear();
        self.model.extend_from_slice(&set.prior[..set.entering]);
        self.removed.clear();
        self.departed.clear();
        self.entered.clear();
        self.kept.clear();
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
    fn is_keyframe(self) -> bool {
        self.dt == 0
    }

    /// Whether the baseline is the image before, so that change columns follow from values.
    fn steady(self) -> bool {
        self.dt != 0 && self.dt == self.gap
    }
}

/// What is guessed for the change of a linear column, where the baseline is not the image before;
/// `new` has its value.
fn late_change(column: &Column, at: usize, old: &[i32], new: &[i32], span: Span) -> i32 {
    guess_change(difference(column, new[at], old[at]), span.gap, span.dt)
}

/// The same for its second difference; `new` has its change.
fn late_second_diff(at: usize, old: &[i32], new: &[i32], span: Span) -> i32 {
    guess_second_diff(new[at + 1], old[at + 1], span.gap, span.dt)
}

/// Whether `current` can be coded against a baseline of tick `baseline`.
pub fn in_reach(baseline: Tick, current: Tick) -> bool {
    (1..=BASELINE_BACK_MAX).contains(&current.since(baseline))
}

/// The components of a mask with their numbers.
fn components(set: &ColumnSet, mask: u32) -> impl Iterator<Item = (usize, &ComponentColumns)> {
    let mut left = mask;
    std::iter::from_fn(move || {
        let number = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        Some((number, set.components.get(number)?))
    })
}
