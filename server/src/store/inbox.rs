//! What the writer is to do, as everybody hands it over: records into the [`Queue`], and requests
//! besides. Its lock is held for as long as it takes to put one in or to take one batch out, which
//! is microseconds: workers put records here in a tick.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::queue::{Entry, Limits, Lost, Queue};
use super::record::{Kind, Record};
use super::value::Statement;

/// Records that may wait: 0.4 s at 20,000 a second, or half a minute of what a server of ordinary
/// size says.
const RECORDS_MAX: usize = 8192;
/// And their bytes.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Records of a transaction; so many are written at once.
pub(super) const BATCH: usize = 500;
/// Requests that wait. Beyond: refused.
const REQUESTS_MAX: usize = 16;

/// What the writer is asked for besides records. The answer is dropped where it can't be given.
pub(super) enum Request {
    /// To say when all that was put before is written.
    Settle(oneshot::Sender<()>),
    /// To erase somebody; `Err` says why it may not be done.
    Erase(Erased, oneshot::Sender<Result<(), String>>),
    /// To do these in a transaction; how many rows the last one changed.
    Write(Vec<Statement>, oneshot::Sender<Result<u64, String>>),
}

/// Who is to be erased.
pub(super) struct Erased {
    pub(super) player: String,
    /// Whose scores become those of this name, which is nobody's.
    pub(super) nobody: String,
}

#[derive(Default)]
struct Requests {
    /// With the number of the record that came next.
    waiting: VecDeque<(u64, Request)>,
    is_finished: bool,
}

/// See the module's description.
pub(super) struct Inbox {
    state: Mutex<(Queue, Requests)>,
    /// Something came that the writer may be asleep over.
    came: Condvar,
}

/// What of the inbox the writer decides by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Records that wait and may be taken.
    pub(super) waiting: usize,
    /// Records and bytes, with what was taken.
    pub(super) records: usize,
    pub(super) bytes: usize,
    /// They are not to wait for others.
    pub(super) hurries: bool,
    pub(super) has_requests: bool,
    pub(super) is_finished: bool,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox::with(Limits {
            records: RECORDS_MAX,
            bytes: BYTES_MAX,
        })
    }
}

impl Inbox {
    pub(super) fn with(limits: Limits) -> Inbox {
        let state = (Queue::new(limits), Requests::default());
        Inbox {
            state: Mutex::new(state),
            came: Condvar::new(),
        }
    }

    /// Puts a record in; what was lost for it, or it itself.
    pub(super) fn put(&self, record: Record, acknowledge: Option<oneshot::Sender<()>>) -> Lost {
        let kind = record.kind();
        let mut state = self.state.lock();
        let lost = state.0.push(record, acknowledge);
        // The first one starts the time that a batch is waited for, also where what matters less
        // waits for room on the disk; the last one ends it.
        let matters = state.0.waiting(kind) == 1
            || state.0.waiting(Kind::Chat) == BATCH
            || kind == Kind::Notice;
        drop(state);
        if matters {
            self.came.notify_one();
        }
        lost
    }

    /// Asks for something; false: too much is asked for already, or nobody is there to do it.
    pub(super) fn ask(&self, request: Request) -> bool {
        let mut state = self.state.lock();
        let (queue, requests) = &mut *state;
        if requests.is_finished || requests.waiting.len() >= REQUESTS_MAX {
            return false;
        }
        let number = queue.next();
        requests.waiting.push_back((number, request));
        self.came.notify_one();
        true
    }

    /// Nothing more comes: the writer is to write what waits, and end.
    pub(super) fn finish(&self) {
        self.state.lock().1.is_finished = true;
        self.came.notify_one();
    }

    /// What there is, of these kinds and of what matters more.
    pub(super) fn look(&self, least: Kind) -> Seen {
        let state = self.state.lock();
        let (queue, requests) = &*state;
        Seen {
            waiting: queue.waiting(least),
            records: queue.records(),
            bytes: queue.bytes(),
            hurries: queue.hurries(least),
            has_requests: !requests.waiting.is_empty(),
            is_finished: requests.is_finished,
        }
    }

    /// Waits until something comes, or `until`. At once where something came since `seen`.
    pub(super) fn wait(&self, seen: Seen, until: Instant) {
        let mut state = self.state.lock();
        let is_same = state.0.records() == seen.records
            && state.1.waiting.is_empty() != seen.has_requests
            && state.1.is_finished == seen.is_finished;
        if is_same {
            self.came.wait_until(&mut state, until);
        }
    }

    /// The next batch; see [`Queue::take`].
    pub(super) fn take(&self, least: Kind) -> Vec<Entry> {
        self.state.lock().0.take(BATCH, least)
    }

    /// See [`Queue::done`].
    pub(super) fn done(&self) {
        self.state.lock().0.done();
    }

    /// The next request whose turn it is. A person who is to be erased is left out of what waits.
    pub(super) fn request(&self) -> Option<Request> {
        let mut state = self.state.lock();
        let (queue, requests) = &mut *state;
        match requests.waiting.front()? {
            (number, Request::Settle(_)) if !queue.is_past(*number) => None,
            (_, Request::Erase(who, _)) => {
                queue.erase(&who.player);
                requests.waiting.pop_front().map(|(_, request)| request)
            }
            _ => requests.waiting.pop_front().map(|(_, request)| request),
        }
    }
}
