//! `input_timing.json`: stamps and leads over links with jitter, stalls, a longer and a shorter
//! way.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tickwire::exact::Xorshift32;
use tickwire::ids::Tick;
use tickwire::netcode::input_timing::{InputTiming, SLACK_NONE};

use crate::kept::check;

const WHAT: &str = "round_trip: ticks given to on_round_trip first, if not null. steps: [server_tick, slack, lead, stamps, due]: the snapshot of the whole tick \
`server_tick` rounds down to reports `slack` if that is not null, the lead is `lead` afterwards, then the stamps due at `server_tick` are `stamps`, \
and the next is due at `due`. All are exact.";

/// Inputs take `way` and some jitter, in sixteenths of a tick; `way` changes in the middle.
fn run(
    name: &str,
    round_trip: Option<f64>,
    ways: [u32; 2],
    jitter: u32,
    stall: u32,
    seed: u32,
) -> Value {
    const TICKS: u32 = 420;
    let mut dice = Xorshift32::new(seed);
    let mut timing = InputTiming::new(30);
    if let Some(ticks) = round_trip {
        timing.on_round_trip(ticks);
    }
    let mut inputs: VecDeque<(u32, u32)> = VecDeque::new();
    let mut newest: Option<u32> = None;
    let mut steps = Vec::new();
    for now in 0..TICKS * 4 {
        let sixteenths = now * 4;
        while let Some((_, stamp)) = inputs.pop_front_if(|(at, _)| *at <= sixteenths) {
            newest = Some(stamp);
        }
        let server_tick = f64::from(now) / 4.0 + 7.0;
        let report = now.is_multiple_of(4).then(|| {
            let tick = server_tick as i64;
            newest.map_or(SLACK_NONE, |newest| {
                (i64::from(newest) - tick).clamp(-127, 127) as i8
            })
        });
        if let Some(slack) = report {
            timing.on_report(Tick(server_tick as u32), slack, server_tick);
        }
        let lead = timing.lead();
        let mut stamps = Vec::new();
        while let Some(stamp) = timing.next_stamp(server_tick) {
            let way = ways[usize::from(now >= TICKS * 2)];
            let held = stall.saturating_sub(sixteenths % 1600);
            let arrival = sixteenths + way + dice.below(jitter.max(1)).max(held);
            let last = inputs.back().map_or(0, |(at, _)| *at);
            inputs.push_back((arrival.max(last), stamp.0));
            stamps.push(stamp.0);
        }
        if report.is_some() || !stamps.is_empty() {
            steps.push(json!([
                server_tick,
                report,
                lead,
                stamps,
                timing.next_due()
            ]));
        }
    }
    json!({ "name": name, "tick_rate": 30, "round_trip": round_trip, "steps": steps })
}

#[test]
fn input_timing() {
    let cases = [
        run("at once", None, [0, 0], 0, 0, 1),
        run("far, known", Some(6.3), [100, 100], 4, 0, 2),
        run("far, jitter", None, [60, 60], 30, 0, 3),
        run("longer, then with stalls", None, [10, 90], 3, 240, 4),
        run("shorter", None, [200, 20], 10, 0, 5),
        run("a pause", None, [20, 20], 2, 500, 6),
    ];
    check("input_timing", WHAT, &cases);
}
