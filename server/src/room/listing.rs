//! What lists say of the room: its game's metadata, and whether it is locked. When the directory is
//! told is `describe`'s.

use bevy_ecs::prelude::World;
use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;

use super::resources;
use crate::game::{Game, GameDef, Out};

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// As it was told last.
    pub(super) metadata: Vec<u8>,
    pub(super) locked: bool,
    /// When the metadata was told last.
    pub(super) told_at: Tick,
    /// Whether the game has changed it since.
    pub(super) has_changed: bool,
}

impl Listing {
    /// Of a room whose world was set up.
    ///
    /// # Panics
    /// The game declares metadata and did not put it there, a mistake of its author.
    pub(super) fn new<G: Game>(world: &mut World, game: &GameDef<G>) -> Listing {
        let metadata = game.metadata.as_ref().map(|reader| {
            reader.pack(world).unwrap_or_else(|| {
                let name = reader.name();
                panic!("the game declares {name} as its metadata, and setup does not insert it")
            })
        });
        Listing {
            metadata: metadata.unwrap_or_default(),
            locked: resources::own::<Out>(world).locked,
            ..Listing::default()
        }
    }
}
