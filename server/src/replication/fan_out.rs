//! Bodies of one image, each encoded once: everyone on the same baseline shares the bytes.

use tickwire::limits::CHECKSUM_EVERY;
use tickwire::protocol::frame::{SectionKind, push_section};
use tickwire::snapshot::delta::{Scratch, encode, in_reach, is_fully_predicted};
use tickwire::snapshot::layout::Layout;

use super::held::{Baseline, Body};
use super::image::Ring;
use super::layer::LayerKey;

/// A section that several clients get.
struct Shared {
    of: Of,
    baseline: Option<Baseline>,
    bytes: Vec<u8>,
}

/// What a section is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A layer that several hold.
    Layer(LayerKey),
    /// An owner's layer of so many entities in which all came as predicted: it says nothing of
    /// whose it is. Most of them are so, in most ticks.
    FullyPredicted(usize),
}

/// The sections encoded for the newest image so far.
#[derive(Default)]
pub(crate) struct FanOut {
    /// Without a baseline it is the keyframe. Few: one per rate tier, and one for who had a
    /// keyframe before.
    shared: Vec<Shared>,
    /// Memory of sections that are no longer of use.
    spare: Vec<Vec<u8>>,
    body: Vec<u8>,
    scratch: Scratch,
    pub(crate) bodies: u64,
    pub(crate) keyframes: u64,
}

impl FanOut {
    /// Forgets the sections of the image before.
    pub(crate) fn clear(&mut self) {
        self.spare
            .extend(self.shared.drain(..).map(|section| section.bytes));
    }

    /// Appends the section of a layer for someone who holds such an image of it, or none. True if
    /// that was a keyframe.
    pub(crate) fn append(
        &mut self,
        layout: &Layout,
        ring: &Ring,
        (key, held): Body,
        out: &mut Vec<u8>,
    ) -> bool {
        // Nearly all there is: somebody before had it against the same, and it is still there.
        let is_same = |section: &&Shared| section.baseline == held && section.of == Of::Layer(key);
        if key.is_shared()
            && let Some(section) = self.shared.iter().find(is_same)
        {
            out.extend_from_slice(&section.bytes);
            return held.is_none();
        }
        let set = key.set(layout);
        let Some(newest) = ring.newest().filter(|_| set.width() > 0) else {
            return false;
        };
        let baseline = held
            .filter(|held| in_reach(held.tick, newest.tick))
            .and_then(|held| {
                let image = ring.of_tick(held.tick)?.layer(key)?;
                Some((held, if held.bare { image.bare() } else { image }))
            });
        let (held, baseline) = baseline.unzip();
        let Some(current) = newest.layer(key) else {
            return false;
        };
        let periodic = newest.number % CHECKSUM_EVERY == 0;
        let is_like_others = |baseline| !periodic && is_fully_predicted(set, baseline, current);
        let of = if key.is_shared() {
            Some(Of::Layer(key))
        } else if baseline.is_some_and(is_like_others) {
            Some(Of::FullyPredicted(current.entities.len()))
        } else {
            None
        };
        let made = |section: &&Shared| Some(section.of) == of && section.baseline == held;
        if let Some(section) = self.shared.iter().find(made) {
            out.extend_from_slice(&section.bytes);
            return baseline.is_none();
        }
        self.bodies += 1;
        self.keyframes += u64::from(baseline.is_none());
        self.body.clear();
        encode(
            key.id(),
            set,
            baseline,
            current,
            periodic,
            &mut self.scratch,
            &mut self.body,
        );
        let start = out.len();
        push_section(SectionKind::Layer, &self.body, out);
        if let Some(of) = of {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(&out[start..]);
            self.shared.push(Shared {
                of,
                baseline: held,
                bytes,
            });
        }
        baseline.is_none()
    }
}
