//! What spectators may do in a room, and until when: they look on without a seat, and the game is
//! asked nothing about it. They come after the players wherever something is short, and stay as
//! long as there are players: a room that these have left shows nothing, and sends its spectators
//! away. Who was lost comes again as anybody. Who they are is `audience`'s; the worker calls it.

use tickwire::codec::decode_client;
use tickwire::ids::PlayerId;
use tickwire::protocol::frame::decode_ack;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
use tickwire::protocol::{ClientMessage, CloseCode, Kind};

use super::{Room, resources};
use crate::by_player::is_spectator;
use crate::game::{Game, Groups, Identity, Out, Roster};

impl<G: Game> Room<G> {
    /// Lets somebody look on, who gets everyone's state and events from now on. Their number is of
    /// a range of its own, which no player's is of.
    ///
    /// # Errors
    /// `RoomFull`: [`RoomOptions::spectators`](crate::game::RoomOptions::spectators) are there.
    /// `NoSuchRoom`: nobody plays.
    pub fn watch(&mut self, identity: Identity) -> Result<PlayerId, Refusal> {
        if self.members.len() == 0 {
            return Err(Refusal::NoSuchRoom);
        }
        let tick = self.tick;
        let admitted = self.members.audience.admit(identity, tick);
        let spectator = admitted.ok_or(Refusal::RoomFull)?;
        self.name_spectators();
        self.tell_joined(spectator, 0);
        Ok(spectator)
    }

    /// Spectators.
    pub fn spectators(&self) -> usize {
        self.members.audience.len()
    }

    /// One of them goes.
    pub(super) fn stop_watching(&mut self, spectator: PlayerId) {
        if self.members.audience.remove(spectator) {
            resources::own::<Out>(&mut self.world).forget(spectator);
            resources::own::<Groups>(&mut self.world).set(spectator, []);
            self.name_spectators();
        }
    }

    /// The last player is gone, and so is what there was to see.
    pub(super) fn dismiss_spectators(&mut self) {
        while let Some(spectator) = self.members.audience.first() {
            self.depart(spectator, LeaveReason::RoomClosed);
        }
    }

    /// The game sees at once who looks on.
    fn name_spectators(&mut self) {
        let audience = self.members.audience.iter();
        let numbers = audience.map(|spectator| spectator.receiver.player);
        resources::own::<Roster>(&mut self.world).spectators = numbers.collect();
    }

    /// Takes a spectator's message as [`Room::receive`] does a player's. It is no sign that
    /// somebody plays.
    pub(super) fn receive_from_spectator(
        &mut self,
        spectator: PlayerId,
        message: &[u8],
    ) -> Result<(), CloseCode> {
        debug_assert!(is_spectator(spectator));
        if self.members.audience.get(spectator).is_none() {
            return Err(CloseCode::OutOfOrder);
        }
        match message.first().copied().and_then(Kind::from_byte) {
            // They have nothing to steer.
            Some(Kind::State) => Err(CloseCode::OutOfOrder),
            Some(Kind::Ack) => {
                let ack = decode_ack(message).map_err(|_| CloseCode::Malformed)?;
                self.on_ack(spectator, ack)
            }
            Some(Kind::Control) => {
                let message = decode_client(message).map_err(|_| CloseCode::Malformed)?;
                let Some(message) = message else {
                    return Ok(());
                };
                match message {
                    ClientMessage::Chat { .. }
                    | ClientMessage::Ready { .. }
                    | ClientMessage::Kick { .. }
                    | ClientMessage::Act { .. } => {
                        self.refuse(spectator, Refusal::NotForSpectators);
                        Ok(())
                    }
                    message => self.on_request(spectator, message),
                }
            }
            None => Err(CloseCode::Malformed),
        }
    }
}
