//! Why connections end, when a lost one is tried again, and when it is not: the vectors that both
//! clients keep to.

use serde_json::{Value, json};
use tickwire::protocol::CloseCode;
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
    check("reconnect", &text("reconnect", &json!({}), &cases));
}

#[test]
fn close_codes() {
    let cases: Vec<Value> = CloseCode::ALL
        .into_iter()
        .map(|code| {
            let (number, name) = (code.number(), format!("{code:?}"));
            assert_eq!(is_final(number), code.is_final());
            json!({"code": number, "name": name, "reason": code.reason(), "final": code.is_final(),
                "holds_seat": code.holds_seat()})
        })
        .collect();
    let known = |code: &u16| CloseCode::ALL.iter().any(|known| known.number() == *code);
    assert!(!(0..=u16::MAX).filter(|code| !known(code)).any(is_final));
    check("close_codes", &text("close_codes", &json!({}), &cases));
}
