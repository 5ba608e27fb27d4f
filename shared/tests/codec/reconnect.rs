//! When a lost connection is tried again, and when it is not: the vectors that both clients keep to.

use serde_json::{Value, json};
use tickwire::session::{Backoff, is_final};

use crate::vectors::{check, text};

/// The delays of a loss in milliseconds, until it is given up.
fn delays_ms(chance: f64, told_ms: Option<u32>) -> Vec<f64> {
    let mut backoff = Backoff::new(0);
    let mut now_us = 0;
    let mut told_ms = told_ms;
    let next = || {
        let delay_us = backoff.next_us(now_us, told_ms.take(), chance)?;
        now_us += delay_us;
        Some(delay_us as f64 / 1000.0)
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn tries() {
    // Fractions with few bits, so that no microsecond is cut.
    let cases: Vec<Value> = [(0.0, None), (0.25, None), (0.75, None), (0.5, Some(2000))]
        .into_iter()
        .map(|(chance, told_ms)| {
            let delays_ms = delays_ms(chance, told_ms);
            json!({"chance": chance, "told_ms": told_ms, "delays_ms": delays_ms})
        })
        .collect();
    let finals: Vec<u16> = (1000..5000).filter(|code| is_final(*code)).collect();
    let head = json!({"final": finals});
    check("reconnect", &text("reconnect", &head, &cases));
}
