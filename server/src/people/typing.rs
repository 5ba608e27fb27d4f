//! Who is writing a line in a channel beyond rooms: a hint for the others who hear the channel. It is
//! told to those who are there and have nothing else waiting, and to nobody later; it is stored
//! nowhere, and the first to go where much is to be done.

use std::time::Instant;

use bytes::Bytes;
use tickwire::protocol::{CHANNEL_LOBBY, ServerMessage};

use super::{People, Where, encoded, of_party, of_two};
use crate::date::Date;
use crate::presence::{Online, Standing, Window};

impl People {
    /// Tells the others who hear a channel that somebody writes there.
    pub(super) fn tell_typing(&self, from: &Online, to: Where, now: Instant) {
        let who = &from.identity;
        if from.muted_s(Date::now()) > 0 {
            return;
        }
        let peer = self.peer(who, &from.name);
        let told = |channel: String| -> Bytes {
            let peer = peer.clone();
            encoded(&ServerMessage::PeerTyping { channel, peer })
        };
        let (here, window, bytes) = match to {
            Where::Lobby => {
                if !self.typists.lock().may_lobby(from.game, now) {
                    return;
                }
                let is_there = |of: &Online| of.game == from.game && of.hears(Window::Lobby);
                let here = self.presence.all(is_there);
                (here, Window::Lobby, told(CHANNEL_LOBBY.to_owned()))
            }
            Where::Party(party) if from.party() == Some(party) => {
                let here = self.presence.of_party(party);
                (here, Window::Party, told(of_party(party)))
            }
            Where::Party(_) => return,
            // Of who is here it is known. Nothing is looked up for it.
            Where::Two(handle) => {
                let known = self.handles.lock().get(&handle).cloned();
                let Some((other, _)) = known else { return };
                let here = self.presence.of_player(&other);
                (here, Window::Two, told(of_two(&self.key.handle(who))))
            }
        };
        self.metrics.typings_told.increment(1);
        for online in here {
            let hears = online.identity != *who
                && online.hears(window)
                && online.attends(Standing::Talk)
                && !online.has_blocked(who);
            if hears {
                online.hint(bytes.clone(), now);
            }
        }
    }
}
