//! Between two steps of a batch the writer offers its core to whoever waits for one, which may be a
//! worker whose tick is due: the scheduler alone would let the writer finish its slice first, a
//! millisecond or more. Of one batch it gives no more than [`GIVEN_MAX`], so that on a machine that is
//! busy with something else rows are still written. The writer and its tables use it.

use std::thread;
use std::time::{Duration, Instant};

/// Some ticks long. With that a batch of 500 takes some 15 ms where others take all they are offered:
/// 30,000 rows a second.
const GIVEN_MAX: Duration = Duration::from_millis(10);

/// What may still be given of a batch.
pub(super) struct Courtesy {
    left: Duration,
}

impl Courtesy {
    pub(super) fn new() -> Courtesy {
        Courtesy { left: GIVEN_MAX }
    }

    /// Offers the core.
    pub(super) fn offer(&mut self) {
        if self.left.is_zero() {
            return;
        }
        let offered = Instant::now();
        thread::yield_now();
        self.left = self.left.saturating_sub(offered.elapsed());
    }
}
