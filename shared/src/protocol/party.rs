//! What a client says of parties, and what it is told: always its party as it is, so that the newest
//! message counts and one that was missed is no loss.

use serde::{Deserialize, Serialize};

use crate::ids::RoomId;

/// What a client wants. `Create` and `Join` are for the lobby; in a room they are refused by
/// [`OutOfParty::InRoom`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartyRequest {
    /// A party; who is in one stays there.
    Create {
        /// Not 0: that of the answer.
        nonce: u32,
    },
    /// To be in the party with this code, and no longer in another.
    Join {
        /// Not 0: that of the answer.
        nonce: u32,
        /// As people type them: of any case, with hyphens and spaces.
        code: String,
    },
    /// To be in none.
    Leave,
    /// As the leader: that a member is not in it any more.
    Kick {
        /// By their number.
        member: u32,
    },
    /// To be told how things stand.
    Look,
}

/// How things stand for a player.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartyState {
    /// They are in no party.
    Out {
        /// Why; or, in an answer, why what was asked for is not done, and nothing has changed.
        why: OutOfParty,
    },
    /// They are in one.
    In {
        /// What others join it by. Another one after each kick.
        code: String,
        /// The player's own number in it.
        you: u32,
        /// Members that it may have.
        most: u8,
        /// In the order in which they came, the leader first.
        members: Vec<PartyMember>,
        /// Where the leader has gone, if the player may follow.
        room: Option<PartyRoom>,
    },
}

/// One of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyMember {
    /// In this party, above those of all who came before.
    pub number: u32,
    /// As others see it.
    pub name: String,
    /// Whether a connection of theirs is there.
    pub connected: bool,
}

/// A room that a party's leader has gone to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyRoom {
    /// It is joined by this, listed or not.
    pub room: RoomId,
    /// Until it is too late, in milliseconds from when it was said.
    pub left_ms: u32,
    /// Whether a seat is kept for the player until then; else there was none, or they took it.
    pub kept: bool,
}

/// Why somebody is not in a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutOfParty {
    /// They are not, or not any more: the server does not know of it.
    NotInParty,
    /// No party has that code.
    NoSuchParty,
    /// It has as many members as it may have.
    PartyFull,
    /// There are as many parties as there may be, on the server or from the player's address.
    TooManyParties,
    /// Too many requests, or wrong codes; wait a little.
    TooOften,
    /// Only in the lobby.
    InRoom,
    /// They left.
    Left,
    /// Its leader sent them away.
    Kicked,
    /// They were away for too long.
    Away,
    /// Nothing happened in it for too long.
    Idle,
    /// The server stops.
    Stopped,
}
