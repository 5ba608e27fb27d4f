//! What came of a run, of a pair of runs, and of a step of a ramp. How they are taken is
//! `contest`'s.

use std::fmt;

use serde::Serialize;

use super::load::Sight;

/// Less than this part of the snapshots that are due: the server sheds load, and what it saves so
/// is no measure of what a snapshot costs.
const SERVED_MIN: f64 = 0.97;

/// One run.
pub(super) struct Run {
    pub(super) sight: Sight,
    /// In the program and in the kernel, in microseconds.
    pub(super) user_us_per_snapshot: f64,
    /// See `user_us_per_snapshot`.
    pub(super) system_us_per_snapshot: f64,
    /// What it took of its core.
    pub(super) cpu_share: f64,
    /// What others had of the cores.
    pub(super) others: Option<f64>,
    /// What came of the snapshots that were due.
    pub(super) served: f64,
    /// Memory that it has more than without clients.
    pub(super) kib: f64,
}

/// A run of either.
pub(super) struct Pair {
    pub(super) server: Run,
    pub(super) bare: Run,
}

impl Run {
    pub(super) fn cpu_us_per_snapshot(&self) -> f64 {
        self.user_us_per_snapshot + self.system_us_per_snapshot
    }

    /// Whether all clients got what was due.
    pub(super) fn is_whole(&self) -> bool {
        self.sight.ended.is_empty() && self.served >= SERVED_MIN
    }
}

impl Pair {
    /// What others had in the run of which they had more; infinity where what was due did not come.
    pub(super) fn disturbance(&self) -> Option<f64> {
        if !self.server.is_whole() || !self.bare.is_whole() {
            return Some(f64::INFINITY);
        }
        let both = self.server.others.zip(self.bare.others);
        both.map(|(server, bare)| server.max(bare))
    }
}

/// A step of a ramp, or a try.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Step {
    /// Clients.
    pub clients: usize,
    /// What the server takes of its core.
    pub cpu_share: f64,
    /// Between two snapshots of a client, in milliseconds.
    pub gap_p99_ms: f64,
    /// Snapshots that came, of those that were due.
    pub served: f64,
    /// What others had of the cores; nothing where the system does not say.
    pub others: Option<f64>,
    /// Clients that the server closed.
    pub closed: usize,
    /// Whether it went well: in a ramp the gap is within its bound, in a try what was due came to
    /// all.
    pub holds: bool,
}

impl Step {
    pub(super) fn new(clients: usize, run: &Run, holds: bool) -> Step {
        Step {
            clients,
            cpu_share: run.cpu_share,
            gap_p99_ms: run.sight.gap_p99_ms,
            served: run.served,
            others: run.others,
            closed: run.sight.ended.values().sum(),
            holds,
        }
    }

    /// One in which the clients did not even come in.
    pub(super) fn failed(clients: usize) -> Step {
        Step {
            clients,
            closed: clients,
            ..Step::default()
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} clients: gap p99 {:.1} ms, {:.0} % of the snapshots came, the server took {:.0} % of its core, others {} of the cores",
            self.clients,
            self.gap_p99_ms,
            100.0 * self.served,
            100.0 * self.cpu_share,
            percent(self.others),
        )?;
        if self.closed > 0 {
            write!(f, ", {} clients were closed", self.closed)?;
        }
        Ok(())
    }
}

/// A share, for people.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(served: f64, others: f64) -> Run {
        Run {
            sight: Sight::default(),
            user_us_per_snapshot: 4.0,
            system_us_per_snapshot: 8.0,
            cpu_share: 0.5,
            others: Some(others),
            served,
            kib: 0.0,
        }
    }

    #[test]
    fn a_pair_that_shed_is_worse_than_any_disturbed_one() {
        let pair = |served, others| Pair {
            server: run(served, others),
            bare: run(1.0, 0.02),
        };
        assert_eq!(pair(1.0, 0.3).disturbance(), Some(0.3));
        assert_eq!(pair(0.77, 0.0).disturbance(), Some(f64::INFINITY));
    }

    #[test]
    fn a_step_says_what_it_saw() {
        let step = Step::new(2000, &run(0.77, 0.41), false).to_string();
        assert!(step.contains("77 % of the snapshots came"), "{step}");
        assert!(step.contains("others 41 % of the cores"), "{step}");
    }
}
