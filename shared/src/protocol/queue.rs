//! What a client says to the matchmaking queue, and what it is told: always its whole state as it
//! is, so that the newest message counts and one that was missed is no loss.

use serde::{Deserialize, Serialize};

use crate::ids::RoomId;

/// What a client wants of the queue. In the lobby; in a room [`QueueRequest::Enqueue`] is refused
/// by [`OutOfQueue::InRoom`] and the others are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueRequest {
    /// To wait for a match.
    Enqueue {
        /// Not 0. Comes back in every state that follows from this, so that the end of an earlier
        /// wait is not taken for the end of this one.
        nonce: u32,
        /// One of the game's.
        mode: String,
        /// Where, the best first: of the game's regions. None: anywhere.
        regions: Vec<String>,
    },
    /// To be told how things stand.
    Look,
    /// To wait no longer; of a match that is offered to decline it, of one under way not to come.
    Cancel,
    /// To take the match that is offered, or not.
    Answer {
        /// Which, so that a click that comes late takes no other.
        offer: u32,
        /// Whether it is taken.
        accept: bool,
    },
}

/// How things stand for a player. Times are milliseconds from when it was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueState {
    /// They are not in the queue.
    Out {
        /// Why, or why they could not get in.
        why: OutOfQueue,
        /// Whether it was by what they did or did not do themselves.
        own: bool,
        /// Until they may queue again, 0 for at once.
        again_ms: u32,
    },
    /// They wait.
    Waiting {
        /// For what.
        mode: String,
        /// For how long by now.
        waited_ms: u32,
        /// Until something comes of it, match or none.
        left_ms: u32,
        /// Players who wait in this mode, they among them.
        players: u32,
        /// How long those waited who lately got a match in this mode; none if nobody did.
        expected_ms: Option<u32>,
        /// Whether one of their party has no connection: they are not matched until it is back.
        held: bool,
    },
    /// A match is offered.
    Offered {
        /// Its number in [`QueueRequest::Answer`].
        offer: u32,
        /// Until it is too late.
        left_ms: u32,
        /// Whether they have taken it.
        taken: bool,
        /// How many have.
        accepted: u16,
        /// How many are asked.
        of: u16,
    },
    /// A match is made: they are to join its room, where a seat is kept for them, by its number.
    Going {
        /// The match's number.
        offer: u32,
        /// Its room.
        room: RoomId,
        /// Until it is too late.
        left_ms: u32,
        /// Whether they are there.
        there: bool,
    },
    /// Their party has a match that was made before they joined it: they wait with it again if that
    /// comes to nothing.
    Beside,
}

/// Why somebody is not in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutOfQueue {
    /// They are not, or not any more: the server does not know of it.
    NotQueued,
    /// The game has no such mode.
    NoSuchMode,
    /// A region that the game does not have.
    NoSuchRegion,
    /// Their party has more members than a team of the mode.
    PartySize,
    /// Only their party's leader queues.
    NotLeader,
    /// One of them may not queue yet, because of a match that came to nothing by them.
    Cooling,
    /// The queue has as many players as it can have.
    Full,
    /// Too many requests; wait a little.
    TooOften,
    /// Only in the lobby.
    InRoom,
    /// The server makes no matches any more: it stops.
    Closed,
    /// They did not want to any more, or went to another room.
    Cancelled,
    /// They left their party.
    LeftParty,
    /// Their connection was away for too long.
    Lost,
    /// A match was declined.
    Declined,
    /// One was not accepted in time.
    NotAccepted,
    /// They did not come into its room in time.
    NotCome,
    /// They could not get into its room.
    JoinFailed,
    /// They play.
    Playing,
    /// Their party plays; they joined it when its match had been made.
    PartyPlays,
    /// They waited for as long as anybody may, and there were too few.
    TooFew,
    /// The same, and there was no room even for them and bots.
    NoRoom,
    /// Their party changed: somebody joined it, or left it.
    PartyChanged,
}
