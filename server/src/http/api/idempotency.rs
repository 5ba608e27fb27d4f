//! That what is sent twice is done once: a program that got no answer sends the same again with the
//! same `Idempotency-Key`, and gets the answer of the first. Pure: the time is an argument.
//!
//! It is remembered for 24 h, of the last [`ANSWERS_MAX`] requests of all programs: beyond, what came
//! first is forgotten, and would be done again. In memory; what a process before this one stored is
//! recalled.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::retention::{ANSWERS_KEPT, ANSWERS_MAX};

/// Sixteen bytes of a hash: two different ones are as good as never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mark([u8; 16]);

impl Mark {
    /// Of these texts, one behind the other and told apart.
    pub(super) fn of(parts: &[&[u8]]) -> Mark {
        let mut all = Vec::with_capacity(256);
        for part in parts {
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part);
        }
        let mut mark = [0; 16];
        let hash = digest(&SHA256, &all);
        mark.copy_from_slice(&hash.as_ref()[..16]);
        Mark(mark)
    }

    /// The one that was written so, if it was.
    pub(super) fn read(text: &str) -> Option<Mark> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok()?;
        is_hex.then_some(Mark(number.to_be_bytes()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What a request is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begun<A> {
    /// The first: it is to be done, then [`Idempotency::done`] or [`Idempotency::undone`].
    First,
    /// The first is under way.
    UnderWay,
    /// The first was answered so.
    Again(A),
    /// The first asked for something else.
    Other,
}

/// Requests that were begun.
#[derive(Debug)]
pub(super) struct Idempotency<A> {
    known: HashMap<Mark, Known<A>>,
    /// In the order in which they began; some are no longer known, or began again.
    order: VecDeque<(Instant, Mark)>,
}

#[derive(Debug)]
struct Known<A> {
    body: Mark,
    at: Instant,
    /// `None` while it is under way.
    answer: Option<A>,
}

impl<A> Default for Idempotency<A> {
    fn default() -> Self {
        Idempotency {
            known: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<A: Copy> Idempotency<A> {
    /// A request with this body, known by `mark`: its program and key.
    pub(super) fn begin(&mut self, mark: Mark, body: Mark, now: Instant) -> Begun<A> {
        self.forget(now);
        if let Some(known) = self.known.get(&mark) {
            return match known.answer {
                _ if known.body != body => Begun::Other,
                None => Begun::UnderWay,
                Some(answer) => Begun::Again(answer),
            };
        }
        let known = Known {
            body,
            at: now,
            answer: None,
        };
        self.known.insert(mark, known);
        self.order.push_back((now, mark));
        Begun::First
    }

    /// One that another process did at `at`: in the order in which they came, before any other.
    pub(super) fn recall(&mut self, mark: Mark, body: Mark, answer: A, at: Instant) {
        let answer = Some(answer);
        self.known.insert(mark, Known { body, at, answer });
        self.order.push_back((at, mark));
    }

    /// It was done, and this is its answer.
    pub(super) fn done(&mut self, mark: Mark, answer: A) {
        if let Some(known) = self.known.get_mut(&mark) {
            known.answer = Some(answer);
        }
    }

    /// It was not done, and may be tried again.
    pub(super) fn undone(&mut self, mark: Mark) {
        if self
            .known
            .get(&mark)
            .is_some_and(|known| known.answer.is_none())
        {
            self.known.remove(&mark);
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(at, mark)) = self.order.front()
            && (self.order.len() >= ANSWERS_MAX
                || now.saturating_duration_since(at) >= ANSWERS_KEPT
                || !self.is_of(mark, at))
        {
            self.order.pop_front();
            if self.is_of(mark, at) {
                self.known.remove(&mark);
            }
        }
    }

    /// Whether what is known by this mark is what began then.
    fn is_of(&self, mark: Mark, at: Instant) -> bool {
        self.known.get(&mark).is_some_and(|known| known.at == at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mark(text: &str) -> Mark {
        Mark::of(&[text.as_bytes()])
    }

    #[test]
    fn what_comes_twice_is_done_once() {
        let (mut all, start) = (Idempotency::default(), Instant::now());
        let (key, body) = (mark("key"), mark("body"));
        assert_eq!(all.begin(key, body, start), Begun::First);
        assert_eq!(all.begin(key, body, start), Begun::UnderWay);
        assert_eq!(all.begin(key, mark("other"), start), Begun::Other);
        assert_eq!(all.begin(mark("another"), body, start), Begun::First);
        all.done(key, 7);
        let last = start + ANSWERS_KEPT - Duration::from_millis(1);
        assert_eq!(all.begin(key, body, last), Begun::Again(7));
        assert_eq!(all.begin(key, mark("other"), last), Begun::Other);
        assert_eq!(all.begin(key, body, start + ANSWERS_KEPT), Begun::First);
    }

    #[test]
    fn what_was_not_done_may_be_tried_again() {
        let (mut all, start) = (Idempotency::default(), Instant::now());
        let (key, body) = (mark("key"), mark("body"));
        assert_eq!(all.begin(key, body, start), Begun::First);
        all.undone(key);
        let later = start + Duration::from_secs(1);
        assert_eq!(all.begin(key, mark("mended"), later), Begun::First);
        all.done(key, 7);
        all.undone(key);
        let end = start + ANSWERS_KEPT;
        assert_eq!(
            all.begin(key, mark("mended"), end),
            Begun::Again(7),
            "24 h of the one that was done"
        );
    }

    #[test]
    fn beyond_the_bound_the_first_is_forgotten() {
        let (mut all, start) = (Idempotency::default(), Instant::now());
        let body = mark("body");
        let key = |number: usize| Mark((number as u128).to_le_bytes());
        for number in 0..ANSWERS_MAX + 10 {
            assert_eq!(all.begin(key(number), body, start), Begun::First);
            all.done(key(number), number);
        }
        assert_eq!(
            (all.known.len(), all.order.len()),
            (ANSWERS_MAX, ANSWERS_MAX)
        );
        assert_eq!(
            all.begin(key(10), body, start),
            Begun::First,
            "it was the oldest, and made way"
        );
        assert_eq!(
            all.begin(key(ANSWERS_MAX), body, start),
            Begun::Again(ANSWERS_MAX)
        );
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(Mark::of(&[b"ab", b"c"]), Mark::of(&[b"a", b"bc"]));
    }

    #[test]
    fn what_another_process_did_is_known_for_the_rest_of_its_time() {
        let (mut all, now) = (Idempotency::default(), Instant::now());
        let hour = Duration::from_secs(3600);
        let ago = |hours: u32| now.checked_sub(hour * hours).unwrap();
        let (old, late, body) = (mark("old"), mark("late"), mark("body"));
        all.recall(old, body, 1, ago(23));
        all.recall(late, body, 2, ago(1));
        assert_eq!(all.begin(old, body, now), Begun::Again(1));
        assert_eq!(all.begin(late, mark("other"), now), Begun::Other);
        assert_eq!(all.begin(old, body, now + hour), Begun::First);
        assert_eq!(all.begin(late, body, now + hour), Begun::Again(2));
    }

    #[test]
    fn a_mark_is_read_as_it_is_written() {
        let (written, text) = (mark("any"), mark("any").to_string());
        assert_eq!(Mark::read(&text), Some(written));
        for wrong in ["", &text[1..], &format!("+{}", &text[1..]), &"g".repeat(32)] {
            assert_eq!(Mark::read(wrong), None, "{wrong}");
        }
    }
}
