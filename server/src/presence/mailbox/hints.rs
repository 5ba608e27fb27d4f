//! What a connection is told that holds for a moment, that somebody writes a line: dropped before
//! anything else is. It is put in where nothing else waits, and goes out with the next that is taken, or
//! not at all: what is late is not true any more.

use std::time::Instant;

use bytes::Bytes;

use super::windows::may_go;
use crate::admission::limiter::Budget;

/// Hints that wait: more come with one look only of a channel in which nobody could follow. Beyond:
/// dropped.
const HINTS_MAX: usize = 8;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Hints {
    waiting: Vec<Bytes>,
    budget: Budget,
}

impl Hints {
    pub(super) fn new(now: Instant) -> Hints {
        Hints {
            waiting: Vec::new(),
            budget: Budget::new(now),
        }
    }

    /// Another one; false: too many wait.
    pub(super) fn push(&mut self, bytes: Bytes) -> bool {
        let has_room = self.waiting.len() < HINTS_MAX;
        if has_room {
            self.waiting.push(bytes);
        }
        has_room
    }

    pub(super) fn has_some(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Hands out all that may go, if anything may; the others are dropped.
    pub(super) fn take(&mut self, left: &mut usize, now: Option<Instant>, out: &mut Vec<Bytes>) {
        for bytes in self.waiting.drain(..) {
            if *left > 0 && may_go(&mut self.budget, now, bytes.len()) {
                *left = left.saturating_sub(bytes.len());
                out.push(bytes);
            }
        }
    }
}
