//! Thousands of players of all manners, and what must hold after each thing that happens.

use std::time::Instant;

use super::quality::Quality;
use super::world::{Bug, Plan, history};
use crate::queue::{EndReason, OutReason};

fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        people: 10_000,
        seconds: 150,
        bug: None,
        is_kept: false,
    }
}

/// Seeds that are asked for, or so many.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = read("SIMULATE_FIRST").unwrap_or(0);
    first..first + read("SIMULATE_SEEDS").unwrap_or(few)
}

/// Also the tables of docs/matchmaking.md.
#[test]
fn no_seed_breaks_a_rule() {
    let (begin, mut sum, mut violated) = (Instant::now(), Quality::default(), Vec::new());
    let seeds = seeds(1);
    for seed in seeds.clone() {
        let history = history(plan(seed));
        violated.extend(history.violation.map(|violation| (seed, violation)));
        sum.add(history.quality);
    }
    println!(
        "seeds {seeds:?}: {} matches, {} offers; violations in {}; took {:?}\n",
        sum.matches(),
        sum.offers,
        violated.len(),
        begin.elapsed()
    );
    println!("{sum}");
    println!(
        "players back {}, out by {:?}, ended by {:?}, refused {}",
        sum.back, sum.out, sum.ended, sum.refused
    );
    for (seed, violation) in violated.iter().take(5) {
        println!("seed {seed}: {violation}");
    }
    let again = "make simulate-queue SEEDS=1 FIRST=";
    assert!(
        violated.is_empty(),
        "{again} and its number runs a seed again"
    );
    for reason in [
        OutReason::Cancelled,
        OutReason::LeftParty,
        OutReason::Lost,
        OutReason::Declined,
        OutReason::NotAccepted,
        OutReason::NotCome,
        OutReason::JoinFailed,
    ] {
        assert!(sum.out.contains_key(&reason), "nobody is out by {reason:?}");
    }
    for reason in [EndReason::Playing, EndReason::PartyPlays, EndReason::TooFew] {
        assert!(sum.ended.contains_key(&reason), "nobody ends by {reason:?}");
    }
    let (apart, drawn) = (sum.median_apart(), sum.median_drawn());
    assert!(
        apart * 4.0 < drawn,
        "{apart} apart, {drawn} if they were drawn"
    );
}

/// Where few play, most ends are those of waiting.
#[test]
fn few_players_come_to_an_end_too() {
    for seed in seeds(10) {
        let plan = Plan {
            people: 30,
            seconds: 900,
            ..plan(seed)
        };
        let history = history(plan);
        assert_eq!(history.violation, None, "seed {seed}");
        let ended = history.quality.ended;
        assert!(ended.contains_key(&EndReason::TooFew), "seed {seed}");
    }
}

#[test]
fn the_same_seed_says_the_same() {
    let kept = |seed| {
        let plan = Plan {
            people: 300,
            seconds: 200,
            is_kept: true,
            ..plan(seed)
        };
        history(plan).said
    };
    let (first, second) = (kept(1), kept(1));
    assert!(first.len() > 1000, "{}", first.len());
    assert!(first == second);
    assert!(first != kept(2));
}

fn is_caught(bug: Bug, rule: &str) {
    let plan = Plan {
        people: 1000,
        bug: Some(bug),
        ..plan(3)
    };
    let violation = history(plan).violation;
    let caught = violation.as_ref().map(|violation| violation.rule);
    assert_eq!(caught, Some(rule), "{violation:?}");
}

#[test]
fn what_is_broken_on_purpose_is_caught() {
    is_caught(Bug::SplitParty, "parties are not split");
    is_caught(Bug::ForgottenTime, "the time that was waited is kept");
    is_caught(Bug::TwoMatches, "nobody is in two matches");
    is_caught(Bug::Poison, "who spoilt a match is not in the next");
    is_caught(Bug::ForEver, "nobody waits beyond the bound");
    is_caught(Bug::WideWindow, "a match is in a window");
    is_caught(Bug::NotToldBack, "page and server agree");
    is_caught(Bug::NotToldOut, "page and server agree");
}
