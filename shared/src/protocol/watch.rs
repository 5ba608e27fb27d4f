//! How players stand whom a client watches, for clients with [`feature::WATCH`](super::feature::WATCH):
//! always the whole of it, so that of each player the newest counts.

use serde::{Deserialize, Serialize};

use super::people::Peer;
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

/// Who is in the lobby of the client's game, as far as that changed since it was told last on this
/// connection; for clients with [`feature::LOBBY`](super::feature::LOBBY).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LobbyPeople {
    /// How many there are, the player too; more than are shown, perhaps.
    pub count: u32,
    /// Who is shown from now on, or is called so, at most
    /// [`PEERS_PER_PAGE`](crate::limits::PEERS_PER_PAGE). Never more than
    /// [`WATCHED_MAX`](crate::limits::WATCHED_MAX) are once all of it was told.
    pub here: Vec<Peer>,
    /// Who is not, by their handles, at most
    /// [`PRESENCES_PER_PAGE`](crate::limits::PRESENCES_PER_PAGE).
    pub gone: Vec<String>,
}
