//! Coming back after a connection was lost: which ends are worth a try, when the next one is due,
//! and when to give up. Pure: times and chance are arguments. The SDK's `reconnect.js` mirrors it;
//! what is asked for once a socket is open is [`super::Session::resume`]'s.

use crate::protocol::CloseCode;

/// The first try is due within this time; each later one takes twice as long, in milliseconds.
pub const RECONNECT_DELAY_MS: u32 = 300;
/// Longest time between two tries, in milliseconds: whoever waits for a server that is started
/// again plays again 2 s after it listens, and a crowd of 10,000 comes at the pace of its
/// handshakes.
pub const RECONNECT_DELAY_MAX_MS: u32 = 2000;
/// A lost connection is tried again for so long, in milliseconds: what a server's restart takes.
/// Beyond: it is given up.
pub const RECONNECT_FOR_MS: u32 = 120_000;

/// Whether there is nothing to come back to after a WebSocket close code.
pub fn is_final(code: u16) -> bool {
    CloseCode::of(code).is_some_and(CloseCode::is_final)
}

/// One loss, until the client is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    since_us: u64,
    attempts: u32,
}

impl Backoff {
    /// The connection was lost at `now_us`.
    pub fn new(now_us: u64) -> Backoff {
        Backoff {
            since_us: now_us,
            attempts: 0,
        }
    }

    /// In how many microseconds to try next, `None` to give up. `chance` is a random number of 0 to
    /// 1, so that a crowd that lost its server at one time comes back spread; `retry_after_ms` is
    /// what the server said before it went.
    pub fn next_us(
        &mut self,
        now_us: u64,
        retry_after_ms: Option<u32>,
        chance: f64,
    ) -> Option<u64> {
        if now_us.saturating_sub(self.since_us) >= u64::from(RECONNECT_FOR_MS) * 1000 {
            return None;
        }
        let attempt = self.attempts;
        self.attempts = attempt.saturating_add(1);
        let delay_ms = match (attempt, retry_after_ms) {
            // Most losses are over at once: the first try is early.
            (0, None) => f64::from(RECONNECT_DELAY_MS) * chance,
            (0, Some(told)) => f64::from(told) * (0.75 + 0.5 * chance),
            _ => {
                let doubled = u64::from(RECONNECT_DELAY_MS) << attempt.min(16);
                doubled.min(u64::from(RECONNECT_DELAY_MAX_MS)) as f64 * (0.5 + 0.5 * chance)
            }
        };
        Some((delay_ms * 1000.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays_ms(chance: f64) -> Vec<u64> {
        let mut backoff = Backoff::new(0);
        let mut now = 0;
        let next = || {
            let delay = backoff.next_us(now, None, chance)?;
            now += delay;
            Some(delay / 1000)
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn tries_are_spread_ever_further_apart_and_end() {
        let (early, late) = (delays_ms(0.0), delays_ms(1.0));
        assert_eq!((early[0], late[0]), (0, 300));
        assert_eq!(early[1..4], [300, 600, 1000]);
        assert_eq!(late[1..4], [600, 1200, 2000]);
        for delays in [early, late] {
            assert!(delays.is_sorted() && delays.iter().all(|ms| *ms <= 2000));
            let total: u64 = delays.iter().sum();
            assert!((120_000..=122_000).contains(&total), "{total}");
        }
    }

    #[test]
    fn the_server_knows_better() {
        let mut backoff = Backoff::new(5_000);
        assert_eq!(backoff.next_us(5_000, Some(2500), 0.5), Some(2_500_000));
        assert_eq!(backoff.next_us(5_000, Some(2500), 0.0), Some(300_000));
    }
}
