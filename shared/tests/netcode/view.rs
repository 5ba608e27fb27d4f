//! `interpolation.json`, `pursuit.json`, `smoothing.json`: what is drawn, frame by frame.

use serde_json::{Value, json};
use tickwire::exact::Xorshift32;
use tickwire::ids::Tick;
use tickwire::netcode::interpolation::{Interpolation, blend};
use tickwire::netcode::pursuit::{Pursuit, TopSpeed};
use tickwire::netcode::smoothing::Smoothing;
use tickwire::schema::Kind;

use crate::kept::check;

const INTERPOLATION: &str = "steps: [pushed, now_us, server_tick, wait, delay, view, older, newer, alpha, view_lag, underruns, own_tick, passed]: after snapshots of \
the ticks `pushed` the frame at `now_us`, at which the clock says `server_tick` and `wait`, has this delay and view, between the snapshots of \
the ticks `older` and `newer` (the same where there is one) at `alpha`; view_lag goes into inputs; own projectiles are at `own_tick`, the input tick being \
server_tick + 6; passed are [older, newer, alpha] of the pairs that the view came through. blends: [kind, older, newer, alpha, value]. Reals may differ by 1e-6.";

/// A second's stall every `stall_ticks`, snapshots every `every` ticks, frames of 8 to 40 ms.
fn run(name: &str, tick_rate: u16, every: u32, jitter_us: u32, stall_us: u64, seed: u32) -> Value {
    let mut dice = Xorshift32::new(seed);
    let mut view = Interpolation::new(tick_rate, every as u16);
    let period_us = 1_000_000 / u64::from(tick_rate);
    let (mut next, mut arrival, mut now_us) = (every, 0, 0);
    let mut steps = Vec::new();
    for frame in 0..360_u32 {
        // A frame in the middle comes two seconds late.
        now_us += u64::from(8_000 + dice.below(16_000)) + if frame == 240 { 2_000_000 } else { 0 };
        let mut pushed = Vec::new();
        loop {
            let sent = u64::from(next) * period_us;
            let stall = stall_us.saturating_sub(sent % 2_000_000);
            arrival =
                arrival.max(sent + stall.max(u64::from(next * 7 % 10) * u64::from(jitter_us) / 9));
            if arrival > now_us {
                break;
            }
            view.push(Tick(next), next);
            pushed.push(next);
            next += every;
        }
        let server_tick = now_us as f64 / period_us as f64;
        let wait = f64::from(every) + f64::from(jitter_us) / period_us as f64;
        view.advance(now_us, server_tick, wait);
        let pair = view.pair();
        let passed: Vec<Value> = view
            .passed()
            .map(|pair| json!([pair.older, pair.newer, pair.alpha]))
            .collect();
        steps.push(json!([
            pushed,
            now_us,
            server_tick,
            wait,
            view.delay(),
            view.view(),
            pair.map(|pair| pair.older),
            pair.map(|pair| pair.newer),
            pair.map(|pair| pair.alpha),
            view.view_lag(),
            view.underruns(),
            view.own_tick(server_tick + 6.0),
            passed,
        ]));
    }
    json!({ "name": name, "tick_rate": tick_rate, "snapshot_every": every, "steps": steps })
}

fn blends() -> Value {
    let real = Kind::Real {
        min: -10.0,
        max: 10.0,
        step: 0.5,
    };
    let turn = Kind::Turn { steps: 360 };
    let mut blends = Vec::new();
    for (name, kind) in [("Real", real), ("Turn", turn), ("Bool", Kind::Bool)] {
        for (older, newer) in [(0.0, 1.0), (6.0, 0.25), (0.5, 5.75)] {
            for alpha in [0.0, 0.25, 1.0, 1.5, 12.0] {
                blends.push(json!([
                    name,
                    older,
                    newer,
                    alpha,
                    blend(&kind, older, newer, alpha)
                ]));
            }
        }
    }
    json!({ "name": "blends", "blends": blends })
}

#[test]
fn interpolation() {
    let cases = [
        run("clean", 30, 1, 0, 0, 1),
        run("jitter", 30, 2, 30_000, 0, 2),
        run("stalls", 20, 1, 10_000, 500_000, 3),
        blends(),
    ];
    check("interpolation", INTERPOLATION, &cases);
}

#[test]
fn pursuit() {
    let what = "tops: [speed, leaps, top]: `speed` is or is not a leap's; after a snapshot showed it the top speed is `top`. steps: [target, speed, ms, reaches, put, place]: at a frame `ms` after the one before \
                the target is or is not reached at `speed`; if `put` it jumped; then it follows and is drawn at `place`. It is first seen at `first`. \
                Reals may differ by 1e-9.";
    let mut dice = Xorshift32::new(9);
    let mut top = TopSpeed::default();
    let tops: Vec<Value> = (0..60)
        .map(|_| {
            let speed = f64::from(dice.below(40) * dice.below(4)) / 8.0;
            let leaps = top.leaps(speed);
            top.saw(speed);
            json!([speed, leaps, top.top()])
        })
        .collect();
    let mut target = [50.0, 50.0];
    let mut pursuit = Pursuit::new(target);
    let mut way = [0.0, 0.0];
    let mut steps = Vec::new();
    for _ in 0..240 {
        let mut below = |n: u32| f64::from(dice.below(n)) / 8.0;
        let ms = below(256);
        if below(80) < 1.0 {
            way = [below(16) - 1.0, below(16) - 1.0].map(|axis| axis / 16.0);
        }
        // Snapshots that come late now and then put it elsewhere, near or far.
        let off = below(80);
        let off = if off < 0.5 { 200.0 } else { off.min(1.0) - 0.5 };
        target = [0, 1].map(|axis| target[axis] + way[axis] * ms + off * f64::from(axis as u8));
        let speed = 0.0625 + below(2);
        let reaches = pursuit.reaches(target, speed, ms);
        let put = !reaches && below(80) < 0.5;
        if put {
            pursuit.put(target);
        }
        pursuit.follow(target, speed, ms);
        steps.push(json!([target, speed, ms, reaches, put, pursuit.place()]));
    }
    check(
        "pursuit",
        what,
        &[json!({ "first": [50.0, 50.0], "tops": tops, "steps": steps })],
    );
}

#[test]
fn smoothing() {
    let what = "steps: [correct, now_us, offset]: if correct is not null it is [before, after, jumped]; then the frame at `now_us` draws at this offset. \
                Reals may differ by 1e-9.";
    let mut dice = Xorshift32::new(11);
    let mut own = Smoothing::<2>::default();
    let mut steps = Vec::new();
    let mut now_us = 0_u64;
    for _ in 0..120 {
        let mut below = |n: u32| f64::from(dice.below(n)) / 64.0;
        let correct = (below(64) < 0.2).then(|| {
            (
                [below(64), below(64)],
                [below(64), below(64)],
                below(64) < 0.1,
            )
        });
        if let Some((before, after, jumped)) = correct {
            own.correct(before, after, jumped);
        }
        now_us += u64::from(dice.below(60_000));
        steps.push(json!([correct, now_us, own.fade(now_us)]));
    }
    check("smoothing", what, &[json!({ "steps": steps })]);
}
