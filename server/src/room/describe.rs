//! When the directory is told what lists are to say of the room. The worker tells it: when the room
//! was made, and when [`Effect::Describe`] says so.

use bytes::Bytes;

use super::{Effect, Room, resources};
use crate::game::{Game, Out};

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
