//! How often who does not have a secret (the administration's token, a key of the backend's) may try
//! one. Who is wrong too often is not looked at for a while, from that address alone: an IPv4
//! address or an IPv6 /64, as everywhere. Nobody else waits, however many addresses a guesser has:
//! what they can't find with those is 256 bits. Pure: the time is an argument. `admin` and `api`
//! ask, each its own.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;

use crate::admission::limiter::Budget;
use crate::admission::prefix::host;

/// Wrong tokens that an address may bring a second, on average: ten a minute.
const WRONG_PER_SECOND: f32 = 10.0 / 60.0;
/// And at once: who sets up a script gets it wrong a few times.
const WRONG_BURST: f32 = 10.0;
/// Addresses that are told apart. Beyond: who was wrong longest ago is forgotten, and has the burst
/// anew.
const ADDRESSES_MAX: usize = 1024;

/// Wrong tokens, by who brought them.
#[derive(Default)]
pub(super) struct Attempts {
    /// With when the last one came.
    addresses: HashMap<IpNet, (Budget, Instant)>,
}

impl Attempts {
    /// Whether a token from this address is looked at.
    pub(super) fn may_try(&mut self, from: IpAddr, now: Instant) -> bool {
        let known = self.addresses.get_mut(&host(from));
        // A budget that holds less than a whole try holds none.
        known.is_none_or(|(budget, _)| budget.spend(WRONG_PER_SECOND, WRONG_BURST - 1.0, now, 0.0))
    }

    /// It was a wrong one.
    pub(super) fn failed(&mut self, from: IpAddr, now: Instant) {
        let from = host(from);
        if self.addresses.len() >= ADDRESSES_MAX && !self.addresses.contains_key(&from) {
            let oldest = self
                .addresses
                .iter()
                .min_by_key(|(who, (_, at))| (*at, **who));
            if let Some(oldest) = oldest.map(|(who, _)| *who) {
                self.addresses.remove(&oldest);
            }
        }
        let fresh = || (Budget::new(now), now);
        let (budget, at) = self.addresses.entry(from).or_insert_with(fresh);
        budget.spend(WRONG_PER_SECOND, WRONG_BURST, now, 1.0);
        *at = now;
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
        let mut attempts = Attempts::default();
        assert_eq!(tries(&mut attempts, address(1), start), 10);
        assert!(attempts.may_try(address(2), start));
        let later = start + Duration::from_millis(6100);
        assert_eq!(tries(&mut attempts, address(1), later), 1);
        let later = start + Duration::from_secs(3600);
        assert_eq!(tries(&mut attempts, address(1), later), 10);
    }

    #[test]
    fn an_ipv6_network_waits_as_one() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(tries(&mut attempts, at("2001:db8::1"), start), 10);
        assert!(!attempts.may_try(at("2001:db8::ffff:1"), start));
        assert!(attempts.may_try(at("2001:db8:0:1::1"), start));
    }

    #[test]
    fn however_many_are_wrong_strangers_are_looked_at() {
        let start = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0..10 * ADDRESSES_MAX as u32 {
            let now = start + Duration::from_millis(u64::from(number));
            assert_eq!(tries(&mut attempts, address(number), now), 10);
        }
        assert_eq!(attempts.addresses.len(), ADDRESSES_MAX);
        let now = start + Duration::from_millis(10 * ADDRESSES_MAX as u64);
        for stranger in 0..100 {
            let stranger = address(0x0A00_0000 + stranger);
            assert!(attempts.may_try(stranger, now));
        }
        let last = address(10 * ADDRESSES_MAX as u32 - 1);
        assert!(!attempts.may_try(last, now), "and those of late still wait");
    }
}
