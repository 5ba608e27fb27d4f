//! What a room wants of its worker, which the room itself can't do. Plain data: [`super::Room`] says
//! them in order, the worker carries them out.

use bytes::Bytes;
use tickwire::ids::PlayerId;
use tickwire::protocol::server_message::{ChatLine, LeaveReason};
use tickwire::protocol::{ClientMessage, CloseCode, PartyRequest};

use crate::game::{Identity, Standing};

/// One of a round that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// Who.
    pub identity: Identity,
    /// As whom, at the time.
    pub name: String,
    /// Where.
    pub standing: Standing,
}

/// What a room wants done with its players' connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A control message, kind byte included, for one player.
    Control {
        /// Whom.
        to: PlayerId,
        /// The message.
        bytes: Bytes,
    },
    /// Who was sent away may not come back for a while; their departure follows.
    KeepOut {
        /// Whom.
        player: PlayerId,
        /// Who they are.
        identity: Identity,
    },
    /// The player is no longer in the room and goes back to the lobby with `Left`.
    Depart {
        /// Whom.
        player: PlayerId,
        /// Why.
        reason: LeaveReason,
    },
    /// The player's connection is closed; [`super::Room::has_member`] says whether their seat is held.
    Close {
        /// Whom.
        player: PlayerId,
        /// Why.
        code: CloseCode,
    },
    /// The seat of a player whose connection is lost was given up.
    Vacate {
        /// Whose.
        player: PlayerId,
    },
    /// Somebody said something.
    Said {
        /// The line's number in the room.
        line: u32,
        /// Who.
        identity: Identity,
        /// As whom, at the time.
        name: String,
        /// What, tidied.
        text: String,
    },
    /// A player or spectator wants to read what was said here.
    Read(Wanted),
    /// A player or spectator asks something that is not the room's business.
    Beyond {
        /// Who.
        player: PlayerId,
        /// What.
        message: Box<ClientMessage>,
    },
    /// The player's client says that all notices up to this number were shown.
    NoticesSeen {
        /// Whose.
        player: PlayerId,
        /// The last one's.
        number: u32,
    },
    /// What the player's client says of its party.
    Party {
        /// Whose.
        player: PlayerId,
        /// What.
        request: PartyRequest,
    },
    /// A round ended.
    Result {
        /// Which, rising.
        round: u32,
        /// Which board it counts for.
        season: String,
        /// Who came where, each once, the first place first.
        players: Vec<Came>,
    },
    /// Lists are to say this of the room.
    Describe {
        /// The schema's metadata, packed.
        metadata: Bytes,
        /// Whether nobody new may come in.
        locked: bool,
    },
}

/// What somebody wants to read of what was said in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who, a player or spectator.
    pub reader: PlayerId,
    /// By which they know the answer.
    pub nonce: u32,
    /// They want the lines before this one, 0 for the newest.
    pub before: u32,
    /// The number of the newest line there is, 0 for none.
    pub newest: u32,
    /// What the room itself remembers of those, oldest first.
    pub remembered: Vec<Remembered>,
}

/// A line that a room remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// It.
    pub line: ChatLine,
    /// Ticks since it was said.
    pub ticks_ago: u32,
}
