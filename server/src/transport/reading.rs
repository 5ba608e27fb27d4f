//! Where connections are read: a scratch that all of a thread share, and the reading of one of
//! them. What is in the bytes is the transport's business. Used by worker and lobby.
//!
//! A worker has many to read in a row. It has the kernel **fetch** for all of them first, then
//! looks at what came: code that runs fifty times in a row is in the caches for all but the first,
//! the kernel's as well as its own.

use std::io;
use std::mem;
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;

use crate::admission::limiter::Rates;

/// Bytes of one read from a socket.
pub(super) const READ_BYTES: usize = 4096;
/// Reads of one socket in a row. Beyond: the rest waits in the kernel until the next tick.
const READS_MAX: u32 = 4;
/// Bytes that may be fetched before they are looked at: what some hundred players send between two
/// ticks, and still in the processor's second cache when their turn comes.
pub(super) const FETCHED_MAX: usize = 15 * READ_BYTES;

/// What a thread reads into, and what it counted.
pub struct Scratch {
    /// What was fetched, behind the place for a connection that is read as it is looked at.
    bytes: Box<[u8]>,
    /// Bytes that were fetched.
    fetched: usize,
    counts: Counts,
}

/// Since [`Scratch::take_counts`].
#[derive(Default)]
pub(super) struct Counts {
    pub(super) messages: u64,
    /// Frame headers included.
    pub(super) bytes: u64,
}

/// Where in the scratch is what was fetched of a connection; `None` if it was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched(Option<Range<usize>>);

impl Fetched {
    /// Nothing was fetched.
    pub(crate) const NONE: Fetched = Fetched(None);
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            bytes: vec![0; READ_BYTES + FETCHED_MAX].into_boxed_slice(),
            fetched: 0,
            counts: Counts::default(),
        }
    }
}

impl Scratch {
    /// Forgets what was fetched, once it was looked at.
    pub(crate) fn clear(&mut self) {
        self.fetched = 0;
    }

    /// Whether there is room to fetch from another connection.
    pub(crate) fn has_room(&self) -> bool {
        self.fetched + READ_BYTES <= FETCHED_MAX
    }

    /// Fetches what one `read` brings. Its end is left to the reading, as is a failure. Only if
    /// there is room.
    pub(super) fn fetch(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> Fetched {
        let start = READ_BYTES + self.fetched;
        match read(&mut self.bytes[start..start + READ_BYTES]) {
            Ok(size @ 1..) => {
                self.fetched += size;
                Fetched(Some(start..start + size))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Fetched(Some(start..start)),
            _ => Fetched::NONE,
        }
    }

    /// Messages and bytes read since the last call.
    pub(crate) fn take_counts(&mut self) -> (u64, u64) {
        let Counts { messages, bytes } = mem::take(&mut self.counts);
        (messages, bytes)
    }
}

/// How far the reading of one connection is.
pub struct Reading<'a> {
    /// Its part of the scratch.
    pub(super) bytes: &'a mut [u8],
    pub(super) counts: &'a mut Counts,
    pub(super) rates: Rates,
    pub(super) now: Instant,
    /// What was not looked at of `bytes`.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether `bytes` were fetched and not counted yet.
    pub(super) fetched: bool,
    /// Reads that are left; 0 after a short one.
    pub(super) reads: u32,
    /// Whether what is left of `bytes` starts with a message of its own.
    pub(super) whole: bool,
    /// The last message that lies elsewhere.
    message: Bytes,
}

impl<'a> Reading<'a> {
    /// Of a connection of which `fetched` was fetched.
    pub(crate) fn new(
        scratch: &'a mut Scratch,
        fetched: Fetched,
        rates: Rates,
        now: Instant,
    ) -> Reading<'a> {
        let Scratch { bytes, counts, .. } = scratch;
        let (place, fetched, reads) = match fetched.0 {
            None => (0..READ_BYTES, false, READS_MAX),
            Some(place) if place.len() < READ_BYTES => (place, true, 0),
            Some(place) => (place, true, READS_MAX - 1),
        };
        Reading {
            bytes: &mut bytes[place],
            counts,
            rates,
            now,
            from: 0,
            to: 0,
            fetched,
            reads,
            whole: false,
            message: Bytes::new(),
        }
    }

    /// Keeps a message that lies elsewhere until the next one.
    pub(super) fn lend(&mut self, message: Bytes) -> &[u8] {
        self.message = message;
        &self.message
    }
}
