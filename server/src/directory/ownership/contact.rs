//! A node's own contact with the engine: which connection, when the last answer came, and when what
//! it answers was sent. Only [`super::Ownership`] calls it.

use std::time::Duration;

use super::messages::Run;
use super::timing::Timing;

/// What an answered beat is the first of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// As before.
    Again,
    /// After a gap: how long others were silent counts from here.
    AfterGap,
    /// On another connection than the last answer, or at all: the engine may have lost writes.
    OnAnother,
}

/// Contact with the engine.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// The connection that is open.
    pub(super) open: Option<Run>,
    /// That of the last answered beat.
    run: Option<Run>,
    /// When it was answered.
    answered: Option<Duration>,
    /// When the newest answered beat was sent: the lease counts from here.
    pub(super) sent: Option<Duration>,
    /// Answers came without a gap since, on one connection.
    since: Duration,
}

impl Contact {
    /// A beat that was sent at `sent` on `run` is answered.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        sent: Duration,
        run: Run,
        timing: &Timing,
    ) -> Answered {
        let answered = if self.run != Some(run) {
            Answered::OnAnother
        } else if !self.is_fresh(now, timing) {
            Answered::AfterGap
        } else {
            Answered::Again
        };
        if answered != Answered::Again {
            self.since = now;
        }
        self.run = Some(run);
        self.answered = Some(now);
        self.sent = self.sent.max(Some(sent));
        answered
    }

    /// The open connection is another one than that of the last answer: the engine may have lost
    /// writes.
    pub(super) fn is_another(&self) -> bool {
        self.open != self.run
    }

    /// The last answer is younger than a gap.
    pub(super) fn is_fresh(&self, now: Duration, timing: &Timing) -> bool {
        self.answered
            .is_some_and(|answered| now.saturating_sub(answered) <= timing.gap)
    }

    /// Contact lasts for so long that what follows from it may come before an answer given now is
    /// void.
    pub(super) fn is_lasting(&self, now: Duration, timing: &Timing) -> bool {
        let young = timing.settle.saturating_sub(timing.answer + timing.gap);
        now.saturating_sub(self.since) >= young
    }

    /// The open connection, if contact on it lasts long enough to act on what others did or did
    /// not do.
    pub(super) fn settled(&self, now: Duration, timing: &Timing) -> Option<Run> {
        let lasts = now.saturating_sub(self.since) >= timing.settle && self.is_fresh(now, timing);
        self.open.filter(|_| lasts && !self.is_another())
    }
}
