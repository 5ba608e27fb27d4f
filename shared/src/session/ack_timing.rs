//! When an acknowledgement goes out alone, because no input carries it. Asked by [`super::room`];
//! mirrored by `client-web/src/session/ack_timing.js`. Not what is acknowledged: that is the newest
//! snapshot.
//!
//! **At leisure.** While snapshots come as they should, [`ACK_DELAY_MS`] after the oldest that is
//! not acknowledged: an input mostly comes first, and one message then does for both.
//!
//! **At once.** A snapshot that ends a *silence*, longer than that delay and than two snapshots'
//! time, and every one in the [`ACK_DELAY_MS`] after it: this client fell behind, or its link stood
//! still, and the server sends nothing more until it hears what was read. The delay would be most
//! of the time until the current state is here. It is all of them because what had piled up comes
//! in one go, and only the last of it shows that nothing is left. They are few: the server's
//! in-flight window, and three or four in time.

use crate::limits::ACK_DELAY_MS;

const DELAY_US: u64 = ACK_DELAY_MS as u64 * 1000;

/// See the module's description. Times are in microseconds, from any start.
#[derive(Clone, Debug)]
pub(super) struct AckTiming {
    /// The longest time between snapshots that is no silence.
    silence_us: u64,
    heard_us: Option<u64>,
    /// Until when each snapshot is acknowledged at once.
    prompt_until_us: u64,
    due_us: Option<u64>,
}

impl AckTiming {
    /// For a room of so many steps a second, with so many from one snapshot to the next; 0 counts
    /// as 1.
    pub(super) fn new(tick_rate: u16, snapshot_every: u16) -> AckTiming {
        let every_us = u64::from(snapshot_every.max(1)) * 1_000_000 / u64::from(tick_rate.max(1));
        AckTiming {
            silence_us: DELAY_US.max(2 * every_us),
            heard_us: None,
            prompt_until_us: 0,
            due_us: None,
        }
    }

    /// A snapshot was applied.
    pub(super) fn on_snapshot(&mut self, now_us: u64) {
        let before_us = self.heard_us.replace(now_us).unwrap_or(now_us);
        if now_us.saturating_sub(before_us) > self.silence_us {
            self.prompt_until_us = now_us + DELAY_US;
        }
        let at_once = now_us < self.prompt_until_us;
        let due_us = if at_once { now_us } else { now_us + DELAY_US };
        self.due_us = Some(self.due_us.map_or(due_us, |due| due.min(due_us)));
    }

    /// An acknowledgement is on its way.
    pub(super) fn sent(&mut self) {
        self.due_us = None;
    }

    /// When it goes out alone, `None` when there is nothing new to acknowledge.
    pub(super) fn due_us(&self) -> Option<u64> {
        self.due_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1000;

    #[test]
    fn snapshots_in_time_are_acknowledged_at_leisure() {
        let mut timing = AckTiming::new(30, 1);
        assert_eq!(timing.due_us(), None);
        for ms in [500, 533, 566] {
            timing.on_snapshot(ms * MS);
            assert_eq!(timing.due_us(), Some(600 * MS));
        }
        timing.sent();
        assert_eq!(timing.due_us(), None);
        timing.on_snapshot(666 * MS);
        assert_eq!(timing.due_us(), Some(766 * MS), "100 ms are no silence");
    }

    #[test]
    fn what_piled_up_in_a_silence_is_acknowledged_at_once() {
        let mut timing = AckTiming::new(30, 1);
        timing.on_snapshot(500 * MS);
        timing.sent();
        for us in [650 * MS, 650 * MS + 40, 651 * MS, 749 * MS] {
            timing.on_snapshot(us);
            assert_eq!(timing.due_us(), Some(us));
            timing.sent();
        }
        timing.on_snapshot(750 * MS);
        assert_eq!(timing.due_us(), Some(850 * MS), "it is over");
    }

    #[test]
    fn a_room_of_rare_snapshots_is_not_silent() {
        let mut timing = AckTiming::new(30, 3);
        timing.on_snapshot(0);
        timing.on_snapshot(200 * MS);
        assert_eq!(timing.due_us(), Some(100 * MS));
        timing.sent();
        timing.on_snapshot(401 * MS);
        assert_eq!(timing.due_us(), Some(401 * MS));
    }
}
