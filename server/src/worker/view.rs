//! A room as an operator sees it: what each client was sent, what it owes, what waits for it. Made
//! by the room's worker on request, between two turns; `http::ops` shows it as JSON.

use std::time::Instant;

use serde::Serialize;
use tickwire::ids::RoomId;

use super::Client;
use crate::room::ClientState;

/// A room and its clients at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RoomView {
    /// Its game's name.
    pub(crate) game: &'static str,
    /// Its number.
    pub(crate) id: RoomId,
    /// Its name.
    pub(crate) name: String,
    /// Its newest tick.
    pub(crate) tick: u32,
    /// Ticks a second.
    pub(crate) tick_rate: u16,
    /// Ticks from one snapshot to the next, now.
    pub(crate) snapshot_every: u32,
    /// By player number.
    pub(crate) clients: Vec<ClientView>,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClientView {
    #[serde(flatten)]
    state: ClientState,
    /// Its player's name.
    name: Box<str>,
    /// Bytes that wait to be written.
    outbox_bytes: usize,
    /// Since when the kernel has not taken all of them, in milliseconds.
    blocked_ms: Option<u64>,
}

impl ClientView {
    /// What its room says of it, and its connection, if it has one, at `now`.
    pub(crate) fn new(state: ClientState, client: Option<&Client>, now: Instant) -> ClientView {
        let backlog = client.map(|client| client.conn.backlog());
        let backlog = backlog.unwrap_or_default();
        let blocked = backlog.blocked_for(now);
        ClientView {
            state,
            name: client
                .and_then(|client| client.session.name.clone())
                .unwrap_or_default(),
            outbox_bytes: backlog.waiting_bytes,
            blocked_ms: blocked.map(|since| since.as_millis() as u64),
        }
    }
}
