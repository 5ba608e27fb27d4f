//! Bodies of one image, each encoded once: everyone on the same baseline shares the bytes.

use tickwire::ids::{LayerId, Tick};
use tickwire::limits::CHECKSUM_EVERY;
use tickwire::protocol::frame::{SectionKind, push_section};
use tickwire::schema::Layout;
use tickwire::snapshot::delta::{Scratch, encode, in_reach};

use super::image::{LayerKey, Ring};

/// The sections encoded for the newest image so far.
#[derive(Default)]
pub(crate) struct FanOut {
    /// Sections of the room's layer by baseline; `None` is the keyframe. Few: one per lane.
    room: Vec<(Option<Tick>, Vec<u8>)>,
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
            .extend(self.room.drain(..).map(|(_, bytes)| bytes));
    }

    /// Appends the section of a layer for someone whose last image of it is of tick `held`.
    pub(crate) fn append(
        &mut self,
        layout: &Layout,
        ring: &Ring,
        key: LayerKey,
        held: Option<Tick>,
        out: &mut Vec<u8>,
    ) {
        let Some(newest) = ring.newest() else { return };
        let baseline = held.filter(|&tick| {
            in_reach(tick, newest.tick)
                && ring
                    .of_tick(tick)
                    .is_some_and(|image| image.layer(key).is_some())
        });
        if key == LayerKey::Room
            && let Some((_, bytes)) = self.room.iter().find(|(of, _)| *of == baseline)
        {
            out.extend_from_slice(bytes);
            return;
        }
        let (layer, set) = match key {
            LayerKey::Room => (LayerId::ROOM, &layout.room),
            LayerKey::Owner(_) => (LayerId::OWNER, &layout.owner),
        };
        let Some(current) = newest.layer(key) else {
            return;
        };
        self.bodies += 1;
        self.keyframes += u64::from(baseline.is_none());
        self.body.clear();
        encode(
            layer,
            set,
            baseline
                .and_then(|tick| ring.of_tick(tick))
                .and_then(|image| image.layer(key)),
            current,
            newest.number % CHECKSUM_EVERY == 0,
            &mut self.scratch,
            &mut self.body,
        );
        let start = out.len();
        push_section(SectionKind::Layer, &self.body, out);
        if key == LayerKey::Room {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(&out[start..]);
            self.room.push((baseline, bytes));
        }
    }
}
