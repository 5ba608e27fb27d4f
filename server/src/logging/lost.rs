//! Log lines that nobody can read, counted by why: for the figures. stderr is the process's, so all
//! its servers show the same.

use std::sync::atomic::AtomicU64;

/// Lines that nobody can read, since the process began.
pub(crate) struct Lost {
    /// The queue was full: who reads stderr is too slow, or has stopped.
    pub(crate) queue: AtomicU64,
    /// The system did not take them: nobody reads, the disk is full.
    pub(crate) write: AtomicU64,
    /// There were many of their kind.
    pub(crate) repeated: AtomicU64,
}

impl Lost {
    pub(super) const fn none() -> Lost {
        Lost {
            queue: AtomicU64::new(0),
            write: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
        }
    }
}

/// Of this process so far: for the figures.
pub(crate) static LOST: Lost = Lost::none();
