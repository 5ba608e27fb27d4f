//! What is played over which links.

use tickwire::conditioner::Conditions;

/// Ticks a second of the room.
pub(super) const TICK_RATE: u16 = 30;
/// Players of the room; all have links alike.
pub(super) const PLAYERS: u16 = 4;
/// Drones, so that there is always somebody to see and to shoot at.
pub(super) const DRONES: u16 = 24;
/// Seconds after joining that don't count.
pub(super) const SETTLE_S: u32 = 10;

/// What the links are like, and for how long it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Round trip without jitter, half of it each way.
    pub rtt_ms: u32,
    /// Further delay of each message, each way, evenly distributed from 0 to this.
    pub jitter_ms: u32,
    /// How long both ways stand still, every five seconds.
    pub stall_ms: u32,
    /// Seconds that count, after 10 s of settling.
    pub seconds: u32,
    /// Of the room, the hands and the links.
    pub seed: u32,
}

impl Case {
    pub(super) fn conditions(&self) -> Conditions {
        Conditions {
            latency_us: self.rtt_ms * 500,
            jitter_us: self.jitter_ms * 1_000,
            stall_every_us: if self.stall_ms > 0 { 5_000_000 } else { 0 },
            stall_us: self.stall_ms * 1_000,
            bytes_per_s: 0,
        }
    }

    /// When the server's slot begins, in microseconds, rounded up.
    pub(super) fn slot_us(slot: u32) -> u64 {
        (u64::from(slot) * 1_000_000).div_ceil(u64::from(TICK_RATE))
    }

    /// The newest tick, with a fraction, that can be known at the other end of a link without
    /// jitter and stalls: what an ideal clock says there. The room's tick 0 was at `opened_us`.
    pub(super) fn tick_at_client(&self, now_us: f64, opened_us: f64) -> f64 {
        (now_us - f64::from(self.conditions().latency_us) - opened_us) * f64::from(TICK_RATE) / 1e6
    }
}
