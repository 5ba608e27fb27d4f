//! What a room counted, added to the server's figures.

use crate::metrics::{GameMetrics, Metrics};
use crate::room::RoomStats;

/// Adds what a room counted since the last time.
pub(super) fn add(stats: &RoomStats, metrics: &Metrics, game: &GameMetrics) {
    let counts = [
        (&metrics.inputs_taken, stats.inputs_taken),
        (&metrics.inputs_late, stats.inputs_late),
        (
            &metrics.inputs_dropped,
            stats.inputs_duplicate + stats.inputs_early,
        ),
        (&metrics.inputs_substituted, stats.inputs_substituted),
        (&metrics.bodies_encoded, stats.bodies_encoded),
        (&metrics.keyframes, stats.keyframes),
        (&game.snapshots_sent, stats.snapshots_sent),
        (&game.snapshot_bytes, stats.snapshot_bytes),
        (&metrics.snapshots_skipped_blocked, stats.skipped_unwritable),
        (&metrics.snapshots_skipped_credit, stats.skipped_credit),
        (&metrics.snapshots_skipped_rationed, stats.skipped_rationed),
        (&metrics.catch_ups, stats.catch_ups),
        (&metrics.probes, stats.probes),
        (&metrics.catch_up_keyframes, stats.catch_up_keyframes),
        (&metrics.tiers_slower, stats.tiers_slower),
        (&metrics.tiers_faster, stats.tiers_faster),
        (&metrics.resyncs, stats.resyncs),
        (&metrics.resyncs_refused, stats.resyncs_refused),
        // A client asks for a keyframe when a checksum differs, and only then.
        (&game.desyncs, stats.resyncs + stats.resyncs_refused),
        (&metrics.players_dropped, stats.players_dropped),
        (&metrics.players_resumed, stats.players_resumed),
        (&metrics.players_moved, stats.players_moved),
        (&metrics.seats_expired, stats.seats_expired),
        (&metrics.chat_muted, stats.chat_muted),
        (&metrics.told_late, stats.told_late),
        (&metrics.chat_lost, stats.chat_lost),
        (&metrics.events_dropped, stats.events_dropped),
        (&metrics.entities_unsent, stats.entities_unsent),
        (&metrics.groups_unheld, stats.groups_unheld),
    ];
    for (counter, count) in counts {
        if count > 0 {
            counter.increment(count);
        }
    }
}
