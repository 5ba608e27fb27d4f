//! Until when the rooms of an incarnation may be ticked: a deadline in the hands of the workers,
//! who compare it with their own clock before each tick. So ticks stop by themselves when the task
//! that runs [`super::Ownership`] is stuck. A lease is one incarnation's: a room that was started
//! under it is never ticked under the next one's, however late its worker hears that it is gone.
//!
//! Leases by observed time are Gray's and Cheriton's (1989); that the holder's ends before the
//! others' is Chubby's. A process that is stopped between this check and what it sends may send one
//! tick too many: what is durable is fenced by the epoch besides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One incarnation's lease; times are since the process's start.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// In nanoseconds; 0: not yet, not now, or never again.
    until: AtomicU64,
}

impl Lease {
    /// Whether a room may be ticked now: one load.
    pub(crate) fn holds(&self, now: Duration) -> bool {
        now < Duration::from_nanos(self.until.load(Ordering::Relaxed))
    }

    /// It holds until then; zero: not now.
    pub(super) fn hold(&self, until: Duration) {
        let nanos = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        self.until.store(nanos, Ordering::Relaxed);
    }
}
