//! A room as an operator sees it: what each client was sent, what it owes, what waits for it. Made
//! by the room's worker on request, between two turns; `http::ops` shows it as JSON.

use std::time::Instant;

use serde::Serialize;
use tickwire::ids::RoomId;

use crate::room::ClientState;
use crate::transport::Backlog;

/// A room and its clients at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RoomView {
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
    /// Its player's number.
    player: u16,
    /// Its player's name.
    name: String,
    /// Every so many images are meant for it: 1, 2, 4 … 32.
    tier: u32,
    /// Since when it has fallen behind, in milliseconds.
    waiting_ms: Option<u64>,
    /// Snapshots that may be unacknowledged.
    in_flight: u32,
    /// Snapshots that are.
    unacked: u32,
    /// Their bytes.
    unacked_bytes: u32,
    /// The shortest of the last 5 to 10 s, in milliseconds, rounded up to a whole tick.
    round_trip_ms: Option<u64>,
    /// Snapshots sent.
    sent: u64,
    /// Snapshots skipped, by cause.
    skipped_credit: u64,
    skipped_blocked: u64,
    skipped_rationed: u64,
    /// Bytes that wait to be written.
    outbox_bytes: usize,
    /// Since when the kernel has not taken all of them, in milliseconds.
    blocked_ms: Option<u64>,
}

impl ClientView {
    /// A client of a room of so many ticks a second.
    pub(crate) fn new(
        state: &ClientState,
        tick_rate: u16,
        name: &str,
        backlog: &Backlog,
        now: Instant,
    ) -> ClientView {
        let ms = |ticks: u32| u64::from(ticks) * 1000 / u64::from(tick_rate.max(1));
        ClientView {
            player: state.player.0,
            name: name.to_owned(),
            tier: state.tier,
            waiting_ms: state.waiting_ticks.map(ms),
            in_flight: state.in_flight,
            unacked: state.unacked,
            unacked_bytes: state.unacked_bytes,
            round_trip_ms: state.round_trip_ticks.map(ms),
            sent: state.sent,
            skipped_credit: state.skipped_credit,
            skipped_blocked: state.skipped_blocked,
            skipped_rationed: state.skipped_rationed,
            outbox_bytes: backlog.waiting_bytes,
            blocked_ms: backlog
                .blocked_for(now)
                .map(|since| since.as_millis() as u64),
        }
    }
}
