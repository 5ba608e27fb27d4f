//! Every figure of a server, each declared once: kind, name, the handles that others bump with
//! their labels, and the help that Prometheus shows. Fields, registration and help texts follow
//! from it, and a test holds `docs/figures.md` to it. Labels have fixed values only: no player,
//! room or address ever becomes one. Those of one game are `games`'s. Made and read by [`super`].

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::PrometheusRecorder;
use tickwire::protocol::CloseCode;

/// The type of a handle: one, or one for each value of a label.
macro_rules! handle {
    (counter) => { Counter };
    (gauge) => { Gauge };
    (histogram) => { Histogram };
    ($kind:ident $by:ident) => { Vec<handle!($kind)> };
}

/// A handle of whatever recorder is the thread's now.
macro_rules! register {
    ($kind:ident $name:ident $help:literal) => {
        $kind!(description: $help, stringify!($name))
    };
    ($kind:ident $name:ident $help:literal $label:ident = $value:expr) => {
        $kind!(description: $help, stringify!($name), stringify!($label) => $value)
    };
    ($kind:ident $name:ident $help:literal $label:ident in $values:expr) => {
        $values.into_iter().map(|value| register!($kind $name $help $label = value)).collect()
    };
}

/// Figures as `kind name { handles } help`. A handle is a field's name, then `(label = value)` if
/// the figure has others beside it, or `[label in values]` for a list of handles.
macro_rules! figures {
    ($($kind:ident $name:ident {
        $($field:ident $(($label:ident = $value:literal))? $([$by:ident in $values:expr])?),+ $(,)?
    } $help:literal)+) => {
        /// Every figure of one server. Bumping a handle is one atomic addition.
        pub struct Metrics {
            $($(
                #[doc = concat!($help $(, ": `", stringify!($label), "=", $value, "`")?)]
                pub $field: handle!($kind $($by)?),
            )+)+
            pub(super) recorder: Arc<PrometheusRecorder>,
        }

        impl Metrics {
            /// Handles of this recorder, all zero.
            pub(super) fn register(recorder: Arc<PrometheusRecorder>) -> Metrics {
                metrics::with_local_recorder(&*recorder, || Metrics {
                    $($(
                        $field: register!(
                            $kind $name $help $($label = $value)? $($by in $values)?
                        ),
                    )+)+
                    recorder: recorder.clone(),
                })
            }
        }
    };
}

pub(super) use {handle, register};

/// What operators may order; see `moderation::order`.
pub(super) const ORDERS: [&str; 5] = ["kick", "ban", "unban", "mute", "unmute"];

/// What is asked for on the programs' port; see `http::api`.
pub(crate) const API_ROUTES: [&str; 8] = [
    "openapi", "rooms", "presence", "boards", "matches", "history", "events", "none",
];

/// What becomes of it: 2xx, 401, 429, any other 4xx, 5xx.
pub(super) const API_OUTCOMES: [&str; 5] =
    ["served", "unauthorised", "limited", "refused", "failed"];

/// What is stored, in the order of `store::record::Kind::ALL`, which a test there compares.
pub(crate) const RECORDS: [&str; 6] = ["chat", "presence", "notice", "block", "sanction", "result"];

/// What a web hook is told, in the order of `store::outbox::Kind`.
pub(super) const WEBHOOKS: [&str; 2] = ["chat", "result"];

/// In the order of [`CloseCode::ALL`], then one for peers that went without a word.
fn close_codes() -> impl Iterator<Item = String> {
    let codes = CloseCode::ALL.iter().map(|code| code.number().to_string());
    codes.chain(["none".to_owned()])
}

