//! What the server counts: handles that others bump, and the text that Prometheus reads.
//! Each server has its own recorder, so several can live in one process (tests do). Labels
//! have fixed values only: no player, room or address ever becomes one.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tickwire::protocol::CloseCode;

use crate::logging;

mod describe;
mod process;

/// Upper bounds of the histograms of a tick's time and lateness, in seconds: a period at 30 Hz is
/// 0.033.
const TICK_SECONDS: [f64; 12] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

/// Every figure of one server. Bumping a handle is one atomic addition.
pub struct Metrics {
    /// Sockets accepted on the public port.
    pub connections_accepted: Counter,
    /// Sockets turned away: `max_connections` are open, or a limit of their address was hit.
    pub connections_refused: Counter,
    /// TLS handshakes that failed or took too long.
    pub tls_handshakes_failed: Counter,
    /// Times that a changed certificate could not be used.
    pub certificate_errors: Counter,
    /// Times that an address had as many sockets as it may.
    pub address_connections_hit: Counter,
    /// Times that an address opened sockets faster than it may.
    pub address_connects_hit: Counter,
    /// Times that an address had tried too many codes.
    pub address_guesses_hit: Counter,
    /// Times that an address had made as many rooms as it may.
    pub address_rooms_hit: Counter,
    /// Times that an address had its share of the last places of players.
    pub players_share_hit: Counter,
    /// Times that an address had its share of the last rooms.
    pub rooms_share_hit: Counter,
    /// Sockets without a seat that had to go for others, because as many are open as may be.
    pub connections_sent_away: Counter,
    /// The same of WebSockets that had not said hello.
    pub pre_hello_sent_away: Counter,
    /// Times that a player had made as many rooms as they may.
    pub player_rooms_hit: Counter,
    /// What operators ordered, by the order's word.
    moderated: Vec<(&'static str, Counter)>,
    /// Requests to the administration without its token, or with a wrong one.
    pub admin_unauthorised: Counter,
    /// The same from who had sent too many of those.
    pub admin_limited: Counter,
    /// Requests with the token that could not be carried out.
    pub admin_refused: Counter,
    /// Bans that hold.
    pub bans: Gauge,
    /// Mutes that hold.
    pub mutes: Gauge,
    /// Times that the file of bans and mutes could not be written.
    pub bans_file_errors: Counter,
    /// Chat lines of muted players.
    pub chat_muted: Counter,
    /// Times that a member could not take what was passed on to all yet.
    pub told_late: Counter,
    /// Chat lines that were forgotten before a member could take them.
    pub chat_lost: Counter,
    /// Times that accept failed, most likely for want of file descriptors.
    pub accept_errors: Counter,
    /// Sockets open on the public port now, HTTP included.
    pub connections_open: Gauge,
    /// WebSockets that were opened: handshakes that ended with 101.
    pub sockets_opened: Counter,
    /// WebSockets open now.
    pub sockets_open: Gauge,
    /// Sockets open on the public port now that have no seat in a room, but those of proxies that speak for nobody yet.
    pub sockets_seatless: Gauge,
    /// WebSockets open now that have not said hello.
    pub sockets_pre_hello: Gauge,
    /// WebSockets that ended, by close code: the index is that of [`CloseCode::ALL`], then one
    /// for those whose peer went without a word.
    sockets_closed: Vec<Counter>,
    /// HTTP requests answered, handshakes included.
    pub http_requests: Counter,
    /// Handshakes refused: the page's origin is not allowed.
    pub handshakes_refused_origin: Counter,
    /// Handshakes refused: not a WebSocket handshake, or one that breaks its rules.
    pub handshakes_refused_malformed: Counter,
    /// Handshakes refused: another WebSocket version.
    pub handshakes_refused_version: Counter,
    /// Handshakes refused: the subprotocol was not offered.
    pub handshakes_refused_subprotocol: Counter,
    /// Handshakes refused: the address behind a proxy has, or opened, too many.
    pub handshakes_refused_address: Counter,
    /// Handshakes refused: the server is stopping.
    pub handshakes_refused_stopping: Counter,
    /// Rooms that exist now.
    pub rooms: Gauge,
    /// Rooms that exist now and doze, because nobody in them does anything.
    pub rooms_idle: Gauge,
    /// Rooms that were opened.
    pub rooms_opened: Counter,
    /// Rooms that were closed because their game panicked.
    pub rooms_failed: Counter,
    /// Players whose connection was lost and whose seat is held.
    pub players_dropped: Counter,
    /// Players who took their seat again.
    pub players_resumed: Counter,
    /// Seats given up because nobody came back in time.
    pub seats_expired: Counter,
    /// Players in rooms now, those included whose seat is held.
    pub players: Gauge,
    /// Ticks of all rooms.
    pub ticks: Counter,
    /// Ticks that began over half a period late.
    pub ticks_late: Counter,
    /// Ticks that were left out because the room was too far behind.
    pub ticks_skipped: Counter,
    /// Time that one room's tick took, reading and writing its sockets included, in seconds.
    pub tick_seconds: Histogram,
    /// How long after it was due a room's tick began, in seconds.
    pub tick_lateness_seconds: Histogram,
    /// Times that a room's snapshot rate was halved, because it or its worker was overloaded.
    pub rooms_halved: Counter,
    /// Times that it was doubled again.
    pub rooms_doubled: Counter,
    /// Snapshots handed to sockets.
    pub snapshots_sent: Counter,
    /// Bytes of those.
    pub snapshot_bytes: Counter,
    /// Snapshots not made because older bytes still wait in the client's outbox.
    pub snapshots_skipped_blocked: Counter,
    /// Snapshots not made because too much is unacknowledged.
    pub snapshots_skipped_credit: Counter,
    /// Snapshots put off because others who fell behind were caught up first.
    pub snapshots_skipped_rationed: Counter,
    /// Snapshots against a baseline that no rate tier has, for who was due.
    pub catch_ups: Counter,
    /// Snapshots for slow clients that were not due and had acknowledged everything.
    pub probes: Counter,
    /// Keyframes for who waited in vain to be caught up.
    pub catch_up_keyframes: Counter,
    /// Moves of a client to a rate tier of half its snapshots.
    pub tiers_slower: Counter,
    /// Moves back.
    pub tiers_faster: Counter,
    /// Layer bodies that were keyframes.
    pub keyframes: Counter,
    /// Layer bodies encoded; one may serve many clients.
    pub bodies_encoded: Counter,
    /// Entities beyond what a room may replicate, per tick.
    pub entities_unsent: Counter,
    /// Inputs that reached the tick they were for.
    pub inputs_taken: Counter,
    /// Inputs that came after their tick.
    pub inputs_late: Counter,
    /// Inputs that came twice, too early or to a full queue.
    pub inputs_dropped: Counter,
    /// Ticks of a player that had to do without its input.
    pub inputs_substituted: Counter,
    /// Requests for a keyframe that were granted.
    pub resyncs: Counter,
    /// Requests for a keyframe that came too soon after the one before.
    pub resyncs_refused: Counter,
    /// Images that a client reported as different from the server's. Must stay 0.
    pub desyncs: Counter,
    /// Game events beyond what a tick may have.
    pub events_dropped: Counter,
    /// Messages read from clients.
    pub messages_received: Counter,
    /// Bytes read from clients, frame headers included.
    pub bytes_received: Counter,
    /// Messages that were answered by `Refused`.
    pub messages_refused: Counter,
    /// Messages that cost the sender its connection.
    pub messages_rejected: Counter,
    /// Bytes of control messages handed to sockets.
    pub control_bytes: Counter,
    /// Commands to a worker that found its inbox full.
    pub inboxes_full: Counter,
    /// Rounds of a worker that ended after the next room was due.
    pub loop_overruns: Counter,
    /// Log lines that nobody can read: the queue was full, the system did not take them, there were many of
    /// their kind. The process's, as of the last reading of the figures.
    log_lines_dropped: [Counter; 3],
    /// Memory of the process that is in RAM, in bytes, as of the last reading of the figures.
    resident_memory: Gauge,
    /// CPU time of the process, as of then.
    cpu_seconds: Gauge,
    prometheus: PrometheusHandle,
}

impl Metrics {
    /// A set of figures, all zero.
    ///
    /// # Errors
    /// Not in practice: only if the histogram's bounds were empty.
    pub fn new() -> Result<Metrics, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&TICK_SECONDS)?
            .build_recorder();
        let prometheus = recorder.handle();
        Ok(metrics::with_local_recorder(&recorder, || {
            describe::describe();
            Metrics::registered(prometheus)
        }))
    }

    /// The counter of WebSockets that ended with `code`; `None`: the peer went without one.
    pub fn sockets_closed(&self, code: Option<CloseCode>) -> &Counter {
        let lost = CloseCode::ALL.len();
        let index = code.and_then(|code| CloseCode::ALL.iter().position(|c| *c == code));
        &self.sockets_closed[index.unwrap_or(lost)]
    }

    /// The counter of an operator's orders of this kind.
    pub(crate) fn moderated(&self, action: &str) -> &Counter {
        let of_verb = self.moderated.iter().find(|(word, _)| *word == action);
        // Every verb has one; the first is as good as a panic would be bad.
        &of_verb.unwrap_or(&self.moderated[0]).1
    }

    /// All figures in Prometheus' text format.
    pub fn render(&self) -> String {
        if let Some(bytes) = process::resident_bytes() {
            self.resident_memory.set(bytes as f64);
        }
        if let Some(seconds) = process::cpu_seconds() {
            self.cpu_seconds.set(seconds);
        }
        let lost = logging::lost();
        let lost = [&lost.queue, &lost.write, &lost.repeated].map(logging::read);
        for (counter, lost) in self.log_lines_dropped.iter().zip(lost) {
            counter.absolute(lost);
        }
        self.prometheus.render()
    }

    /// Folds the histogram's fresh samples into its buckets. Call every few seconds: without it
    /// they would pile up for as long as nobody reads the figures.
    pub fn upkeep(&self) {
        self.prometheus.run_upkeep();
    }

    /// Handles of whatever recorder is the thread's now.
    fn registered(prometheus: PrometheusHandle) -> Metrics {
        gauge!("tickwire_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let closed = |code: String| counter!("tickwire_sockets_closed_total", "code" => code);
        let mut sockets_closed: Vec<Counter> = CloseCode::ALL
            .iter()
            .map(|code| closed(code.number().to_string()))
            .collect();
        sockets_closed.push(closed("none".into()));
        let refused = |reason: &'static str| counter!("tickwire_handshakes_refused_total", "reason" => reason);
        let address =
            |limit: &'static str| counter!("tickwire_address_limits_hit_total", "limit" => limit);
        let sent_away =
            |limit: &'static str| counter!("tickwire_sockets_sent_away_total", "limit" => limit);
        let ordered =
            |action: &'static str| counter!("tickwire_moderation_total", "action" => action);
        let actions = ["kick", "ban", "unban", "mute", "unmute"];
        let admin = |reason: &'static str| counter!("tickwire_admin_requests_refused_total", "reason" => reason);
        let skipped =
            |cause: &'static str| counter!("tickwire_snapshots_skipped_total", "cause" => cause);
        let caught_up = |with: &'static str| counter!("tickwire_catch_ups_total", "with" => with);
        let rate = |to: &'static str| counter!("tickwire_snapshot_rate_changes_total", "to" => to);
        let moved = |to: &'static str| counter!("tickwire_lane_moves_total", "to" => to);
        let inputs = |fate: &'static str| counter!("tickwire_inputs_total", "fate" => fate);
        let resyncs = |fate: &'static str| counter!("tickwire_resyncs_total", "fate" => fate);
        Metrics {
            connections_accepted: counter!("tickwire_connections_accepted_total"),
            connections_refused: counter!("tickwire_connections_refused_total"),
            tls_handshakes_failed: counter!("tickwire_tls_handshakes_failed_total"),
            certificate_errors: counter!("tickwire_certificate_errors_total"),
            address_connections_hit: address("connections"),
            address_connects_hit: address("connects"),
            address_guesses_hit: address("guesses"),
            address_rooms_hit: address("rooms"),
            players_share_hit: address("players_share"),
            rooms_share_hit: address("rooms_share"),
            connections_sent_away: sent_away("connections"),
            pre_hello_sent_away: sent_away("ungreeted"),
            player_rooms_hit: counter!("tickwire_player_rooms_hit_total"),
            moderated: actions.map(|word| (word, ordered(word))).into(),
            admin_unauthorised: admin("token"),
            admin_limited: admin("limited"),
            admin_refused: admin("request"),
            bans: gauge!("tickwire_bans"),
            mutes: gauge!("tickwire_mutes"),
            bans_file_errors: counter!("tickwire_bans_file_errors_total"),
            chat_muted: counter!("tickwire_chat_muted_total"),
            told_late: counter!("tickwire_told_late_total"),
            chat_lost: counter!("tickwire_chat_lost_total"),
            accept_errors: counter!("tickwire_accept_errors_total"),
            connections_open: gauge!("tickwire_connections_open"),
            sockets_opened: counter!("tickwire_sockets_opened_total"),
            sockets_open: gauge!("tickwire_sockets_open"),
            sockets_seatless: gauge!("tickwire_sockets_seatless"),
            sockets_pre_hello: gauge!("tickwire_sockets_ungreeted"),
            sockets_closed,
            http_requests: counter!("tickwire_http_requests_total"),
            handshakes_refused_origin: refused("origin"),
            handshakes_refused_malformed: refused("malformed"),
            handshakes_refused_version: refused("version"),
            handshakes_refused_subprotocol: refused("subprotocol"),
            handshakes_refused_address: refused("address"),
            handshakes_refused_stopping: refused("stopping"),
            rooms: gauge!("tickwire_rooms"),
            rooms_idle: gauge!("tickwire_rooms_idle"),
            rooms_opened: counter!("tickwire_rooms_opened_total"),
            rooms_failed: counter!("tickwire_rooms_failed_total"),
            players_dropped: counter!("tickwire_players_dropped_total"),
            players_resumed: counter!("tickwire_players_resumed_total"),
            seats_expired: counter!("tickwire_seats_expired_total"),
            players: gauge!("tickwire_players"),
            ticks: counter!("tickwire_ticks_total"),
            ticks_late: counter!("tickwire_ticks_late_total"),
            ticks_skipped: counter!("tickwire_ticks_skipped_total"),
            tick_seconds: histogram!("tickwire_tick_seconds"),
            tick_lateness_seconds: histogram!("tickwire_tick_lateness_seconds"),
            rooms_halved: rate("halved"),
            rooms_doubled: rate("doubled"),
            snapshots_sent: counter!("tickwire_snapshots_sent_total"),
            snapshot_bytes: counter!("tickwire_snapshot_bytes_total"),
            snapshots_skipped_blocked: skipped("blocked"),
            snapshots_skipped_credit: skipped("credit"),
            snapshots_skipped_rationed: skipped("rationed"),
            catch_ups: caught_up("delta"),
            probes: counter!("tickwire_probes_total"),
            catch_up_keyframes: caught_up("keyframe"),
            tiers_slower: moved("slower"),
            tiers_faster: moved("faster"),
            keyframes: counter!("tickwire_keyframes_total"),
            bodies_encoded: counter!("tickwire_bodies_encoded_total"),
            entities_unsent: counter!("tickwire_entities_unsent_total"),
            inputs_taken: inputs("taken"),
            inputs_late: inputs("late"),
            inputs_dropped: inputs("dropped"),
            inputs_substituted: inputs("substituted"),
            resyncs: resyncs("granted"),
            resyncs_refused: resyncs("refused"),
            desyncs: counter!("tickwire_desyncs_total"),
            events_dropped: counter!("tickwire_events_dropped_total"),
            messages_received: counter!("tickwire_messages_received_total"),
            bytes_received: counter!("tickwire_bytes_received_total"),
            messages_refused: counter!("tickwire_messages_refused_total"),
            messages_rejected: counter!("tickwire_messages_rejected_total"),
            control_bytes: counter!("tickwire_control_bytes_total"),
            inboxes_full: counter!("tickwire_inboxes_full_total"),
            loop_overruns: counter!("tickwire_loop_overruns_total"),
            log_lines_dropped: ["queue", "write", "repeated"].map(
                |cause: &'static str| counter!("tickwire_log_lines_dropped_total", "cause" => cause),
            ),
            resident_memory: gauge!("process_resident_memory_bytes"),
            cpu_seconds: gauge!("tickwire_cpu_seconds"),
            prometheus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_one_server() {
        let (one, other) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.ticks.increment(3);
        one.sockets_closed(Some(CloseCode::TooMany)).increment(1);
        one.sockets_closed(None).increment(2);
        one.tick_seconds.record(0.002);
        let text = one.render();
        assert!(text.contains("\ntickwire_ticks_total 3\n"), "{text}");
        assert!(
            text.contains("tickwire_sockets_closed_total{code=\"4008\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("tickwire_sockets_closed_total{code=\"none\"} 2"),
            "{text}"
        );
        assert!(
            text.contains("tickwire_tick_seconds_bucket{le=\"0.0025\"} 1"),
            "{text}"
        );
        assert!(other.render().contains("\ntickwire_ticks_total 0\n"));
    }

    #[test]
    fn every_figure_is_described() {
        let text = Metrics::new().unwrap().render();
        let undescribed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .filter_map(|line| line.split(' ').next())
            .filter(|name| !text.contains(&format!("# HELP {name} ")))
            .collect();
        assert!(undescribed.is_empty(), "{undescribed:?}");
    }
}
