//! How much one client may send: three buckets, messages, bytes and control messages, that leak at
//! the operator's rates. Pure: the time is an argument. `conn` charges it below the WebSocket
//! codec, so that frames that never become a message (empty fragments, pings) count too.

use std::time::Instant;

use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;

use crate::config::Config;

/// Seconds of the average rate that may come at once: a client behind a stalled mobile link
/// delivers what it sent meanwhile in one burst and has done nothing wrong.
const BURST_SECONDS: f64 = 4.0;

/// The operator's limits, the same for all clients of a game.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    /// Messages a second, on average; a fragment counts as one.
    pub(crate) messages_per_second: u32,
    /// Bytes a second, on average, frame headers included.
    pub(crate) bytes_per_second: u32,
    /// Control messages a second, on average: they cost more than the inputs that most messages
    /// are.
    pub(crate) control_per_second: u32,
}

impl Rates {
    /// Those that the settings say.
    pub(crate) fn of(config: &Config) -> Rates {
        Rates {
            messages_per_second: config.messages_per_second,
            bytes_per_second: config.bytes_per_second,
            control_per_second: config.control_per_second,
        }
    }
}

/// What one client sent lately. Empty at first; it fills with what comes and leaks with time.
#[derive(Clone, Debug)]
pub(crate) struct Limiter {
    messages: f64,
    bytes: f64,
    control: f64,
    at: Instant,
}

impl Limiter {
    pub(crate) fn new(now: Instant) -> Limiter {
        Limiter {
            messages: 0.0,
            bytes: 0.0,
            control: 0.0,
            at: now,
        }
    }

    /// Counts what came. False: the client sent too much.
    pub(crate) fn charge(&mut self, rates: Rates, now: Instant, messages: u32, bytes: u32) -> bool {
        self.leak(rates, now);
        self.messages += f64::from(messages);
        self.bytes += f64::from(bytes);
        // Any single message fits, however low the rates.
        let bytes_max = f64::from(rates.bytes_per_second) * BURST_SECONDS
            + 2.0 * CLIENT_MESSAGE_BYTES_MAX as f64;
        let messages_max = f64::from(rates.messages_per_second) * BURST_SECONDS;
        self.messages <= messages_max && self.bytes <= bytes_max
    }

    /// Counts a control message, which was counted as a message already. False: one too many.
    pub(crate) fn charge_control(&mut self, rates: Rates, now: Instant) -> bool {
        self.leak(rates, now);
        self.control += 1.0;
        self.control <= f64::from(rates.control_per_second) * BURST_SECONDS
    }

    fn leak(&mut self, rates: Rates, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let left = |level: f64, rate: u32| (level - seconds * f64::from(rate)).max(0.0);
        self.messages = left(self.messages, rates.messages_per_second);
        self.bytes = left(self.bytes, rates.bytes_per_second);
        self.control = left(self.control, rates.control_per_second);
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

    /// Whether nothing of it is spent any more.
    pub(crate) fn is_rested(&self, per_second: f32, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.at).as_secs_f32();
        self.spent <= seconds * per_second
    }

    /// Adds to what is spent, beyond the burst if need be: a penalty.
    pub(crate) fn fine(&mut self, cost: f32) {
        self.spent += cost;
    }

    /// Takes a penalty back.
    pub(crate) fn pardon(&mut self, cost: f32) {
        self.spent = (self.spent - cost).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RATES: Rates = Rates {
        messages_per_second: 10,
        bytes_per_second: 1000,
        control_per_second: 2,
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
    fn control_messages_have_a_rate_of_their_own() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        assert!((0..8).all(|_| limiter.charge_control(RATES, start)));
        assert!(!limiter.charge_control(RATES, start));
        assert!(limiter.charge(RATES, start, 1, 10), "inputs go on");
        let later = start + Duration::from_secs(1);
        assert!(limiter.charge_control(RATES, later));
        assert!(!limiter.charge_control(RATES, later));
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
