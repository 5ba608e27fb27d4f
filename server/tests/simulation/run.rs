//! A run: one seed's room, clients and links on one thread and on virtual time, with the oracle
//! beside them. Chaos first; then everything is well for a while, and every client must be current
//! again.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire_server::config::Config;

use crate::broken::Broken;
use crate::host::Host;
use crate::oracle::Oracle;
use crate::peer::{self, Peer};
use crate::tamper::Bug;
use crate::yard::Diary;

/// Simulated seconds at the end in which nothing goes wrong: twice what leads out of the slowest
/// rate tier at ten images a second.
const CALM_S: u64 = 8;
/// Storms a minute, in which everybody's link fails.
const STORMS: u32 = 4;
/// Changes a minute of the snapshot rate, as under load.
const THINNINGS: u32 = 2;
/// Times a minute that the process is killed, in one of so many runs.
const KILLS: u32 = 30;
const KILLED_ONE_IN: u32 = 4;
/// Steps of the clients between two ticks.
const STEPS: u64 = 4;

/// What to simulate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Simulated seconds, the calm ones included.
    pub(crate) seconds: u64,
    pub(crate) bug: Option<Bug>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Of everything that crossed a link.
    pub(crate) trace: u64,
    pub(crate) figures: Figures,
    pub(crate) peers: peer::Seen,
    pub(crate) slots_reused: u64,
    pub(crate) moves: u64,
    /// The first broken invariant, and when.
    pub(crate) broken: Option<(u64, Broken)>,
}

/// Runs it to the end, or to the first broken invariant.
pub(crate) fn run(plan: Plan) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let tick_rate = [20, 30][rng.random_range(0..2)];
    let second = Duration::from_secs(1);
    let config = Config {
        max_players: 60,
        max_spectators: rng.random_range(0..5),
        seed: Some(rng.random()),
        tick_rate,
        snapshot_rate: tick_rate / rng.random_range(1..=tick_rate / 10),
        npcs: rng.random_range(0..16),
        resume_grace: match rng.random_range(0..8) {
            0 => Duration::ZERO,
            _ => second * rng.random_range(2..20),
        },
        // A room that nobody is in stays, and one that nobody does anything in goes on.
        room_linger: second * 3600,
        idle_after: Duration::ZERO,
        ..Config::default()
    };
    let links = ChaCha8Rng::seed_from_u64(rng.random());
    // Of the bugs that are not about restarts each is shown without.
    let is_killed = match plan.bug {
        None => rng.random_ratio(1, KILLED_ONE_IN),
        bug => matches!(bug, Some(Bug::OldCheckpoint | Bug::SeatLostInRestart)),
    };
    let mut host = Host::new(config, is_killed, links, plan.seed, plan.bug);
    let mut oracle = Oracle::default();
    let crowd = rng.random_ratio(1, 8);
    let mut peers: Vec<Peer> = (0..rng.random_range(if crowd { 12..=20 } else { 1..=6 }))
        .map(|number| Peer::new(number, &mut rng))
        .collect();
    let broken = live(
        &plan,
        u64::from(tick_rate),
        &mut host,
        &mut oracle,
        &mut peers,
        &mut rng,
    );
    let mut seen = peer::Seen::default();
    for peer in &peers {
        seen.add(peer.seen());
    }
    Outcome {
        trace: host.trace.value(),
        figures: Figures::of(&host),
        peers: seen,
        slots_reused: oracle.slots_reused(),
        moves: oracle.moves(),
        broken: broken.err(),
    }
}

/// What the server counted.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) ticks: u64,
    pub(crate) keyframes: u64,
    pub(crate) skipped_in_flight: u64,
    pub(crate) skipped_unwritable: u64,
    pub(crate) skipped_rationed: u64,
    pub(crate) catch_ups: u64,
    pub(crate) probes: u64,
    pub(crate) tiers_slower: u64,
    pub(crate) cut_writes: u64,
    pub(crate) stalled: u64,
    pub(crate) vacated: u64,
    pub(crate) unanswered: u64,
    pub(crate) taken_over: u64,
    pub(crate) restarts: u64,
    pub(crate) lost_ticks: u64,
}

impl Figures {
    fn of(host: &Host) -> Figures {
        let skipped = |cause| {
            host.figure(&format!(
                "tickwire_snapshots_skipped_total{{cause=\"{cause}\""
            ))
        };
        Figures {
            ticks: host.figure("tickwire_ticks_total"),
            keyframes: host.figure("tickwire_keyframes_total"),
            skipped_in_flight: skipped("credit"),
            skipped_unwritable: skipped("blocked"),
            skipped_rationed: skipped("rationed"),
            catch_ups: host.figure("tickwire_catch_ups_total{with=\"delta\""),
            probes: host.figure("tickwire_probes_total"),
            tiers_slower: host.figure("tickwire_lane_moves_total{to=\"slower\""),
            cut_writes: host.cut_writes,
            stalled: host.stalled,
            vacated: host.seats.vacated,
            unanswered: host.seats.unanswered,
            taken_over: host.seats.taken_over,
            restarts: host.restarts.into(),
            lost_ticks: host.lost_ticks.into(),
        }
    }
}

fn live(
    plan: &Plan,
    tick_rate: u64,
    host: &mut Host,
    oracle: &mut Oracle,
    peers: &mut [Peer],
    rng: &mut ChaCha8Rng,
) -> Result<(), (u64, Broken)> {
    let ticks = plan.seconds * tick_rate;
    let chaos = ticks.saturating_sub(CALM_S * tick_rate);
    let minute = 60 * tick_rate as u32;
    let mut now_us = 0;
    for tick in 0..ticks {
        if tick == chaos {
            let room = host.room();
            room.throttle(0);
            room.world_mut().resource_mut::<Diary>().is_calm = true;
            for peer in &mut *peers {
                peer.calm_down(host, now_us);
            }
        } else if tick < chaos && rng.random_ratio(STORMS, minute) {
            for peer in &mut *peers {
                peer.weather_a_storm(host, now_us, rng);
            }
        } else if tick < chaos && rng.random_ratio(THINNINGS, minute) {
            host.room().throttle(rng.random_range(0..3));
        } else if tick < chaos && host.is_kept() && rng.random_ratio(KILLS, minute) {
            for peer in &mut *peers {
                peer.lose(host, now_us, rng);
            }
            host.restart(now_us, oracle)
                .map_err(|broken| (now_us, broken))?;
        }
        for step in 0..STEPS {
            now_us = (tick * STEPS + step) * 1_000_000 / (STEPS * tick_rate);
            host.step(now_us, oracle)
                .map_err(|broken| (now_us, broken))?;
            for peer in &mut *peers {
                peer.step(host, oracle, now_us, rng)
                    .map_err(|broken| (now_us, broken))?;
            }
        }
        if tick % 32 == 0 {
            let newest = host.room().tick_number();
            let needed = peers.iter().filter_map(|peer| peer.needs(host)).min();
            oracle.forget_before(needed.unwrap_or(newest));
        }
    }
    for peer in peers {
        peer.is_current(host).map_err(|broken| (now_us, broken))?;
    }
    Ok(())
}
