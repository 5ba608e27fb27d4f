//! The machine's monotonic clock, which servers' play logs, deeds and bots' notes share.

use std::time::Instant;

use nix::time::{ClockId, clock_gettime};

/// One moment of both: Rust's own, which does not tell its number, and the system's, in
/// nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    instant: Instant,
    ns: u64,
}

impl Clock {
    /// # Errors
    /// The system has no such clock.
    pub(super) fn new() -> Result<Clock, String> {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
        let now = now.map_err(|error| format!("there is no monotonic clock: {error}"))?;
        Ok(Clock {
            instant: Instant::now(),
            ns: now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64,
        })
    }

    /// Now.
    pub(super) fn now_ns(&self) -> u64 {
        self.ns_of(Instant::now())
    }

    /// A moment after this clock was made.
    pub(super) fn ns_of(&self, at: Instant) -> u64 {
        self.ns + at.saturating_duration_since(self.instant).as_nanos() as u64
    }
}
