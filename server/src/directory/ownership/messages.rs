//! The words between a node and the engine that keeps the cluster's tables, and between a node and
//! its peers: what ownership sends ([`super`]) and what an engine carries out, each command in one
//! atomic step. Not their bytes, which are the engine's, and no decision.
//!
//! Nobody trusts one write of the engine: a failover loses writes that it acknowledged, so a
//! record may go back by some seconds, or be gone with all others after an empty start.

use tickwire::ids::RoomId;

use crate::config::{NODE_URL_BYTES_MAX, PEER_ADDRESS_BYTES_MAX};

/// Nodes that a cluster has: each asks each of the others. A beat answers with no more, those of
/// the least incarnations; the rest play on and are not adopted from.
pub(crate) const NODES_MAX: usize = 64;
/// Rooms of one node: what a beat lists, and what an engine takes of it.
pub(crate) const ROOMS_MAX: usize = 65_536;
/// Rooms that one beat's answer names of each kind beside those lost; the next has the others.
pub(crate) const ROOMS_TOLD_MAX: usize = 256;
/// Bytes of where peers reach a node: a host's name and a port.
pub(crate) const NODE_BYTES_MAX: usize = PEER_ADDRESS_BYTES_MAX;
/// Bytes of the URL that clients are sent to.
pub(crate) const URL_BYTES_MAX: usize = NODE_URL_BYTES_MAX;

/// One life of a node's process: 64 random bits, never used again. A node that may have lost its
/// rooms goes on under a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Incarnation(pub(crate) u64);

/// The fencing token of a room's owner: rises strictly with each owner, also beyond what the engine
/// has lost, as it is never below the engine's clock in milliseconds. From 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Epoch(pub(crate) u64);

/// A connection to an engine's process, by number: another one after each reconnection, restart or
/// failover. What was decided on one is not carried out on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run(pub(crate) u64);

/// What a node says of itself with each beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRecord {
    /// Where peers reach it, `host:port`: its name too. At most [`NODE_BYTES_MAX`].
    pub(crate) node: String,
    /// Rises with each beat, from 1. Others see by it that the node lives.
    pub(crate) beat: u64,
    /// Where clients are sent, at most [`URL_BYTES_MAX`].
    pub(crate) url: String,
    /// Its busiest worker's share of time, in thousandths; above 1,000 when it can't keep up.
    pub(crate) load: u16,
    /// Whose beats it saw: those it heeds before it plays on without the engine. At most
    /// [`NODES_MAX`], rising.
    pub(crate) knows: Vec<Incarnation>,
}

/// Whose a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoomRecord {
    pub(crate) epoch: Epoch,
    pub(crate) owner: Incarnation,
}

/// What an engine does, in one step each. What is not so as the command says is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// "I live": refused of the fenced. Stores the record; asserts each of the rooms whose stored
    /// epoch is lower or missing; answers with the tables. One that a later beat of the sender
    /// overtook stores and asserts nothing.
    Beat {
        me: Incarnation,
        record: NodeRecord,
        /// All that the sender owns, rising by room.
        rooms: Vec<(RoomId, Epoch)>,
    },
    /// Takes an incarnation's lease away for good, if its record still has that beat. The fence
    /// outlives every pause of a process, and every room of the fenced.
    Fence { who: Incarnation, beat: u64 },
    /// Takes a room over whose record is still `old` and whose owner is fenced, or `me`; not for a
    /// fenced one. The new epoch is `max(old + 1, the engine's milliseconds)`, and beyond any other
    /// that this process of the engine gave out.
    Adopt {
        room: RoomId,
        old: RoomRecord,
        me: Incarnation,
    },
    /// A new room, if there is none of this number; not for a fenced one. Its epoch is as for
    /// `Adopt`: a number that is used again goes on above.
    Create { room: RoomId, me: Incarnation },
    /// Gives a room away, if its record is still `epoch` and `me`, and `to` has a record and is not
    /// fenced. The new epoch as for `Adopt`.
    HandOver {
        room: RoomId,
        epoch: Epoch,
        me: Incarnation,
        to: Incarnation,
    },
    /// A room is closed: its record goes if it is still `epoch` and `me`, and all that is kept of
    /// it with the record.
    Forget {
        room: RoomId,
        epoch: Epoch,
        me: Incarnation,
    },
}

/// What an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Of a beat, and of nothing else: its sender is fenced, dead to the others.
    Fenced,
    /// Of a beat.
    Beat {
        /// Of the rooms listed: whose record has a higher epoch, or this one and another owner;
        /// with that record.
        lost: Vec<(RoomId, RoomRecord)>,
        /// Rooms of the sender by their record that it did not list, at most [`ROOMS_TOLD_MAX`]:
        /// the answer to their adoption was lost, or they were handed over, or a failover took back
        /// what became of them. The sender adopts them anew, from itself.
        held: Vec<(RoomId, Epoch)>,
        /// All that have a record and are not fenced, the sender too, rising.
        nodes: Vec<(Incarnation, NodeRecord)>,
        /// Rooms whose owner is fenced, at most [`ROOMS_TOLD_MAX`].
        orphans: Vec<(RoomId, RoomRecord)>,
    },
    /// Of `Fence`: whether it is fenced now.
    FenceDone(Incarnation, bool),
    /// Of `Adopt`: the new epoch, `None` where the record was another or the owner not fenced.
    Adopted(RoomId, Option<Epoch>),
    /// Of `Create`: its epoch, `None` where there is one.
    Created(RoomId, Option<Epoch>),
    /// Of `HandOver`: the new epoch, `None` where the room was not the sender's or the other can't
    /// have it.
    HandedOver(RoomId, Option<Epoch>),
    /// Of `Forget`: there is no such record now.
    Forgotten(RoomId),
}

/// What came of asking a peer for its own contact with the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This incarnation's last answered beat is younger than a gap, and beats are answered for so
    /// long that it may soon act on what it sees.
    Contact(Incarnation),
    /// It is older, or there was none, or contact has just begun.
    NoContact(Incarnation),
    /// Its host says that nobody listens there. No answer at all is none of these.
    Refused,
}
