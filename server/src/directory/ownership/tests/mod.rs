//! Whole clusters of nodes on virtual time, [`Node`](crate::cluster::node::Node)s with their
//! [`super::Ownership`] on the tables of an engine, and what must hold in each of their histories. `make simulate-ownership SEEDS=10000` runs as many seeds as asked; each test run has
//! some.

mod checker;
mod directed;
mod engine;
mod faults;
mod lives;
mod network;
mod planted;
mod process;
mod rnd;
mod store;
mod task;
mod workers;
mod world;

use std::time::{Duration, Instant};

use super::Timing;
use checker::Violation;
use faults::{FAULTS, Fault, HEALED, KILLS, WELL_WITHIN};
use planted::Bug;
use rnd::Rnd;
use world::{Counts, ENGINE, Event, Mode, TICK, World};

/// One history and what it was like.
struct History {
    violation: Option<Violation>,
    counts: Counts,
    /// From each kill to the next tick of each room of the killed.
    resumed: Vec<Duration>,
    ticks: u64,
    /// The most ticks of a room that its next owner did not know of.
    lost: u32,
}

fn mode(seed: u64, bug: Bug, faults: &'static [Fault]) -> Mode {
    let mut rnd = Rnd::new(seed ^ 0x6d6f_6465);
    let mut timing = Timing {
        detached: Duration::from_secs(rnd.one_of(&[0, 10, 90, 90])),
        ..Timing::default()
    };
    match bug {
        Bug::Unsettled => timing.settle = Duration::ZERO,
        Bug::SettledTooSoon => timing.settle = timing.silence,
        Bug::ShortLease => timing.silence = timing.freeze * 3 / 5,
        _ => {}
    }
    let is_calm = faults == KILLS;
    Mode {
        bug,
        timing,
        is_lossy: !is_calm && rnd.chance(0.4),
        is_late: !is_calm && rnd.chance(0.7),
        patience: Duration::from_secs(rnd.one_of(&[3, 10, 60])),
        faults,
    }
}

fn history(seed: u64, bug: Bug, faults: &'static [Fault]) -> History {
    let mode = mode(seed, bug, faults);
    let mut world = World::new(seed, mode, 3);
    world.after(Duration::from_secs(2), Event::Play);
    world.after(Duration::from_secs(12), Event::Fault);
    world.run_until(HEALED);
    world.mode.is_late = false;
    let is_gone = faults != KILLS && seed.is_multiple_of(8);
    let gone = if is_gone {
        world.lose_one();
        mode.timing.abandoned() * 101 / 100
    } else {
        Duration::ZERO
    };
    world.run_until(HEALED + WELL_WITHIN + gone);
    if world.checker.violation.is_none() {
        world.check_well();
    }
    History {
        violation: world.checker.violation,
        counts: world.counts,
        resumed: world.checker.resumed,
        ticks: world.checker.ticks,
        lost: world.checker.lost,
    }
}

/// Seeds that are asked for, or so many.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = read("SIMULATE_FIRST").unwrap_or(0);
    first..first + read("SIMULATE_SEEDS").unwrap_or(few)
}

/// Runs them, and prints what they were like together. The violations, and the most ticks lost.
fn run(seeds: std::ops::Range<u64>, faults: &'static [Fault]) -> (Vec<(u64, Violation)>, u32) {
    let begin = Instant::now();
    let (mut sum, mut ticks, mut lost) = (Counts::default(), 0, 0);
    let (mut violated, mut resumed) = (Vec::new(), Vec::new());
    for seed in seeds.clone() {
        let history = history(seed, Bug::None, faults);
        sum.add(&history.counts);
        ticks += history.ticks;
        lost = lost.max(history.lost);
        resumed.extend(history.resumed);
        violated.extend(history.violation.map(|violation| (seed, violation)));
    }
    resumed.sort_unstable();
    let of = |share: usize| match resumed.len() {
        0 => Duration::ZERO,
        n => resumed[(n * share / 1000).min(n - 1)],
    };
    println!(
        "seeds {seeds:?}: violations in {}; {ticks} ticks, {sum:?}; from a kill to the next tick of \
         {} rooms: p50 {:?}, p99 {:?}, max {:?}; at most {lost} ticks lost; took {:?}",
        violated.len(),
        resumed.len(),
        of(500),
        of(990),
        of(1000),
        begin.elapsed(),
    );
    for (seed, violation) in violated.iter().take(5) {
        println!("seed {seed}: {violation}");
    }
    (violated, lost)
}

