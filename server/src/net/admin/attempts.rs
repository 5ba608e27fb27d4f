//! How often who does not have the token may try one. Pure: the time is an argument.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use crate::net::limiter::Budget;

/// Wrong tokens that an address may bring a second, on average: ten a minute.
const WRONG_PER_SECOND: f32 = 10.0 / 60.0;
/// And at once: who sets up a script gets it wrong a few times.
const WRONG_BURST: f32 = 10.0;
/// Addresses that are told apart. Beyond, when none of them is at rest: the others share one budget.
const ADDRESSES_MAX: usize = 1024;

/// Wrong tokens, by who brought them.
pub(super) struct Attempts {
    addresses: HashMap<IpAddr, Budget>,
    others: Budget,
}

impl Attempts {
    /// Nobody has tried yet.
    pub(super) fn new(now: Instant) -> Attempts {
        Attempts {
            addresses: HashMap::new(),
            others: Budget::new(now),
        }
    }

    /// Whether a token from this address is looked at.
    pub(super) fn may_try(&mut self, from: IpAddr, now: Instant) -> bool {
        let is_full = self.addresses.len() >= ADDRESSES_MAX;
        let budget = match self.addresses.get_mut(&from) {
            Some(budget) => budget,
            None if !is_full => return true,
            None => &mut self.others,
        };
        // A budget that holds less than a whole try holds none.
        budget.spend(WRONG_PER_SECOND, WRONG_BURST - 1.0, now, 0.0)
    }

    /// It was a wrong one.
    pub(super) fn failed(&mut self, from: IpAddr, now: Instant) {
        if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&from) {
            self.addresses
                .retain(|_, budget| !budget.is_rested(WRONG_PER_SECOND, now));
        }
        let budget = if self.addresses.len() < ADDRESSES_MAX || self.addresses.contains_key(&from) {
            let fresh = || Budget::new(now);
            self.addresses.entry(from).or_insert_with(fresh)
        } else {
            &mut self.others
        };
        budget.spend(WRONG_PER_SECOND, WRONG_BURST, now, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    fn tries(attempts: &mut Attempts, from: IpAddr, now: Instant) -> usize {
        let tried = (0..100).take_while(|_| {
            let may = attempts.may_try(from, now);
            attempts.failed(from, now);
            may
        });
        tried.count()
    }

    #[test]
    fn who_is_wrong_too_often_waits_and_nobody_else_does() {
        let start = Instant::now();
        let mut attempts = Attempts::new(start);
        assert_eq!(tries(&mut attempts, address(1), start), 10);
        assert!(attempts.may_try(address(2), start));
        let later = start + Duration::from_millis(6100);
        assert_eq!(tries(&mut attempts, address(1), later), 1);
        let later = start + Duration::from_secs(3600);
        assert_eq!(tries(&mut attempts, address(1), later), 10);
    }

    #[test]
    fn the_table_ends_and_strangers_share_what_is_left() {
        let start = Instant::now();
        let mut attempts = Attempts::new(start);
        for number in 0..ADDRESSES_MAX as u32 {
            attempts.failed(address(number), start);
        }
        assert_eq!(tries(&mut attempts, address(5000), start), 10);
        assert!(!attempts.may_try(address(5001), start));
        assert!(attempts.may_try(address(1), start), "one that is known");
        let later = start + Duration::from_secs(60);
        attempts.failed(address(5001), later);
        assert_eq!(attempts.addresses.len(), 1, "the others are at rest");
    }
}
