//! A player's inputs that wait on the server for their tick (`PROTOCOL.md` §5). One queue a
//! player, filled on arrival and read once a tick by the room. Not the decoding of inputs, and
//! not the client's pace: that is [`super::clock_sync`].

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::ids::Tick;
use crate::limits::{INPUT_REPEATS_MAX, INPUTS_QUEUED_MAX};

/// Inputs by tick, at most [`INPUTS_QUEUED_MAX`] of them.
///
/// A tick takes exactly one input, whatever has arrived, so nobody moves faster by sending more.
/// The input for tick t is the one that was stamped t; when it is missing the last one taken is
/// repeated, because a held key is a better guess than a released one, and after
/// [`INPUT_REPEATS_MAX`] repeats the neutral input follows, so that a lost player stops.
///
/// With `newest_wins` a tick takes the newest input that has arrived, even if its stamp lies
/// ahead; older ones are dropped unseen. An input counts as there for all ticks up to its stamp.
///
/// A player who has never sent an input only watches: neutral, and nothing is substituted. From
/// the first accepted input on every tick without one counts as substituted, the neutral ones
/// after the repeats too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InputQueue<I> {
    newest_wins: bool,
    /// Rising ticks, all later than the newest simulated tick at their arrival.
    waiting: VecDeque<(Tick, I)>,
    /// The newest arrival that was queued or late.
    newest: Option<Tick>,
    /// The last input taken as it came, and its stamp.
    last: Option<(Tick, I)>,
    repeats: u32,
}

/// What became of an input on its arrival. All but `Queued` are dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for its tick.
    Queued,
    /// Its tick was simulated already.
    Late,
    /// An input for this tick or a later one is here already: stamps have to rise.
    Duplicate,
    /// Its tick is more than [`INPUTS_QUEUED_MAX`] ahead.
    TooEarly,
}

/// The input of one tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<I> {
    /// What the player does in this tick.
    pub input: I,
    /// Whether it was missing and this is the last one again, or the neutral one.
    pub substituted: bool,
}

impl<I: Default + Clone> InputQueue<I> {
    /// An empty queue; `newest_wins` is the schema's.
    pub fn new(newest_wins: bool) -> InputQueue<I> {
        InputQueue {
            newest_wins,
            waiting: VecDeque::new(),
            newest: None,
            last: None,
            repeats: 0,
        }
    }

    /// An input for `tick` has arrived while `current` was the newest simulated tick.
    ///
    /// Stamps of what is kept rise strictly within the [`INPUTS_QUEUED_MAX`] ticks after
    /// `current`, which bounds the queue.
    pub fn push(&mut self, tick: Tick, current: Tick, input: I) -> Pushed {
        if tick.since(current) > INPUTS_QUEUED_MAX as u32 {
            return Pushed::TooEarly;
        }
        let rising = self.newest.is_none_or(|newest| tick > newest);
        if rising {
            // Late ones as well: the client learns from the slack how late it is.
            self.newest = Some(tick);
        }
        if tick <= current {
            return Pushed::Late;
        }
        if !rising {
            return Pushed::Duplicate;
        }
        if self.newest_wins {
            self.waiting.clear();
        }
        self.waiting.push_back((tick, input));
        Pushed::Queued
    }

    /// The input of `tick`. Called once for every tick that is simulated, in order.
    pub fn take(&mut self, tick: Tick) -> Taken<I> {
        while let Some((stamp, input)) = self
            .waiting
            .pop_front_if(|(stamp, _)| self.newest_wins || *stamp <= tick)
        {
            self.last = Some((stamp, input));
            self.repeats = 0;
        }
        let (input, substituted) = match &self.last {
            None => (I::default(), false),
            Some((stamp, input)) if *stamp >= tick => (input.clone(), false),
            Some((_, input)) if self.repeats < INPUT_REPEATS_MAX => {
                self.repeats += 1;
                (input.clone(), true)
            }
            Some(_) => (I::default(), true),
        };
        Taken { input, substituted }
    }

