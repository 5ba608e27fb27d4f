//! One sample: passes of the measured and of the reference work in turn, until both have been seen
//! for a while.

use std::time::{Duration, Instant};

use super::machine::{Cores, Watch};
use super::repeat::Pair;

/// Takes turns for `time` at least and once at least; `first` says which of both begins, and
/// changes with every turn, so that neither always finds the caches as the other left them. Both
/// give the processor time that a pass took. The pair is of one pass each, in nanoseconds; beside
/// it what others had.
pub fn alternate(
    time: Duration,
    first: usize,
    mut measured: impl FnMut() -> Duration,
    mut reference: impl FnMut() -> Duration,
) -> (Pair, Option<f64>) {
    let watch = Watch::start(Cores::All, Vec::new());
    let start = Instant::now();
    let (mut of_measured, mut of_reference) = (Duration::ZERO, Duration::ZERO);
    let mut turns = 0usize;
    while turns == 0 || start.elapsed() < time {
        if (first + turns).is_multiple_of(2) {
            of_measured += measured();
            of_reference += reference();
        } else {
            of_reference += reference();
            of_measured += measured();
        }
        turns += 1;
    }
    let of_pass = |spent: Duration| spent.as_nanos() as f64 / turns as f64;
    let pair = Pair {
        measured: of_pass(of_measured),
        // What takes no time by the clock is no measure.
        reference: of_pass(of_reference).max(1.0),
    };
    (pair, watch.others())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_take_turns_at_being_first() {
        for (first, expected) in [(0, "mr"), (1, "rm")] {
            let order = std::cell::RefCell::new(String::new());
            let (pair, _) = alternate(
                Duration::ZERO,
                first,
                || {
                    order.borrow_mut().push('m');
                    Duration::from_nanos(300)
                },
                || {
                    order.borrow_mut().push('r');
                    Duration::from_nanos(100)
                },
            );
            assert_eq!(order.into_inner(), expected);
            assert_eq!((pair.measured, pair.reference), (300.0, 100.0));
        }
    }
}
