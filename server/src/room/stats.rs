//! What a room counts, for the metrics.

/// Counts since they were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomStats {
    /// Inputs that reached their tick's queue in time.
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
    /// Their bytes, without WebSocket framing.
    pub snapshot_bytes: u64,
    /// Snapshots skipped because older bytes waited.
    pub skipped_unwritable: u64,
    /// Snapshots skipped for want of room in the in-flight window.
    pub skipped_credit: u64,
    /// Snapshots put off because others who fell behind came first.
    pub skipped_rationed: u64,
    /// Snapshots against a baseline that no rate tier has, for who was due.
    pub catch_ups: u64,
    /// Snapshots for slow clients that were not due and had acknowledged everything.
    pub probes: u64,
    /// Keyframes for who waited in vain to be caught up.
    pub catch_up_keyframes: u64,
    /// Times that a client moved to a slower rate tier: to half its snapshots, or back from a leap.
    pub tiers_slower: u64,
    /// Times that a client moved to a faster rate tier.
    pub tiers_faster: u64,
    /// Keyframes that clients asked for because a checksum differed.
    pub resyncs: u64,
    /// Requests for keyframes that came too soon.
    pub resyncs_refused: u64,
    /// Players whose connection was lost and whose seat is held.
    pub players_dropped: u64,
    /// Players who took their seat again.
    pub players_resumed: u64,
    /// Players who went on over another connection, without having been away.
    pub players_moved: u64,
    /// Seats given up because nobody came back.
    pub seats_expired: u64,
    /// Chat lines of players who may not chat.
    pub chat_muted: u64,
    /// Times that a member could not take what was passed on to all, and gets it with a later tick.
    pub told_late: u64,
    /// Chat lines that a member could not take until the room had forgotten them.
    pub chat_lost: u64,
    /// Events beyond the limit of a tick.
    pub events_dropped: u64,
    /// Groups that somebody was to hold beyond what one can, summed over images.
    pub groups_unheld: u64,
    /// Entities that found no slot, summed over images.
    pub entities_unsent: u64,
    /// Whether some did for the first time in this room's life.
    pub entities_unsent_first: bool,
}
