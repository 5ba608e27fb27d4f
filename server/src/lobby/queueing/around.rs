//! What a table of the queue needs of the lobby, and how it tells players how things stand.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::protocol::{OutOfQueue, QueueState, ServerMessage};

use super::skill::Skill;
use crate::auth::Identity;
use crate::directory::Directory;
use crate::game::Modes;
use crate::lobby::room_defaults::RoomDefaults;
use crate::metrics::GameMetrics;
use crate::presence::{Online, Presence, Standing};
use crate::queue::OfferId;
use crate::worker::Worker;

/// See the module's description.
pub(in crate::lobby) struct Around<'a> {
    pub(in crate::lobby) registry: &'a dyn Directory,
    pub(in crate::lobby) workers: &'a [Worker],
    pub(in crate::lobby) presence: &'a Presence,
    /// The game's name.
    pub(in crate::lobby) game: &'a str,
    pub(in crate::lobby) rooms: &'a RoomDefaults,
    pub(in crate::lobby) modes: &'a Modes,
    pub(in crate::lobby) skill: &'a Skill,
    /// What time it is.
    pub(in crate::lobby) now: Instant,
    pub(in crate::lobby) metrics: &'a GameMetrics,
}

impl Around<'_> {
    /// Tells a player at all their connections with the game.
    pub(in crate::lobby) fn tell(&self, who: &Identity, nonce: u32, state: QueueState) {
        let bytes = packed(nonce, state);
        for online in self.presence.of_player(who) {
            if online.game == self.game {
                online.show(Standing::Queue, bytes.clone());
            }
        }
    }
}

/// Tells one connection.
pub(in crate::lobby) fn tell(online: &Online, nonce: u32, state: QueueState) {
    online.show(Standing::Queue, packed(nonce, state));
}

fn packed(nonce: u32, state: QueueState) -> Bytes {
    encode_server(&ServerMessage::Queue { nonce, state }).into()
}

/// Who is not in the queue, and when they may come again.
pub(in crate::lobby) fn out(why: OutOfQueue, own: bool, again: Duration) -> QueueState {
    let again_ms = ms(again);
    QueueState::Out { why, own, again_ms }
}

/// A span on the wire.
pub(in crate::lobby) fn ms(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}

/// A match's number on the wire, which tells a player's newest from those before.
pub(in crate::lobby) fn short(offer: OfferId) -> u32 {
    offer.0 as u32
}
