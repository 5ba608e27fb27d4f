//! `clock_sync.json`: clocks over links with jitter, stalls, drift, bunches and a server that lost
//! time.

use serde_json::{Value, json};
use tickwire::exact::Xorshift32;
use tickwire::ids::Tick;
use tickwire::netcode::clock_sync::{ClockSync, ends_rest};

use crate::kept::check;

const WHAT: &str = "steps: [tick, at_us, server_tick, jitter, wait, slope, then_us, then, asked, time_us]: after the snapshot of `tick` \
arrived at `at_us` the server tick, jitter, wait and slope are these, the server tick at `then_us` is `then`, and the server tick will be \
`asked` at `time_us`. Where a case has `every`, ticks between snapshots, a step ends with the `gap` of the snapshot's image. Reals may differ by 1e-6 (times by 1e-3 us).";

struct Link {
    name: &'static str,
    tick_rate: u16,
    every: u32,
    /// Parts in a million that the local clock gains.
    drift: i64,
    jitter_us: u32,
    stall_us: u64,
    lost_us: u64,
}

fn run(link: &Link, seed: u32) -> Value {
    let mut dice = Xorshift32::new(seed);
    let mut clock = ClockSync::new(link.tick_rate);
    let mut steps = Vec::new();
    let mut last = 0;
    for n in 1..=240_u32 {
        let tick = n * link.every;
        let sent = u64::from(tick) * 1_000_000 / u64::from(link.tick_rate);
        let jitter = u64::from(dice.below(link.jitter_us.max(1)));
        let into = sent % 3_000_000;
        let stall = link.stall_us.saturating_sub(into);
        let lost = if n > 120 { link.lost_us } else { 0 };
        let arrival = sent + 50_000 + jitter.max(stall) + lost;
        let drifted = arrival as i64 * link.drift / 1_000_000;
        last = (arrival.saturating_add_signed(drifted)).max(last);
        clock.on_snapshot(Tick(tick), last, false);
        let then_us = last + u64::from(dice.below(40_000));
        let now = clock.server_tick(last).expect("a snapshot came");
        let asked = now + f64::from(dice.below(128)) / 32.0;
        steps.push(json!([
            tick,
            last,
            now,
            clock.jitter(),
            clock.wait(),
            clock.slope(),
            then_us,
            clock.server_tick(then_us),
            asked,
            clock.time_of(asked),
        ]));
    }
    json!({ "name": link.name, "tick_rate": link.tick_rate, "steps": steps })
}

/// A room of so many ticks a second that plays, rests with an image a second, and is woken a little
/// earlier ten times.
fn rest(tick_rate: u16, every: u16) -> Value {
    let rate = u32::from(tick_rate);
    let step = u32::from(every);
    let mut clock = ClockSync::new(tick_rate);
    let mut steps = Vec::new();
    let playing = |n: usize| std::iter::repeat_n(step, n);
    let dozing = std::iter::repeat_n(rate.next_multiple_of(step), 20);
    // Under load it makes one of two, of four, of eight.
    let throttled = [2, 4, 8].map(|times| step * times);
    let woken = std::iter::repeat_n(((rate - 1) / step * step).max(step), 10);
    let gaps = playing(40).chain(dozing).chain(woken).chain(playing(40));
    let mut tick = 0;
    for gap in gaps.chain(throttled) {
        tick += gap;
        let us = u64::from(tick) * 1_000_000 / u64::from(tick_rate) + 50_000;
        clock.on_snapshot(Tick(tick), us, ends_rest(gap, tick_rate, every));
        let now = clock.server_tick(us);
        steps.push(json!([
            tick,
            us,
            now,
            clock.jitter(),
            clock.wait(),
            clock.slope(),
            us,
            now,
            tick + 1,
            clock.time_of(f64::from(tick + 1)),
            gap,
        ]));
    }
    let name = format!("a rest, {tick_rate} Hz, every {every}");
    json!({ "name": name, "tick_rate": tick_rate, "every": every, "steps": steps })
}

#[test]
fn clock_sync() {
    let clean = Link {
        name: "clean",
        tick_rate: 30,
        every: 1,
        drift: 0,
        jitter_us: 0,
        stall_us: 0,
        lost_us: 0,
    };
    let links = [
        Link {
            name: "jitter and drift",
            drift: 300,
            jitter_us: 30_000,
            every: 2,
            ..clean
        },
        Link {
            name: "stalls, drift the other way",
            drift: -200,
            jitter_us: 5_000,
            stall_us: 500_000,
            every: 2,
            tick_rate: 20,
            ..clean
        },
        Link {
            name: "a longer way",
            lost_us: 100_000,
            jitter_us: 2_000,
            tick_rate: 60,
            every: 3,
            ..clean
        },
        Link {
            name: "a lost second",
            lost_us: 1_000_000,
            ..clean
        },
    ];
    let mut cases = vec![run(&clean, 1)];
    cases.extend(links.iter().zip(2..).map(|(link, seed)| run(link, seed)));
    cases.extend([(30, 1), (60, 3), (1, 1)].map(|(rate, every)| rest(rate, every)));
    check("clock_sync", WHAT, &cases);
}
