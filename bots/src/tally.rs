//! Where all bots of a run write what they measure, and the part of the run that counts. Written by
//! `gauge`, opened and read by `swarm`, judged by `judge`.

use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use parking_lot::{Mutex, MutexGuard};

/// Longest time that is told apart: longer ones count as this.
const LONGEST_US: u64 = 600_000_000;
/// The bots write into few shared places instead of holding 100 KB of histograms each.
const SHARDS: usize = 8;

/// The part of the run that is measured: after the ramp.
#[derive(Debug)]
pub(crate) struct Window {
    from_us: AtomicU64,
    to_us: AtomicU64,
}

impl Window {
    /// Not begun.
    pub(crate) fn new() -> Window {
        Window {
            from_us: AtomicU64::new(u64::MAX),
            to_us: AtomicU64::new(u64::MAX),
        }
    }

    /// Sets it, before it begins or at that moment.
    pub(crate) fn set(&self, from_us: u64, to_us: u64) {
        self.to_us.store(to_us, Ordering::Relaxed);
        self.from_us.store(from_us, Ordering::Relaxed);
    }

    /// When it begins, in microseconds since the run's start; `u64::MAX` as long as that is not
    /// known.
    pub(crate) fn begin_us(&self) -> u64 {
        self.from_us.load(Ordering::Relaxed)
    }

    /// When it ends.
    pub(crate) fn end_us(&self) -> u64 {
        self.to_us.load(Ordering::Relaxed)
    }

    /// Whether a moment is in it.
    pub(crate) fn holds(&self, us: u64) -> bool {
        (self.begin_us()..self.end_us()).contains(&us)
    }
}

/// A distribution of times in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Times(pub(crate) Histogram<u64>);

impl Default for Times {
    fn default() -> Times {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3);
        Times(histogram.expect("the bounds are a histogram's"))
    }
}

impl Times {
    pub(crate) fn record(&mut self, us: u64) {
        self.0.saturating_record(us);
    }

    fn add(&mut self, other: &Times) {
        let added = self.0.add(&other.0);
        added.expect("histograms have the same bounds");
    }
}

/// Sums and distributions over the window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// Time from one snapshot to the next at a bot.
    pub(crate) gaps: Times,
    /// The same from arrival to arrival at the bot's socket, whenever the bot came to read it.
    pub(crate) arrivals: Times,
    /// Time from the sending of an input to the first snapshot with it.
    pub(crate) latencies: Times,
    /// Time from a line's saying to a bot's hearing it.
    pub(crate) lines: Times,
    pub(crate) lines_said: u64,
    pub(crate) snapshots: u64,
    pub(crate) snapshot_bytes: u64,
    /// Bytes of all messages received.
    pub(crate) bytes: u64,
    pub(crate) inputs: u64,
    pub(crate) substituted: u64,
    /// Snapshot bytes, and entities that moved, of the bots that survey.
    pub(crate) surveyed_bytes: u64,
    pub(crate) moved: u64,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.gaps.add(&other.gaps);
        self.arrivals.add(&other.arrivals);
        self.latencies.add(&other.latencies);
        self.lines.add(&other.lines);
        self.lines_said += other.lines_said;
        self.snapshots += other.snapshots;
        self.snapshot_bytes += other.snapshot_bytes;
        self.bytes += other.bytes;
        self.inputs += other.inputs;
        self.substituted += other.substituted;
        self.surveyed_bytes += other.surveyed_bytes;
        self.moved += other.moved;
    }
}

/// Where all bots write to.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) window: Window,
    shards: [Mutex<Totals>; SHARDS],
}

impl Tally {
    /// Empty, with a window that has not begun.
    pub(crate) fn new() -> Tally {
        Tally {
            window: Window::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// The sum of all.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for shard in 0..SHARDS {
            totals.add(&self.shard(shard));
        }
        totals
    }

    /// The same, and everything begins anew: between two windows.
    pub(crate) fn take(&self) -> Totals {
        let totals = self.totals();
        for shard in 0..SHARDS {
            *self.shard(shard) = Totals::default();
        }
        totals
    }

    /// Where the bot of this number writes to.
    pub(crate) fn shard(&self, index: usize) -> MutexGuard<'_, Totals> {
        self.shards[index % SHARDS].lock()
    }
}
