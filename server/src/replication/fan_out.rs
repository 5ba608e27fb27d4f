//! Bodies of one image, each encoded once: everyone on the same baseline shares the bytes.

mod groups;

use tickwire::ids::LayerId;
use tickwire::limits::CHECKSUM_EVERY;
use tickwire::protocol::frame::{SectionKind, push_sized};
use tickwire::snapshot::delta::{Of, Scratch, encode, is_fully_predicted};
use tickwire::snapshot::layout::Layout;

use super::held::groups::Source;
use super::held::{Baseline, Body};
use super::image::Ring;
use super::layer::LayerKey;
use groups::GroupBodies;

/// A section that several clients get: what follows the layer's number, which each has its own of.
/// Empty where all went as predicted, so that the section is left out.
struct Shared {
    key: LayerKey,
    baseline: Option<Baseline>,
    bytes: Vec<u8>,
}

/// The sections encoded for the newest image so far.
#[derive(Default)]
pub(crate) struct FanOut {
    /// Without a baseline it is the keyframe. Few: one per rate tier, and one for who had a
    /// keyframe before.
    shared: Vec<Shared>,
    /// Memory of sections that are no longer of use.
    spare: Vec<Vec<u8>>,
    groups: GroupBodies,
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
        self.groups.clear();
    }

    /// Appends the section of a layer for someone who holds such an image of it, or none; nothing
    /// where they come to the new one by themselves. True if that was a keyframe.
    pub(crate) fn append(
        &mut self,
        layout: &Layout,
        ring: &Ring,
        (key, held): Body,
        out: &mut Vec<u8>,
    ) -> bool {
        // Nearly all there is: somebody before had it against the same, and it is still there.
        let is_same = |section: &&Shared| section.baseline == held && section.key == key;
        if key.is_shared()
            && let Some(section) = self.shared.iter().find(is_same)
        {
            let number = key.id().unwrap_or_default();
            push_shared(number, &section.bytes, out);
            return held.is_none();
        }
        let (set, Some(layer)) = (key.set(layout), key.id()) else {
            return false;
        };
        let Some(newest) = ring.newest().filter(|_| set.width() > 0) else {
            return false;
        };
        let baseline = ring
            .base(held, newest.tick)
            .and_then(|(held, old)| Some((held, held.of(old.layer(key)?))));
        let (held, baseline) = baseline.unzip();
        let Some(current) = newest.layer(key) else {
            return false;
        };
        let made = |section: &&Shared| section.key == key && section.baseline == held;
        if let Some(section) = self.shared.iter().find(made) {
            push_shared(layer, &section.bytes, out);
            return baseline.is_none();
        }
        let periodic = newest.number.is_multiple_of(CHECKSUM_EVERY);
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        if periodic || !baseline.is_some_and(|from| is_fully_predicted(set, from, current)) {
            self.bodies += 1;
            self.keyframes += u64::from(baseline.is_none());
            self.body.clear();
            let (of, scratch) = (Of::layer(layer), &mut self.scratch);
            encode(
                of,
                set,
                baseline,
                current,
                periodic,
                scratch,
                &mut self.body,
            );
            push_sized(&self.body, &mut bytes);
        }
        push_shared(layer, &bytes, out);
        if key.is_shared() {
            self.shared.push(Shared {
                key,
                baseline: held,
                bytes,
            });
        } else {
            self.spare.push(bytes);
        }
        baseline.is_none()
    }

    /// The same of a group, which the client calls by this number, for who holds such an image of
    /// it, or none; `sources` are the images of all groups that they held before this snapshot.
    pub(crate) fn append_group(
        &mut self,
        layout: &Layout,
        ring: &Ring,
        (number, group, held): (LayerId, u16, Option<Baseline>),
        sources: &[Source],
        out: &mut Vec<u8>,
    ) -> bool {
        let set = &layout.room;
        let Some(newest) = ring.newest().filter(|_| set.width() > 0) else {
            return false;
        };
        let (of, scratch) = ((group, held), &mut self.scratch);
        let section = self.groups.section(set, ring, newest, of, sources, scratch);
        self.bodies += u64::from(section.is_new);
        self.keyframes += u64::from(section.is_new && section.is_keyframe);
        push_shared(number, section.bytes, out);
        section.is_keyframe
    }
}

/// Appends a section by its layer's number, unless it is left out.
fn push_shared(layer: LayerId, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        out.push(SectionKind::Layer(layer).byte());
        out.extend_from_slice(bytes);
    }
}
