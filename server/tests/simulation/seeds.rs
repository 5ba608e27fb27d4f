//! Many seeds, on every core: which ones, what they saw together, and how to run one again that
//! broke something.

use std::env;
use std::fmt;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::run::{Outcome, Plan, run};

/// Ticks in which everything usual happens.
const USUAL_IN_TICKS: u64 = 40_000;
/// Ticks of long runs in which the rare happens too.
const RARE_IN_TICKS: u64 = 1_000_000;

/// Which seeds to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
    /// Simulated seconds, each.
    pub(crate) seconds: u64,
}

/// What runs saw together.
#[derive(Default)]
pub(crate) struct Sum {
    runs: u64,
    traces: u64,
    ticks: u64,
    snapshots: u64,
    events: u64,
    answers: u64,
    chats: u64,
    joins: u64,
    watched: u64,
    spectated: u64,
    not_let_in: u64,
    moved_to_play: u64,
    keyframes: u64,
    skipped_in_flight: u64,
    skipped_unwritable: u64,
    skipped_rationed: u64,
    catch_ups: u64,
    probes: u64,
    tiers_slower: u64,
    cut_writes: u64,
    stalled: u64,
    slots_reused: u64,
    moves: u64,
    durable: u64,
    returns: u64,
    seats_lost: u64,
    vacated: u64,
    unanswered: u64,
    taken_over: u64,
    restarts: u64,
    lost_ticks: u64,
}

impl Seeds {
    /// What `SIMULATE_FIRST`, `SIMULATE_SEEDS` and `SIMULATE_SECONDS` say, else `usual`.
    pub(crate) fn from_env(usual: Seeds) -> Seeds {
        let number = |name: &str, usual| match env::var(name) {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{name} is not a number: {text:?}")),
            Err(_) => usual,
        };
        Seeds {
            first: number("SIMULATE_FIRST", usual.first),
            count: number("SIMULATE_SEEDS", usual.count),
            seconds: number("SIMULATE_SECONDS", usual.seconds),
        }
    }

    /// Runs them all.
    ///
    /// # Panics
    /// When one breaks an invariant, with the command that runs it again.
    pub(crate) fn run_all(&self) -> Sum {
        let next = AtomicU64::new(self.first);
        let end = self.first + self.count;
        let sum = Mutex::new(Sum::default());
        let broken = Mutex::new(Vec::new());
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            return;
                        }
                        let plan = Plan {
                            seed,
                            seconds: self.seconds,
                            bug: None,
                        };
                        let what = match catch_unwind(|| run(plan)) {
                            Ok(outcome) => match &outcome.broken {
                                None => {
                                    lock(&sum).add(&outcome);
                                    continue;
                                }
                                Some((us, what)) => format!("at {} ms: {what}", us / 1000),
                            },
                            Err(_) => "it panicked, see above".to_owned(),
                        };
                        lock(&broken).push((seed, what));
                        // The other seeds are not begun.
                        next.store(end, Ordering::Relaxed);
                    }
                });
            }
        });
        let broken = broken.into_inner().unwrap_or_default();
        for (seed, what) in &broken {
            let seconds = self.seconds;
            println!("seed {seed} {what}");
            println!("again: make simulate FIRST={seed} SEEDS=1 SECONDS={seconds}");
        }
        assert!(
            broken.is_empty(),
            "{} seeds broke an invariant",
            broken.len()
        );
        sum.into_inner().unwrap_or_default()
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        // In any order.
        self.traces = self.traces.wrapping_add(outcome.trace);
        let (host, peers) = (&outcome.figures, &outcome.peers);
        self.ticks += host.ticks;
        self.snapshots += peers.snapshots;
        self.events += peers.events;
        self.answers += peers.answers;
        self.chats += peers.chats;
        self.joins += peers.joins;
        self.watched += peers.watched;
        self.spectated += peers.spectated;
        self.not_let_in += peers.not_let_in;
        self.moved_to_play += peers.moved_to_play;
        self.keyframes += host.keyframes;
        self.skipped_in_flight += host.skipped_in_flight;
        self.skipped_unwritable += host.skipped_unwritable;
        self.skipped_rationed += host.skipped_rationed;
        self.catch_ups += host.catch_ups;
        self.probes += host.probes;
        self.tiers_slower += host.tiers_slower;
        self.cut_writes += host.cut_writes;
        self.stalled += host.stalled;
        self.slots_reused += outcome.slots_reused;
        self.moves += outcome.moves;
        self.durable += peers.durable;
        self.returns += peers.returns;
        self.seats_lost += peers.seats_lost;
        self.vacated += host.vacated;
        self.unanswered += host.unanswered;
        self.taken_over += host.taken_over;
        self.restarts += host.restarts;
        self.lost_ticks += host.lost_ticks;
    }

    /// That the runs had in them what they are for, if there were enough of them.
    pub(crate) fn assert_that_all_happened(&self) {
        let rare = [
            "skipped as rationed",
            "closed as stalled",
            "seats that were gone",
            "seats given up",
        ];
        for (what, count) in self.counts() {
            let often_enough = if rare.contains(&what) {
                RARE_IN_TICKS
            } else {
                USUAL_IN_TICKS
            };
            let happened = count > 0 || self.ticks < often_enough;
            assert!(happened, "{what} never happened");
        }
    }

    fn counts(&self) -> [(&'static str, u64); 29] {
        [
            ("ticks", self.ticks),
            ("snapshots judged", self.snapshots),
            ("events judged", self.events),
            ("answers", self.answers),
            ("chat lines", self.chats),
            ("joins", self.joins),
            ("joins to look on", self.watched),
            ("snapshots judged of those", self.spectated),
            ("not let in to look on", self.not_let_in),
            ("moves from there to a seat", self.moved_to_play),
            ("keyframes", self.keyframes),
            ("skipped for what is in flight", self.skipped_in_flight),
            ("skipped as not writable", self.skipped_unwritable),
            ("skipped as rationed", self.skipped_rationed),
            ("catch-ups", self.catch_ups),
            ("probes", self.probes),
            ("moves to a slower tier", self.tiers_slower),
            ("writes cut short", self.cut_writes),
            ("closed as stalled", self.stalled),
            ("slots reused", self.slots_reused),
            ("moves between groups", self.moves),
            ("durable events judged", self.durable),
            ("seats taken again", self.returns),
            ("seats that were gone", self.seats_lost),
            ("seats given up", self.vacated),
            ("seats given up unanswered", self.unanswered),
            ("seats taken over", self.taken_over),
            ("restarts", self.restarts),
            ("ticks lost by restarts", self.lost_ticks),
        ]
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} seeds, traces {:016x}", self.runs, self.traces)?;
        for (what, count) in self.counts() {
            writeln!(f, "{count:>12} {what}")?;
        }
        Ok(())
    }
}
