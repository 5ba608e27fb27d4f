//! Where a stream's requests meet its transport: they come on tasks of `http`, it is the lobby's or
//! a worker's. What they bring waits here, bounded, until it is looked for; that is once a turn, and
//! costs one look at a flag where nothing came. Knows no HTTP.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use parking_lot::Mutex;
use tickwire::protocol::CloseCode;

use super::down::Down;
use super::frames;

/// Bytes of batches that wait until the transport is read. Beyond: the client has to bring its
/// batch again, as it would wait for a full socket.
const WAITING_UP_BYTES_MAX: usize = 64 * 1024;
/// And how many, since one may be empty.
const WAITING_UP_MAX: usize = 64;

/// A client's messages that came together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) frames: Bytes,
    /// How many they are.
    pub(super) count: u32,
}

/// A way down that came, and how many messages its client has.
pub(super) struct Arrival<S> {
    pub(super) down: Down<S>,
    pub(super) received: u32,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It waits to be read.
    Taken,
    /// It came before, and is not taken again.
    Repeated,
    /// It is not the next one.
    OutOfOrder,
    /// Too much waits: it may come again.
    Full,
    /// It breaks the rules, and is the end of the connection.
    Broken,
    /// There is nobody to read it.
    Over,
}

/// See the module's description.
pub(crate) struct Exchange<S> {
    secret: [u8; 32],
    /// Whether something came since the transport looked.
    news: AtomicBool,
    waiting: Mutex<Waiting<S>>,
}

struct Waiting<S> {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// Of the last batch that was taken.
    number: u32,
    /// The newest; who came before it is sent away.
    arrival: Option<Arrival<S>>,
    /// With what the connection is closed once all batches are read.
    broken: Option<CloseCode>,
    waker: Option<Waker>,
    is_over: bool,
}

impl<S> Exchange<S> {
    pub(super) fn new(secret: [u8; 32]) -> Exchange<S> {
        Exchange {
            secret,
            news: AtomicBool::new(false),
            waiting: Mutex::new(Waiting {
                batches: VecDeque::new(),
                bytes: 0,
                number: 0,
                arrival: None,
                broken: None,
                waker: None,
                is_over: false,
            }),
        }
    }

    /// Whether a request that says this may speak for the client.
    pub(super) fn opens(&self, secret: &[u8]) -> bool {
        verify_slices_are_equal(&self.secret, secret).is_ok()
    }

    /// A batch came.
    pub(crate) fn push(&self, number: u32, frames: Bytes) -> Pushed {
        let mut waiting = self.waiting.lock();
        if waiting.is_over || waiting.broken.is_some() {
            return Pushed::Over;
        }
        if number == waiting.number && number != 0 {
            return Pushed::Repeated;
        }
        if number != waiting.number.wrapping_add(1) {
            return Pushed::OutOfOrder;
        }
        let has_room = waiting.batches.len() < WAITING_UP_MAX
            && (waiting.bytes + frames.len() <= WAITING_UP_BYTES_MAX);
        if !has_room {
            return Pushed::Full;
        }
        waiting.number = number;
        let pushed = match frames::check(&frames) {
            Ok(count) => {
                waiting.bytes += frames.len();
                waiting.batches.push_back(Batch { frames, count });
                Pushed::Taken
            }
            Err(code) => {
                waiting.broken = Some(code);
                Pushed::Broken
            }
        };
        self.tell(waiting);
        pushed
    }

