//! The own entity ahead of the server: the rule of the game replayed over the inputs that the
//! server has not answered yet. Called by native clients; mirrored by
//! `client-web/src/netcode/prediction.js`. The rule and the state are the game's; this is only
//! the bookkeeping. Errors are kept out of the picture by [`super::smoothing`].
//!
//! **Step.** When the input of tick t is sent, the client steps: `state = rule(state, input)`, and
//! remembers (t, input, state after).
//!
//! **Reconcile.** A snapshot of tick s brings the state that the server had after s, exactly (the
//! owner's layer). What is remembered of s is compared with it; that is the prediction error. All up to s is
//! forgotten, the state becomes the server's and the inputs that remain are replayed in order of their ticks. A tick
//! among them that has no input (the clock skipped it) replays the input before it, up to
//! [`INPUT_REPEATS_MAX`] times, then the neutral one, as the server's queue does.

use std::collections::VecDeque;

use crate::ids::Tick;
use crate::limits::{INPUT_REPEATS_MAX, INPUTS_QUEUED_MAX};

/// Predictions of one entity, at most [`INPUTS_QUEUED_MAX`] ticks of them: beyond, the server
/// would refuse the inputs too, and the oldest is forgotten.
#[derive(Clone, Debug)]
pub struct Prediction<I, S> {
    pending: VecDeque<Step<I, S>>,
    /// The input before the oldest pending one, for gaps at the start, and its tick.
    before: Option<(Tick, I)>,
    state: Option<S>,
}

#[derive(Clone, Debug)]
struct Step<I, S> {
    tick: Tick,
    input: I,
    after: S,
}

/// What a snapshot said about the prediction of its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<S> {
    /// No input of that tick is remembered: it was the server's to guess, or it is the first.
    Unknown,
    /// The predicted state was the server's.
    Exact,
    /// It was this one instead.
    Off {
        /// The state that the client had predicted for the snapshot's tick.
        predicted: S,
    },
}

impl<I: Clone + Default, S: Clone + PartialEq> Default for Prediction<I, S> {
    fn default() -> Self {
        Prediction::new()
    }
}

impl<I: Clone + Default, S: Clone + PartialEq> Prediction<I, S> {
    /// Nothing known: the state comes with the first [`Prediction::reconcile`].
    pub fn new() -> Prediction<I, S> {
        Prediction {
            pending: VecDeque::new(),
            before: None,
            state: None,
        }
    }

    /// The own entity now: after the newest input. `None` before the first snapshot of it.
    pub fn state(&self) -> Option<&S> {
        self.state.as_ref()
    }

    /// Inputs that the server has not answered.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The entity is gone (dead, left): forgets the state and keeps no inputs.
    pub fn clear(&mut self) {
        *self = Prediction::new();
    }

    /// The input of `tick` was sent, `tick` being later than all before. Without a state yet it
    /// is not remembered.
    pub fn step(&mut self, tick: Tick, input: I, rule: impl FnOnce(&mut S, &I)) {
        let Some(state) = &mut self.state else {
            return;
        };
        rule(state, &input);
        let after = state.clone();
        self.pending.push_back(Step { tick, input, after });
        if self.pending.len() > INPUTS_QUEUED_MAX {
            self.forget_oldest();
        }
    }

    /// The server's state after `tick`. Replays what it has not seen.
    pub fn reconcile(
        &mut self,
        tick: Tick,
        server: S,
        mut rule: impl FnMut(&mut S, &I),
    ) -> Verdict<S> {
        let mut verdict = Verdict::Unknown;
        while let Some(oldest) = self.pending.front() {
            if oldest.tick > tick {
                break;
            }
            if oldest.tick == tick {
                verdict = if oldest.after == server {
                    Verdict::Exact
                } else {
                    Verdict::Off {
                        predicted: oldest.after.clone(),
                    }
                };
            }
            self.forget_oldest();
        }
        let mut state = server;
        let mut last = self.before.clone();
        let mut at = tick;
        for step in &mut self.pending {
            while at.next() < step.tick {
                at = at.next();
                match &last {
                    Some((of, input)) if at.since(*of) <= INPUT_REPEATS_MAX => {
                        rule(&mut state, input);
                    }
                    _ => rule(&mut state, &I::default()),
                }
            }
            at = step.tick;
            rule(&mut state, &step.input);
            step.after = state.clone();
            last = Some((step.tick, step.input.clone()));
        }
        self.state = Some(state);
        verdict
    }

    fn forget_oldest(&mut self) {
        if let Some(step) = self.pending.pop_front() {
            self.before = Some((step.tick, step.input));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(state: &mut i32, input: &i32) {
        *state += input;
    }

    fn started() -> Prediction<i32, i32> {
        let mut own = Prediction::new();
        assert_eq!(own.reconcile(Tick(10), 100, add), Verdict::Unknown);
        own
    }

    #[test]
    fn inputs_show_at_once_and_are_confirmed() {
        let mut own = started();
        for tick in 11..=14 {
            own.step(Tick(tick), 1, add);
        }
        assert_eq!(own.state(), Some(&104));
        assert_eq!(own.reconcile(Tick(12), 102, add), Verdict::Exact);
        assert_eq!(own.state(), Some(&104));
        assert_eq!(own.pending(), 2);
    }

    #[test]
    fn a_correction_is_replayed_over() {
        let mut own = started();
        for tick in 11..=14 {
            own.step(Tick(tick), 1, add);
        }
        let verdict = own.reconcile(Tick(12), 50, add);
        assert_eq!(verdict, Verdict::Off { predicted: 102 });
        assert_eq!(own.state(), Some(&52));
        assert_eq!(own.reconcile(Tick(13), 51, add), Verdict::Exact);
    }

    #[test]
    fn a_gap_is_replayed_as_the_server_fills_it() {
        let mut own = started();
        own.step(Tick(11), 5, add);
        own.step(Tick(14), 1, add);
        own.reconcile(Tick(11), 105, add);
        // 12 and 13 repeat the 5 of 11.
        assert_eq!(own.state(), Some(&116));
        let mut own = started();
        own.step(Tick(11), 5, add);
        own.step(Tick(30), 1, add);
        own.reconcile(Tick(11), 105, add);
        assert_eq!(own.state(), Some(&(105 + 5 * INPUT_REPEATS_MAX as i32 + 1)));
    }

    #[test]
    fn nothing_is_predicted_before_the_first_state() {
        let mut own = Prediction::<i32, i32>::new();
        own.step(Tick(1), 1, add);
        assert_eq!(own.state(), None);
        assert_eq!(own.pending(), 0);
    }

    #[test]
    fn an_unanswered_client_remembers_a_bounded_past() {
        let mut own = started();
        for tick in 11..500 {
            own.step(Tick(tick), 1, add);
        }
        assert_eq!(own.pending(), INPUTS_QUEUED_MAX);
    }
}
