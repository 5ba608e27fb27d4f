//! How the store fares, for `/readyz`, the figures and the log: whether the database takes what it
//! is given, and whether anything was lost of late. Play goes on either way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::queue::Lost;
use crate::metrics::Metrics;

/// For how long after a loss it is shown: longer than a supervisor takes from one look to the next.
const SHOWN: Duration = Duration::from_secs(60);

/// See the module's description.
pub(super) struct Health {
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why nothing is written now.
    failing: Option<String>,
    is_short: bool,
    lost_at: Option<Instant>,
}

impl Health {
    pub(super) fn new(metrics: Arc<Metrics>) -> Health {
        let state = Mutex::default();
        Health { metrics, state }
    }

    /// Counts what was lost.
    pub(super) fn lost(&self, lost: &Lost) {
        if lost.iter().all(|lost| *lost == 0) {
            return;
        }
        for (counter, lost) in self.metrics.store_lost.iter().zip(lost) {
            counter.increment(u64::from(*lost));
        }
        self.state.lock().lost_at = Some(Instant::now());
    }

    /// Something could not be read.
    pub(super) fn unread(&self) {
        self.metrics.store_read_errors.increment(1);
    }

    /// The database takes nothing, for this reason. True: it did before.
    pub(super) fn fails(&self, why: String) -> bool {
        self.metrics.store_write_errors.increment(1);
        self.state.lock().failing.replace(why).is_none()
    }

    /// It takes what it is given. True: it did not before.
    pub(super) fn works(&self) -> bool {
        self.state.lock().failing.take().is_some()
    }

    /// Whether there is hardly any room. True: it is news.
    pub(super) fn is_short(&self, is_short: bool) -> bool {
        let mut state = self.state.lock();
        std::mem::replace(&mut state.is_short, is_short) != is_short
    }

    /// Whether what is put now is likely to be written soon.
    pub(super) fn takes(&self) -> bool {
        let state = self.state.lock();
        state.failing.is_none() && !state.is_short
    }

    /// What is wrong, if anything is.
    pub(super) fn degraded(&self, now: Instant) -> Option<String> {
        let state = self.state.lock();
        let is_losing = state
            .lost_at
            .is_some_and(|at| now.saturating_duration_since(at) < SHOWN);
        let short = state.is_short.then_some("the disk is full");
        let why = state.failing.as_deref().or(short);
        match (why, is_losing) {
            (Some(why), true) => Some(format!("{why}; records were lost")),
            (Some(why), false) => Some(why.to_owned()),
            (None, true) => Some("records were lost".to_owned()),
            (None, false) => None,
        }
    }
}