#[test]
fn no_seed_lets_two_tick() {
    let (violated, _) = run(seeds(6), FAULTS);
    let again = "make simulate-ownership SEEDS=1 FIRST=";
    let first = violated.first();
    assert!(
        violated.is_empty(),
        "{first:?}: {again} and its number runs it again"
    );
}

#[test]
fn a_kill_leaves_no_ghost_and_no_double_and_costs_a_second_and_a_half() {
    let (violated, lost) = run(seeds(3), KILLS);
    assert!(violated.is_empty(), "{:?}", violated.first());
    // From one write to the next, and until the last one was there.
    assert!(TICK * lost <= Duration::from_millis(1500), "{lost} ticks");
}

#[test]
fn every_planted_bug_is_caught() {
    let mut moved = Vec::new();
    for (bug, seed) in Bug::ALL {
        let is_caught = |seed: &u64| history(*seed, bug, FAULTS).violation.is_some();
        if !is_caught(&seed) {
            moved.push((bug, seed, (0..200).find(is_caught)));
        }
    }
    assert!(moved.is_empty(), "not there, but there: {moved:?}");
}

/// An engine is replaced and goes on to answer one node for 2 s, which is cut off then; the clocks
/// of the others are as much faster as may be.
fn replaced_engine_goes_on(seed: u64, bug: Bug) -> Option<Violation> {
    let calm = Mode {
        patience: Duration::from_secs(60),
        ..mode(seed, bug, KILLS)
    };
    let mut world = World::new(seed, calm, 3);
    for (node, ppm) in [(0, -10_000), (1, 10_000), (2, 10_000)] {
        world.nodes[node].ppm = ppm;
    }
    world.after(Duration::from_secs(2), Event::Play);
    let replaced = Duration::from_secs(30) + world.rnd.millis(0, 500);
    world.run_until(replaced);
    let tables = world.engine.table().clone();
    let goes_on = Duration::from_secs(2);
    world.replace(tables, goes_on);
    world.break_off(1);
    world.break_off(2);
    world.run_until(replaced + goes_on - Duration::from_millis(1));
    world.cut(0, ENGINE, Duration::from_secs(30));
    world.run_until(replaced + Duration::from_secs(20));
    world.checker.violation
}

#[test]
fn contact_settles_for_as_long_as_a_replaced_engine_may_go_on() {
    let caught = (0..20).filter(|seed| {
        assert_eq!(replaced_engine_goes_on(*seed, Bug::None), None, "{seed}");
        replaced_engine_goes_on(*seed, Bug::SettledTooSoon).is_some()
    });
    assert_ne!(caught.count(), 0);
}

/// A node is stopped while its rooms' states are on their way, and goes on when others have its
/// rooms. How many of its writes were refused.
fn late_writes(seed: u64, bug: Bug) -> (u64, Option<Violation>) {
    let mut world = World::new(seed, mode(seed, bug, KILLS), 3);
    world.after(Duration::from_secs(2), Event::Play);
    let stopped = Duration::from_secs(30) + world.rnd.millis(0, 1000);
    world.run_until(stopped);
    world.nodes[0].is_paused = true;
    world.after(Duration::from_secs(20), Event::Resume(0));
    world.run_until(stopped + Duration::from_secs(30));
    (world.counts.refused_writes, world.checker.violation)
}

#[test]
fn a_write_of_a_lower_epoch_is_refused() {
    let (mut refused, mut caught) = (0, 0);
    // In about one history of ten a state is on its way just then.
    for seed in 0..60 {
        let (writes, violation) = late_writes(seed, Bug::None);
        assert_eq!(violation, None, "{seed}");
        refused += writes;
        caught += u64::from(late_writes(seed, Bug::UnfencedWrites).1.is_some());
    }
    assert!(
        refused > 0 && caught > 0,
        "{refused} refused, {caught} caught"
    );
}
