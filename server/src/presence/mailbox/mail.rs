//! What waits for one connection: how things stand, letters, where those are whom it watches, lines of
//! channels and an answer. Most connections are never sent any of it, so it is made for the first of
//! it and stays: what went out of late counts. Pure: times are arguments. `mailbox` has it under its
//! lock, and says who is told.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::crowd::Crowd;
use super::hints::Hints;
use super::watched::Watched;
use super::windows::{Windows, may_go};
use crate::admission::limiter::Budget;
use crate::auth::Handle;

/// Letters that wait for one connection: a minute of one a second.
pub(super) const LETTERS_MAX: usize = 64;
/// Their bytes: what the longest ones make in a few ticks. Beyond either: letters that are not
/// durable go, the oldest first; durable ones are left for later.
pub(crate) const MAILBOX_BYTES_MAX: usize = 16 * 1024;
/// Answers of a connection a second.
const ANSWERS_PER_SECOND: f32 = 1.0;
/// And at once: who comes back from afar, or scrolls.
const ANSWERS_BURST: f32 = 10.0;

/// A whole control message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// 0: it is lost to who is away. Else it is durable; they rise.
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
}

impl Letter {
    pub(super) fn is_durable(&self) -> bool {
        self.number > 0
    }
}

/// What a client is told as it stands, whole each time: no more than two kilobytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In its game's queue.
    Queue,
    /// In its party.
    Party,
    /// Where its party talks, for clients that understand what is typed beyond rooms, and a party's
    /// channel.
    Talk,
}

/// How many of them there are.
pub(crate) const STANDINGS: usize = 3;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Mail {
    letters: VecDeque<Letter>,
    /// Theirs.
    bytes: usize,
    /// What there is to say of each [`Standing`].
    pub(super) stands: [Option<Bytes>; STANDINGS],
    /// What was said of each last; empty: nothing.
    pub(super) shown: [Bytes; STANDINGS],
    /// How much of both may go out in a room; `None`: nothing has.
    budget: Option<Budget>,
    /// None of who never asked.
    answer: Option<Box<Answer>>,
    /// None of who was never said anything.
    windows: Option<Box<Windows>>,
    /// None of who watches nobody.
    watched: Option<Box<Watched>>,
    /// None of who never watched a lobby.
    crowd: Option<Box<Crowd>>,
    /// None of who was never given any.
    hints: Option<Box<Hints>>,
}

/// What a connection asked for, and is to be told later.
#[derive(Debug)]
struct Answer {
    /// It has not been told all of it.
    is_expected: bool,
    /// What of it is here.
    parts: VecDeque<Bytes>,
    /// How many it may ask for.
    asks: Budget,
    /// How much of it may go out in a room.
    budget: Budget,
}

impl Mail {
    pub(super) fn has_some(&self) -> bool {
        self.has_letters() || self.hints.as_deref().is_some_and(Hints::has_some)
    }

    /// Whether there is anything beside hints.
    pub(super) fn has_letters(&self) -> bool {
        let has_parts = |answer: &Answer| !answer.parts.is_empty();
        !self.letters.is_empty()
            || self.windows.as_deref().is_some_and(Windows::has_some)
            || self.watched.as_deref().is_some_and(Watched::has_some)
            || self.crowd.as_deref().is_some_and(Crowd::has_some)
            || self.stands.iter().any(Option::is_some)
            || self.answer.as_deref().is_some_and(has_parts)
    }

    pub(super) fn windows(&mut self, now: Instant) -> &mut Windows {
        let windows = self
            .windows
            .get_or_insert_with(|| Box::new(Windows::new(now)));
        &mut *windows
    }

    pub(super) fn watched(&mut self, now: Instant) -> &mut Watched {
        let new = || Box::new(Watched::new(now));
        &mut *self.watched.get_or_insert_with(new)
    }

    pub(super) fn crowd(&mut self, now: Instant) -> &mut Crowd {
        let new = || Box::new(Crowd::new(now));
        &mut *self.crowd.get_or_insert_with(new)
    }

    pub(super) fn hints(&mut self, now: Instant) -> &mut Hints {
        let new = || Box::new(Hints::new(now));
        &mut *self.hints.get_or_insert_with(new)
    }

