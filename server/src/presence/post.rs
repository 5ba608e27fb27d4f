//! Which members of a worker's rooms have mail: whoever leaves some says so here, and the worker
//! looks at those alone. What the mail is stands in their mailboxes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tickwire::ids::{PlayerId, RoomId};

/// A worker's. A connection is in it once, until the worker has looked, or as often as it changed its
/// owner since: no more than a few for each.
pub(crate) struct Post {
    waiting: Mutex<Vec<(RoomId, PlayerId)>>,
    are_there: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Post {
    /// That of a worker that `wake` wakes, which must not wait.
    pub(crate) fn new(wake: impl Fn() + Send + Sync + 'static) -> Post {
        Post {
            waiting: Mutex::default(),
            are_there: AtomicBool::new(false),
            wake: Box::new(wake),
        }
    }

    /// A member has mail that the worker does not know of.
    pub(super) fn announce(&self, room: RoomId, player: PlayerId) {
        self.waiting.lock().push((room, player));
        // The first one wakes for all that come before the worker looks.
        if !self.are_there.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// Who has some. They may have gone since, or their number may be another's by now.
    pub(crate) fn take(&self) -> Vec<(RoomId, PlayerId)> {
        if !self.are_there.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut waiting = self.waiting.lock();
        self.are_there.store(false, Ordering::Release);
        std::mem::take(&mut waiting)
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Post")
    }
}
