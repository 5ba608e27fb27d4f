//! What an operator sees of a node of a cluster: `/cluster` on the ops port, from what the task
//! writes down a few times a second. Figures are in [`crate::metrics`].

use std::time::Duration;

use serde::Serialize;
use tickwire::ids::RoomId;

use super::name::Name;
use super::node::{Counts, Drained};
use crate::directory::ownership::State;
use crate::directory::ownership::messages::Incarnation;

/// The node, and the cluster as it sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    /// This life of its process, in hexadecimal.
    pub(crate) incarnation: String,
    /// Its name: where its peers reach it.
    pub(crate) node: String,
    /// Where clients reach it.
    pub(crate) url: String,
    /// `new`, `attached`, `detached`, `frozen` or `ended`.
    pub(crate) state: &'static str,
    /// `no`, `leaving`, `done`, or `alone`: no other node would take the rooms.
    pub(crate) drain: &'static str,
    /// Whether there is a connection to the engine.
    pub(crate) engine: bool,
    pub(crate) rooms: Counts,
    /// The others, by their incarnations.
    pub(crate) others: Vec<Other>,
    /// Its rooms, by number, at most [`ROOMS_SHOWN_MAX`].
    pub(crate) owned: Vec<Owned>,
}

/// Another node by the engine's tables.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Other {
    pub(crate) incarnation: String,
    pub(crate) node: String,
    pub(crate) url: String,
    /// In thousandths of its busiest worker's time; `null`: it takes no rooms.
    pub(crate) load: Option<u16>,
    pub(crate) beat: u64,
}

/// A room of this node.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Owned {
    pub(crate) room: RoomId,
    /// `null`: the tables don't have it yet.
    pub(crate) epoch: Option<u64>,
}

/// Of a node whose rooms nobody takes.
pub(super) const ALONE: &str = "alone";
/// Of a node whose rooms have left.
pub(super) const DONE: &str = "done";
/// Rooms in a status: a megabyte of JSON is 20,000 of them.
pub(crate) const ROOMS_SHOWN_MAX: usize = 5000;

impl Status {
    /// Of a node that has not begun.
    pub(super) fn of(name: &Name, me: Incarnation) -> Status {
        Status {
            incarnation: shown(me),
            node: name.node.clone(),
            url: name.url.clone(),
            state: word(State::New),
            drain: drain_word(Drained::No),
            engine: false,
            rooms: Counts::default(),
            others: Vec::new(),
            owned: Vec::new(),
        }
    }
}

/// As it is written everywhere.
pub(crate) fn shown(Incarnation(who): Incarnation) -> String {
    format!("{who:016x}")
}

/// A word for it.
pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Attached => "attached",
        State::Detached => "detached",
        State::Frozen => "frozen",
        State::Ended => "ended",
    }
}

/// A word for it.
pub(crate) fn drain_word(drained: Drained) -> &'static str {
    match drained {
        Drained::No => "no",
        Drained::Leaving => "leaving",
        Drained::Alone => ALONE,
        Drained::Done => DONE,
    }
}

/// Time in a state, in the milliseconds that figures count.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
