//! A hundred thousand unit vectors, which every mirror of `exact` must reproduce to the bit.

use serde_json::json;
use tickwire::exact::{Xorshift32, unit};

use crate::vectors::check;

const UNIT_GENERATOR: &str = "\
dice = xorshift32(seed): x ^= x << 13, x ^= x >>> 17, x ^= x << 5, each draw returns x as u32; below(n) = draw % n. \
hash = 0x811C9DC5; fold(word) sets hash = ((hash ^ word) * 0x01000193) mod 2^32. \
count times: angle = (below(16777216) - 8388608) / 65536; cos, sin = unit(angle); \
fold the low, then the high 32 bits of the IEEE 754 double cos, then of sin. \
cases[i] has the bits of cos and sin, high word first, in hexadecimal.";

#[test]
fn unit_vectors_are_as_recorded() {
    const COUNT: u32 = 100_000;
    const SEED: u32 = 20_260_807;
    let mut dice = Xorshift32::new(SEED);
    let mut hash = 0x811C_9DC5_u32;
    let mut fold = |value: f64| {
        for word in [value.to_bits() as u32, (value.to_bits() >> 32) as u32] {
            hash = (hash ^ word).wrapping_mul(0x0100_0193);
        }
    };
    let mut cases = Vec::new();
    for n in 0..COUNT {
        let angle = (f64::from(dice.below(1 << 24)) - f64::from(1 << 23)) / 65536.0;
        let (cos, sin) = unit(angle);
        fold(cos);
        fold(sin);
        if n < 24 {
            cases.push(json!({
                "angle": angle,
                "cos": format!("{:016x}", cos.to_bits()),
                "sin": format!("{:016x}", sin.to_bits()),
            }));
        }
    }
    let vectors = json!({
        "kind": "exact_unit",
        "generator": UNIT_GENERATOR,
        "seed": SEED,
        "count": COUNT,
        "hash": hash,
        "cases": cases,
    });
    let text = serde_json::to_string_pretty(&vectors).expect("a value is JSON") + "\n";
    check("exact_unit", &text);
}
