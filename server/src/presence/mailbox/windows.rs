//! Lines of channels that wait for one connection, and answers to what it asked of them. Each kind of
//! channel has a window of its own, and a pace of its own in a room: a busy lobby takes nothing from
//! what two say to one another, and neither from snapshots.
//!
//! **What does not fit** goes, the oldest line of its kind first. The client learns of it from the
//! numbers, and reads what it missed.
//!
//! **Answers** are bounded by what may be asked: [`ASKED_MAX`] requests that were not answered, or
//! whose answers were not taken.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::admission::limiter::Budget;

/// Lines of a window: what a lobby says in some seconds.
const LINES_MAX: usize = 64;
/// Their bytes.
const BYTES_MAX: usize = 16 * 1024;
/// Bytes of one kind of mail a second that a connection in a room is sent, on average: twice its chat.
/// Beyond: it waits, so that no flood of it takes the place of snapshots.
const BYTES_PER_SECOND: f32 = 4096.0;
/// And at once: the longest letter, and some more.
const BYTES_BURST: f32 = 8192.0;
/// Requests of a connection that are under way at a time: a client that waits for each answer has
/// one or two.
const ASKED_MAX: u8 = 8;

/// What kind of channel a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Of two players.
    Two,
    /// The lobby's.
    Lobby,
    /// A party's.
    Party,
}

#[derive(Debug)]
struct Waiting {
    lines: VecDeque<Bytes>,
    bytes: usize,
    budget: Budget,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Windows {
    answers: VecDeque<Bytes>,
    asked: u8,
    /// By [`Window`].
    waiting: [Waiting; 3],
}

impl Windows {
    pub(super) fn new(now: Instant) -> Windows {
        let waiting = || Waiting {
            lines: VecDeque::new(),
            bytes: 0,
            budget: Budget::new(now),
        };
        Windows {
            answers: VecDeque::new(),
            asked: 0,
            waiting: std::array::from_fn(|_| waiting()),
        }
    }

    /// Another request; false: too many are under way.
    pub(super) fn ask(&mut self) -> bool {
        let may = self.asked < ASKED_MAX;
        self.asked += u8::from(may);
        may
    }

    /// A request has no answer.
    pub(super) fn unask(&mut self) {
        self.asked = self.asked.saturating_sub(1);
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, bytes: Bytes) {
        self.answers.push_back(bytes);
    }

    /// Another line; how many were lost for it.
    pub(super) fn line(&mut self, window: Window, bytes: Bytes) -> u32 {
        let waiting = &mut self.waiting[window as usize];
        let mut lost = 0;
        while waiting.lines.len() >= LINES_MAX
            || !waiting.lines.is_empty() && waiting.bytes + bytes.len() > BYTES_MAX
        {
            let oldest = waiting.lines.pop_front();
            waiting.bytes -= oldest.map_or(0, |oldest| oldest.len());
            lost += 1;
        }
        waiting.bytes += bytes.len();
        waiting.lines.push_back(bytes);
        lost
    }

    pub(super) fn has_some(&self) -> bool {
        !self.answers.is_empty() || self.waiting.iter().any(|of| !of.lines.is_empty())
    }

    /// Hands out answers, then lines, until `left` is used up; in a room, which says what time it
    /// is, no more lines than may go out by then.
    pub(super) fn take(&mut self, left: &mut usize, now: Option<Instant>, out: &mut Vec<Bytes>) {
        while *left > 0
            && let Some(answer) = self.answers.pop_front()
        {
            self.unask();
            *left = left.saturating_sub(answer.len());
            out.push(answer);
        }
        for of in &mut self.waiting {
            while *left > 0
                && let Some(bytes) = of.lines.front().map(Bytes::len)
                && may_go(&mut of.budget, now, bytes)
            {
                *left = left.saturating_sub(bytes);
                of.bytes -= bytes;
                out.extend(of.lines.pop_front());
            }
        }
    }
}

/// Whether so many bytes may go out; where no time is told there is no pace.
pub(super) fn may_go(budget: &mut Budget, now: Option<Instant>, bytes: usize) -> bool {
    now.is_none_or(|now| budget.spend(BYTES_PER_SECOND, BYTES_BURST, now, bytes as f32))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn line(byte: u8, bytes: usize) -> Bytes {
        Bytes::from(vec![byte; bytes])
    }

    fn taken(windows: &mut Windows, left: usize, now: Option<Instant>) -> Vec<u8> {
        let (mut left, mut out) = (left, Vec::new());
        windows.take(&mut left, now, &mut out);
        out.iter().map(|bytes| bytes[0]).collect()
    }

    #[test]
    fn the_oldest_go_where_there_is_no_room_and_only_of_their_kind() {
        let mut windows = Windows::new(Instant::now());
        windows.line(Window::Two, line(200, 10));
        for byte in 0..70 {
            let lost = windows.line(Window::Lobby, line(byte, 10));
            assert_eq!(lost, u32::from(byte >= 64));
        }
        let all: Vec<u8> = [200].into_iter().chain(6..70).collect();
        assert_eq!(taken(&mut windows, usize::MAX, None), all);
        for byte in 0..20 {
            windows.line(Window::Lobby, line(byte, 1000));
        }
        assert_eq!(
            taken(&mut windows, usize::MAX, None),
            (4..20).collect::<Vec<_>>()
        );
        // The longest there could be goes out alone.
        windows.line(Window::Lobby, line(1, 10));
        assert_eq!(windows.line(Window::Lobby, line(2, BYTES_MAX + 1)), 1);
        assert_eq!(taken(&mut windows, usize::MAX, None), [2]);
        assert!(!windows.has_some());
    }

    #[test]
    fn each_kind_has_a_pace_of_its_own_in_a_room() {
        let start = Instant::now();
        let mut windows = Windows::new(start);
        for byte in 0..16 {
            windows.line(Window::Lobby, line(byte, 1000));
            windows.line(Window::Two, line(100 + byte, 1000));
        }
        // What goes out at once, and then 4 KiB a second of each.
        let first = taken(&mut windows, usize::MAX, Some(start));
        let expected: Vec<u8> = (100..108).chain(0..8).collect();
        assert_eq!(first, expected);
        assert!(taken(&mut windows, usize::MAX, Some(start)).is_empty());
        let later = start + Duration::from_secs(1);
        assert_eq!(taken(&mut windows, 1, Some(later)), [108]);
        let rest = taken(&mut windows, usize::MAX, Some(later));
        assert_eq!(rest, [109, 110, 111, 8, 9, 10, 11]);
    }

    #[test]
    fn who_takes_no_answers_asks_no_more() {
        let mut windows = Windows::new(Instant::now());
        for _ in 0..ASKED_MAX {
            assert!(windows.ask());
        }
        assert!(!windows.ask());
        windows.answer(line(1, 10));
        assert!(!windows.ask(), "it was not taken");
        assert_eq!(taken(&mut windows, usize::MAX, None), [1]);
        assert!(windows.ask());
        windows.unask();
        assert!(windows.ask());
        assert!(!windows.ask());
    }
}
