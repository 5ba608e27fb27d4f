//! What a run comes to, as a table for people and as JSON for programs: types and their text only.
//! Drawn up by `judge`, printed by `main`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// A run's figures. All but `bots_connected`, `desyncs` and `disconnects`, which are of the whole
/// run, are of the measured part, after the ramp. A figure without a sample is `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Bots with a seat when the measured part began.
    pub bots_connected: u64,
    /// Snapshots a second that all bots together applied.
    pub snapshots_per_s: f64,
    /// From one snapshot to the next at a bot, in milliseconds.
    pub gap_ms: Gap,
    /// The same by when the snapshots reached the bots' sockets, however late the bots then got a
    /// turn to read them: what of a gap is the server's and the network's. `null` where the system
    /// does not tell.
    pub arrival_gap_ms: Gap,
    /// From an input's sending to the first snapshot whose `input_tick` reaches its tick, in
    /// milliseconds.
    pub latency_ms: Latency,
    /// Lines that bots said, with `--say`.
    pub lines_said: u64,
    /// How often one of them was heard: by each bot of its room.
    pub lines_heard: u64,
    /// From a line's saying to a bot's hearing it, in milliseconds.
    pub line_ms: Return,
    /// Bytes of the messages that a bot received a second, WebSocket and TCP headers left out.
    pub bytes_per_client_per_s: f64,
    /// Layers whose checksum disagreed.
    pub desyncs: u64,
    /// Connections that ended before the swarm did, by close code: 1006 for one that was cut
    /// off, `left` for a bot sent out of its room, `error` for one that could not go on.
    pub disconnects: BTreeMap<String, u64>,
    /// Bots that were asked for.
    pub bots: u64,
    /// Length of the measured part, in seconds.
    pub measured_s: f64,
    /// Bytes of a snapshot, on average.
    pub bytes_per_snapshot: Option<f64>,
    /// Snapshot bytes by entities whose state changed since the snapshot before, as one bot of
    /// each room counts them.
    pub bytes_per_moving_entity: Option<f64>,
    /// Inputs a second that a bot sent.
    pub inputs_per_client_per_s: f64,
    /// Snapshots of ticks for which the server had to replace the bot's input, of all.
    pub substituted_share: Option<f64>,
    /// The server's CPU time by snapshots sent, in microseconds: all of it, ticks and inputs too.
    pub server_cpu_us_per_snapshot: Option<f64>,
    /// 99th percentile of the gaps before hostile bots or spectators came or some became slow, in
    /// milliseconds.
    pub calm_gap_p99_ms: Option<f64>,
    /// The same from arrival to arrival at the bots' sockets, where the system tells.
    pub calm_arrival_gap_p99_ms: Option<f64>,
    /// The server's resident memory in MiB, at a third of the measured part and at its end.
    pub server_memory_mib: Option<[f64; 2]>,
    /// Bots that read little or nothing for a while.
    pub slow_bots: u64,
    /// Those that then held their room's current state.
    pub slow_recovered: u64,
    /// Ticks that the last of them took for it.
    pub slow_recovery_ticks: u32,
    /// Connections that bots lost, on purpose or with their node.
    pub drops: u64,
    /// Bots that were sent out of their rooms to another node.
    pub moves: u64,
    /// Connections that bots opened because a server said that it would probably send them there.
    pub prepared: u64,
    /// Those of them on which bots were then sent there.
    pub prepared_used: u64,
    /// Bots that then had their seats again, with a snapshot.
    pub returns: u64,
    /// Those of them with another seat or figure than before.
    pub strayed: u64,
    /// Tries to come back that came to nothing.
    pub return_retries: u64,
    /// From the loss to the first snapshot, random distances of the bots' tries included, in
    /// milliseconds.
    pub return_ms: Return,
    /// Lost or sent away, and never back: their seats are lost for good.
    pub seats_lost: u64,
    /// From the last snapshot before a loss, or before being sent away, to the first one after, in
    /// milliseconds.
    pub return_gap_ms: Return,
    /// How far play had fallen back in that snapshot, in milliseconds of the room's ticks.
    pub lost_play_ms: Return,
    /// By kind of breach, the close codes that hostile bots got; 0 for none in time.
    pub hostile: BTreeMap<String, BTreeMap<String, u64>>,
    /// Spectators that were asked for.
    pub spectators: u64,
    /// Those that were in a room when the part with them began.
    pub spectators_connected: u64,
    /// Snapshots a second that all of them together applied.
    pub spectator_snapshots_per_s: f64,
    /// From one snapshot to the next at a spectator, in milliseconds.
    pub spectator_gap_ms: Gap,
    /// The same by when the snapshots reached their sockets.
    pub spectator_arrival_gap_ms: Gap,
    /// Bytes of the messages that a spectator received a second.
    pub spectator_bytes_per_client_per_s: f64,
    /// Layers of spectators whose checksum disagreed.
    pub spectator_desyncs: u64,
    /// Spectators' connections that ended before the swarm did, by close code.
    pub spectator_disconnects: BTreeMap<String, u64>,
    /// What went wrong in words, and how often.
    pub troubles: BTreeMap<String, u64>,
    /// What was to be, and whether it was.
    pub objectives: Vec<Objective>,
}

/// Quantiles of the gaps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// Median.
    pub p50: Option<f64>,
    /// 99 of 100 are no longer.
    pub p99: Option<f64>,
    /// 999 of 1,000 are no longer.
    pub p999: Option<f64>,
}

/// Quantiles of the latency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Median.
    pub p50: Option<f64>,
    /// 99 of 100 are no longer.
    pub p99: Option<f64>,
}

