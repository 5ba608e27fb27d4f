//! What a client of a played arena room holds: the room layer's images, tick by tick. Played by
//! bots, like people or at random, from a seed by `record-motion`, and kept in
//! `benches/recordings`; read by the codec bench and the codec yardstick.

use std::io;
use std::path::PathBuf;

use tickwire::ids::{LayerId, PlayerId};
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::schema::Schema;
use tickwire::snapshot::delta::{Scratch, decode, decode_head, encode};
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;

use tickwire_arena::Arena;
use tickwire_server::game::GameDef;

use crate::arena_play::{ArenaPlay, Hands, TICK_RATE};
use crate::image_tape;
use crate::motion::TapeError;

/// Players and drones of the recordings that are kept.
const PLAYERS: u16 = 50;
const NPCS: u16 = 100;
/// Ticks before a recording and of it.
const WARM_UP: u32 = 90;
const TICKS: u32 = 300;
/// Images before those, from which what predictors remember is made.
const LEAD: usize = 3;

/// A recording that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Players steer like people.
    People,
    /// They do anything.
    Random,
}

impl Play {
    /// Both, in the order of the tables.
    pub const ALL: [Play; 2] = [Play::People, Play::Random];

    /// Its name in tables, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Play::People => "arena",
            Play::Random => "arena-random",
        }
    }

    /// Where it is kept.
    pub fn path(self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("recordings")
            .join(format!("{}.tape", self.name()))
    }

    fn hands(self) -> Hands {
        match self {
            Play::People => Hands::People,
            Play::Random => Hands::Random,
        }
    }

    fn seed(self) -> u64 {
        match self {
            Play::People => 7,
            Play::Random => 8,
        }
    }

    /// Plays it: the file that is kept.
    pub fn record(self) -> Vec<u8> {
        let ticks = TICKS + LEAD as u32;
        let made = Recording::of_arena(self, PLAYERS, NPCS, self.seed(), WARM_UP, ticks);
        image_tape::encode(&made.layout.room, &made.images)
    }

    /// The recording that is kept; where the file is missing, the same one made anew.
    pub fn load(self) -> Result<Recording, TapeError> {
        let bytes = match std::fs::read(self.path()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.record(),
            Err(error) => return Err(TapeError::Unreadable(error.to_string())),
        };
        let game = GameDef::<Arena>::new(TICK_RATE).expect("the arena is well declared");
        let layout = Layout::new(&game.schema).expect("the schema is sound");
        let mut images = image_tape::decode(&layout.room, &bytes)?;
        if images.len() <= LEAD {
            return Err(TapeError::Broken);
        }
        images.drain(..LEAD);
        // Who receives this gets a keyframe first.
        images[0] = images[0].bare(&layout.room);
        Ok(Recording {
            schema: game.schema.clone(),
            layout,
            images,
        })
    }
}

/// Images of the room's layer at consecutive ticks.
pub struct Recording {
    /// The game.
    pub schema: Schema,
    /// Columns of the images.
    pub layout: Layout,
    /// The images, oldest first.
    pub images: Vec<LayerImage>,
}

impl Recording {
    /// Plays a room of `players` and `npcs` for `warm_up` ticks, then records `ticks` of it.
    pub fn of_arena(
        play: Play,
        players: u16,
        npcs: u16,
        seed: u64,
        warm_up: u32,
        ticks: u32,
    ) -> Recording {
        let hands = play.hands();
        let mut play = ArenaPlay::new(players, npcs, seed);
        play.hands = hands;
        let layout = Layout::new(&play.game().schema).expect("the schema is sound");
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
                }
            });
        }
        recording
    }

    /// Bytes of the body that leads to each image, the first of which is a keyframe; without
    /// checksums.
    pub fn body_bytes(&self) -> Vec<usize> {
        let mut scratch = Scratch::default();
        let mut before = None;
        let mut body = Vec::new();
        let mut bytes = Vec::with_capacity(self.images.len());
        for image in &self.images {
            let (set, view) = (&self.layout.room, image.view());
            body.clear();
            encode(
                LayerId::ROOM,
                set,
                before,
                view,
                false,
                &mut scratch,
                &mut body,
            );
            before = Some(view);
            bytes.push(body.len());
        }
        bytes
    }

    /// Bytes a tick of the room's layer for each entity whose row changed, keyframe apart.
    pub fn bytes_per_moving_entity(&self) -> f64 {
        let bytes: usize = self.body_bytes().iter().skip(1).sum();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_recordings_are_what_their_seed_plays() {
        for play in Play::ALL {
            let kept = std::fs::read(play.path()).expect("a recording");
            assert!(
                kept == play.record(),
                "{}: run `cargo run --release -p tickwire-benches --bin record-motion`",
                play.name()
            );
        }
    }

    #[test]
    fn a_file_is_its_images_and_its_parts_are_none() {
        for play in Play::ALL {
            let made = Recording::of_arena(play, 3, 5, 9, 30, 60);
            let set = &made.layout.room;
            let file = image_tape::encode(set, &made.images);
            let read = image_tape::decode(set, &file).expect("it was just made");
            // What was before the first image takes two more to be forgotten.
            assert_eq!(read[2..], made.images[2..]);
            assert_eq!(image_tape::encode(set, &read), file);
            for end in 0..file.len() {
                assert_eq!(
                    image_tape::decode(set, &file[..end]),
                    Err(TapeError::Broken)
                );
            }
        }
    }

    #[test]
    fn a_broken_file_is_an_error_or_a_recording() {
        let made = Recording::of_arena(Play::Random, 2, 2, 9, 0, 8);
        let set = &made.layout.room;
        let file = image_tape::encode(set, &made.images);
        for bit in 0..file.len() * 8 {
            let mut broken = file.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            if let Ok(images) = image_tape::decode(set, &broken) {
                let again = image_tape::decode(set, &image_tape::encode(set, &images));
                assert_eq!(again.as_ref(), Ok(&images), "bit {bit}");
            }
        }
    }
}
