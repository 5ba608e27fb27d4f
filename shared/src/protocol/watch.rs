//! How players stand whom a client watches, for clients with [`feature::WATCH`](super::feature::WATCH):
//! always the whole of it, so that of each player the newest counts.

use serde::{Deserialize, Serialize};

use crate::ids::RoomId;

/// How a player stands who is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerPresence {
    /// By which they are watched.
    pub handle: String,
    /// Where they are.
    pub at: PeerAt,
}

/// Where they are: of several connections one in a room counts first, then the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerAt {
    /// Nobody knows: the server watches as many as it may. To be asked again later.
    Unwatched,
    /// Nowhere, or nobody by that handle is known, or they do not want to hear the player.
    Offline,
    /// In the lobby.
    Lobby {
        /// Of this game.
        game: String,
    },
    /// In a room, as a player or looking on.
    Room {
        /// Of this game.
        game: String,
        /// Which, where lists show it; of another one it is not told.
        room: Option<RoomId>,
    },
}