    /// The newest tick for which an input has arrived, in time or late, `None` for none yet.
    /// Less the tick just simulated it is the slack of a snapshot's head.
    pub fn newest_tick(&self) -> Option<Tick> {
        self.newest
    }

    /// The newest tick whose input was taken as it came, 0 for none: `input_tick` of a
    /// snapshot's head.
    pub fn input_tick(&self) -> Tick {
        self.last.as_ref().map_or(Tick(0), |(stamp, _)| *stamp)
    }

    /// Those that wait, as far as they lie in a row from the oldest on.
    pub fn waiting(&self) -> &[(Tick, I)] {
        self.waiting.as_slices().0
    }

    /// The same queue of inputs that are said in another way; `None` if one can't be.
    pub fn try_map<J>(&self, mut say: impl FnMut(&I) -> Option<J>) -> Option<InputQueue<J>> {
        let mut stamped = |(stamp, input): &(Tick, I)| Some((*stamp, say(input)?));
        Some(InputQueue {
            newest_wins: self.newest_wins,
            waiting: self
                .waiting
                .iter()
                .map(&mut stamped)
                .collect::<Option<_>>()?,
            newest: self.newest,
            last: match &self.last {
                Some(last) => Some(stamped(last)?),
                None => None,
            },
            repeats: self.repeats,
        })
    }

