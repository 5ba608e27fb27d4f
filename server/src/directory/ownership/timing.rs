//! How long each thing lasts, by a node's own monotonic clock. Clocks may run 1 % apart: the tests
//! here hold the margins to that. Nothing reads a clock here.

use std::time::Duration;

/// The times of the protocol, the same for every node of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// From one beat to the next, and from one question to a peer to the next; a tenth more or
    /// less, so that nodes don't beat in step.
    pub(crate) beat: Duration,
    /// The lease, as others see it: who was silent for so long may be fenced.
    pub(crate) silence: Duration,
    /// The lease, as its holder sees it: from when the newest answered beat was *sent*. Shorter
    /// than `silence`, by more than clocks and one tick differ.
    pub(crate) freeze: Duration,
    /// Without an answer for longer, contact is interrupted.
    pub(crate) gap: Duration,
    /// Contact on one connection without a gap, before a node acts on what it sees of others: all
    /// who live have asserted their rooms by then, and the lease of those that an engine that was
    /// replaced still answered has ended. So it is `silence` and as long as such an engine may go
    /// on to answer: 2 s.
    pub(crate) settle: Duration,
    /// A peer's word that it has no contact holds for so long, from when it was asked. Shorter than
    /// `silence`: nobody adopts sooner after contact.
    pub(crate) answer: Duration,
    /// Longest play without the engine, from when the newest answered beat was sent. Below
    /// `freeze`: the engine alone decides.
    pub(crate) detached: Duration,
    /// For an answer to a command, beyond which its outcome is looked up in the tables.
    pub(crate) wait: Duration,
}

impl Timing {
    /// Who was silent for so long does not play, whomever it knows; by clocks that run apart, which
    /// is more than `silence` in an hour.
    pub(super) fn abandoned(&self) -> Duration {
        let played = self.detached.max(self.freeze);
        played + played / 32 + self.silence
    }

    /// Before the node of that place in the order of [`super::placement`] adopts: the first at
    /// once.
    pub(super) fn turn(&self, place: u32) -> Duration {
        self.beat * 3 / 2 * place
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            beat: Duration::from_millis(500),
            silence: Duration::from_secs(6),
            freeze: Duration::from_millis(4750),
            gap: Duration::from_secs(1),
            settle: Duration::from_secs(8),
            answer: Duration::from_secs(2),
            detached: Duration::from_secs(90),
            wait: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DETACHED_MAX;

    /// The longest that a span of the slowest clock lasts, and the shortest of the fastest.
    fn apart(span: Duration) -> (Duration, Duration) {
        (span * 100 / 99, span * 100 / 101)
    }

    #[test]
    fn no_lease_outlasts_what_others_wait_for_with_clocks_that_run_apart() {
        for detached in [0, 5, 90, DETACHED_MAX.as_secs()] {
            let timing = Timing {
                detached: Duration::from_secs(detached),
                ..Timing::default()
            };
            let (held, _) = apart(timing.freeze);
            let (_, waited) = apart(timing.silence);
            assert!(held + timing.gap <= waited, "the lease");
            let (played, _) = apart(timing.detached.max(timing.freeze));
            let (_, waited) = apart(timing.abandoned());
            assert!(played < waited, "{detached} s without the engine");
            let (believed, _) = apart(timing.answer + timing.beat);
            let (_, settled) = apart(timing.silence);
            assert!(believed < settled, "a peer's word");
        }
    }
}
