//! The operator's log of the operator and their programs: one line for everything that was ordered
//! or tried on the administration's endpoints, and for everything that a program said, with the
//! target [`AUDIT`].
//! All that a peer or an operator wrote stands in fields, which are escaped.

use std::net::SocketAddr;

use super::order::{Order, Outcome};
use crate::logging::AUDIT;

/// An order was carried out.
pub(crate) fn done(who: SocketAddr, order: &Order, outcome: &Outcome) {
    let target = order.target.to_string();
    let until = outcome.until.map(|until| until.to_string());
    tracing::info!(
        target: AUDIT,
        %who,
        action = order.verb.word(),
        against = target.as_str(),
        until = until.as_deref(),
        reason = order.reason.as_str(),
        connections = outcome.connections,
        seats = outcome.seats,
        saved = outcome.saved,
        "done"
    );
}

/// A node was ordered to let its rooms go to others.
pub(crate) fn drained(who: SocketAddr) {
    tracing::info!(target: AUDIT, %who, action = "drain", "done");
}

/// A player was erased from the store.
pub(crate) fn erased(who: SocketAddr, player: &str) {
    tracing::info!(target: AUDIT, %who, action = "erase", against = player, "done");
}

/// What is stored of a player was read.
pub(crate) fn exported(who: SocketAddr, player: &str) {
    tracing::info!(target: AUDIT, %who, action = "export", against = player, "done");
}

/// Something was said to players: to whom, and how many connections and players it reaches now and
/// later.
pub(crate) fn announced(who: SocketAddr, to: &str, text: &str, now: u32, later: u32) {
    tracing::info!(target: AUDIT, %who, action = "announce", to, text, now, later, "done");
}

/// Something was tried that was not done. `action` is what was asked for, `why` is the answer.
pub(crate) fn refused(who: SocketAddr, action: &str, why: &str) {
    tracing::warn!(target: AUDIT, %who, action, why, "refused");
}

/// What a program says.
pub(crate) struct Said {
    pub(crate) who: SocketAddr,
    /// The name of its key.
    pub(crate) by: Box<str>,
    pub(crate) to: String,
    pub(crate) event: Option<String>,
    /// For how long it is kept for who is away.
    pub(crate) kept_s: Option<u64>,
}

/// A program said something to players, or to a room: how many it reaches now and later.
pub(crate) fn said(said: &Said, now: u32, later: u32) {
    tracing::info!(
        target: AUDIT,
        who = %said.who,
        action = "event",
        by = &*said.by,
        to = said.to.as_str(),
        event = said.event.as_deref(),
        kept_s = said.kept_s,
        now,
        later,
        "done"
    );
}
