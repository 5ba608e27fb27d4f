//! A run's trace as one number: everything that crosses a link, and when. Two runs of a seed are
//! the same if their traces are.

use std::hash::{DefaultHasher, Hasher};

/// A running hash.
#[derive(Default)]
pub(crate) struct Trace(DefaultHasher);

impl Trace {
    /// `bytes` crossed the link of `whom` at this time.
    pub(crate) fn note(&mut self, now_us: u64, whom: u32, bytes: &[u8]) {
        self.0.write_u64(now_us);
        self.0.write_u32(whom);
        self.0.write(bytes);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finish()
    }
}
