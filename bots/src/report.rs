//! What a run comes to: figures, objectives and the verdict, as a table for people and as JSON
//! for programs. Pure; the figures are taken by `measure` and `sighting`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::drops::Returns;
use crate::flags::Flags;
use crate::hostile::{Answers, Breach};
use crate::measure::Totals;
use crate::sighting::Sighting;
use crate::slow::{RECOVERY_TICKS_MAX, Recoveries};

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
    /// The same by when the snapshots reached the bots' sockets, however late the bots then got a turn to read them: what
    /// of a gap is the server's and the network's. `null` where the system does not tell.
    pub arrival_gap_ms: Gap,
    /// From an input's sending to the first snapshot whose `input_tick` reaches its tick, in
    /// milliseconds.
    pub latency_ms: Latency,
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
    /// 99th percentile of the gaps before hostile bots came or some became slow, in milliseconds.
    pub calm_gap_p99_ms: Option<f64>,
    /// The server's resident memory in MiB, at a third of the measured part and at its end.
    pub server_memory_mib: Option<[f64; 2]>,
    /// Bots that read little or nothing for a while.
    pub slow_bots: u64,
    /// Those that then held their room's current state.
    pub slow_recovered: u64,
    /// Ticks that the last of them took for it.
    pub slow_recovery_ticks: u32,
    /// Connections that bots lost on purpose.
    pub drops: u64,
    /// Bots that then had their seats again, with a snapshot.
    pub returns: u64,
    /// Those of them with another seat or figure than before.
    pub strayed: u64,
    /// Tries to come back that came to nothing.
    pub return_retries: u64,
    /// From the loss to the first snapshot, random distances of the bots' tries included, in milliseconds.
    pub return_ms: Return,
    /// By kind of breach, the close codes that hostile bots got; 0 for none in time.
    pub hostile: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// What went wrong in words, and how often.
    pub troubles: BTreeMap<String, u64>,
    /// What was to be, and whether it was.
    pub objectives: Vec<Objective>,
}

/// What a run with hostile or slow bots has besides.
pub(crate) struct Siege {
    /// The same bots before that.
    pub(crate) calm: Totals,
    /// The server's resident memory in bytes, early and late.
    pub(crate) memory_bytes: Option<(u64, u64)>,
    /// What the hostile ones got.
    pub(crate) answers: BTreeMap<Breach, Answers>,
}

/// How much a server's memory may grow while hostile bots come and go, in percent: allocators
/// keep some of what is freed.
const MEMORY_GROWTH_MAX: f64 = 10.0;

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

impl Gap {
    fn of(gaps_us: &Histogram<u64>) -> Gap {
        Gap {
            p50: quantile_ms(gaps_us, 0.5),
            p99: quantile_ms(gaps_us, 0.99),
            p999: quantile_ms(gaps_us, 0.999),
        }
    }
}

/// Quantiles of the latency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Median.
    pub p50: Option<f64>,
    /// 99 of 100 are no longer.
    pub p99: Option<f64>,
}

