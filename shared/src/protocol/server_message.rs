//! Control messages from the server. Variants are appended, never moved: their order is the wire's
//! ([`super::Numbered`]).

use serde::{Deserialize, Serialize};

use super::party::PartyState;
use super::people::{Line, LinesPage, Peer, PeopleNews};
use super::queue::QueueState;
pub use super::refusal::Refusal;
use super::watch::{LobbyPeople, PeerPresence};
use crate::ids::{PlayerId, RoomId, Tick};
use crate::schema::{Schema, Tables};

/// A server's control message.
// One is alive at a time; the welcome is large, and there is one a connection.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// Answer to `Hello`.
    Welcome {
        /// [`super::VERSION`] of the server.
        version: u16,
        /// What it understands beyond the base: bits of [`super::feature`]. Unknown ones are
        /// ignored.
        features: u32,
        /// The game that the connection is of.
        game: String,
        /// The player's name as the server tidied it.
        name: String,
        /// What to bring in the next hello, to be the same person again. A secret.
        token: String,
        /// The server's limits.
        limits: Limits,
        /// What names the schema in a later hello.
        schema_hash: String,
        /// What names the tables in a later hello.
        tables_hash: String,
        /// The game as the wire knows it; none where the hello named it.
        schema: Option<Schema>,
        /// What its bodies are coded by; none where the hello named them.
        tables: Option<Tables>,
    },
    /// A request was not granted; the connection goes on.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// Rooms that anyone may join, those with a seat first, at most
    /// [`crate::limits::ROOMS_LISTED_MAX`].
    Rooms {
        /// The rooms.
        rooms: Vec<RoomInfo>,
    },
    /// The player has a seat; snapshots follow.
    Joined {
        /// The room.
        room: RoomInfo,
        /// The code by which others may join.
        code: String,
        /// The player's number here, none for a spectator.
        you: Option<PlayerId>,
        /// Steps a second.
        tick_rate: u16,
        /// Ticks between snapshots.
        snapshot_every: u16,
        /// The room's newest tick.
        tick: Tick,
        /// Who is here, the player first, at most
        /// [`MEMBERS_PER_PAGE`](crate::limits::MEMBERS_PER_PAGE).
        members: Vec<Member>,
        /// Whether `Members` follow.
        more: bool,
        /// What was said before, oldest first.
        chat: Vec<ChatLine>,
        /// How the room was made: the schema's room options, packed.
        options: Vec<u8>,
    },
    /// The player is back in the lobby.
    Left {
        /// Why.
        reason: LeaveReason,
    },
    /// A member came, as they are now.
    MemberChanged {
        /// As it is now.
        member: Member,
    },
    /// A member went; to be passed over if nobody by that number was known.
    MemberLeft {
        /// Who.
        player: PlayerId,
    },
    /// Somebody said something.
    Chat {
        /// What.
        line: ChatLine,
    },
    /// Answer to `Ping`, in a room from its tick.
    Pong {
        /// The ping's.
        nonce: u32,
        /// The room's newest tick, 0 in the lobby.
        tick: Tick,
    },
    /// Answer to `Act`.
    Reply {
        /// The request's.
        id: u32,
        /// What the game says: the action's answer, packed, or why not.
        result: Result<Vec<u8>, String>,
    },
    /// The server stops; the close follows.
    Stopping {
        /// When to try again, in milliseconds.
        retry_after_ms: u32,
    },
    /// Go elsewhere: close with 1000 and connect there.
    Redirect {
        /// WebSocket URL.
        url: String,
        /// What to bring there as the hello's token.
        ticket: String,
        /// Which room to resume or join there.
        room: RoomId,
        /// For how long the ticket is good, in milliseconds.
        valid_ms: u32,
    },
    /// What to come back to the seat with when the connection is lost; follows `Joined`, and makes
    /// the seat's earlier tokens void once a snapshot is acknowledged.
    ResumeToken {
        /// A secret of this client.
        token: String,
        /// For how long the seat is held without a connection, in milliseconds.
        grace_ms: u32,
    },
    /// Something of a known member changed: merged, so that it says what is so now.
    MemberState {
        /// Whose.
        player: PlayerId,
        /// Whether they said that they are ready.
        ready: bool,
        /// See [`Member::host`].
        host: bool,
        /// Whether their socket is there.
        connected: bool,
    },
    /// More of those who are here, after `Joined`.
    Members {
        /// They, at most [`MEMBERS_PER_PAGE`](crate::limits::MEMBERS_PER_PAGE).
        members: Vec<Member>,
        /// Whether more follow.
        more: bool,
    },
    /// A `Redirect` to this URL is probably near: a connection there may be opened now.
    Prepare {
        /// WebSocket URL, as the redirect will have it.
        url: String,
        /// For how long the connection may be held, in milliseconds.
        valid_ms: u32,
    },
    /// Something that is no room's: in the lobby or a room.
    Notice {
        /// 0: it is lost to who is away. Else they get it later, and say `NoticesSeen`; above those
        /// of the player's earlier ones.
        number: u32,
        /// When it was given out, in seconds since 1970.
        at: u32,
        /// At most [`NOTICE_CHARS_MAX`](crate::limits::NOTICE_CHARS_MAX) characters, tidied as names
        /// are; empty only beside an event.
        text: String,
        /// One of the game's.
        event: Option<NoticeEvent>,
    },
    /// Answer to `Say`.
    Said {
        /// The line's.
        nonce: u32,
        /// Its number in the channel, or why it was not said.
        result: Result<u32, Refusal>,
    },
    /// Answer to `History`, or a part of it.
    Lines {
        /// The request's.
        nonce: u32,
        /// They, or why there are none.
        result: Result<Page, Refusal>,
    },
    /// A player of the room is writing a line: to be shown for six seconds, or until they say one.
    Typing {
        /// Who.
        player: PlayerId,
    },
    /// Somebody says something in a channel other than the room's.
    Line {
        /// Which, as the client names it.
        channel: String,
        /// It.
        line: Line,
    },
    /// Answer to `History` of such a channel, or a part of it.
    Past {
        /// The request's.
        nonce: u32,
        /// They, or why there are none.
        result: Result<LinesPage, Refusal>,
    },
    /// Something of other people.
    People(PeopleNews),
    /// How players stand whom the client watches: each once it does, and when that changed.
    Presence {
        /// They, at most [`PRESENCES_PER_PAGE`](crate::limits::PRESENCES_PER_PAGE).
        peers: Vec<PeerPresence>,
    },
    /// Somebody is writing a line in a channel other than the room's: to be shown for six seconds, or
    /// until they say one there. To who has [`feature::TALKS`](super::feature::TALKS).
    PeerTyping {
        /// Which, as the client names it.
        channel: String,
        /// Who.
        peer: Peer,
    },
    /// Who is in the lobby, to who watches it.
    Lobby(LobbyPeople),
    /// How things stand for the player in the matchmaking queue: in the lobby or a room.
    Queue {
        /// Of the `Enqueue` from which it follows, whichever of the player's clients said it; 0 if
        /// it follows from none.
        nonce: u32,
        /// The whole of it.
        state: QueueState,
    },
    /// The player's party: in the lobby or a room.
    Party {
        /// Of the `Create` or `Join` of this connection that it answers; 0: of none.
        nonce: u32,
        /// The whole of it.
        state: PartyState,
    },
}

