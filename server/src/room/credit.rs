//! What was sent to a player and not acknowledged yet. Kernel buffers hide a slow reader for
//! seconds, so the acknowledgement is the first sign: without credit a player is skipped.

use std::collections::VecDeque;

use tickwire::ids::Tick;
use tickwire::limits::{UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};

/// A player's snapshots in flight.
#[derive(Debug, Default)]
pub(super) struct Credit {
    acked: Tick,
    in_flight: VecDeque<(Tick, u32)>,
    bytes: u32,
}

/// An acknowledgement of what was not sent, or one that goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadAck;

impl Credit {
    /// Whether another snapshot may go out. A single one always may, whatever its size.
    pub(super) fn left(&self) -> bool {
        self.in_flight.is_empty()
            || (self.in_flight.len() < UNACKED_SNAPSHOTS_MAX as usize
                && self.bytes < UNACKED_BYTES_MAX)
    }

    pub(super) fn sent(&mut self, tick: Tick, bytes: u32) {
        self.in_flight.push_back((tick, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Takes an acknowledgement of `tick` and all before it. The same one may come again.
    pub(super) fn ack(&mut self, tick: Tick) -> Result<(), BadAck> {
        if tick == self.acked {
            return Ok(());
        }
        let at = self
            .in_flight
            .binary_search_by_key(&tick, |(tick, _)| *tick)
            .map_err(|_| BadAck)?;
        for (_, bytes) in self.in_flight.drain(..=at) {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        self.acked = tick;
        Ok(())
    }

    /// Ticks for which the oldest snapshot in flight has been waiting.
    pub(super) fn waiting(&self, now: Tick) -> u32 {
        self.in_flight
            .front()
            .map_or(0, |(tick, _)| now.since(*tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_free_what_they_cover() {
        let mut credit = Credit::default();
        for tick in [2, 4, 6] {
            credit.sent(Tick(tick), 100);
        }
        assert_eq!(credit.ack(Tick(4)), Ok(()));
        assert_eq!(credit.ack(Tick(4)), Ok(()));
        assert_eq!(credit.bytes, 100);
        assert_eq!(credit.waiting(Tick(9)), 3);
    }

    #[test]
    fn an_ack_of_what_was_not_sent_or_that_goes_back_is_refused() {
        let mut credit = Credit::default();
        credit.sent(Tick(2), 1);
        credit.sent(Tick(4), 1);
        assert_eq!(credit.ack(Tick(3)), Err(BadAck));
        assert_eq!(credit.ack(Tick(5)), Err(BadAck));
        assert_eq!(credit.ack(Tick(4)), Ok(()));
        assert_eq!(credit.ack(Tick(2)), Err(BadAck));
        assert_eq!(credit.ack(Tick(0)), Err(BadAck));
    }

    #[test]
    fn credit_ends_by_count_and_by_bytes() {
        let mut credit = Credit::default();
        for tick in 1..=UNACKED_SNAPSHOTS_MAX {
            assert!(credit.left());
            credit.sent(Tick(tick), 1);
        }
        assert!(!credit.left());
        let mut credit = Credit::default();
        credit.sent(Tick(1), UNACKED_BYTES_MAX);
        assert!(!credit.left());
        assert_eq!(credit.ack(Tick(1)), Ok(()));
        assert!(credit.left());
    }
}
