//! Trains the arena's tables: rooms of several sizes are played, one player's layers decoded, and
//! their images shown to the trainer as they would be sent: mostly steady, sometimes catching up,
//! seldom as a keyframe. Called by the `train-tables` command.

use std::sync::Arc;

use tickwire::schema::Tables;
use tickwire::snapshot::image::LayerImage;
use tickwire::snapshot::layout::Layout;
use tickwire::snapshot::training::{self, Sending};
use tickwire_server::game::GameDef;

use crate::arena_play::{ArenaPlay, TICK_RATE};
use crate::recording::record;

/// Players, drones and seeds of the rooms that are played.
const ROOMS: [(u16, u16, u64); 6] = [
    (2, 20, 11),
    (8, 20, 12),
    (8, 60, 13),
    (16, 20, 14),
    (50, 100, 15),
    (50, 20, 16),
];
const TICKS: usize = 600;
/// How far back the baselines of those who catch up are, in images.
const BEHIND: [usize; 5] = [2, 3, 5, 9, 31];
/// Of so many images one is also coded for those who catch up, and as a keyframe.
const CATCH_UP_EVERY: usize = 8;
const KEYFRAME_EVERY: usize = 20;

/// Tables by layer, empty where a layer has no columns.
pub fn train() -> Vec<Vec<u16>> {
    let game = GameDef::with_tables(TICK_RATE, Tables::default());
    let game = Arc::new(game.expect("the arena is well declared"));
    let layout = Layout::new(&game.schema, &game.tables).expect("the schema is sound");
    let mut rooms = Vec::new();
    for (players, npcs, seed) in ROOMS {
        let mut play = ArenaPlay::of(game.clone(), players, npcs, seed);
        rooms.push(record(&mut play, &layout, TICKS));
    }
    let sets = layout.sets().into_iter().enumerate();
    sets.map(|(layer, set)| {
        if set.width() == 0 {
            return Vec::new();
        }
        let sendings: Vec<Sending<'_>> = rooms
            .iter()
            .flat_map(|images| sendings(&images[layer]))
            .collect();
        training::train(set, &sendings)
    })
    .collect()
}

/// Consecutive images as they are sent.
pub(crate) fn sendings(images: &[LayerImage]) -> Vec<Sending<'_>> {
    let mut sendings = Vec::new();
    for at in 1..images.len() {
        let now = images[at].view();
        sendings.push((Some(images[at - 1].view()), now));
        if at % CATCH_UP_EVERY == 0 {
            let behind = BEHIND[at / CATCH_UP_EVERY % BEHIND.len()];
            if let Some(from) = at.checked_sub(behind) {
                sendings.push((Some(images[from].view()), now));
            }
        }
        if at % KEYFRAME_EVERY == 0 {
            sendings.push((None, now));
        }
    }
    sendings
}
