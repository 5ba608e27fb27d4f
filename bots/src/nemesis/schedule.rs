//! Which faults come when, from a seed: the same seed, kinds, nodes and length give the same list.
//! Faults come in rounds, some at a time and over one another; behind each round all is well for a
//! while, and everything has to be in order then. Pure. Called by `course`.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::faults::{Fault, Kind, NodeNumber, Step};

/// Faults of one round, at most.
const FAULTS_PER_ROUND: usize = 4;
/// In so many seconds they begin.
const ROUND_S: f64 = 15.0;
/// Behind a round: the slowest way to an orphaned room, and what a client waits between two tries.
pub(super) const CALM: Duration = Duration::from_secs(25);
/// Before the first round.
const BEFORE: Duration = Duration::from_secs(3);

/// A fault and when it begins, in the plan's own time, which stands still during a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Since the plan's start.
    pub at: Duration,
    /// What then begins.
    pub fault: Fault,
}

/// A run's faults, and when it is looked whether all is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// By time.
    pub faults: Vec<Planned>,
    /// Likewise.
    pub looks: Vec<Duration>,
}

impl Plan {
    /// Of at least one round, and of as many more as end within `length`. `kinds` are drawn alike;
    /// there is at least one, and at least one node.
    pub fn draw(seed: u64, kinds: &[Kind], nodes: usize, length: Duration) -> Plan {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut faults, mut looks) = (Vec::new(), Vec::new());
        let mut at = BEFORE;
        loop {
            let round = round(&mut rng, kinds, nodes);
            let end = round.iter().map(|planned| planned.at + lasts(planned));
            let look = at + end.max().unwrap_or_default() + CALM;
            if !looks.is_empty() && look > length {
                return Plan { faults, looks };
            }
            faults.extend(round.into_iter().map(|planned| Planned {
                at: at + planned.at,
                ..planned
            }));
            looks.push(look);
            at = look;
        }
    }

    /// All steps by time, looks included.
    pub fn steps(&self) -> Vec<(Duration, Step)> {
        let looks = self.looks.iter().map(|at| (*at, Step::Look));
        let mut steps: Vec<_> = self
            .faults
            .iter()
            .flat_map(|Planned { at, fault }| {
                let steps = fault.steps().into_iter();
                steps.map(|(after, step)| (*at + after, step))
            })
            .chain(looks)
            .collect();
        steps.sort_by_key(|(at, _)| *at);
        steps
    }
}

fn lasts(planned: &Planned) -> Duration {
    planned.fault.lasts.max(planned.fault.by)
}

/// Some faults at once, each to another thing.
fn round(rng: &mut ChaCha8Rng, kinds: &[Kind], nodes: usize) -> Vec<Planned> {
    let count = rng.random_range(1..=FAULTS_PER_ROUND);
    let mut round: Vec<Planned> = Vec::new();
    for _ in 0..count {
        let kind = kinds[rng.random_range(0..kinds.len())];
        let node = NodeNumber(rng.random_range(0..nodes));
        let (lasts, by) = times(rng, kind);
        let at = Duration::from_secs_f64(rng.random_range(0.0..ROUND_S));
        let fault = Fault {
            kind,
            node,
            lasts,
            by,
        };
        // At most one to each thing.
        if round
            .iter()
            .all(|other| other.fault.place() != fault.place())
        {
            round.push(Planned { at, fault });
        }
    }
    round.sort_by_key(|planned| planned.at);
    round
}

/// How long a fault lasts, and by how much things are late. Many are short: what is between two
/// beats is as likely to go wrong as what outlasts a lease.
fn times(rng: &mut ChaCha8Rng, kind: Kind) -> (Duration, Duration) {
    let mut between = |from: f64, to: f64| {
        let (from, to): (f64, f64) = (from.ln(), to.ln());
        Duration::from_secs_f64(rng.random_range(from..to).exp())
    };
    let none = Duration::ZERO;
    match kind {
        Kind::Kill => (between(0.2, 20.0), none),
        Kind::Pause => (between(0.1, 20.0), none),
        Kind::Drain => (between(1.0, 20.0), none),
        Kind::Cut | Kind::Stall | Kind::PeerCut | Kind::PeerStall => (between(0.3, 20.0), none),
        Kind::Delay => (between(2.0, 20.0), between(0.02, 2.0)),
        Kind::EnginePause => (between(1.0, 15.0), none),
        Kind::EngineEmpty => (between(0.1, 10.0), none),
        Kind::EngineFailover => (none, between(0.05, 1.5)),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::faults::Link;
    use super::*;

    const LENGTH: Duration = Duration::from_secs(3600);

    #[test]
    fn a_seed_is_a_list_of_faults() {
        let plan = |seed| Plan::draw(seed, Kind::value_variants(), 3, LENGTH);
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
        let plan = plan(7);
        for kind in Kind::value_variants() {
            let count = plan.faults.iter().filter(|p| p.fault.kind == *kind).count();
            assert!(count >= 3, "{kind:?}: {count}");
        }
        let nodes: Vec<_> = plan.faults.iter().map(|p| p.fault.node).collect();
        assert!((0..3).all(|node| nodes.contains(&NodeNumber(node))));
    }

    #[test]
    fn at_a_look_all_is_well_again() {
        for seed in 0..50 {
            let plan = Plan::draw(seed, Kind::value_variants(), 3, LENGTH);
            let steps = plan.steps();
            assert!(steps.is_sorted_by_key(|(at, _)| *at));
            let (mut down, mut links) = (0, [Link::Open; 6]);
            let mut last = Duration::ZERO;
            for (at, step) in steps {
                match step {
                    Step::Look => {
                        assert_eq!((down, links), (0, [Link::Open; 6]), "seed {seed}, {at:?}");
                        assert!(at - last >= CALM, "seed {seed}, {at:?}");
                    }
                    Step::Link(node, link) => links[node.0] = link,
                    Step::Peers(node, link) => links[3 + node.0] = link,
                    Step::Kill(_) | Step::Pause(_) | Step::Drain(_) => down += 1,
                    Step::PauseEngine | Step::KillEngine | Step::HoldReplica => down += 1,
                    Step::Start(_) | Step::GoOn(_) => down -= 1,
                    Step::EngineGoesOn | Step::StartEngine | Step::FailOver => down -= 1,
                }
                if step != Step::Look {
                    last = at;
                }
            }
            assert!(*plan.looks.last().expect("one at least") <= LENGTH);
        }
    }

    #[test]
    fn the_shortest_run_has_a_round_and_a_look() {
        let plan = Plan::draw(1, &[Kind::Kill], 1, Duration::ZERO);
        assert_eq!(plan.looks.len(), 1);
        assert!(plan.faults.iter().all(|p| p.fault.kind == Kind::Kill));
        assert_eq!(plan.faults.len(), 1, "a node is killed once a round");
    }
}
