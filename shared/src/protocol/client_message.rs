//! Control messages from a client. Variants are appended, never moved: their order is the wire's
//! ([`super::Numbered`]).

use serde::{Deserialize, Serialize};

use super::party::PartyRequest;
use super::people::PeopleRequest;
use super::queue::QueueRequest;
use crate::ids::{LayerId, PlayerId, RoomId, Tick};

/// A client's control message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// First message of a connection; answered by `Welcome`.
    Hello {
        /// [`super::VERSION`] of the client.
        version: u16,
        /// What it understands beyond the base: bits of [`super::feature`]. Unknown ones are
        /// ignored.
        features: u32,
        /// The game that it wants to play, empty for the only one, or the server's first.
        game: String,
        /// The schema that it has, by the hash of an earlier welcome; empty for none.
        schema: String,
        /// The tables that it has, likewise.
        tables: String,
        /// The name that others see; the server tidies it.
        name: String,
        /// Proof of identity: an earlier welcome's token, or one that the operator's service gave;
        /// empty for a new guest.
        token: String,
    },
    /// Asks for the rooms that anyone may join; answered by `Rooms`.
    ListRooms {
        /// Only those that meet all of it; at most
        /// [`CONDITIONS_MAX`](crate::limits::CONDITIONS_MAX).
        filter: Vec<Condition>,
    },
    /// Makes a room and joins it; answered by `Joined` or `Refused`.
    CreateRoom(NewRoom),
    /// Joins a listed room; answered by `Joined` or `Refused`.
    JoinRoom {
        /// Its number.
        room: RoomId,
        /// As what.
        who: JoinAs,
    },
    /// Joins by a code, whether private or not; answered by `Joined` or `Refused`.
    JoinCode {
        /// The code, without regard to case.
        code: String,
        /// As what.
        who: JoinAs,
    },
    /// Joins a listed room that has a seat and whose host may not kick, or makes one. Who comes as
    /// a spectator makes none.
    QuickJoin {
        /// Only a room that meets all of it; at most
        /// [`CONDITIONS_MAX`](crate::limits::CONDITIONS_MAX).
        filter: Vec<Condition>,
        /// As what.
        who: JoinAs,
        /// How a room that is made is to be: as in `CreateRoom`.
        options: Vec<u8>,
    },
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
    /// All of the player's notices up to this one were shown; in the lobby or a room.
    NoticesSeen {
        /// The last one's number.
        number: u32,
    },
    /// Says something in a channel, once however often it is sent; answered by `Said`.
    Say {
        /// [`CHANNEL_ROOM`](super::CHANNEL_ROOM); to a server with
        /// [`feature::PEOPLE`](super::feature::PEOPLE) also [`CHANNEL_LOBBY`](super::CHANNEL_LOBBY), and
        /// [`CHANNEL_OF_TWO`](super::CHANNEL_OF_TWO) with a handle; to one with
        /// [`feature::TALKS`](super::feature::TALKS) also
        /// [`CHANNEL_OF_PARTY`](super::CHANNEL_OF_PARTY) with what the server said behind it.
        channel: String,
        /// Another one than that of the line before. A line whose answer was lost with the
        /// connection is sent again with the same one, in the same seat, before any other.
        nonce: u32,
        /// 1 to [`crate::limits::CHAT_CHARS_MAX`] characters.
        text: String,
    },
    /// Asks for a page of what was said in a channel; answered by `Lines`, or by `Past` of other
    /// channels than the room's, before which no other page is asked for.
    History {
        /// As in `Say`.
        channel: String,
        /// Returned with the answer.
        nonce: u32,
        /// The lines before this one are meant, 0 for the newest ones.
        before: u32,
    },
    /// Their player is writing a line: a hint for the others, to be said again every few seconds for
    /// as long as it holds.
    Typing {
        /// As in `Say`; others than the room's to a server with
        /// [`feature::TALKS`](super::feature::TALKS).
        channel: String,
    },
    /// Something of other people, to a server with
    /// [`feature::PEOPLE`](super::feature::PEOPLE).
    People(PeopleRequest),
    /// Whom the client watches from now on, instead of whom it did before, in the lobby or a room;
    /// to a server with [`feature::WATCH`](super::feature::WATCH), answered by `Presence`.
    Watch {
        /// Their handles, at most [`WATCHED_MAX`](crate::limits::WATCHED_MAX): those beyond are
        /// passed over. None: nobody. To a server with [`feature::LOBBY`](super::feature::LOBBY)
        /// beside them [`CHANNEL_LOBBY`](super::CHANNEL_LOBBY), for who is there, told by `Lobby`.
        handles: Vec<String>,
    },
    /// Something of the matchmaking queue, to a server with
    /// [`feature::QUEUE`](super::feature::QUEUE); answered by `Queue`.
    Queue(QueueRequest),
    /// Something of parties, to a server with [`feature::PARTIES`](super::feature::PARTIES);
    /// answered by `Party`.
    Party(PartyRequest),
}

impl super::Numbered for ClientMessage {
    const BASE: u8 = 14;
    const LATER: &'static [u8] = &[129, 130, 131, 132, 133, 134, 140, 141];
}

/// A room to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRoom {
    /// What the lobby calls it; the server tidies it.
    pub name: String,
    /// Left out of listings and joined by its code alone.
    pub private: bool,
    /// Seats, 1 to the server's limit; 0 for the server's limit.
    pub seats: u16,
    /// Whether the room's host may kick; in a private room they may anyway.
    pub kicks: bool,
    /// Joins the public room of that name instead, if there is one.
    pub or_join: bool,
    /// How it is to be: the schema's room options, packed; empty for the game's own choice.
    pub options: Vec<u8>,
    /// What the player brings: the schema's player options, packed; empty for the game's own
    /// choice.
    pub player: Vec<u8>,
}

impl ClientMessage {
    /// Whether it is no room's and no lobby's business, wherever its client is: something of other
    /// people, or of a channel other than the room's.
    pub fn is_beyond_rooms(&self) -> bool {
        match self {
            ClientMessage::People(_) | ClientMessage::Watch { .. } => true,
            ClientMessage::Say { channel, .. }
            | ClientMessage::History { channel, .. }
            | ClientMessage::Typing { channel } => channel != super::CHANNEL_ROOM,
            _ => false,
        }
    }

    /// A request for all listed rooms.
    pub fn list_rooms() -> ClientMessage {
        ClientMessage::ListRooms { filter: Vec::new() }
    }

    /// A request for a seat in a listed room, without options.
    pub fn join_room(room: RoomId) -> ClientMessage {
        let who = JoinAs::default();
        ClientMessage::JoinRoom { room, who }
    }

    /// The same by a code.
    pub fn join_code(code: impl Into<String>) -> ClientMessage {
        let (code, who) = (code.into(), JoinAs::default());
        ClientMessage::JoinCode { code, who }
    }

    /// A request for a seat in any listed room, or a new one, without options.
    pub fn quick_join() -> ClientMessage {
        ClientMessage::QuickJoin {
            filter: Vec::new(),
            who: JoinAs::default(),
            options: Vec::new(),
        }
    }
}

/// As what somebody joins a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinAs {
    /// Without a seat: they only watch.
    pub spectator: bool,
    /// What they bring: the schema's player options, packed; empty for the game's own choice.
    pub options: Vec<u8>,
}

/// Something that a room's metadata must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Index in the schema's metadata.
    pub field: u8,
    /// How it is compared.
    pub test: Test,
    /// With which integer.
    pub value: i32,
}

/// How a field's integer is compared with a condition's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Test {
    /// It is the same.
    Equal,
    /// It is the same or more.
    AtLeast,
}
