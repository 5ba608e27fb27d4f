//! Verdicts of made-up runs.

use clap::Parser;

use super::*;
use crate::gauge::Gauge;
use crate::roles::Breach;
use crate::tally::Tally;
use tickwire::ids::Tick;
use tickwire::protocol::frame::SnapshotHead;

/// Two bots for a second at 30 Hz.
fn judged(line: &str, change: impl FnOnce(&mut Outcomes, &mut Stress)) -> Report {
    judged_with(line, change, &Reconnects::default())
}

fn judged_with(
    line: &str,
    change: impl FnOnce(&mut Outcomes, &mut Stress),
    reconnects: &Reconnects,
) -> Report {
    let flags = Flags::try_parse_from(line.split(' ')).expect("good flags");
    let tally = Tally::new();
    tally.window.set(0, 1_000_000);
    for bot in 0..2 {
        let mut gauge = Gauge::new(bot, false);
        for tick in 0..30 {
            let head = SnapshotHead {
                tick: Tick(tick + 1),
                ..SnapshotHead::default()
            };
            gauge.on_bytes(&tally, 100, u64::from(tick) * 33_333);
            gauge.on_snapshot(&tally, &head, 90, u64::from(tick) * 33_333);
        }
    }
    let mut outcomes = Outcomes {
        joined: 2,
        connected: 2,
        rates: Some((30, 1)),
        ..Outcomes::default()
    };
    let mut stress = Stress {
        before: tally.totals(),
        memory_bytes: None,
        answers: BTreeMap::new(),
    };
    change(&mut outcomes, &mut stress);
    outcomes.stress = (flags.hostile_bots() > 0).then_some(stress);
    report(
        &flags,
        &tally.totals(),
        &outcomes,
        &Audience::default(),
        Recoveries::default(),
        reconnects,
    )
}

const LINE: &str = "bots --bots 2 --duration 1s";

#[test]
fn a_good_run_passes_and_states_the_fixed_keys() {
    let report = judged(LINE, |_, _| {});
    assert!(report.passed(), "{report}");
    assert_eq!(report.snapshots_per_s, 60.0);
    assert_eq!(report.bytes_per_client_per_s, 3000.0);
    let json = serde_json::to_value(&report).expect("a report is JSON");
    for key in [
        "bots_connected",
        "snapshots_per_s",
        "bytes_per_client_per_s",
        "desyncs",
    ] {
        assert!(json[key].is_number(), "{key}");
    }
    assert!((33.0..34.0).contains(&json["gap_ms"]["p99"].as_f64().expect("a number")));
    assert!(json["gap_ms"]["p50"].is_number() && json["gap_ms"]["p999"].is_number());
    assert!(json["latency_ms"]["p50"].is_null() && json["latency_ms"]["p99"].is_null());
    assert!(json["disconnects"].is_object());
}

#[test]
fn each_objective_can_be_missed() {
    let missed = |report: Report| {
        assert!(!report.passed());
        report.objectives.iter().filter(|o| !o.met).count()
    };
    assert_eq!(
        missed(judged(LINE, |outcomes, _| outcomes.connected = 1)),
        1
    );
    assert_eq!(missed(judged(LINE, |outcomes, _| outcomes.desyncs = 1)), 1);
    let lost = |outcomes: &mut Outcomes, _: &mut _| {
        outcomes.disconnects.insert("4010".to_owned(), 1);
    };
    assert_eq!(missed(judged(LINE, lost)), 1);
    let line = format!("{LINE} --max-gap-p99-ms 20 --max-latency-p99-ms 90");
    assert_eq!(missed(judged(&line, |_, _| {})), 2);
    let line = format!("{LINE} --say 1s --max-line-p99-ms 40");
    assert_eq!(missed(judged(&line, |_, _| {})), 1, "none was heard");
}

#[test]
fn hostile_bots_are_judged_by_their_codes() {
    let line = format!("{LINE} --hostile 2");
    let answered = |code: u16| {
        judged(&line, |_, stress| {
            stress.answers = BTreeMap::from([(Breach::Text, Answers::from([(code, 3)]))]);
        })
    };
    assert!(answered(1003).passed());
    assert!(!answered(0).passed());
    assert!(!judged(&line, |_, _| {}).passed());
    assert!(answered(1003).to_string().contains("closed for text"));
}

#[test]
fn hostile_bots_must_not_be_felt() {
    let line = format!("{LINE} --hostile 2 --ops 127.0.0.1:7778");
    let felt = |calm_us: u64, memory: Option<(u64, u64)>| {
        judged(&line, |_, stress| {
            stress.answers = BTreeMap::from([(Breach::Text, Answers::from([(1003, 3)]))]);
            stress.before.gaps.0.clear();
            stress.before.gaps.0.saturating_record(calm_us);
            stress.memory_bytes = memory;
        })
    };
    let flat = Some((50 << 20, 54 << 20));
    assert!(felt(33_000, flat).passed());
    assert!(!felt(30_000, flat).passed(), "11 % more");
    assert!(!felt(33_000, Some((50 << 20, 56 << 20))).passed());
    assert!(!felt(33_000, None).passed());
}

#[test]
fn who_is_lost_must_be_back_in_time_and_where_they_were() {
    let line = format!("{LINE} --drops 2 --return-within 500ms");
    let came = |drops: u64, away_ms: &[u64], strayed: u64| {
        let mut reconnects = Reconnects {
            drops,
            returns: away_ms.len() as u64,
            strayed,
            ..Reconnects::default()
        };
        for ms in away_ms {
            reconnects.away.0.saturating_record(ms * 1000);
        }
        judged_with(&line, |_, _| {}, &reconnects)
    };
    let good = came(2, &[100, 499], 0);
    assert!(good.passed(), "{good}");
    assert_eq!((good.drops, good.returns), (2, 2));
    assert!(good.return_ms.max >= Some(499.0) && good.return_ms.p50 < Some(101.0));
    assert!(!came(2, &[100], 0).passed(), "one is still away");
    assert!(!came(2, &[100, 501], 0).passed(), "too late");
    assert!(!came(2, &[100, 200], 1).passed(), "in another seat");
    assert!(!came(0, &[], 0).passed(), "nobody was lost");
}
