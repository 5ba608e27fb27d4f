//! What a session tells its driver, and the decoding of a snapshot's events (`PROTOCOL.md` §8).

use super::error::SessionError;
use crate::ids::{LayerId, PlayerId, RoomId, Tick};
use crate::protocol::frame::{SnapshotHead, take_varint};
use crate::protocol::people::{Line, LinesPage, Peer};
use crate::protocol::server_message::{
    ChatLine, LeaveReason, Member, NoticeEvent, Page, Refusal, RoomInfo,
};
use crate::protocol::{LobbyPeople, PartyState, PeerPresence, PeopleNews, QueueState};
use crate::schema::{Field, Kind, Message, Schema, is_text};
use crate::snapshot::{DecodeError, fields};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The player is in the lobby; the schema is known.
    Welcome,
    /// A request was not granted.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// The listed rooms.
    Rooms {
        /// They.
        rooms: Vec<RoomInfo>,
    },
    /// The player is in a room: [`super::Session::room`].
    Joined,
    /// The seat is held for a while if the connection is lost: [`super::Session::ticket`].
    Resumable {
        /// For how long, in milliseconds.
        grace_ms: u32,
    },
    /// The player is back in the lobby.
    Left {
        /// Why.
        reason: LeaveReason,
    },
    /// A member came or changed.
    MemberChanged {
        /// As it is now.
        member: Member,
    },
    /// More of those who were there on joining: [`super::RoomSession::members`] has them.
    Members {
        /// They.
        members: Vec<Member>,
        /// Whether more follow.
        more: bool,
    },
    /// The server says to go elsewhere: the driver closes with 1000, and follows.
    Redirect(Redirect),
    /// A redirect to this URL is probably near: the driver may connect there now, and follows the
    /// redirect on that connection. One that is not asked for is closed with 1000 after `valid_ms`,
    /// for another URL's, and when the room is left.
    Prepare {
        /// WebSocket URL.
        url: String,
        /// For how long the connection may be held, in milliseconds.
        valid_ms: u32,
    },
    /// A member went.
    MemberLeft {
        /// Who.
        player: PlayerId,
    },
    /// Somebody said something.
    Chat {
        /// What.
        line: ChatLine,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u32,
        /// The room's tick, 0 in the lobby.
        tick: Tick,
    },
    /// The answer to an action.
    Reply {
        /// The request's.
        id: u32,
        /// The action's answer, packed ([`super::Session::read_answer`]), or why not.
        result: Result<Vec<u8>, String>,
    },
    /// Somebody beside the game has something to say: to be shown as text only. Of a number above
    /// 0 the driver says so once it was shown ([`super::Session::notices_seen`]); before it may come
    /// again, on another connection.
    Notice {
        /// Above those before, or 0.
        number: u32,
        /// When it was said, in seconds since 1970.
        at: u32,
        /// May be empty beside an event.
        text: String,
        /// One of the game's events, which happened in no tick.
        event: Option<NoticeOf>,
    },
    /// The answer to a line that was said with a nonce.
    Said {
        /// The line's.
        nonce: u32,
        /// Its number in the room's chat, or why it was not said.
        result: Result<u32, Refusal>,
    },
    /// The answer to a request for what was said, or a part of it.
    Lines {
        /// The request's.
        nonce: u32,
        /// They, or why there are none.
        result: Result<Page, Refusal>,
    },
    /// A player is writing a line: to be shown for six seconds, or until they say one.
    Typing {
        /// Who.
        player: PlayerId,
    },
    /// Somebody says something in a channel other than the room's.
    Line {
        /// Which.
        channel: String,
        /// It.
        line: Line,
    },
    /// The answer to a request for what was said in such a channel, or a part of it.
    Past {
        /// The request's.
        nonce: u32,
        /// They, or why there are none.
        result: Result<LinesPage, Refusal>,
    },
    /// Something of other people.
    People(PeopleNews),
    /// How players stand whom the client watches.
    Presence {
        /// They; of each the newest counts.
        peers: Vec<PeerPresence>,
    },
    /// Somebody is writing a line in a channel other than the room's: as [`Event::Typing`].
    PeerTyping {
        /// Which.
        channel: String,
        /// Who.
        peer: Peer,
    },
    /// Who is in the lobby, to who watches it.
    Lobby(LobbyPeople),
    /// How things stand for the player in the matchmaking queue.
    Queue {
        /// Of the [`QueueRequest::Enqueue`](crate::protocol::QueueRequest::Enqueue) from which it
        /// follows, 0 for none.
        nonce: u32,
        /// The whole of it; the newest counts.
        state: QueueState,
    },
    /// The player's party, or why they are in none.
    Party {
        /// Of the request that it answers, 0 for none.
        nonce: u32,
        /// The whole of it; the newest counts.
        state: PartyState,
    },
    /// The server stops; its close follows.
    Stopping {
        /// When to try again, in milliseconds.
        retry_after_ms: u32,
    },
    /// A snapshot was applied; the game's events of it came before this.
    Snapshot {
        /// Its head.
        head: SnapshotHead,
    },
    /// A message of the game. One of a tick up to [`super::RoomSession::joined_at`] is durable and
    /// happened before the player was there, or while the connection was lost.
    Game {
        /// The tick that it happened in.
        tick: Tick,
        /// Index in the schema's events.
        event: u16,
        /// The integers of its fields.
        values: Vec<i32>,
        /// Its payload, if it declares one: JSON text or anything.
        payload: Option<Vec<u8>>,
    },
    /// A layer's checksum disagreed, or a body of it made no sense: it was dropped and is asked for
    /// anew.
    Desync {
        /// Which one.
        layer: LayerId,
    },
}

