//! From what was measured to the report: figures, objectives and the verdict. Pure. Called by
//! `swarm` at the end of a run.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::flags::Flags;
use crate::outcomes::{Audience, Outcomes, Stress};
use crate::reconnects::Reconnects;
use crate::report::{Gap, Latency, Objective, Report, Return};
use crate::roles::Answers;
use crate::slow::{RECOVERY_TICKS_MAX, Recoveries};
use crate::tally::{Times, Totals};

/// How much a server's memory may grow while hostile bots come and go, in percent: allocators
/// keep some of what is freed.
const MEMORY_GROWTH_MAX: f64 = 10.0;

/// Draws the figures up and judges them by the flags.
pub(crate) fn report(
    flags: &Flags,
    totals: &Totals,
    outcomes: &Outcomes,
    audience: &Audience,
    slow: Recoveries,
    reconnects: &Reconnects,
) -> Report {
    let seconds = flags.duration.as_secs_f64();
    let clients = outcomes.connected.max(1) as f64;
    let ratio = |a: u64, b: u64| (b > 0).then(|| round(a as f64 / b as f64, 3));
    let stress = outcomes.stress.as_ref();
    let mut report = Report {
        bots_connected: outcomes.connected,
        snapshots_per_s: round(totals.snapshots as f64 / seconds, 1),
        gap_ms: gap(&totals.gaps),
        arrival_gap_ms: gap(&totals.arrivals),
        latency_ms: Latency {
            p50: quantile_ms(&totals.latencies, 0.5),
            p99: quantile_ms(&totals.latencies, 0.99),
        },
        lines_said: totals.lines_said,
        lines_heard: totals.lines.0.len(),
        line_ms: quantiles(&totals.lines),
        bytes_per_client_per_s: round(totals.bytes as f64 / seconds / clients, 1),
        desyncs: outcomes.desyncs,
        disconnects: outcomes.disconnects.clone(),
        bots: u64::from(flags.bots),
        measured_s: seconds,
        bytes_per_snapshot: ratio(totals.snapshot_bytes, totals.snapshots),
        bytes_per_moving_entity: ratio(totals.surveyed_bytes, totals.moved),
        inputs_per_client_per_s: round(totals.inputs as f64 / seconds / clients, 2),
        substituted_share: ratio(totals.substituted, totals.snapshots),
        server_cpu_us_per_snapshot: outcomes.server_cpu_us.map(|us| round(us, 2)),
        calm_gap_p99_ms: stress.and_then(|stress| quantile_ms(&stress.before.gaps, 0.99)),
        calm_arrival_gap_p99_ms: stress
            .and_then(|stress| quantile_ms(&stress.before.arrivals, 0.99)),
        server_memory_mib: stress.and_then(|stress| {
            let mib = |bytes: u64| round(bytes as f64 / f64::from(1 << 20), 1);
            let (early, late) = stress.memory_bytes?;
            Some([mib(early), mib(late)])
        }),
        slow_bots: slow.slowed,
        slow_recovered: slow.recovered,
        slow_recovery_ticks: slow.ticks_max,
        drops: reconnects.drops,
        returns: reconnects.returns,
        strayed: reconnects.strayed,
        return_retries: reconnects.retries,
        return_ms: quantiles(&reconnects.away),
        moves: reconnects.moves,
        prepared: reconnects.prepared,
        prepared_used: reconnects.prepared_used,
        seats_lost: reconnects.missing(),
        return_gap_ms: quantiles(&reconnects.gaps),
        lost_play_ms: quantiles(&reconnects.lost_play),
        hostile: stress.map_or_else(BTreeMap::new, |stress| {
            let named = |(code, count): (&u16, &u64)| (code.to_string(), *count);
            let kinds = stress.answers.iter().filter_map(|(breach, codes)| {
                let name = breach.to_possible_value()?.get_name().to_owned();
                Some((name, codes.iter().map(named).collect()))
            });
            kinds.collect()
        }),
        spectators: u64::from(flags.spectators),
        spectators_connected: audience.outcomes.connected,
        spectator_snapshots_per_s: round(audience.totals.snapshots as f64 / seconds, 1),
        spectator_gap_ms: gap(&audience.totals.gaps),
        spectator_arrival_gap_ms: gap(&audience.totals.arrivals),
        spectator_bytes_per_client_per_s: round(
            audience.totals.bytes as f64 / seconds / audience.outcomes.connected.max(1) as f64,
            1,
        ),
        spectator_desyncs: audience.outcomes.desyncs,
        spectator_disconnects: audience.outcomes.disconnects.clone(),
        troubles: outcomes
            .troubles
            .iter()
            .chain(&audience.outcomes.troubles)
            .map(|(why, count)| (why.clone(), *count))
            .collect(),
        objectives: Vec::new(),
    };
    let mut objectives = Objectives::default();
    objectives.of_any_run(&report, flags, outcomes);
    if flags.cuts() || flags.returns() {
        objectives.of_reconnects(&report, flags);
    }
    if flags.spectators > 0 {
        objectives.of_spectators(&report);
    }
    if let Some(stress) = stress {
        objectives.of_stress(&report, flags, stress);
    }
    report.objectives = objectives.0;
    report
}

#[derive(Default)]
struct Objectives(Vec<Objective>);

impl Objectives {
    fn state(&mut self, stated: impl Into<String>, measured: String, met: bool) {
        let stated = stated.into();
        self.0.push(Objective {
            stated,
            measured,
            met,
        });
    }

