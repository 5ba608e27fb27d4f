//! What lists say of the room: its game's metadata, and whether it is locked. The worker tells the
//! directory: when the room was made, and when [`Effect::Describe`] says so.

use bevy_ecs::prelude::World;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwire::ids::Tick;

use super::{Effect, Room, resources};
use crate::game::{Game, GameDef, Out};

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// As it was told last.
    pub(super) metadata: Vec<u8>,
    pub(super) locked: bool,
    /// When the metadata was told last.
    told_at: Tick,
    /// Whether the game has changed it since.
    has_changed: bool,
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

impl<G: Game> Room<G> {
    /// Whether somebody new may come in. The first one always may: they had it made.
    pub fn is_open(&self) -> bool {
        !self.listing.locked || self.members.joined == 0
    }

    /// What lists are to say of it: the schema's metadata, packed, and whether it is locked.
    pub(crate) fn described(&self) -> (&[u8], bool) {
        (&self.listing.metadata, self.listing.locked)
    }

    /// Has what is new told, at the end of a tick: a lock at once, metadata once a second. Metadata
    /// that the game took away stays as it was told.
    pub(super) fn describe(&mut self) {
        let (listing, world) = (&mut self.listing, &mut self.world);
        let locked = resources::own::<Out>(world).locked;
        let mut is_new = listing.locked != locked;
        listing.locked = locked;
        if let Some(reader) = &self.game.metadata {
            listing.has_changed |= reader.has_changed(world) == Some(true);
            let since = self.tick.since(listing.told_at);
            if listing.has_changed && since >= u32::from(self.options.tick_rate) {
                listing.has_changed = false;
                let changed = reader.pack(world).filter(|new| *new != listing.metadata);
                if let Some(metadata) = changed {
                    listing.metadata = metadata;
                    listing.told_at = self.tick;
                    is_new = true;
                }
            }
        }
        if is_new {
            self.effects.push_back(Effect::Describe {
                metadata: Bytes::copy_from_slice(&listing.metadata),
                locked,
            });
        }
    }
}
