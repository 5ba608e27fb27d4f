//! Control messages from a client. Variants are appended, never moved: the index is the wire's.

use serde::{Deserialize, Serialize};

use crate::ids::{LayerId, PlayerId, RoomId, Tick};

/// A client's control message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First message of a connection; answered by `Welcome`.
    Hello {
        /// [`super::VERSION`] of the client.
        version: u16,
        /// The name that others see; the server tidies it.
        name: String,
        /// Proof of identity: an earlier welcome's token, or one that the operator's service gave;
        /// empty for a new guest.
        token: String,
    },
    /// Asks for the rooms that anyone may join; answered by `Rooms`.
    ListRooms,
    /// Makes a room and joins it; answered by `Joined` or `Refused`.
    CreateRoom {
        /// What the lobby calls it; the server tidies it.
        name: String,
        /// Left out of listings and joined by its code alone.
        private: bool,
        /// Seats, 1 to the server's limit; 0 for the server's limit.
        seats: u16,
        /// Whether the room's host may kick; in a private room they may anyway.
        kicks: bool,
    },
    /// Joins a listed room; answered by `Joined` or `Refused`.
    JoinRoom {
        /// Its number.
        room: RoomId,
    },
    /// Joins by a code, whether private or not; answered by `Joined` or `Refused`.
    JoinCode {
        /// The code, without regard to case.
        code: String,
    },
    /// Joins a listed room that has a seat and whose host may not kick, or makes one.
    QuickJoin,
    /// Goes back to the lobby; answered by `Left`.
    LeaveRoom,
    /// Says whether the player is ready for the next round.
    Ready {
        /// Ready or not.
        ready: bool,
    },
    /// Sends a player of the room back to the lobby. Only for the host of a room whose host may
    /// kick.
    Kick {
        /// Whom.
        player: PlayerId,
    },
    /// Says something to everyone in the room.
    Chat {
        /// 1 to [`crate::limits::CHAT_CHARS_MAX`] characters.
        text: String,
    },
    /// Answered by `Pong`.
    Ping {
        /// Returned as it is.
        nonce: u32,
    },
    /// Asks for a keyframe of a layer whose checksum did not match.
    Resync {
        /// Which one.
        layer: LayerId,
    },
    /// A request of the game; answered by `Reply`.
    Act {
        /// Returned with the answer.
        id: u32,
        /// Index in the schema's actions.
        action: u16,
        /// Its fields, bit-packed, and its payload, if it has one.
        fields: Vec<u8>,
    },
    /// Takes a seat again after its connection was lost; answered by `Joined` or `Refused`.
    Resume {
        /// The seat's newest `ResumeToken`.
        token: String,
        /// The newest chat line seen, 0 for none: `Joined` brings those after it.
        chat: u32,
        /// The newest snapshot of the room that was applied, on whichever connection, 0 for none:
        /// durable events after it follow.
        seen: Tick,
    },
}
