//! How long to wait between two tries to connect: not at all for the first, then longer and longer,
//! each node another time, so that not all come back at once to an engine that just started.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::auth::Entropy;

/// The first pause that is one.
const FIRST: Duration = Duration::from_millis(100);

/// See the module's description.
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
    random: ChaCha8Rng,
}

impl Backoff {
    /// Pauses up to `longest`, and half of it more.
    pub(super) fn new(longest: Duration) -> Backoff {
        // Without random numbers all nodes wait as long, which is worse but no harm.
        let seed = Entropy::default().bytes().unwrap_or([0; 32]);
        Backoff {
            next: Duration::ZERO,
            longest,
            random: ChaCha8Rng::from_seed(seed),
        }
    }

    /// How long to wait before the next try.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next.mul_f64(self.random.random_range(0.5..1.5));
        self.next = (self.next * 2).clamp(FIRST, self.longest.max(FIRST));
        pause
    }

    /// A connection was good for something: the next try comes at once.
    pub(super) fn reset(&mut self) {
        self.next = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_begin_anew() {
        let longest = Duration::from_secs(2);
        let mut backoff = Backoff::new(longest);
        assert_eq!(backoff.pause(), Duration::ZERO);
        let mut whole = FIRST;
        for _ in 0..20 {
            let pause = backoff.pause();
            assert!(
                pause >= whole / 2 && pause < whole * 3 / 2,
                "{pause:?} of {whole:?}"
            );
            whole = (whole * 2).min(longest);
        }
        assert_eq!(whole, longest);
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::ZERO);
    }
}