    /// Of others than these it is told nothing any more.
    pub(super) fn watch_only(&mut self, whom: &BTreeSet<Handle>) {
        if let Some(watched) = &mut self.watched {
            watched.only(whom);
        }
    }

    /// Whether a letter has room.
    pub(super) fn fits(&self, letter: &Letter) -> bool {
        self.letters.len() < LETTERS_MAX && self.bytes + letter.bytes.len() <= MAILBOX_BYTES_MAX
    }

    /// Whether a durable one of so many bytes would have, for which all others may go.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        let durable = self.letters.iter().filter(|letter| letter.is_durable());
        let (count, sum) = durable.fold((0, 0), |(count, sum), letter| {
            (count + 1, sum + letter.bytes.len())
        });
        count < LETTERS_MAX && sum + bytes <= MAILBOX_BYTES_MAX
    }

    /// Drops letters that are not durable until this one fits; how many.
    pub(super) fn make_room(&mut self, letter: &Letter) -> u32 {
        let mut dropped = 0;
        while !self.fits(letter)
            && let Some(at) = self.letters.iter().position(|old| !old.is_durable())
        {
            let old = self.letters.remove(at);
            self.bytes -= old.map_or(0, |old| old.bytes.len());
            dropped += 1;
        }
        dropped
    }

    pub(super) fn push(&mut self, letter: Letter) {
        self.bytes += letter.bytes.len();
        self.letters.push_back(letter);
    }

    /// The connection asks for something; false: too often, or before it has taken the last answer.
    pub(super) fn expect_answer(&mut self, now: Instant) -> bool {
        let answer = self.answer.get_or_insert_with(|| {
            Box::new(Answer {
                is_expected: false,
                parts: VecDeque::new(),
                asks: Budget::new(now),
                budget: Budget::new(now),
            })
        });
        let asks = &mut answer.asks;
        let may = !answer.is_expected && asks.spend(ANSWERS_PER_SECOND, ANSWERS_BURST, now, 1.0);
        answer.is_expected |= may;
        may
    }

    /// This is what it asked for.
    pub(super) fn answer(&mut self, parts: VecDeque<Bytes>) {
        if let Some(answer) = &mut self.answer {
            answer.is_expected = !parts.is_empty();
            answer.parts = parts;
        }
    }

    /// Hands out what there is, in the order above, until it has `most` bytes or more; in a
    /// room, which says what time it is, no more than may go out by then.
    pub(super) fn take(&mut self, most: usize, now: Option<Instant>, out: &mut Vec<Bytes>) {
        let mut left = most;
        let budget = &mut self.budget;
        let mut may = |bytes: usize| match now {
            Some(at) => may_go(budget.get_or_insert_with(|| Budget::new(at)), now, bytes),
            None => true,
        };
        for stands in &mut self.stands {
            let Some(bytes) = stands else { continue };
            if left == 0 || !may(bytes.len()) {
                break;
            }
            left = left.saturating_sub(bytes.len());
            out.extend(stands.take());
        }
        while left > 0
            && let Some(bytes) = self.letters.front().map(|letter| letter.bytes.len())
            && may(bytes)
        {
            left = left.saturating_sub(bytes);
            self.bytes -= bytes;
            out.extend(self.letters.pop_front().map(|letter| letter.bytes));
        }
        if let Some(watched) = &mut self.watched {
            watched.take(&mut left, now, out);
        }
        if let Some(crowd) = &mut self.crowd {
            crowd.take(&mut left, now, out);
        }
        if let Some(windows) = &mut self.windows {
            windows.take(&mut left, now, out);
        }
        while left > 0
            && let Some(part) = self.take_part(now)
        {
            left = left.saturating_sub(part.len());
            out.push(part);
        }
        if self.hints.is_some() {
            let mut left = if self.has_letters() { 0 } else { left };
            if let Some(hints) = &mut self.hints {
                hints.take(&mut left, now, out);
            }
        }
    }

    /// The next part of the answer, if it may go out; behind the last one another may be asked for.
    fn take_part(&mut self, now: Option<Instant>) -> Option<Bytes> {
        let answer = self.answer.as_mut()?;
        let bytes = answer.parts.front()?.len();
        if !may_go(&mut answer.budget, now, bytes) {
            return None;
        }
        let part = answer.parts.pop_front();
        answer.is_expected = !answer.parts.is_empty();
        part
    }
}
