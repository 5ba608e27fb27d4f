//! The bars of the netcode, over every link of `netcode-yardstick`, played shorter.

use tickwire_benches::netplay::{Case, Row, measure};
use tickwire_benches::node::Node;

const SEED: u32 = 11;
/// The greatest speed that anybody may be seen at, as a share of their own: what rounding to steps
/// of a place and of a microsecond makes.
const SPEED: f64 = 1.02;

fn play(rtt_ms: u32, jitter_ms: u32, stall_ms: u32) -> Row {
    let case = Case {
        rtt_ms,
        jitter_ms,
        stall_ms,
        seconds: 20,
        seed: SEED,
    };
    let node = Node::find("node").expect("the clients run in Node");
    let row = measure(&case, &node).expect("it is played");
    println!("seed {SEED}: {row:?}");
    row
}

#[test]
fn a_clean_link_has_no_errors_and_no_corrections() {
    for rtt_ms in [0, 60, 120, 200] {
        let row = play(rtt_ms, 0, 0);
        assert_eq!((row.error_max, row.corrections_per_min), (0.0, 0.0));
        assert_eq!((row.underruns_per_min, row.late_inputs_per_min), (0.0, 0.0));
        assert!(row.fair_shots > 20 && row.fair_hit_rate > 0.95);
        assert!(row.speed_max < SPEED, "{}", row.speed_max);
        assert!(row.late_p99_ms < 1.0, "{}", row.late_p99_ms);
    }
}

#[test]
fn jitter_is_covered() {
    for rtt_ms in [0, 60, 120, 200] {
        let row = play(rtt_ms, 30, 0);
        assert!(row.error_p99 < 0.1 && row.corrections_per_min < 1.0);
        assert!(row.underruns_per_min < 6.0 && row.late_inputs_per_min < 1.0);
        assert!(row.fair_shots > 20 && row.fair_hit_rate > 0.9);
        assert!(row.speed_max < SPEED, "{}", row.speed_max);
        assert!(row.late_p99_ms < 10.0, "{}", row.late_p99_ms);
    }
}

#[test]
fn a_fair_shot_at_150_ms_hits() {
    let row = play(150, 0, 0);
    assert!(row.fair_shots > 20, "{}", row.fair_shots);
    assert!(row.fair_hit_rate > 0.97, "{}", row.fair_hit_rate);
}

#[test]
fn stalls_are_made_up_for_without_a_jump() {
    for rtt_ms in [0, 60, 120, 200] {
        let row = play(rtt_ms, 0, 500);
        // Twelve stalls a minute are a correction each, seldom two, and cost the inputs that they
        // held back.
        assert!(row.corrections_per_min < 18.0);
        assert!(row.late_inputs_per_min < 12.0 * 15.0);
        assert!(row.fair_hit_rate > 0.7, "{}", row.fair_hit_rate);
        // Nobody is seen faster than they can be. Most are where they should be in the seconds
        // after it; who turned meanwhile is off by what they went since, and nobody for long.
        assert!(row.speed_max < SPEED, "{}", row.speed_max);
        assert!(row.late_p50_ms < 40.0, "{}", row.late_p50_ms);
        assert!(row.late_p99_ms < 500.0, "{}", row.late_p99_ms);
        // Neither the lead nor the delay waits for stalls.
        assert!(row.lead_ms < f64::from(rtt_ms) + 120.0 && row.delay_ms < 100.0);
    }
}

#[test]
fn the_same_seed_says_the_same() {
    assert_eq!(play(60, 30, 500), play(60, 30, 500));
}