impl super::Numbered for ServerMessage {
    const BASE: u8 = 15;
    const LATER: &'static [u8] = &[
        129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141,
    ];
}

/// A part of a page of what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first, at most [`PAGE_LINES_MAX`](crate::limits::PAGE_LINES_MAX) with those of the
    /// page's other parts.
    pub lines: Vec<PastLine>,
    /// Whether another part of the page follows, with the lines behind these.
    pub more: bool,
    /// What the next request is to say as `before`, for those before this page; 0 if there are
    /// none.
    pub next: u32,
}

/// A line that was said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastLine {
    /// Its number in the channel.
    pub id: u32,
    /// When it was said, in seconds since 1970.
    pub at: u32,
    /// Whether it was who asks that said it.
    pub own: bool,
    /// As whom it was said.
    pub name: String,
    /// What, as it was typed: clients show it as text only.
    pub text: String,
}

/// An event of the schema, outside of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEvent {
    /// Index in the schema's events.
    pub event: u16,
    /// Its fields, bit-packed, and its payload, if it has one.
    pub fields: Vec<u8>,
}

/// What a server allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a message from the client.
    pub message_bytes: u32,
    /// Messages a second from the client, on average.
    pub messages_per_second: u32,
    /// Characters of a chat line.
    pub chat_chars: u16,
    /// Characters of a name.
    pub name_chars: u16,
    /// Seats of a room.
    pub seats: u16,
    /// Spectators of a room.
    pub spectators: u16,
}

/// A room as the lobby shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// Its number.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Members.
    pub players: u16,
    /// Seats.
    pub seats: u16,
    /// Who only watches.
    pub spectators: u16,
    /// Whether it is left out of listings.
    pub private: bool,
    /// Whether its host may kick.
    pub kicks: bool,
    /// Whether nobody new may join for now.
    pub locked: bool,
    /// What its game says of it: the schema's metadata, packed.
    pub metadata: Vec<u8>,
}

/// A player of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their number.
    pub player: PlayerId,
    /// Their name.
    pub name: String,
    /// Whether they said that they are ready.
    pub ready: bool,
    /// Whether they have been here longest of those who are connected; they may kick where the
    /// room's host may.
    pub host: bool,
    /// Whether their socket is there.
    pub connected: bool,
}

/// A line of chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatLine {
    /// Counts the room's lines from 1.
    pub id: u32,
    /// Who said it; they may have left.
    pub from: PlayerId,
    /// Their name then.
    pub name: String,
    /// What, as it was typed: clients show it as text only.
    pub text: String,
}

/// Why a player is back in the lobby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaveReason {
    /// They asked.
    Asked,
    /// The host or the game sent them away.
    Kicked,
    /// The room closed.
    RoomClosed,
}