    /// A way down came. False: there is nobody to use it.
    pub(super) fn arrive(&self, arrival: Arrival<S>) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.is_over {
            return false;
        }
        let before = waiting.arrival.replace(arrival);
        self.tell(waiting);
        drop(before);
        true
    }

    fn tell(&self, mut waiting: parking_lot::MutexGuard<'_, Waiting<S>>) {
        self.news.store(true, Ordering::Release);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether something came.
    pub(super) fn has_news(&self) -> bool {
        self.news.load(Ordering::Acquire)
    }

    /// Wakes `waker` when something comes. True: it has.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        let mut waiting = self.waiting.lock();
        let has_news = self.has_news();
        if !has_news {
            waiting.waker = Some(waker.clone());
        }
        has_news
    }

    /// What came: batches only when `batches` is empty, so that what waits stays bounded.
    pub(super) fn take(
        &self,
        batches: &mut VecDeque<Batch>,
    ) -> (Option<Arrival<S>>, Option<CloseCode>) {
        let mut waiting = self.waiting.lock();
        if batches.is_empty() {
            mem::swap(batches, &mut waiting.batches);
            waiting.bytes = 0;
        }
        self.news
            .store(!waiting.batches.is_empty(), Ordering::Release);
        let broken = waiting.broken.filter(|_| waiting.batches.is_empty());
        (waiting.arrival.take(), broken)
    }

    /// The transport is gone.
    pub(super) fn end(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_over = true;
        waiting.waker = None;
        waiting.batches = VecDeque::new();
        drop(waiting.arrival.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of so many bytes.
    fn batch(bytes: usize) -> Bytes {
        let head = [0, bytes as u8, (bytes >> 8) as u8, 0];
        Bytes::from([&head[..], &vec![7; bytes]].concat())
    }

    fn exchange() -> Exchange<()> {
        Exchange::new([b'f'; 32])
    }

    #[test]
    fn batches_come_one_after_the_other_and_each_once() {
        let exchange = exchange();
        let check =
            |number, pushed| assert_eq!(exchange.push(number, batch(1)), pushed, "{number}");
        check(0, Pushed::OutOfOrder);
        check(2, Pushed::OutOfOrder);
        check(1, Pushed::Taken);
        check(1, Pushed::Repeated);
        check(3, Pushed::OutOfOrder);
        check(2, Pushed::Taken);
        check(1, Pushed::OutOfOrder);
        let mut batches = VecDeque::new();
        exchange.take(&mut batches);
        assert_eq!(batches.len(), 2);
        assert!(!exchange.has_news());
        check(2, Pushed::Repeated);
        assert!(!exchange.has_news());
    }

    #[test]
    fn numbers_wrap_around() {
        let exchange = exchange();
        exchange.waiting.lock().number = u32::MAX - 1;
        for number in [u32::MAX, 0, 1] {
            assert_eq!(exchange.push(number, batch(1)), Pushed::Taken, "{number}");
        }
    }

    #[test]
    fn what_waits_is_bounded_and_comes_again() {
        for bytes in [4092, 0] {
            let exchange = exchange();
            let mut batches = VecDeque::new();
            let mut number = 1;
            while exchange.push(number, batch(bytes)) == Pushed::Taken {
                number += 1;
            }
            assert!(number as usize <= 1 + WAITING_UP_MAX, "{number}");
            assert_eq!(exchange.push(number, batch(bytes)), Pushed::Full);
            exchange.take(&mut batches);
            assert_eq!(exchange.push(number, batch(bytes)), Pushed::Taken);
            // They are left while others are not read.
            let read = batches.len();
            exchange.take(&mut batches);
            assert!(batches.len() == read && exchange.has_news());
        }
    }

    #[test]
    fn what_breaks_the_rules_ends_it_behind_what_came_before() {
        let exchange = exchange();
        let mut batches = VecDeque::new();
        assert_eq!(exchange.push(1, batch(1)), Pushed::Taken);
        assert_eq!(exchange.push(2, Bytes::from_static(&[9])), Pushed::Broken);
        assert_eq!(exchange.push(3, batch(1)), Pushed::Over);
        let (_, broken) = exchange.take(&mut batches);
        assert_eq!((batches.len(), broken), (1, Some(CloseCode::Protocol)));
        exchange.end();
        assert_eq!(exchange.push(3, batch(1)), Pushed::Over);
    }

    #[test]
    fn only_the_secret_opens_it() {
        let exchange = exchange();
        assert!(exchange.opens(&[b'f'; 32]));
        for wrong in [&[b'f'; 31][..], &[b'f'; 33], &[b'e'; 32], &[]] {
            assert!(!exchange.opens(wrong));
        }
    }
}
