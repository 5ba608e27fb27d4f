//! The processor time that this thread has used: unlike wall time it leaves out what other
//! programs took in between. Called by the yardsticks.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Processor time of the calling thread since it started.
///
/// # Panics
/// Where the system has no such clock.
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("the thread's clock can be read").into()
}

/// The processor time that `work` takes, and what it gives.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = thread_time();
    let result = work();
    (thread_time() - start, result)
}

/// The middle one of some figures: of an even number the upper middle one.
///
/// # Panics
/// Of none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