figures! {
    counter tickwire_connections_accepted_total { connections_accepted }
        "sockets accepted on the public port"
    counter tickwire_connections_refused_total { connections_refused }
        "sockets turned away because too many are open, or of their address"
    counter tickwire_tls_handshakes_failed_total { tls_handshakes_failed }
        "TLS handshakes that failed or took too long"
    counter tickwire_certificate_errors_total { certificate_errors }
        "times that a changed certificate could not be used"
    counter tickwire_address_limits_hit_total {
        address_connections_hit(limit = "connections"),
        address_connects_hit(limit = "connects"),
        address_guesses_hit(limit = "guesses"),
        address_rooms_hit(limit = "rooms"),
        players_share_hit(limit = "players_share"),
        rooms_share_hit(limit = "rooms_share"),
    }
        "times that an address came to a limit of its own, by limit"
    counter tickwire_sockets_sent_away_total {
        connections_sent_away(limit = "connections"),
        pre_hello_sent_away(limit = "ungreeted"),
    }
        "sockets that had to go for newcomers, being of the heaviest prefix, by limit"
    counter tickwire_player_rooms_hit_total { player_rooms_hit }
        "times that a player had made as many rooms as they may"
    counter tickwire_moderation_total { moderated[action in ORDERS] }
        "orders of operators that were carried out, by what was ordered"
    counter tickwire_notices_total {
        notices_now_only(class = "now"),
        notices_durable(class = "durable"),
    }
        "notices that were given out, by whether they are kept for who is away"
    counter tickwire_notices_dropped_total { notices_dropped }
        "notices to connections that were lost for want of room, or to clients that know of none"
    gauge tickwire_notices_kept { notices_kept }
        "notices that players have not seen, each as often as it waits for one, and those for all"
    counter tickwire_lines_total {
        lines_lobby(channel = "lobby"),
        lines_direct(channel = "direct"),
        lines_party(channel = "party"),
    }
        "lines that were said outside of rooms, by kind of channel"
    counter tickwire_lines_dropped_total { lines_dropped }
        "lines outside of rooms that a connection did not take in time: its client reads them later"
    counter tickwire_typings_total { typings_told }
        "times that it was told outside of rooms who is writing a line"
    counter tickwire_lines_muted_total { people_muted }
        "lines outside of rooms that were refused because an operator had muted the player"
    counter tickwire_people_refused_total { people_refused }
        "requests about people and channels outside of rooms for which there was no place"
    gauge tickwire_lending_is_home { is_home }
        "whether this server is the home of what players have in common (1; a server alone is)"
    gauge tickwire_lending_connections { connections_lent }
        "connections of other nodes that are lent to this one, the home"
    counter tickwire_lending_begun_total { lendings_begun }
        "times that this node began to lend its connections to a home: another node became it, or \
        frames were lost"
    counter tickwire_lending_frames_total {
        lending_frames_sent(way = "sent"),
        lending_frames_received(way = "received"),
    }
        "frames of what players have in common that went to other nodes, or came from them; one a \
        second and node says that there is nothing"
    counter tickwire_lending_lines_total { lines_sent_on }
        "lines that the home sent to other nodes, each once to a node that has somebody who hears it"
    counter tickwire_lending_requests_refused_total { lending_requests_refused }
        "what clients asked that no home answered in time, or for which there was no place"
    gauge tickwire_watches { watches }
        "players whom connections watch, each as often as they are watched"
    counter tickwire_watches_refused_total { watches_refused }
        "players whom a connection wanted to watch beyond what the server does"
    counter tickwire_presences_total { presences }
        "times that a connection was to be told where somebody is whom it watches"
    counter tickwire_history_pages_total {
        history_pages(answer = "page"),
        history_refused(answer = "busy"),
    }
        "pages of what was said that connections asked for and that were read, by whether they got \
        one: not where too many are read (busy), or the store fails and the room remembers nothing"
    counter tickwire_boards_read_total {
        boards_read(outcome = "read"),
        boards_unread(outcome = "failed"),
    }
        "boards that were read for pages, by whether they could be"
    counter tickwire_boards_refused_total {
        boards_refused(what = "board"),
        places_refused(what = "place"),
    }
        "answers to pages that there was none of: too many boards are asked for (board), too many \
        ask where they stand or the store can't be read (place)"
    counter tickwire_admin_requests_refused_total {
        admin_unauthorised(reason = "token"),
        admin_limited(reason = "limited"),
        admin_refused(reason = "request"),
    }
        "requests to the administration that were refused: without its token, too many of those, \
        or with it and not possible"
    counter tickwire_api_requests_total { api_requests[route in API_ROUTES] }
        "requests to the programs' port (--api-listen), by what was asked for"
    counter tickwire_api_answers_total { api_answers[outcome in API_OUTCOMES] }
        "answers of the programs' port: what was asked for (served), no key or a wrong one \
        (unauthorised), too many requests of a key or wrong keys of an address (limited), another \
        4xx (refused), 5xx (failed)"
    gauge tickwire_engine_connected { engine_connected }
        "1 while there is a connection to the cluster's engine"
    counter tickwire_engine_connections_total { engine_connections }
        "connections to the cluster's engine that were made"
    counter tickwire_engine_errors_total {
        engine_late(kind = "late"),
        engine_refused(kind = "refused"),
        engine_garbled(kind = "garbled"),
        engine_values(kind = "value"),
        engine_unreplicated(kind = "unreplicated"),
        engine_dropped(kind = "dropped"),
    }
        "what went wrong with the cluster's engine: no answer in time, one that is an error or none \
        of those there are, stored values that are none, changes of ownership that no replica had \
        in time, commands that were for a connection before"
    gauge tickwire_cluster_nodes { cluster_nodes }
        "nodes that beat by the engine's tables, this one too; 0: the server is alone"
    gauge tickwire_cluster_rooms {
        rooms_in_tables(stage = "played"),
        rooms_new(stage = "new"),
        rooms_fetching(stage = "fetching"),
        rooms_leaving(stage = "leaving"),
    }
        "rooms of this node: played, played and not in the engine's tables yet (new), taken over and \
        not played yet (fetching), on their way to another node (leaving)"
    counter tickwire_rooms_adopted_total { rooms_adopted }
        "rooms that this node took over from others and from its own process before"
    counter tickwire_rooms_handed_over_total { rooms_handed_over }
        "rooms of this node that other nodes have now"
    counter tickwire_node_milliseconds_total {
        node_frozen_ms(state = "frozen"),
        node_detached_ms(state = "detached"),
    }
        "time in which this node's rooms stood still because others may have had them (frozen), or \
        were played without the engine (detached)"
    counter tickwire_node_incarnations_total { node_incarnations }
        "times that this node lost its rooms to others and went on without"
    counter tickwire_peers_refused_total {
        peer_key_wrong(reason = "key"),
        peer_handshakes_failed(reason = "handshake"),
        peer_strangers_sent_away(reason = "ungreeted"),
        peers_crowded(reason = "crowded"),
    }
        "connections between nodes that came to nothing: another cluster key, no handshake in time \
        or none at all, one of too many without one, too many peers"
    counter tickwire_store_records_total { store_written[kind in RECORDS] }
        "records that were written to the store (--store), by kind"
    counter tickwire_store_records_lost_total { store_lost[kind in RECORDS] }
        "records that were not stored, because too many waited, the database refused them or the \
        server stopped, by kind"
    counter tickwire_webhook_requests_total {
        webhook_taken(outcome = "taken"),
        webhook_refused(outcome = "refused"),
        webhook_unanswered(outcome = "unanswered"),
    }
        "requests to the web hook (--webhook-url), by whether it took what it was told, answered \
        otherwise, or did not"
    counter tickwire_webhook_lost_total { webhook_lost[kind in WEBHOOKS] }
        "results and lines that the web hook was not told: it took none for 24 h, or too many \
        waited; by kind"
    gauge tickwire_store_queue_records { store_queue_records }
        "records that wait to be stored"
    gauge tickwire_store_queue_bytes { store_queue_bytes }
        "their bytes"
    counter tickwire_store_errors_total {
        store_write_errors(on = "write"),
        store_read_errors(on = "read"),
    }
        "times that the store's database took nothing, or gave nothing in time"
    gauge tickwire_bans { bans }
        "bans that hold"
    gauge tickwire_mutes { mutes }
        "mutes that hold"
    counter tickwire_bans_file_errors_total { bans_file_errors }
        "times that the file of bans and mutes could not be written"
    counter tickwire_chat_muted_total { chat_muted }
        "chat lines that muted players wrote in vain"
    counter tickwire_told_late_total { told_late }
        "times that a member could not take yet what is passed on to all of a room: roster and \
        chat"
    counter tickwire_chat_lost_total { chat_lost }
        "chat lines that a room forgot before a member could take them"
    counter tickwire_checkpoints_total { checkpoints }
        "rooms' states that were kept (--state-file)"
    counter tickwire_checkpoints_failed_total {
        checkpoints_unsaved(stage = "save"),
        checkpoints_unwritten(stage = "write"),
    }
        "rooms' states that could not be kept: their game could not say them, or the disk did not \
        take them"
    counter tickwire_checkpoints_fenced_total { checkpoints_fenced }
        "rooms' states that the cluster's engine refused, because the room is another node's by now"
    counter tickwire_checkpoints_replaced_total { checkpoints_replaced }
        "rooms' states that were not written, because newer ones came before"
    gauge tickwire_checkpoint_age_seconds { checkpoint_age }
        "age of what is kept of the room that is furthest behind; 0: all is kept"
    gauge tickwire_checkpoint_bytes { checkpoint_bytes }
        "bytes of what is kept of all rooms"
    counter tickwire_rooms_restored_total { rooms_restored }
        "rooms that were there again at the start"
    counter tickwire_checkpoints_refused_total { checkpoints_refused }
        "rooms' states that could not be used at the start, and were set aside"
    counter tickwire_accept_errors_total { accept_errors }
        "failed accepts, most likely for want of file descriptors"
    gauge tickwire_connections_open { connections_open }
        "sockets open on the public port"
    counter tickwire_sockets_opened_total { sockets_opened }
        "connections of clients opened, by whichever transport"
    gauge tickwire_sockets_open { sockets_open }
        "connections of clients open"
    counter tickwire_clients_total {
        clients_by_websocket(transport = "websocket"),
        clients_by_stream(transport = "http_stream"),
    }
        "clients that came in, by transport"
    counter tickwire_stream_answers_total {
        stream_answers_streamed(by = "stream"),
        stream_answers_polled(by = "poll"),
    }
        "answers in which clients without a WebSocket asked for messages, by whether they stream"
    counter tickwire_stream_requests_refused_total {
        stream_requests_refused_origin(reason = "origin"),
        stream_requests_refused_address(reason = "address"),
        stream_requests_refused_full(reason = "full"),
        stream_requests_refused_stopping(reason = "stopping"),
        stream_requests_refused_version(reason = "version"),
        stream_requests_refused_malformed(reason = "malformed"),
        stream_requests_refused_unknown(reason = "unknown"),
        stream_requests_refused_order(reason = "order"),
        stream_requests_refused_waiting(reason = "waiting"),
    }
        "requests of clients without a WebSocket that were refused: not let in (origin, address, \
        full, stopping, version), not as they must be (malformed), for no stream that there is \
        (unknown), a batch that is not the next one (order) or that has to come again (waiting)"
    counter tickwire_stream_batches_repeated_total { stream_batches_repeated }
        "batches of messages that came again and were not taken twice"
    gauge tickwire_sockets_seatless { sockets_seatless }
        "sockets open on the public port that have no seat in a room"
    gauge tickwire_sockets_ungreeted { sockets_pre_hello }
        "connections of clients open that have not said hello"
    counter tickwire_sockets_closed_total { sockets_closed[code in close_codes()] }
        "connections of clients ended, by close code"
    counter tickwire_http_requests_total { http_requests }
        "HTTP requests, handshakes included"
    counter tickwire_handshakes_refused_total {
        handshakes_refused_origin(reason = "origin"),
        handshakes_refused_malformed(reason = "malformed"),
        handshakes_refused_version(reason = "version"),
        handshakes_refused_subprotocol(reason = "subprotocol"),
        handshakes_refused_address(reason = "address"),
        handshakes_refused_stopping(reason = "stopping"),
    }
        "handshakes refused, by reason"
    counter tickwire_players_dropped_total { players_dropped }
        "players whose connection was lost and whose seat is held"
    counter tickwire_players_resumed_total { players_resumed }
        "players who took their seat again"
    counter tickwire_players_moved_total { players_moved }
        "players who went on over another connection while the one before was there"
    counter tickwire_seats_expired_total { seats_expired }
        "seats given up because nobody came back in time"
    histogram tickwire_tick_lateness_seconds { tick_lateness_seconds }
        "from when a room's tick was due to when it began"
    counter tickwire_snapshot_rate_changes_total {
        rooms_halved(to = "halved"),
        rooms_doubled(to = "doubled"),
    }
        "rooms whose snapshot rate was halved for overload, or doubled again"
    counter tickwire_rooms_moved_total { rooms_moved }
        "rooms that a worker with much to do handed to one with less"
    counter tickwire_snapshots_skipped_total {
        snapshots_skipped_blocked(cause = "blocked"),
        snapshots_skipped_credit(cause = "credit"),
        snapshots_skipped_rationed(cause = "rationed"),
    }
        "snapshots not made for a slow client: older bytes still wait in its outbox (blocked), \
        too much is unacknowledged (credit), others were caught up first (rationed)"
    counter tickwire_catch_ups_total {
        catch_ups(with = "delta"),
        catch_up_keyframes(with = "keyframe"),
    }
        "snapshots for clients that fell behind the others, as a delta or, for who waited in \
        vain, as a keyframe"
    counter tickwire_probes_total { probes }
        "snapshots ahead of their turn for slow clients that had acknowledged everything"
    counter tickwire_lane_moves_total { tiers_slower(to = "slower"), tiers_faster(to = "faster") }
        "moves of slow clients to half their snapshots, and back"
    counter tickwire_keyframes_total { keyframes }
        "layer bodies sent whole"
    counter tickwire_bodies_encoded_total { bodies_encoded }
        "layer bodies encoded; one may serve many clients"
    counter tickwire_entities_unsent_total { entities_unsent }
        "entities beyond what a room may replicate, per tick"
    counter tickwire_groups_unheld_total { groups_unheld }
        "groups that a game shows a player beyond the 121 that one can hold, per image"
    counter tickwire_inputs_total {
        inputs_taken(fate = "taken"),
        inputs_late(fate = "late"),
        inputs_dropped(fate = "dropped"),
        inputs_substituted(fate = "substituted"),
    }
        "inputs that reached their tick (taken), came after it (late), came twice, too early or \
        to a full queue (dropped), and ticks of a player without one (substituted)"
    counter tickwire_resyncs_total {
        resyncs(fate = "granted"),
        resyncs_refused(fate = "refused"),
    }
        "requests for a keyframe, refused where they came too soon after the one before"
    counter tickwire_events_dropped_total { events_dropped }
        "game events beyond what a tick may have"
    counter tickwire_messages_received_total { messages_received }
        "messages read from clients"
    counter tickwire_bytes_received_total { bytes_received }
        "bytes read from clients"
    counter tickwire_messages_refused_total { messages_refused }
        "requests answered by Refused"
    counter tickwire_messages_rejected_total { messages_rejected }
        "messages that cost the sender its connection"
    counter tickwire_control_bytes_total { control_bytes }
        "bytes of control messages handed to sockets"
    counter tickwire_inboxes_full_total { inboxes_full }
        "commands that found a worker's inbox full"
    counter tickwire_loop_overruns_total { loop_overruns }
        "rounds of a worker that ended after a room was due"
    counter tickwire_log_lines_dropped_total {
        log_lines_dropped[cause in["queue", "write", "repeated"]],
    }
        "log lines that were not written: too many wait for who reads stderr, the system did not \
        take them, or there were many of their kind"
    gauge process_resident_memory_bytes { resident_memory }
        "memory of the process that is in RAM"
    gauge tickwire_cpu_seconds { cpu_seconds }
        "CPU time of the process, user and kernel"
    gauge tickwire_build_info { build_info[version in[env!("CARGO_PKG_VERSION")]] }
        "always 1; the label is the server's version"
}
