//! The deterministic simulation: one seed drives a whole server (lobby, worker, room, the transport
//! of browsers: all as they are), its clients and the links between them, on one thread and on
//! virtual time. Clients join, look on, leave, drop, come back, stall, stop reading; links delay,
//! cut writes short and fill up. In some runs the process is killed now and then, and the next one
//! goes on from what was kept of the room. An oracle that reads the game's world by itself judges what every
//! client decodes.
//!
//! `make simulate SEEDS=1000` runs as many seeds as asked, in release; a seed that breaks something
//! is printed with the command that runs it again.

mod audience;
mod broken;
mod conn;
mod folder;
mod frames;
mod host;
mod line;
mod link;
mod oracle;
mod peer;
mod planted;
mod run;
mod seats;
mod seeds;
mod tamper;
mod trace;
mod yard;

use broken::Check;
use run::{Plan, run};
use seeds::Seeds;
use tamper::Bug;

/// A few hundred seeds, or as many as `SIMULATE_SEEDS` says.
#[test]
fn no_seed_breaks_an_invariant() {
    let seeds = Seeds::from_env(Seeds {
        first: 0,
        count: 200,
        seconds: 12,
    });
    let sum = seeds.run_all();
    println!("{sum}");
    sum.assert_that_all_happened();
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1000..1010 {
        let plan = Plan {
            seed,
            seconds: 12,
            bug: None,
        };
        let (first, second) = (run(plan), run(plan));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        let other = run(Plan {
            seed: seed + 100,
            ..plan
        });
        assert_ne!(first.trace, other.trace, "seed {seed}");
    }
}

/// Runs seeds with a bug until enough of them have shown it; each must break one of `checks`, some
/// the first.
fn is_caught(bug: Bug, checks: &[Check]) {
    let mut caught = Vec::new();
    for seed in 2000..2100 {
        let plan = Plan {
            seed,
            seconds: 12,
            bug: Some(bug),
        };
        if let Some((_, broken)) = run(plan).broken {
            assert!(
                checks.contains(&broken.check),
                "{bug:?}, seed {seed}: {broken}"
            );
            caught.push(broken.check);
        }
        if caught.len() == 8 {
            break;
        }
    }
    assert_eq!(caught.len(), 8, "{bug:?} is not caught");
    assert!(
        caught.contains(&checks[0]),
        "{bug:?} is caught by {caught:?}"
    );
}

#[test]
fn a_stale_baseline_is_caught() {
    is_caught(
        Bug::StaleBaseline,
        &[
            Check::Image,
            Check::Handles,
            Check::Protocol,
            Check::Privacy,
        ],
    );
}

#[test]
fn a_lost_event_is_caught() {
    is_caught(Bug::LostEvent, &[Check::Messages]);
}

#[test]
fn a_reused_slot_is_caught() {
    // An owner may be shown a thing whose name everyone else's layers did not tell yet.
    is_caught(Bug::ReusedSlot, &[Check::Handles, Check::Image]);
}

#[test]
fn a_leaked_private_column_is_caught() {
    is_caught(Bug::LeakedColumn, &[Check::Privacy]);
}

#[test]
fn a_durable_event_lost_over_a_resume_is_caught() {
    is_caught(Bug::LostDurable, &[Check::Messages]);
}

#[test]
fn a_durable_event_told_twice_over_a_resume_is_caught() {
    is_caught(Bug::DoubledDurable, &[Check::Messages]);
}

#[test]
fn a_forgotten_tail_of_a_write_is_caught() {
    is_caught(Bug::LostTail, &[Check::Protocol, Check::Liveness]);
}

#[test]
fn a_tail_that_is_written_twice_is_caught() {
    is_caught(Bug::RepeatedTail, &[Check::Protocol]);
}

#[test]
fn messages_that_a_turn_forgets_are_caught() {
    is_caught(
        Bug::LostRead,
        &[
            Check::Messages,
            Check::Seats,
            Check::Liveness,
            Check::Protocol,
        ],
    );
}

#[test]
fn messages_that_a_turn_takes_twice_are_caught() {
    is_caught(
        Bug::RepeatedRead,
        &[
            Check::Seats,
            Check::Messages,
            Check::Liveness,
            Check::Protocol,
        ],
    );
}

#[test]
fn a_snapshot_of_somebody_elses_is_caught() {
    is_caught(
        Bug::WrongClient,
        &[
            Check::Protocol,
            Check::Image,
            Check::Messages,
            Check::Privacy,
        ],
    );
}

#[test]
fn a_seat_that_is_not_held_is_caught() {
    is_caught(Bug::SeatNotHeld, &[Check::Seats]);
}

#[test]
fn a_room_that_falls_back_too_far_is_caught() {
    is_caught(Bug::OldCheckpoint, &[Check::Restart]);
}

#[test]
fn a_seat_that_is_lost_in_a_restart_is_caught() {
    is_caught(Bug::SeatLostInRestart, &[Check::Seats]);
}

#[test]
fn who_is_forgotten_in_the_lobby_is_caught() {
    is_caught(Bug::ForgottenInLobby, &[Check::Liveness]);
}

/// Not caught but healed: whichever integer it is, no client is closed, and each is exact again in
/// time.
#[test]
fn a_changed_integer_of_a_held_image_is_healed() {
    let mut planted = planted::Seen::default();
    for seed in 3000..3024 {
        let plan = Plan {
            seed,
            seconds: 16,
            bug: Some(Bug::ChangedInteger),
        };
        let outcome = run(plan);
        if let Some((us, broken)) = outcome.broken {
            panic!("seed {seed} at {} ms: {broken}", us / 1000);
        }
        planted.add(outcome.peers.planted);
    }
    println!("{planted:?}");
    assert!(planted.dropped > planted.planted / 4, "{planted:?}");
    assert!(planted.healed > planted.planted / 2, "{planted:?}");
}
