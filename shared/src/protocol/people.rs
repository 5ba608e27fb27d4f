//! People beyond a room, for clients with [`feature::PEOPLE`](super::feature::PEOPLE): by which
//! handle others are addressed, what is said to them or in the lobby, whom one does not want to
//! hear. What is said is said by `Say` and read by `History`, with other channels than the room's.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::ids::PlayerId;

/// What a client wants of it; in the lobby or a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeopleRequest {
    /// To be told direct lines from now on, and whether also the lobby's; answered by
    /// [`PeopleNews::You`] and [`PeopleNews::Blocked`].
    Enter {
        /// Returned with the answer.
        nonce: u32,
        /// Whether the lobby's lines are wanted.
        lobby: bool,
    },
    /// Who a member of the room is; answered by [`PeopleNews::Answer`].
    Who {
        /// Returned with the answer.
        nonce: u32,
        /// Whom.
        player: PlayerId,
    },
    /// To hear nothing of somebody any more, or to hear them again; answered by
    /// [`PeopleNews::Answer`].
    Block {
        /// Returned with the answer.
        nonce: u32,
        /// Their handle.
        who: String,
        /// Whether they are blocked from now on.
        blocked: bool,
    },
    /// Direct lines of somebody were shown; not answered.
    Read {
        /// Their handle.
        who: String,
        /// The last one's number.
        number: u32,
    },
}

/// What it is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeopleNews {
    /// It is in. [`PeopleNews::Blocked`] follows.
    You {
        /// The request's.
        nonce: u32,
        /// By which others address the player.
        handle: String,
        /// Who said something that was not read, the latest first, at most
        /// [`UNREAD_MAX`](crate::limits::UNREAD_MAX).
        unread: Vec<Unread>,
    },
    /// It is not: to be asked again later.
    Out {
        /// The request's.
        nonce: u32,
        /// Why.
        reason: Refusal,
    },
    /// Whom the player has blocked, or some of them.
    Blocked {
        /// They, at most [`PEERS_PER_PAGE`](crate::limits::PEERS_PER_PAGE).
        peers: Vec<Peer>,
        /// Whether more follow.
        more: bool,
    },
    /// Answer to [`PeopleRequest::Who`] and [`PeopleRequest::Block`].
    Answer {
        /// The request's.
        nonce: u32,
        /// Who it is, or why it is not done.
        result: Result<Peer, Refusal>,
    },
    /// In which party's channel the player speaks and is told lines, for clients with
    /// [`feature::TALKS`](super::feature::TALKS): once they are in one, and when that changed.
    Party {
        /// As `Say` names it; empty: they are in none.
        channel: String,
    },
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// By which they are addressed.
    pub handle: String,
    /// What they were called last.
    pub name: String,
}

/// Somebody who said something to the player that they have not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Who.
    pub peer: Peer,
    /// The number of the newest line of theirs.
    pub newest: u32,
    /// The number of the last line that was read, 0 for none.
    pub read: u32,
}

/// A line that is said outside of rooms, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the channel.
    pub id: u32,
    /// When it was said, in seconds since 1970.
    pub at: u32,
    /// The handle of who said it.
    pub from: String,
    /// Whether the player did.
    pub own: bool,
    /// As whom it was said.
    pub name: String,
    /// What, as it was typed: clients show it as text only.
    pub text: String,
}

/// A part of a page of such lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesPage {
    /// Oldest first, at most [`PAGE_LINES_MAX`](crate::limits::PAGE_LINES_MAX) with those of the
    /// page's other parts.
    pub lines: Vec<Line>,
    /// Whether another part of the page follows.
    pub more: bool,
    /// What the next request is to say as `before`; 0 if there are none before.
    pub next: u32,
}