/// A game's event that a notice brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeOf {
    /// Index in the schema's events.
    pub event: u16,
    /// The integers of its fields.
    pub values: Vec<i32>,
    /// Its payload, if it declares one: JSON text or anything.
    pub payload: Option<Vec<u8>>,
}

impl NoticeOf {
    /// Reads one off the wire.
    ///
    /// # Errors
    /// The schema has no such event, or its bytes are not it.
    pub(super) fn read(packed: &NoticeEvent, schema: &Schema) -> Result<NoticeOf, SessionError> {
        let declared = schema.events.get(usize::from(packed.event));
        let declared = declared.ok_or(SessionError::UnknownEvent)?;
        let (values, payload, rest) = contents(declared, &packed.fields)?;
        if !rest.is_empty() {
            return Err(SessionError::Control);
        }
        Ok(NoticeOf {
            event: packed.event,
            values,
            payload: payload.map(<[u8]>::to_vec),
        })
    }
}

/// Where a server says to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The game's name, which the hello there says.
    pub game: String,
    /// The WebSocket's URL.
    pub url: String,
    /// What to bring as the hello's token: a secret of the player's.
    pub ticket: String,
    /// The room that is there.
    pub room: RoomId,
    /// For how long the ticket is good, in milliseconds; past that it is not followed.
    pub valid_ms: u32,
}

/// Hands out every event of a section of the snapshot of `tick`, as [`Event::Game`].
///
/// # Errors
/// What of it can't be read; the events before it were handed out.
pub fn decode_events(
    section: &[u8],
    tick: Tick,
    schema: &Schema,
    mut hand_out: impl FnMut(Event),
) -> Result<(), SessionError> {
    let mut rest = section;
    while !rest.is_empty() {
        let (back, after) = take_varint(rest).map_err(SessionError::Frame)?;
        let (index, after) = take_varint(after).map_err(SessionError::Frame)?;
        let declared = usize::try_from(index)
            .ok()
            .and_then(|index| schema.events.get(index))
            .ok_or(SessionError::UnknownEvent)?;
        let happened = tick.0.checked_sub(back).ok_or(SessionError::UnknownEvent)?;
        let (values, payload, after) = contents(declared, after)?;
        rest = after;
        hand_out(Event::Game {
            tick: Tick(happened),
            // A checked schema has far fewer events than 2^16.
            event: index as u16,
            values,
            payload: payload.map(<[u8]>::to_vec),
        });
    }
    Ok(())
}

/// What an event has, and the bytes that follow it.
#[expect(
    clippy::type_complexity,
    reason = "three parts of one thing, for two callers"
)]
fn contents<'a>(
    declared: &Message,
    bytes: &'a [u8],
) -> Result<(Vec<i32>, Option<&'a [u8]>, &'a [u8]), SessionError> {
    let mut values = Vec::with_capacity(declared.fields.len());
    let after =
        fields::unpack(&declared.fields, bytes, &mut values).map_err(SessionError::Snapshot)?;
    let bad = |(field, words): (&Field, &[i32])| {
        matches!(field.kind, Kind::Text { .. }) && !is_text(words)
    };
    if fields::by_field(&declared.fields, &values).any(bad) {
        return Err(SessionError::Snapshot(DecodeError::NotText));
    }
    let (payload, rest) =
        fields::take_payload(declared.payload.as_ref(), after).map_err(SessionError::Snapshot)?;
    Ok((values, payload, rest))
}