/// Quantiles of a time, and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Return {
    /// Median.
    pub p50: Option<f64>,
    /// 99 of 100 are no longer.
    pub p99: Option<f64>,
    /// None is longer.
    pub max: Option<f64>,
}

/// Something that a run is judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objective {
    /// What is stated.
    pub stated: String,
    /// What was measured.
    pub measured: String,
    /// Whether it was met.
    pub met: bool,
}

impl Report {
    /// Whether all objectives were met.
    pub fn passed(&self) -> bool {
        self.objectives.iter().all(|objective| objective.met)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        let number = |n: Option<f64>| n.map_or("-".to_owned(), |n| format!("{n:.2}"));
        let codes = |codes: &BTreeMap<String, u64>| match codes.len() {
            0 => "none".to_owned(),
            _ => {
                let parts = codes.iter().map(|(code, count)| format!("{code}: {count}"));
                parts.collect::<Vec<_>>().join(", ")
            }
        };
        let share = |n: Option<f64>| n.map_or("-".to_owned(), |n| format!("{:.1} %", n * 100.0));
        let gap = |gap: &Gap| format!("{} / {} / {}", ms(gap.p50), ms(gap.p99), ms(gap.p999));
        let times = |of: &Return| format!("{} / {} / {}", ms(of.p50), ms(of.p99), ms(of.max));
        let Latency { p50, p99 } = self.latency_ms;
        let bots = format!("{} of {}", self.bots_connected, self.bots);
        let mut rows = vec![
            ("bots connected", bots),
            ("measured, after the ramp", format!("{} s", self.measured_s)),
            ("snapshots/s", format!("{:.1}", self.snapshots_per_s)),
            ("gap p50 / p99 / p99.9 ms", gap(&self.gap_ms)),
            ("  on arrival", gap(&self.arrival_gap_ms)),
            ("latency p50 / p99 ms", format!("{} / {}", ms(p50), ms(p99))),
            (
                "bytes/s per client",
                format!("{:.0}", self.bytes_per_client_per_s),
            ),
            ("bytes per snapshot", number(self.bytes_per_snapshot)),
            (
                "bytes per moving entity",
                number(self.bytes_per_moving_entity),
            ),
            (
                "inputs/s per client",
                format!("{:.1}", self.inputs_per_client_per_s),
            ),
            ("inputs replaced", share(self.substituted_share)),
            ("desyncs", self.desyncs.to_string()),
            ("disconnects by close code", codes(&self.disconnects)),
        ];
        if self.lines_said > 0 {
            let (said, heard) = (self.lines_said, self.lines_heard);
            rows.push(("lines said / heard", format!("{said} / {heard}")));
            rows.push(("  after p50 / p99 / max ms", times(&self.line_ms)));
        }
        if let Some(us) = self.server_cpu_us_per_snapshot {
            rows.push(("server CPU us per snapshot", format!("{us:.2}")));
        }
        if let Some(calm) = self.calm_gap_p99_ms {
            rows.push(("gap p99 ms before", format!("{calm:.1}")));
        }
        if let Some(calm) = self.calm_arrival_gap_p99_ms {
            rows.push(("  on arrival", format!("{calm:.1}")));
        }
        if let Some([early, late]) = self.server_memory_mib {
            rows.push(("server MiB early / late", format!("{early:.1} / {late:.1}")));
        }
        if self.drops > 0 {
            rows.push(("back after p50 / p99 / max ms", times(&self.return_ms)));
            rows.push(("tries that failed", self.return_retries.to_string()));
        }
        if self.drops + self.moves > 0 {
            let (lost, moved) = (self.drops, self.moves);
            rows.push(("lost / sent elsewhere", format!("{lost} / {moved}")));
            let (opened, used) = (self.prepared, self.prepared_used);
            rows.push(("  opened before / used", format!("{opened} / {used}")));
            rows.push(("  without snapshots ms", times(&self.return_gap_ms)));
            rows.push(("  play lost ms", times(&self.lost_play_ms)));
            let (gone, other) = (self.seats_lost, self.strayed);
            rows.push(("seats lost / others", format!("{gone} / {other}")));
        }
        if self.spectators > 0 {
            let in_room = format!("{} of {}", self.spectators_connected, self.spectators);
            rows.push(("spectators connected", in_room));
            let rate = format!("{:.1}", self.spectator_snapshots_per_s);
            rows.push(("their snapshots/s", rate));
            rows.push(("their gaps ms", gap(&self.spectator_gap_ms)));
            rows.push(("  on arrival", gap(&self.spectator_arrival_gap_ms)));
            let bytes = format!("{:.0}", self.spectator_bytes_per_client_per_s);
            rows.push(("their bytes/s each", bytes));
            rows.push(("their disconnects", codes(&self.spectator_disconnects)));
        }
        for (name, value) in rows {
            writeln!(f, "{name:<30}{value}")?;
        }
        for (breach, answered) in &self.hostile {
            writeln!(
                f,
                "{:<30}{}",
                format!("closed for {breach}"),
                codes(answered)
            )?;
        }
        for (trouble, count) in &self.troubles {
            writeln!(f, "{:<30}{trouble}", format!("trouble, {count} times"))?;
        }
        writeln!(f)?;
        for objective in &self.objectives {
            let verdict = if objective.met { "met" } else { "MISSED" };
            let (stated, measured) = (&objective.stated, &objective.measured);
            writeln!(f, "{verdict:<8}{stated:<40}{measured}")?;
        }
        Ok(())
    }
}
