//! How much one client may send: two buckets, messages and bytes, that leak at the operator's
//! rates. Pure: the time is an argument. `conn` charges it below the WebSocket codec, so that
//! frames that never become a message (empty fragments, pings) count too.

use std::time::Instant;

use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;

/// Seconds of the average rate that may come at once: a client behind a stalled mobile link
/// delivers what it sent meanwhile in one burst and has done nothing wrong.
const BURST_SECONDS: f64 = 4.0;

/// The operator's limits, the same for all clients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    /// Messages a second, on average; a fragment counts as one.
    pub(crate) messages_per_second: u32,
    /// Bytes a second, on average, frame headers included.
    pub(crate) bytes_per_second: u32,
}

/// What one client sent lately. Empty at first; it fills with what comes and leaks with time.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    messages: f64,
    bytes: f64,
    at: Instant,
}

impl Limiter {
    pub(crate) fn new(now: Instant) -> Limiter {
        Limiter {
            messages: 0.0,
            bytes: 0.0,
            at: now,
        }
    }

    /// Counts what came. False: the client sent too much.
    pub(crate) fn charge(&mut self, rates: Rates, now: Instant, messages: u32, bytes: u32) -> bool {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let (message_rate, byte_rate) = (
            f64::from(rates.messages_per_second),
            f64::from(rates.bytes_per_second),
        );
        self.messages = (self.messages - seconds * message_rate).max(0.0) + f64::from(messages);
        self.bytes = (self.bytes - seconds * byte_rate).max(0.0) + f64::from(bytes);
        // Any single message fits, however low the rates.
        let bytes_max = byte_rate * BURST_SECONDS + 2.0 * CLIENT_MESSAGE_BYTES_MAX as f64;
        self.messages <= message_rate * BURST_SECONDS && self.bytes <= bytes_max
    }
}

/// A budget for requests that cost more than the bytes that ask for them: it leaks at
/// `per_second` and holds `burst`. A request that doesn't fit is not counted.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    spent: f32,
    at: Instant,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Budget {
        Budget {
            spent: 0.0,
            at: now,
        }
    }

    /// Spends `cost` if that leaves the budget within `burst`.
    pub(crate) fn spend(&mut self, per_second: f32, burst: f32, now: Instant, cost: f32) -> bool {
        let seconds = now.saturating_duration_since(self.at).as_secs_f32();
        self.at = self.at.max(now);
        self.spent = (self.spent - seconds * per_second).max(0.0);
        let fits = self.spent + cost <= burst;
        if fits {
            self.spent += cost;
        }
        fits
    }

    /// Adds to what is spent, beyond the burst if need be: a penalty.
    pub(crate) fn fine(&mut self, cost: f32) {
        self.spent += cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATES: Rates = Rates {
        messages_per_second: 10,
        bytes_per_second: 1000,
    };

    #[test]
    fn a_burst_fits_and_one_more_does_not() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        assert!((0..40).all(|_| limiter.charge(RATES, start, 1, 10)));
        assert!(!limiter.charge(RATES, start, 1, 10));
    }

    #[test]
    fn the_average_rate_goes_on_for_ever() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        for tenth in 0..10_000 {
            let now = start + Duration::from_millis(tenth * 100);
            assert!(limiter.charge(RATES, now, 1, 100), "{tenth}");
        }
    }

    #[test]
    fn bytes_count_as_well_as_messages() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        assert!(limiter.charge(RATES, start, 1, 12_192));
        assert!(!limiter.charge(RATES, start, 0, 1));
        let later = start + Duration::from_millis(1);
        assert!(limiter.charge(RATES, later, 0, 0), "a byte leaked");
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(9);
        let mut limiter = Limiter::new(start);
        assert!(limiter.charge(RATES, start, 40, 0));
        assert!(!limiter.charge(RATES, start - Duration::from_secs(9), 1, 0));
        assert!(!limiter.charge(RATES, start, 1, 0));
    }

    #[test]
    fn a_budget_refuses_without_counting() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        assert!(budget.spend(1.0, 3.0, start, 2.0));
        assert!(!budget.spend(1.0, 3.0, start, 2.0));
        assert!(budget.spend(1.0, 3.0, start, 1.0));
        let later = start + Duration::from_secs(2);
        assert!(budget.spend(1.0, 3.0, later, 2.0));
        budget.fine(5.0);
        let later = later + Duration::from_secs(4);
        assert!(!budget.spend(1.0, 3.0, later, 0.5));
    }
}
