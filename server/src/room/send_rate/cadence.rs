//! How often a room ticks and makes snapshots, and how those rates turn spans of time into ticks.
//! Snapshots may be throttled under load; ticks never are. Pure numbers, no clock.

use serde::{Deserialize, Serialize};

/// The rates of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cadence {
    /// Ticks a second.
    tick_rate: u16,
    /// Ticks from one snapshot to the next, at full rate.
    full: u16,
    /// How often the snapshot rate is halved.
    pub(crate) halvings: u8,
}

impl Cadence {
    /// `tick_rate` ticks a second, a snapshot every `snapshot_every` of them; both from 1.
    pub(crate) fn new(tick_rate: u16, snapshot_every: u16) -> Cadence {
        Cadence {
            tick_rate: tick_rate.max(1),
            full: snapshot_every.max(1),
            halvings: 0,
        }
    }

    /// Ticks from one snapshot to the next, now.
    pub(crate) fn every(self) -> u32 {
        u32::from(self.full) << self.halvings.min(8)
    }

    /// Ticks in so many milliseconds, rounded up.
    pub(crate) fn ticks_in_ms(self, ms: u32) -> u32 {
        (u64::from(ms) * u64::from(self.tick_rate)).div_ceil(1000) as u32
    }

    /// Milliseconds of so many ticks.
    pub(crate) fn ms(self, ticks: u32) -> u64 {
        u64::from(ticks) * 1000 / u64::from(self.tick_rate)
    }

    /// Ticks in so many seconds.
    pub(crate) fn ticks_in(self, seconds: u32) -> u32 {
        seconds * u32::from(self.tick_rate)
    }
}
