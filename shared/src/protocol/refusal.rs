//! Why a request of a client is not granted: the same reasons for all of them.

use serde::{Deserialize, Serialize};

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// No room by that number or code.
    NoSuchRoom,
    /// No seat is free.
    RoomFull,
    /// The server has as many rooms as it may.
    TooManyRooms,
    /// The server is too busy right now.
    Busy,
    /// Too many requests of this kind; wait a little.
    TooOften,
    /// Only the host may, and only in a room whose host may.
    NotHost,
    /// Nobody by that number is here.
    NoSuchPlayer,
    /// Only in a room.
    NotInRoom,
    /// Only in the lobby.
    AlreadyInRoom,
    /// A chat line that is empty or too long.
    BadText,
    /// No action by that number.
    NoSuchAction,
    /// No seat is held for that token: it was given up, or taken again with a newer one.
    NoSuchSeat,
    /// An operator does not let them chat for now.
    Muted,
    /// They were sent away from that room, and are kept out of it for a while.
    KeptOut,
    /// The room's game lets nobody new in for now.
    Locked,
    /// Options that are not what the game declares.
    BadOptions,
    /// Conditions that are not on the game's metadata, or too many.
    BadFilter,
    /// Who only watches may not.
    NotForSpectators,
}
