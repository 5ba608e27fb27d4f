//! What this node does for others: the batch that it tells them once a second, and the seats that
//! it keeps for players whom they are about to send here. The cluster calls it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use tickwire::ids::RoomId;
use tickwire::protocol::server_message::Refusal;

use super::shared::Shared;
use crate::auth::Identity;
use crate::directory::kept_out::Who;
use crate::directory::nodes::{Answer, Ask, Given, Nodes, What};
use crate::directory::rank::NetworkMark;
use crate::directory::{GameIndex, Mark, Named};
use crate::text::room_name;

impl Shared {
    /// The batch for the other nodes, with this load. Seats that were kept for who did not come are
    /// free again.
    pub(super) fn tell_others(&self, nodes: &Nodes, load: u16, now: Instant) -> Vec<u8> {
        let registry = &*self.registry;
        self.visitors.expire(registry, now);
        // Rooms that stand still are nowhere until they go on, here or elsewhere: who wants to go
        // there waits at any door, and is not sent to one that lets nobody in.
        let rooms = match self.is_frozen.load(Ordering::Relaxed) {
            true => Vec::new(),
            false => registry.told(now),
        };
        nodes.tell(load, &rooms, now)
    }

    /// Keeps a seat for somebody whom another node is about to send here, in a room that is there
    /// or that is made for it.
    ///
    /// # Errors
    /// Why they can't have one; nothing has changed then.
    pub(super) fn asked(&self, ask: Ask, now: Instant) -> Answer {
        // Neither is what a node of this version says.
        let who = Identity::read(&ask.who).ok_or(Refusal::Busy)?;
        let game = self.game_named(&ask.game).ok_or(Refusal::NoSuchRoom)?;
        let mark = self.registry.mark(&who);
        let (given, opens) = match ask.what {
            What::Seat(room) => (self.seat_in(game, room, who, mark, now)?, None),
            What::Room {
                new,
                made_for,
                network,
            } => {
                let offered = self.games.get(usize::from(game.0));
                let defaults = &offered.ok_or(Refusal::NoSuchRoom)?.rooms;
                let name = room_name(&new.name, &ask.name);
                let room = defaults.chosen(&new)?;
                let filter = defaults.filter(&made_for)?;
                // The door has counted it among its maker's.
                let network = network.map(NetworkMark);
                let mut creation =
                    defaults.creation(&*self.registry, &ask.name, network, mark, room)?;
                creation.made_for = filter;
                // Who asks has not heard yet that rooms leave this node: it has others to ask.
                let nodes = self.nodes.get();
                let is_made = nodes.is_none_or(|nodes| nodes.makes_rooms());
                let creation = is_made.then_some(creation).ok_or(Refusal::Busy);
                let named = match new.or_join && !new.private {
                    true => {
                        let registry = &self.registry;
                        registry.reserve_or_create(game, &name, mark, creation)?
                    }
                    false => {
                        let creation = creation?;
                        let mut options = Box::new(creation.options.clone());
                        let place = self.registry.create(creation)?;
                        options.id = place.room;
                        Named {
                            place,
                            opens: Some(options),
                            is_new: true,
                        }
                    }
                };
                let (room, is_new) = (named.place.room, named.is_new);
                (Given { room, is_new }, named.opens)
            }
        };
        if !self.visitors.keep(given.room, mark, opens, now) {
            self.registry.abandon(given.room, mark);
            return Err(Refusal::Busy);
        }
        Ok(given)
    }

    fn seat_in(
        &self,
        game: GameIndex,
        room: RoomId,
        identity: Identity,
        mark: Mark,
        now: Instant,
    ) -> Answer {
        let place = self.registry.reserve(game, room, mark)?;
        // From where they come shows when they do.
        let host = None;
        if self
            .registry
            .keeps_out(place.room, &Who { identity, host }, now)
        {
            self.registry.abandon(place.room, mark);
            return Err(Refusal::KeptOut);
        }
        Ok(Given {
            room: place.room,
            is_new: false,
        })
    }
}