    /// Inputs that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(input: u32) -> Taken<u32> {
        Taken {
            input,
            substituted: false,
        }
    }

    fn substituted(input: u32) -> Taken<u32> {
        Taken {
            input,
            substituted: true,
        }
    }

    /// A queue with these stamps pushed before tick 1; the input is the stamp times ten.
    fn queue_of(newest_wins: bool, stamps: &[u32]) -> InputQueue<u32> {
        let mut queue = InputQueue::new(newest_wins);
        for &stamp in stamps {
            assert_eq!(queue.push(Tick(stamp), Tick(0), stamp * 10), Pushed::Queued);
        }
        queue
    }

    #[test]
    fn every_tick_takes_its_own_input() {
        let mut queue = queue_of(false, &[1, 2, 3]);
        for tick in 1..=3 {
            assert_eq!(queue.take(Tick(tick)), took(tick * 10));
            assert_eq!(queue.input_tick(), Tick(tick));
        }
        assert!(queue.is_empty());
    }

    #[test]
    fn a_watcher_is_neutral_and_not_substituted() {
        let mut queue = InputQueue::<u32>::new(false);
        for tick in 1..100 {
            assert_eq!(queue.take(Tick(tick)), took(0));
        }
        assert_eq!(queue.input_tick(), Tick(0));
        assert_eq!(queue.newest_tick(), None);
    }

    #[test]
    fn an_input_ahead_leaves_the_ticks_before_it_alone() {
        let mut queue = queue_of(false, &[5]);
        for tick in 1..5 {
            assert_eq!(queue.take(Tick(tick)), took(0));
            assert_eq!(queue.input_tick(), Tick(0));
        }
        assert_eq!(queue.take(Tick(5)), took(50));
    }

    #[test]
    fn a_missing_input_is_repeated_then_neutral() {
        let mut queue = queue_of(false, &[1]);
        queue.take(Tick(1));
        for tick in 2..2 + INPUT_REPEATS_MAX {
            assert_eq!(queue.take(Tick(tick)), substituted(10));
        }
        assert_eq!(queue.take(Tick(12)), substituted(0));
        assert_eq!(queue.take(Tick(13)), substituted(0));
        assert_eq!(queue.input_tick(), Tick(1));
        assert_eq!(queue.push(Tick(14), Tick(13), 7), Pushed::Queued);
        assert_eq!(queue.take(Tick(14)), took(7));
        assert_eq!(queue.take(Tick(15)), substituted(7));
    }

    #[test]
    fn a_gap_repeats_and_the_next_input_keeps_its_tick() {
        let mut queue = queue_of(false, &[1, 3]);
        assert_eq!(queue.take(Tick(1)), took(10));
        assert_eq!(queue.take(Tick(2)), substituted(10));
        assert_eq!(queue.take(Tick(3)), took(30));
    }

    #[test]
    fn late_inputs_are_dropped_and_move_the_slack_only() {
        let mut queue = queue_of(false, &[1]);
        queue.take(Tick(1));
        queue.take(Tick(2));
        queue.take(Tick(3));
        assert_eq!(queue.push(Tick(2), Tick(3), 20), Pushed::Late);
        assert_eq!(queue.newest_tick(), Some(Tick(2)));
        assert_eq!(queue.push(Tick(3), Tick(3), 30), Pushed::Late);
        assert_eq!(queue.newest_tick(), Some(Tick(3)));
        assert_eq!(queue.take(Tick(4)), substituted(10));
        assert_eq!(queue.input_tick(), Tick(1));
    }

    #[test]
    fn a_late_first_input_still_leaves_a_watcher() {
        let mut queue = InputQueue::<u32>::new(false);
        assert_eq!(queue.push(Tick(4), Tick(9), 1), Pushed::Late);
        assert_eq!(queue.take(Tick(10)), took(0));
        assert_eq!(queue.newest_tick(), Some(Tick(4)));
    }

    #[test]
    fn twice_and_out_of_order_are_dropped() {
        let mut queue = queue_of(false, &[1, 4]);
        assert_eq!(queue.push(Tick(4), Tick(0), 9), Pushed::Duplicate);
        assert_eq!(queue.push(Tick(2), Tick(0), 9), Pushed::Duplicate);
        assert_eq!(queue.newest_tick(), Some(Tick(4)));
        assert_eq!(queue.take(Tick(1)), took(10));
        assert_eq!(queue.take(Tick(2)), substituted(10));
    }

    #[test]
    fn the_horizon_bounds_the_queue() {
        let horizon = INPUTS_QUEUED_MAX as u32;
        let mut queue = InputQueue::<u32>::new(false);
        for stamp in 101..=100 + horizon {
            assert_eq!(queue.push(Tick(stamp), Tick(100), 0), Pushed::Queued);
        }
        assert_eq!(queue.len(), INPUTS_QUEUED_MAX);
        for stamp in [101 + horizon, u32::MAX] {
            assert_eq!(queue.push(Tick(stamp), Tick(100), 0), Pushed::TooEarly);
        }
        assert_eq!(queue.newest_tick(), Some(Tick(100 + horizon)));
        assert_eq!(queue.len(), INPUTS_QUEUED_MAX);
    }

    #[test]
    fn a_skipped_take_drops_what_it_skipped() {
        let mut queue = queue_of(false, &[1, 2, 3]);
        assert_eq!(queue.take(Tick(3)), took(30));
        assert!(queue.is_empty());
    }

    #[test]
    fn newest_wins_takes_the_newest_arrival_at_once() {
        let mut queue = queue_of(true, &[1, 2, 5]);
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.take(Tick(1)), took(50));
        assert_eq!(queue.input_tick(), Tick(5));
        // Up to its stamp it is the input itself, afterwards a repeat.
        for tick in 2..=5 {
            assert_eq!(queue.take(Tick(tick)), took(50));
        }
        assert_eq!(queue.take(Tick(6)), substituted(50));
        assert_eq!(queue.push(Tick(7), Tick(6), 70), Pushed::Queued);
        assert_eq!(queue.take(Tick(7)), took(70));
    }

    #[test]
    fn newest_wins_starves_like_the_others() {
        let mut queue = queue_of(true, &[1]);
        queue.take(Tick(1));
        for tick in 2..2 + INPUT_REPEATS_MAX {
            assert_eq!(queue.take(Tick(tick)), substituted(10));
        }
        assert_eq!(queue.take(Tick(12)), substituted(0));
    }
}