    fn of_any_run(&mut self, report: &Report, flags: &Flags, outcomes: &Outcomes) {
        let connected = report.bots_connected;
        self.state(
            format!("{} bots join", flags.bots),
            connected.to_string(),
            connected == u64::from(flags.bots),
        );
        let desyncs = report.desyncs;
        self.state("no desync", desyncs.to_string(), desyncs == 0);
        let lost: u64 = report.disconnects.values().sum();
        self.state("no disconnect", lost.to_string(), lost == 0);
        let usual_ms = || {
            let (tick_rate, every) = outcomes.rates.unwrap_or((30, 1));
            let period_ms = 1000.0 * f64::from(every) / f64::from(tick_rate.max(1));
            round(1.5 * period_ms, 1)
        };
        let limit_ms = flags.max_gap_p99_ms.unwrap_or_else(usual_ms);
        self.at_most("gap", report.gap_ms.p99, limit_ms);
        if let Some(limit_ms) = flags.max_latency_p99_ms {
            self.at_most("latency", report.latency_ms.p99, limit_ms);
        }
        if let Some(limit_ms) = flags.max_line_p99_ms {
            self.at_most("a line's time", report.line_ms.p99, limit_ms);
        }
    }

    fn at_most(&mut self, what: &str, p99_ms: Option<f64>, limit_ms: f64) {
        self.state(
            format!("{what} p99 at most {limit_ms} ms"),
            shown(p99_ms),
            p99_ms.is_some_and(|ms| ms <= limit_ms),
        );
    }

    fn of_reconnects(&mut self, report: &Report, flags: &Flags) {
        let limit = flags.return_within;
        let (lost, back, last) = (
            report.drops + report.moves,
            report.returns,
            report.return_ms.max,
        );
        let in_time = last.is_none_or(|ms| ms <= limit.as_secs_f64() * 1e3);
        // Of several servers it may be that none is to end.
        self.state(
            format!("who is lost is back within {limit:?}"),
            format!("{back} of {lost}, the last after {}", shown(last)),
            back == lost && in_time && (lost > 0 || !flags.cuts()),
        );
        let gone = report.seats_lost;
        self.state("no seat is lost", gone.to_string(), gone == 0);
        self.state(
            "each has its seat and figure again",
            format!("{} of {back}", back - report.strayed),
            report.strayed == 0,
        );
    }

    fn of_spectators(&mut self, report: &Report) {
        let (all, there) = (report.spectators, report.spectators_connected);
        self.state(
            format!("{all} spectators come"),
            there.to_string(),
            there == all,
        );
        let desyncs = report.spectator_desyncs;
        self.state("no desync of theirs", desyncs.to_string(), desyncs == 0);
        let lost: u64 = report.spectator_disconnects.values().sum();
        self.state("none of them is lost", lost.to_string(), lost == 0);
        let p50 = report.spectator_gap_ms.p50;
        self.state("they are shown something", shown(p50), p50.is_some());
    }

    fn of_stress(&mut self, report: &Report, flags: &Flags, stress: &Stress) {
        let limit = 1.0 + flags.max_gap_growth / 100.0;
        // A swarm that has ten spectators for each player reads later because of them: what the
        // server does is when their snapshots reach the players' sockets.
        let arrivals = (report.calm_arrival_gap_p99_ms, report.arrival_gap_ms.p99);
        let (before, now) = match arrivals {
            (Some(_), Some(_)) if flags.spectators > 0 => arrivals,
            _ => (report.calm_gap_p99_ms, report.gap_ms.p99),
        };
        self.state(
            format!("gap p99 within {} % of without", flags.max_gap_growth),
            format!("{} after {}", shown(now), shown(before)),
            before
                .zip(now)
                .is_some_and(|(before, now)| now <= before * limit),
        );
        if flags.spectators > 0 {
            return;
        }
        if flags.ops.is_some() {
            let memory = report.server_memory_mib;
            let limit = 1.0 + MEMORY_GROWTH_MAX / 100.0;
            self.state(
                format!("server memory within {MEMORY_GROWTH_MAX} %"),
                memory.map_or("not told".to_owned(), |[early, late]| {
                    format!("{late} MiB after {early}")
                }),
                memory.is_some_and(|[early, late]| late <= early * limit),
            );
        }
        if flags.slows() {
            let (all, back) = (report.slow_bots, report.slow_recovered);
            let ticks = report.slow_recovery_ticks;
            self.state(
                format!("slow bots are back within {RECOVERY_TICKS_MAX} ticks"),
                format!("{back} of {all} within {ticks}"),
                all > 0 && back == all && ticks <= RECOVERY_TICKS_MAX,
            );
            return;
        }
        let sum = |codes: &Answers| codes.values().sum::<u64>();
        let all: u64 = stress.answers.values().map(sum).sum();
        let right: u64 = stress
            .answers
            .iter()
            .flat_map(|(breach, codes)| codes.iter().map(move |(code, n)| (breach, *code, n)))
            .filter(|(breach, code, _)| breach.answered_by(*code))
            .map(|(_, _, count)| count)
            .sum();
        self.state(
            "every breach is answered by its code",
            format!("{right} of {all}"),
            right == all && all > 0,
        );
    }
}

fn shown(ms: Option<f64>) -> String {
    ms.map_or("none".to_owned(), |ms| format!("{ms:.1} ms"))
}

fn gap(gaps: &Times) -> Gap {
    Gap {
        p50: quantile_ms(gaps, 0.5),
        p99: quantile_ms(gaps, 0.99),
        p999: quantile_ms(gaps, 0.999),
    }
}

fn quantiles(times: &Times) -> Return {
    Return {
        p50: quantile_ms(times, 0.5),
        p99: quantile_ms(times, 0.99),
        max: quantile_ms(times, 1.0),
    }
}

fn quantile_ms(Times(us): &Times, quantile: f64) -> Option<f64> {
    let us = (!us.is_empty()).then(|| us.value_at_quantile(quantile))?;
    Some(round(us as f64 / 1000.0, 2))
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
