//! `conditioner.json`: when messages arrive over bad links.

use serde_json::{Value, json};
use tickwire::conditioner::{Conditioner, Conditions};
use tickwire::exact::Xorshift32;

use crate::kept::check;

const WHAT: &str = "steps: [now_us, bytes, arrival_us]: a message of `bytes` pushed at `now_us` arrives at `arrival_us`. From the step `then.at` on \
(counted from 0) the link has the conditions `then`. All are exact.";

fn told(conditions: &Conditions) -> Value {
    json!({
        "latency_us": conditions.latency_us,
        "jitter_us": conditions.jitter_us,
        "stall_every_us": conditions.stall_every_us,
        "stall_us": conditions.stall_us,
        "bytes_per_s": conditions.bytes_per_s,
    })
}

fn run(seed: u32, conditions: Conditions, then: Conditions) -> Value {
    const STEPS: usize = 200;
    let mut dice = Xorshift32::new(seed + 100);
    let mut link = Conditioner::new(conditions, seed);
    let mut pushed = Vec::new();
    let mut now_us = 0;
    for step in 0..STEPS {
        if step == STEPS / 2 {
            link.set(then);
        }
        now_us += u64::from(dice.below(66_000));
        let bytes = 10 + dice.below(1_000) as usize;
        assert_eq!(link.push(now_us, bytes, (now_us, bytes)), Ok(()));
    }
    while let Some(arrival_us) = link.poll_timeout() {
        if let Some((now_us, bytes)) = link.poll(arrival_us) {
            pushed.push(json!([now_us, bytes, arrival_us]));
        }
    }
    let mut after = told(&then);
    after["at"] = json!(STEPS / 2);
    json!({ "seed": seed, "conditions": told(&conditions), "then": after, "steps": pushed })
}

#[test]
fn conditioner() {
    let perfect = Conditions::default();
    let far = Conditions {
        latency_us: 60_000,
        jitter_us: 30_000,
        ..perfect
    };
    let stalling = Conditions {
        latency_us: 20_000,
        stall_every_us: 1_000_000,
        stall_us: 300_000,
        ..perfect
    };
    let narrow = Conditions {
        bytes_per_s: 20_000,
        jitter_us: 5_000,
        ..perfect
    };
    let cases = [
        run(1, far, perfect),
        run(2, stalling, far),
        run(3, narrow, stalling),
    ];
    check("conditioner", WHAT, &cases);
}
