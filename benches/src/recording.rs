//! What a client of a played arena room receives and holds: the room layer's images, tick by tick,
//! decoded and checked, and the bytes that each took. Called by the codec bench
//! and the codec yardstick.

use tickwire::ids::{LayerId, PlayerId};
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::schema::{Layout, Schema};
use tickwire::snapshot::delta::{Scratch, decode, decode_head};
use tickwire::snapshot::image::LayerImage;

use crate::arena_play::ArenaPlay;

/// Images of the room's layer at consecutive ticks.
pub struct Recording {
    /// The game.
    pub schema: Schema,
    /// Columns of the images.
    pub layout: Layout,
    /// The images, oldest first.
    pub images: Vec<LayerImage>,
    /// Bytes of the body that led to each image; the first one's is a keyframe.
    pub body_bytes: Vec<usize>,
}

impl Recording {
    /// Plays a room of `players` and `npcs` for `warm_up` ticks, then records `ticks` of it.
    pub fn of_arena(players: u16, npcs: u16, seed: u64, warm_up: u32, ticks: u32) -> Recording {
        let mut play = ArenaPlay::new(players, npcs, seed);
        let layout = Layout::new(&play.game().schema);
        for _ in 0..warm_up {
            play.tick(|_, _| {});
        }
        // One who joins now gets a keyframe first.
        let viewer = PlayerId(0);
        let mut held = LayerImage::default();
        let mut started = false;
        let mut scratch = Scratch::default();
        let mut recording = Recording {
            schema: play.game().schema.clone(),
            layout,
            images: Vec::new(),
            body_bytes: Vec::new(),
        };
        play.resync(viewer);
        for _ in 0..ticks {
            play.tick(|player, frame| {
                if player != viewer {
                    return;
                }
                let (head, sections) = SnapshotHead::decode(frame).expect("a snapshot");
                for section in sections {
                    let (kind, body) = section.expect("a section");
                    if kind != SectionKind::Layer {
                        continue;
                    }
                    let (of, bits) = decode_head(body).expect("a body");
                    if of.layer != LayerId::ROOM {
                        continue;
                    }
                    started |= of.back == 0;
                    assert!(started, "a keyframe comes first");
                    let layout = &recording.layout;
                    decode(of, bits, head.tick, layout, &mut held, &mut scratch)
                        .expect("the server's bodies decode");
                    recording.images.push(held.clone());
                    recording.body_bytes.push(body.len());
                }
            });
        }
        recording
    }

    /// Bytes a tick of the room's layer for each entity whose row changed, keyframe apart.
    pub fn bytes_per_moving_entity(&self) -> f64 {
        let bytes: usize = self.body_bytes.iter().skip(1).sum();
        let moving: usize = self
            .images
            .windows(2)
            .map(|pair| moved(&self.layout, &pair[0], &pair[1]))
            .sum();
        bytes as f64 / moving as f64
    }

    /// Entities of all images but the first.
    pub fn entities(&self) -> usize {
        self.images
            .iter()
            .skip(1)
            .map(|image| image.entities.len())
            .sum()
    }
}

/// Entities of both images whose rows differ.
fn moved(layout: &Layout, before: &LayerImage, now: &LayerImage) -> usize {
    let width = layout.room.width();
    now.entities
        .iter()
        .enumerate()
        .filter(|(index, head)| {
            before.view().find(head.slot).is_some_and(|old| {
                before.entities[old] == **head
                    && before.view().row(old, width) != now.view().row(*index, width)
            })
        })
        .count()
}
