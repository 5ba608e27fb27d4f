//! What a client of a played arena room holds: its layers' images, tick by tick. Made from a seed,
//! the same everywhere; measured by the codec yardstick, and what `training` learns from.

use std::sync::Arc;

use tickwire::ids::{LayerId, PlayerId, Tick};
use tickwire::protocol::frame::{SectionKind, SnapshotHead};
use tickwire::schema::{Schema, Tables};
use tickwire::snapshot::delta::{Scratch, advance, decode, decode_head};
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;
use tickwire_arena::Arena;
use tickwire_server::game::GameDef;

use crate::arena_play::{ArenaPlay, Hands, TICK_RATE};

/// Players and drones of the recordings.
const PLAYERS: u16 = 50;
const NPCS: u16 = 100;
/// Ticks before a recording and of it.
const WARM_UP: usize = 93;
const TICKS: usize = 300;

/// Images of the room's layer at consecutive ticks.
pub struct Recording {
    /// The game.
    pub schema: Schema,
    /// What its bodies are coded by.
    pub tables: Tables,
    /// Columns of the images.
    pub layout: Layout,
    /// The images, oldest first, which is as a keyframe brings it.
    pub images: Vec<LayerImage>,
}

impl Recording {
    /// The recording of a room whose players steer so.
    pub fn of(hands: Hands) -> Recording {
        let seed = match hands {
            Hands::People => 7,
            Hands::Random => 8,
        };
        let game = GameDef::<Arena>::new(TICK_RATE).expect("the arena is well declared");
        let layout = Layout::new(&game.schema, &game.tables).expect("the schema is sound");
        let (schema, tables) = (game.schema.clone(), game.tables.clone());
        let mut play = ArenaPlay::of(Arc::new(game), PLAYERS, NPCS, seed);
        play.hands = hands;
        for _ in 0..WARM_UP {
            play.tick(|_, _| {});
        }
        let images = record(&mut play, &layout, TICKS).swap_remove(0);
        Recording {
            schema,
            tables,
            layout,
            images,
        }
    }

    /// Entities of each image whose rows are not as in the one before.
    pub fn moved(&self) -> usize {
        let pairs = self.images.windows(2);
        pairs.map(|pair| pair[1].moved_since(&pair[0])).sum()
    }
}

/// One player's layers, tick by tick, each from its next keyframe on.
pub(crate) fn record(play: &mut ArenaPlay, layout: &Layout, ticks: usize) -> Vec<Vec<LayerImage>> {
    let viewer = PlayerId(0);
    let mut held = vec![LayerImage::default(); LayerId::FIXED.len()];
    let mut images = vec![Vec::new(); LayerId::FIXED.len()];
    let mut scratch = Scratch::default();
    // Their first snapshot went out when the room was made.
    play.resync(viewer);
    for _ in 0..ticks {
        play.tick(|player, frame| {
            if player == viewer {
                apply(frame, layout, &mut held, &mut scratch);
                for (images, held) in images.iter_mut().zip(&held) {
                    if held.tick > Tick(0) {
                        images.push(held.clone());
                    }
                }
            }
        });
    }
    images
}

fn apply(frame: &[u8], layout: &Layout, held: &mut [LayerImage], scratch: &mut Scratch) {
    let (head, sections) = SnapshotHead::decode(frame).expect("a snapshot");
    for section in sections {
        let (kind, body) = section.expect("a section");
        if let SectionKind::Layer(layer) = kind {
            let (of, bits) = decode_head(layer, body).expect("a body");
            let image = &mut held[usize::from(layer.0)];
            if of.back == 0 || image.tick > Tick(0) {
                decode(of, bits, head.tick, layout, image, scratch).expect("the body decodes");
            }
        }
    }
    // What is left out went as predicted.
    for (image, set) in held.iter_mut().zip(layout.sets()) {
        if image.tick > Tick(0) && image.tick < head.tick {
            advance(set, head.tick, image, scratch).expect("it is in reach");
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwire::snapshot::checksum::checksum;

    use super::*;

    /// Whoever changes the arena, or what chance is drawn from, takes new figures of the codec.
    #[test]
    fn recordings_are_the_same_everywhere() {
        let sums = Hands::ALL.map(|hands| {
            let Recording { layout, images, .. } = Recording::of(hands);
            let consecutive = |pair: &[LayerImage]| pair[1].tick == pair[0].tick.next();
            assert!(images.len() == TICKS && images.windows(2).all(consecutive));
            assert!(images[0] == images[0].bare(&layout.room));
            let sum = |sum: u32, image: &LayerImage| {
                sum.rotate_left(1) ^ checksum(image.view(), &layout.room)
            };
            images.iter().fold(0, sum)
        });
        assert_eq!(sums, [3_572_204_261, 2_350_017_241]);
    }
}
