//! The processor time that this thread has used: unlike wall time it leaves out what other
//! programs took in between. Called by the yardsticks.

use std::time::Duration;

/// Processor time of the calling thread since it started.
///
/// # Panics
/// Where the system has no such clock.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec of our own, which the call fills.
    #[allow(
        unsafe_code,
        reason = "no safe crate that is here already reads this clock"
    )]
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "the thread's clock can be read");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
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
