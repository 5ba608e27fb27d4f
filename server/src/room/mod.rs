//! A room as a pure state machine (signatures; bodies follow).
use crate::game::{Game, GameDef, RoomOptions};
use bytes::Bytes;
use std::sync::Arc;
use tickwire::ids::PlayerId;
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::{LeaveReason, Refusal};
/// What a room wants done with its players' connections.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A control message, kind byte included, for one player.
    Control {
        /// Whom.
        to: PlayerId,
        /// The message.
        bytes: Bytes,
    },
    /// The player is no longer in the room and goes back to the lobby with `Left`.
    Depart {
        /// Whom.
        player: PlayerId,
        /// Why.
        reason: LeaveReason,
    },
}
/// Counts since the last call.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoomStats {
    /// Inputs taken in time.
    pub inputs_taken: u64,
    /// Inputs after their tick.
    pub inputs_late: u64,
    /// Inputs for a tick that had one already.
    pub inputs_duplicate: u64,
    /// Inputs too far ahead.
    pub inputs_early: u64,
    /// Ticks of players whose input was missing.
    pub inputs_substituted: u64,
    /// Bodies encoded.
    pub bodies_encoded: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// Snapshots composed.
    pub snapshots_sent: u64,
    /// Their bytes.
    pub snapshot_bytes: u64,
    /// Snapshots skipped because older bytes waited.
    pub skipped_unwritable: u64,
    /// Snapshots skipped for want of credit.
    pub skipped_credit: u64,
    /// Keyframes that clients asked for.
    pub resyncs: u64,
    /// Events beyond the limit.
    pub events_dropped: u64,
    /// Entities beyond the limit.
    pub entities_unsent: u64,
}
/// A room.
pub struct Room<G: Game> {
    _g: Arc<GameDef<G>>,
}
impl<G: Game> Room<G> {
    /// x
    pub fn new(_game: Arc<GameDef<G>>, _options: RoomOptions) -> Room<G> {
        todo!()
    }
    /// x
    pub fn options(&self) -> &RoomOptions {
        todo!()
    }
    /// x
    pub fn join(&mut self, _name: &str) -> Result<PlayerId, Refusal> {
        todo!()
    }
    /// x
    pub fn leave(&mut self, _player: PlayerId) {
        todo!()
    }
    /// x
    pub fn receive(&mut self, _player: PlayerId, _message: &[u8]) -> Result<(), CloseCode> {
        todo!()
    }
    /// x
    pub fn tick(&mut self) {
        todo!()
    }
    /// x
    pub fn snapshot_due(&self) -> bool {
        todo!()
    }
    /// x
    pub fn compose(&mut self, _player: PlayerId, _writable: bool, _out: &mut Vec<u8>) -> bool {
        todo!()
    }
    /// x
    pub fn poll_effect(&mut self) -> Option<Effect> {
        todo!()
    }
    /// x
    pub fn players(&self) -> usize {
        todo!()
    }
    /// x
    pub fn stats(&mut self) -> RoomStats {
        todo!()
    }
}
