//! The help texts that Prometheus shows beside the figures of `metrics`.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// Describes every figure to the thread's recorder.
pub(super) fn describe() {
    for (name, text) in COUNTERS.iter().copied() {
        describe_counter!(name, text);
    }
    for (name, text) in GAUGES.iter().copied() {
        describe_gauge!(name, text);
    }
    describe_histogram!(
        "tickwire_tick_seconds",
        "time that one room's tick took, its sockets included"
    );
    describe_histogram!(
        "tickwire_tick_lateness_seconds",
        "from when a room's tick was due to when it began"
    );
}

const GAUGES: &[(&str, &str)] = &[
    (
        "tickwire_connections_open",
        "sockets open on the public port",
    ),
    ("tickwire_sockets_open", "WebSockets open"),
    (
        "tickwire_rooms_idle",
        "rooms in which nobody does anything, which are simulated once a second",
    ),
    (
        "tickwire_sockets_seatless",
        "sockets open on the public port that have no seat in a room",
    ),
    (
        "tickwire_sockets_ungreeted",
        "WebSockets open that have not said hello",
    ),
    (
        "tickwire_cpu_seconds",
        "CPU time of the process, user and kernel",
    ),
    (
        "process_resident_memory_bytes",
        "memory of the process that is in RAM",
    ),
    ("tickwire_bans", "bans that hold"),
    ("tickwire_mutes", "mutes that hold"),
    ("tickwire_rooms", "rooms that exist"),
    ("tickwire_players", "players in rooms"),
    (
        "tickwire_build_info",
        "always 1; the label is the server's version",
    ),
];

const COUNTERS: &[(&str, &str)] = &[
    (
        "tickwire_connections_accepted_total",
        "sockets accepted on the public port",
    ),
    (
        "tickwire_connections_refused_total",
        "sockets turned away because too many are open, or of their address",
    ),
    (
        "tickwire_sockets_sent_away_total",
        "sockets that had to go for newcomers, being of the heaviest prefix, by limit",
    ),
    (
        "tickwire_player_rooms_hit_total",
        "times that a player had made as many rooms as they may",
    ),
    (
        "tickwire_moderation_total",
        "orders of operators that were carried out, by what was ordered",
    ),
    (
        "tickwire_admin_requests_refused_total",
        "requests to the administration that were refused: without its token, too many of those, or \
         with it and not possible",
    ),
    (
        "tickwire_bans_file_errors_total",
        "times that the file of bans and mutes could not be written",
    ),
    (
        "tickwire_chat_muted_total",
        "chat lines that muted players wrote in vain",
    ),
    (
        "tickwire_told_late_total",
        "times that a member could not take yet what is passed on to all of a room: roster and chat",
    ),
    (
        "tickwire_chat_lost_total",
        "chat lines that a room forgot before a member could take them",
    ),
    (
        "tickwire_tls_handshakes_failed_total",
        "TLS handshakes that failed or took too long",
    ),
    (
        "tickwire_certificate_errors_total",
        "times that a changed certificate could not be used",
    ),
    (
        "tickwire_address_limits_hit_total",
        "times that an address came to a limit of its own, by limit",
    ),
    (
        "tickwire_accept_errors_total",
        "failed accepts, most likely for want of file descriptors",
    ),
    ("tickwire_sockets_opened_total", "WebSockets opened"),
    (
        "tickwire_sockets_closed_total",
        "WebSockets ended, by close code",
    ),
    (
        "tickwire_http_requests_total",
        "HTTP requests, handshakes included",
    ),
    (
        "tickwire_handshakes_refused_total",
        "handshakes refused, by reason",
    ),
    ("tickwire_rooms_opened_total", "rooms opened"),
    (
        "tickwire_rooms_failed_total",
        "rooms closed because their game panicked",
    ),
    (
        "tickwire_players_dropped_total",
        "players whose connection was lost and whose seat is held",
    ),
    (
        "tickwire_players_resumed_total",
        "players who took their seat again",
    ),
    (
        "tickwire_seats_expired_total",
        "seats given up because nobody came back in time",
    ),
    ("tickwire_ticks_total", "ticks of all rooms"),
    (
        "tickwire_ticks_late_total",
        "ticks that began over half a period late",
    ),
    (
        "tickwire_ticks_skipped_total",
        "ticks left out because a room was too far behind",
    ),
    (
        "tickwire_snapshot_rate_changes_total",
        "rooms whose snapshot rate was halved for overload, or doubled again",
    ),
    (
        "tickwire_snapshots_sent_total",
        "snapshots handed to sockets",
    ),
    (
        "tickwire_snapshot_bytes_total",
        "bytes of snapshots handed to sockets",
    ),
    (
        "tickwire_snapshots_skipped_total",
        "snapshots not made for a slow client, by cause",
    ),
    (
        "tickwire_catch_ups_total",
        "snapshots for clients that fell behind the others",
    ),
    (
        "tickwire_probes_total",
        "snapshots ahead of their turn for slow clients that had acknowledged everything",
    ),
    (
        "tickwire_lane_moves_total",
        "moves of slow clients to half their snapshots, and back",
    ),
    ("tickwire_keyframes_total", "layer bodies sent whole"),
    (
        "tickwire_bodies_encoded_total",
        "layer bodies encoded; one may serve many clients",
    ),
    (
        "tickwire_entities_unsent_total",
        "entities beyond what a room may replicate, per tick",
    ),
    ("tickwire_inputs_total", "inputs by what became of them"),
    ("tickwire_resyncs_total", "requests for a keyframe"),
    ("tickwire_desyncs_total", "images that differed at a client"),
    (
        "tickwire_events_dropped_total",
        "game events beyond what a tick may have",
    ),
    (
        "tickwire_messages_received_total",
        "messages read from clients",
    ),
    ("tickwire_bytes_received_total", "bytes read from clients"),
    (
        "tickwire_messages_refused_total",
        "requests answered by Refused",
    ),
    (
        "tickwire_messages_rejected_total",
        "messages that cost the sender its connection",
    ),
    (
        "tickwire_control_bytes_total",
        "bytes of control messages handed to sockets",
    ),
    (
        "tickwire_inboxes_full_total",
        "commands that found a worker's inbox full",
    ),
    (
        "tickwire_log_lines_dropped_total",
        "log lines that were not written: too many wait for who reads stderr, the system did not take them, \
         or there were many of their kind",
    ),
    (
        "tickwire_loop_overruns_total",
        "rounds of a worker that ended after a room was due",
    ),
];
