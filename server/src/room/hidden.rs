//! Whom those who are in a room do not want to hear: what these say, and that they write something,
//! is not shown to them. Whoever knows of it tells the room, by `Room::expect` before somebody comes
//! and by `Room::hide` when it changes; `spread` goes by it. It is not saved with the room.

use std::sync::Arc;

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::ChatLine;

use crate::game::Identity;
use crate::presence::Blocked;

/// Of one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Hidden {
    pub(crate) blocked: Arc<Blocked>,
    /// Whether their client is told that there was a line: else it misses its number.
    pub(crate) is_told: bool,
}

impl Hidden {
    /// Whether they do not hear somebody.
    pub(super) fn has(&self, who: Option<&Identity>) -> bool {
        who.is_some_and(|who| self.blocked.has(who))
    }
}

/// What is shown of a line of somebody who is not heard: that its number is one.
pub(super) fn veiled(line: &ChatLine) -> ChatLine {
    ChatLine {
        id: line.id,
        from: line.from,
        name: String::new(),
        text: String::new(),
    }
}

/// The same as it goes out.
pub(super) fn veil(line: &ChatLine) -> Bytes {
    encode_server(&ServerMessage::Chat { line: veiled(line) }).into()
}