/// Quantiles of the time away.
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
    /// Draws the figures up and judges them by the flags.
    pub(crate) fn new(
        flags: &Flags,
        totals: &Totals,
        seen: &Sighting,
        siege: Option<&Siege>,
        slow: Recoveries,
        returns: &Returns,
    ) -> Report {
        let seconds = flags.duration.as_secs_f64();
        let clients = seen.connected.max(1) as f64;
        let ratio = |a: u64, b: u64| (b > 0).then(|| round(a as f64 / b as f64, 3));
        let latencies = &totals.latencies_us;
        let mut report = Report {
            bots_connected: seen.connected,
            snapshots_per_s: round(totals.snapshots as f64 / seconds, 1),
            gap_ms: Gap::of(&totals.gaps_us),
            arrival_gap_ms: Gap::of(&totals.arrivals_us),
            latency_ms: Latency {
                p50: quantile_ms(latencies, 0.5),
                p99: quantile_ms(latencies, 0.99),
            },
            bytes_per_client_per_s: round(totals.bytes as f64 / seconds / clients, 1),
            desyncs: seen.desyncs,
            disconnects: seen.disconnects.clone(),
            bots: u64::from(flags.bots),
            measured_s: seconds,
            bytes_per_snapshot: ratio(totals.snapshot_bytes, totals.snapshots),
            bytes_per_moving_entity: ratio(totals.surveyed_bytes, totals.moved),
            inputs_per_client_per_s: round(totals.inputs as f64 / seconds / clients, 2),
            substituted_share: ratio(totals.substituted, totals.snapshots),
            server_cpu_us_per_snapshot: seen.server_cpu_us.map(|us| round(us, 2)),
            calm_gap_p99_ms: siege.and_then(|siege| quantile_ms(&siege.calm.gaps_us, 0.99)),
            server_memory_mib: siege.and_then(|siege| {
                let mib = |bytes: u64| round(bytes as f64 / f64::from(1 << 20), 1);
                let (early, late) = siege.memory_bytes?;
                Some([mib(early), mib(late)])
            }),
            slow_bots: slow.slowed,
            slow_recovered: slow.recovered,
            slow_recovery_ticks: slow.ticks_max,
            drops: returns.drops,
            returns: returns.returns,
            strayed: returns.strayed,
            return_retries: returns.retries,
            return_ms: Return {
                p50: quantile_ms(&returns.away_us, 0.5),
                p99: quantile_ms(&returns.away_us, 0.99),
                max: quantile_ms(&returns.away_us, 1.0),
            },
            hostile: siege
                .iter()
                .flat_map(|siege| &siege.answers)
                .map(|(breach, codes)| {
                    let codes = codes.iter().map(|(code, count)| (code.to_string(), *count));
                    (breach.name(), codes.collect())
                })
                .collect(),
            troubles: seen.troubles.clone(),
            objectives: Vec::new(),
        };
        report.judge(flags, seen, siege);
        report
    }

    /// Whether all objectives were met.
    pub fn passed(&self) -> bool {
        self.objectives.iter().all(|objective| objective.met)
    }

    fn judge(&mut self, flags: &Flags, seen: &Sighting, siege: Option<&Siege>) {
        let mut state = |stated: String, measured: String, met: bool| {
            self.objectives.push(Objective {
                stated,
                measured,
                met,
            });
        };
        state(
            format!("{} bots join", flags.bots),
            self.bots_connected.to_string(),
            self.bots_connected == u64::from(flags.bots),
        );
        state(
            "no desync".to_owned(),
            self.desyncs.to_string(),
            self.desyncs == 0,
        );
        let lost: u64 = self.disconnects.values().sum();
        state("no disconnect".to_owned(), lost.to_string(), lost == 0);
        let limit_ms = flags.max_gap_p99_ms.unwrap_or_else(|| {
            let (tick_rate, every) = seen.rates.unwrap_or((30, 1));
            round(
                1.5 * 1000.0 * f64::from(every) / f64::from(tick_rate.max(1)),
                1,
            )
        });
        let shown = |ms: Option<f64>| ms.map_or("none".to_owned(), |ms| format!("{ms:.1} ms"));
        state(
            format!("gap p99 at most {limit_ms} ms"),
            shown(self.gap_ms.p99),
            self.gap_ms.p99.is_some_and(|ms| ms <= limit_ms),
        );
        if let Some(limit_ms) = flags.max_latency_p99_ms {
            state(
                format!("latency p99 at most {limit_ms} ms"),
                shown(self.latency_ms.p99),
                self.latency_ms.p99.is_some_and(|ms| ms <= limit_ms),
            );
        }
        if flags.cuts() {
            let limit = flags.return_within;
            let (lost, back) = (self.drops, self.returns);
            let last = self.return_ms.max;
            state(
                format!("who is lost is back within {limit:?}"),
                format!("{back} of {lost}, the last after {}", shown(last)),
                lost > 0 && back == lost && last.is_some_and(|ms| ms <= limit.as_secs_f64() * 1e3),
            );
            state(
                "each has its seat and figure again".to_owned(),
                format!("{} of {back}", back - self.strayed),
                self.strayed == 0,
            );
        }
        if let Some(siege) = siege {
            let limit = 1.0 + flags.max_gap_growth / 100.0;
            let (calm, now) = (self.calm_gap_p99_ms, self.gap_ms.p99);
            state(
                format!("gap p99 within {} % of without", flags.max_gap_growth),
                format!("{} after {}", shown(now), shown(calm)),
                calm.zip(now).is_some_and(|(calm, now)| now <= calm * limit),
            );
            if flags.ops.is_some() {
                let memory = self.server_memory_mib;
                let limit = 1.0 + MEMORY_GROWTH_MAX / 100.0;
                state(
                    format!("server memory within {MEMORY_GROWTH_MAX} %"),
                    memory.map_or("not told".to_owned(), |[early, late]| {
                        format!("{late} MiB after {early}")
                    }),
                    memory.is_some_and(|[early, late]| late <= early * limit),
                );
            }
            if flags.slows() {
                let (all, back) = (self.slow_bots, self.slow_recovered);
                let ticks = self.slow_recovery_ticks;
                state(
                    format!("slow bots are back within {RECOVERY_TICKS_MAX} ticks"),
                    format!("{back} of {all} within {ticks}"),
                    all > 0 && back == all && ticks <= RECOVERY_TICKS_MAX,
                );
                return;
            }
            let answers = &siege.answers;
            let all = answers.values().flat_map(BTreeMap::values).sum::<u64>();
            let right: u64 = answers
                .iter()
                .flat_map(|(breach, codes)| codes.iter().map(move |(code, n)| (breach, code, n)))
                .filter(|(breach, code, _)| breach.answered_by(**code))
                .map(|(_, _, count)| count)
                .sum();
            state(
                "every breach is answered by its code".to_owned(),
                format!("{right} of {all}"),
                right == all && all > 0,
            );
        }
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
        let mut row = |name: &str, value: String| writeln!(f, "{name:<30}{value}");
        row(
            "bots connected",
            format!("{} of {}", self.bots_connected, self.bots),
        )?;
        row("measured, after the ramp", format!("{} s", self.measured_s))?;
        row("snapshots/s", format!("{:.1}", self.snapshots_per_s))?;
        for (name, gap) in [
            ("gap p50 / p99 / p99.9 ms", &self.gap_ms),
            ("  on arrival", &self.arrival_gap_ms),
        ] {
            let quantiles = format!("{} / {} / {}", ms(gap.p50), ms(gap.p99), ms(gap.p999));
            row(name, quantiles)?;
        }
        let latency = &self.latency_ms;
        row(
            "latency p50 / p99 ms",
            format!("{} / {}", ms(latency.p50), ms(latency.p99)),
        )?;
        row(
            "bytes/s per client",
            format!("{:.0}", self.bytes_per_client_per_s),
        )?;
        row("bytes per snapshot", number(self.bytes_per_snapshot))?;
        row(
            "bytes per moving entity",
            number(self.bytes_per_moving_entity),
        )?;
        row(
            "inputs/s per client",
            format!("{:.1}", self.inputs_per_client_per_s),
        )?;
        row(
            "inputs replaced",
            self.substituted_share
                .map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0)),
        )?;
        row("desyncs", self.desyncs.to_string())?;
        row("disconnects by close code", codes(&self.disconnects))?;
        if let Some(us) = self.server_cpu_us_per_snapshot {
            row("server CPU us per snapshot", format!("{us:.2}"))?;
        }
        if let Some(calm) = self.calm_gap_p99_ms {
            row("gap p99 ms before", format!("{calm:.1}"))?;
        }
        if let Some([early, late]) = self.server_memory_mib {
            let memory = format!("{early:.1} / {late:.1}");
            row("server MiB early / late", memory)?;
        }
        if self.drops > 0 {
            let Return { p50, p99, max } = self.return_ms;
            let times = format!("{} / {} / {}", ms(p50), ms(p99), ms(max));
            row("back after p50 / p99 / max ms", times)?;
            row("tries that failed", self.return_retries.to_string())?;
        }
        for (breach, answered) in &self.hostile {
            row(&format!("closed for {breach}"), codes(answered))?;
        }
        for (trouble, count) in &self.troubles {
            row(&format!("trouble, {count} times"), trouble.clone())?;
        }
        writeln!(f)?;
        for objective in &self.objectives {
            let verdict = if objective.met { "met" } else { "MISSED" };
            let Objective {
                stated, measured, ..
            } = objective;
            writeln!(f, "{verdict:<8}{stated:<40}{measured}")?;
        }
        Ok(())
    }
}

fn quantile_ms(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (!histogram.is_empty()).then(|| {
        let us = histogram.value_at_quantile(quantile);
        round(us as f64 / 1000.0, 2)
    })
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
