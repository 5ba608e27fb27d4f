//! What became of a run's bots: who joined, who was lost and why, and what the server said of
//! itself meanwhile. Counted by `swarm`, judged by `judge`; what those measured that played is in
//! `tally`.

use std::collections::BTreeMap;

use crate::ending::{Cause, Ending};
use crate::roles::{Answers, Breach};
use crate::tally::Totals;

/// Different troubles that are kept for the report; there is seldom more than one.
const TROUBLES_MAX: usize = 5;

/// Counts of bots and what ended them, over the whole run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcomes {
    /// Bots that got a seat.
    pub(crate) joined: u64,
    /// Bots that ended without ever getting one.
    pub(crate) never_joined: u64,
    /// Bots that had a seat and have ended.
    pub(crate) gone: u64,
    /// Bots with a seat when the measured part began.
    pub(crate) connected: u64,
    /// Layers whose checksum disagreed.
    pub(crate) desyncs: u64,
    /// Ends before the swarm's, by close code; `left` for a bot that was sent out of its room,
    /// `error` for one that could not go on.
    pub(crate) disconnects: BTreeMap<String, u64>,
    /// What went wrong in words, and how often.
    pub(crate) troubles: BTreeMap<String, u64>,
    /// The server's CPU time per snapshot in the measured part, in microseconds, where it was told.
    pub(crate) server_cpu_us: Option<f64>,
    /// Steps a second, and ticks between snapshots.
    pub(crate) rates: Option<(u16, u16)>,
    /// What a run with hostile or slow bots has besides.
    pub(crate) stress: Option<Stress>,
}

/// What is known of those who look on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audience {
    /// What they measured.
    pub(crate) totals: Totals,
    /// What became of them.
    pub(crate) outcomes: Outcomes,
}

/// What is known of the time with hostile or slow bots or spectators, and of that before.
#[derive(Clone, Debug)]
pub(crate) struct Stress {
    /// What the others measured before.
    pub(crate) before: Totals,
    /// The server's resident memory in bytes, early and late.
    pub(crate) memory_bytes: Option<(u64, u64)>,
    /// What the hostile ones were answered.
    pub(crate) answers: BTreeMap<Breach, Answers>,
}

impl Outcomes {
    /// Bots in a room.
    pub(crate) fn playing(&self) -> u64 {
        self.joined.saturating_sub(self.gone)
    }

    /// A bot got a seat in a room of these rates.
    pub(crate) fn note_joined(&mut self, tick_rate: u16, snapshot_every: u16) {
        self.joined += 1;
        self.rates = Some((tick_rate, snapshot_every));
    }

    /// A bot ended; `None` when its task panicked.
    pub(crate) fn note_ending(&mut self, ending: Option<Ending>) {
        let Some(ending) = ending else {
            self.gone += 1;
            self.disconnect("error");
            self.trouble("a bot panicked".to_owned());
            return;
        };
        if ending.joined {
            self.gone += 1;
        } else {
            self.never_joined += 1;
        }
        self.desyncs += ending.desyncs;
        match ending.cause {
            Cause::Stopped => {}
            Cause::Closed(code) => self.disconnect(&code.to_string()),
            // A redirect that is followed ends no bot.
            Cause::SentOut | Cause::Redirected(_) => self.disconnect("left"),
            Cause::Failed(why) => {
                // Without a seat it is a bot that did not join, not one that was lost.
                if ending.joined {
                    self.disconnect("error");
                }
                self.trouble(why);
            }
        }
    }

    fn disconnect(&mut self, code: &str) {
        *self.disconnects.entry(code.to_owned()).or_default() += 1;
    }

    fn trouble(&mut self, why: String) {
        if self.troubles.len() < TROUBLES_MAX || self.troubles.contains_key(&why) {
            *self.troubles.entry(why).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(joined: bool, cause: Cause) -> Option<Ending> {
        Some(Ending {
            joined,
            cause,
            desyncs: 1,
        })
    }

    #[test]
    fn ends_are_sorted_by_their_cause() {
        let mut outcomes = Outcomes::default();
        for _ in 0..4 {
            outcomes.note_joined(30, 1);
        }
        outcomes.note_ending(ended(true, Cause::Stopped));
        outcomes.note_ending(ended(true, Cause::Closed(4008)));
        outcomes.note_ending(ended(false, Cause::Failed("no seat".to_owned())));
        outcomes.note_ending(None);
        assert_eq!(
            (outcomes.playing(), outcomes.never_joined, outcomes.desyncs),
            (1, 1, 3)
        );
        let codes: Vec<_> = outcomes.disconnects.iter().collect();
        assert_eq!(codes, [(&"4008".to_owned(), &1), (&"error".to_owned(), &1)]);
        assert_eq!(outcomes.troubles.len(), 2);
    }
}
