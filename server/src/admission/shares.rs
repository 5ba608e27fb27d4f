//! How many places of one kind each prefix holds, and what it may still have of them. Two limits of
//! which the tighter holds:
//! - a **cap**: what the operator gives a host; a site twice, a network four times that
//!   ([`Width::factor`]), so that nobody has a hundred times the cap by renting neighbours;
//! - a **share of what is left**, once three quarters of all places are taken ([`Fill::is_near`]):
//!   a host then has at most a 16th of what is left, a site an 8th, a network a quarter, at least
//!   one place ([`Fill::quota`]). What is left shrinks with every place that goes, and so does the
//!   share: who has most stops first, and however many prefixes come, those that have nothing yet
//!   find places that those that have much can't take any more.
//!
//! Pure counters. `addresses` has one for connections (by host, with a cap alone), one for those
//! with a seat (shares alone) and one for rooms (both); who must go where a place can be taken back
//! is `crowd`'s.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::prefix::{Width, prefixes};

/// Share of all places, in quarters, from which on shares of what is left hold.
const NEAR_QUARTERS: u64 = 3;
/// What a host may have of what is left: one in so many; wider prefixes more by their factor.
const HOSTS_SHARE: u32 = 16;

/// How full something is whose places all addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    /// Places that are taken.
    pub(crate) taken: u32,
    /// Places that there are.
    pub(crate) limit: u32,
}

impl Fill {
    /// Whether so few places are left that they are shared out.
    fn is_near(self) -> bool {
        u64::from(self.taken) * 4 >= u64::from(self.limit) * NEAR_QUARTERS
    }

    /// What a prefix may hold now; `None`: as much as it likes.
    fn quota(self, width: Width) -> Option<u32> {
        let left = self.limit.saturating_sub(self.taken);
        let quota = u64::from(left) * u64::from(width.factor()) / u64::from(HOSTS_SHARE);
        // No more than what is left, so it fits.
        self.is_near().then_some((quota as u32).max(1))
    }
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The prefix holds as many as its cap says.
    Cap,
    /// Few are left, and it has had its share of them.
    Share,
}

/// Which prefixes a cap is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Hosts: whole towns may share a network.
    Host,
    /// Wider ones too, by their factor.
    All,
}

/// Places by who holds them. As many entries as places, times the prefixes of an address, at most.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    held: HashMap<IpNet, u32>,
    pub(crate) all: u32,
}

impl Shares {
    /// Takes a place. `cap` is a host's, `None`: there is none; `fill` is for shares, `None`: there
    /// are none.
    ///
    /// # Errors
    /// Nothing was taken: see [`Refused`].
    pub(crate) fn take(
        &mut self,
        address: IpAddr,
        cap: Option<u32>,
        spread: Spread,
        fill: Option<Fill>,
    ) -> Result<(), Refused> {
        for (width, prefix) in prefixes(address) {
            let held = self.held.get(&prefix).copied().unwrap_or(0);
            let is_capped = spread == Spread::All || width == Width::Host;
            let cap = cap.filter(|_| is_capped);
            if cap.is_some_and(|cap| held >= cap.saturating_mul(width.factor())) {
                return Err(Refused::Cap);
            }
            let quota = fill.and_then(|fill| fill.quota(width));
            if quota.is_some_and(|quota| held >= quota) {
                return Err(Refused::Share);
            }
        }
        for (_, prefix) in prefixes(address) {
            *self.held.entry(prefix).or_default() += 1;
        }
        self.all += 1;
        Ok(())
    }

    /// Gives one back.
    pub(crate) fn give_back(&mut self, address: IpAddr) {
        self.all = self.all.saturating_sub(1);
        for (_, prefix) in prefixes(address) {
            if let Some(held) = self.held.get_mut(&prefix) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&prefix);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Shares {
        /// Whether nothing is held.
        pub(crate) fn is_empty(&self) -> bool {
            self.held.is_empty() && self.all == 0
        }
    }

    /// Places that `addresses` get one after the other, going round until none gets any.
    fn fill_up(shares: &mut Shares, addresses: &[IpAddr], cap: u32, limit: u32) -> Vec<u32> {
        let mut got = vec![0; addresses.len()];
        loop {
            let before = shares.all;
            for (address, got) in addresses.iter().zip(&mut got) {
                let taken = shares.all;
                let fill = Some(Fill { taken, limit });
                if taken < limit && shares.take(*address, Some(cap), Spread::All, fill).is_ok() {
                    *got += 1;
                }
            }
            if shares.all == before {
                return got;
            }
        }
    }

    fn v4(network: u8, host: u8) -> IpAddr {
        IpAddr::from([198, 51, network, host])
    }

    #[test]
    fn caps_grow_with_the_prefix() {
        let got = |addresses: &[IpAddr]| {
            let got = fill_up(&mut Shares::default(), addresses, 16, 100_000);
            (got[0], got.iter().sum::<u32>())
        };
        assert_eq!(got(&[v4(1, 1)]), (16, 16));
        let neighbours: Vec<IpAddr> = (1..=120).map(|host| v4(1, host)).collect();
        assert_eq!(got(&neighbours).1, 64);
        let v6 = |text: String| text.parse::<IpAddr>().unwrap();
        let one_site: Vec<IpAddr> = (0..99)
            .map(|n| v6(format!("2001:db8:1:{n:x}::1")))
            .collect();
        assert_eq!(got(&one_site).1, 32);
        let sites: Vec<IpAddr> = (0..99)
            .map(|n| v6(format!("2001:db8:1:{n:x}00::1")))
            .collect();
        assert_eq!(got(&sites).1, 64);
        let networks: Vec<IpAddr> = (0..9).map(|n| v6(format!("2001:db8:{n:x}::1"))).collect();
        assert_eq!(got(&networks).1, 9 * 16);
    }

    #[test]
    fn the_last_quarter_is_shared_out() {
        let mut shares = Shares::default();
        let crowd: Vec<IpAddr> = (0..120).map(|network| v4(network, 1)).collect();
        let got = fill_up(&mut shares, &crowd, 16, 1000);
        let taken: u32 = got.iter().sum();
        // Nobody reaches the cap, and places are left.
        assert!(got.iter().all(|got| (6..=8).contains(got)), "{got:?}");
        assert!((750..1000 - 60).contains(&taken), "{taken}");
        let strangers: Vec<IpAddr> = (200..220).map(|network| v4(network, 1)).collect();
        let got = fill_up(&mut shares, &strangers, 16, 1000);
        assert!(got.iter().all(|got| *got >= 1), "{got:?}");
    }

    /// Who has much stops, who has nothing does not, up to the last place.
    #[test]
    fn who_has_nothing_gets_the_last_place() {
        let mut shares = Shares::default();
        let heavy = v4(1, 1);
        let take = |shares: &mut Shares, address| {
            let taken = shares.all;
            let fill = Some(Fill { taken, limit: 8 });
            shares.take(address, None, Spread::All, fill)
        };
        for _ in 0..6 {
            assert_eq!(take(&mut shares, heavy), Ok(()));
        }
        assert_eq!(take(&mut shares, heavy), Err(Refused::Share));
        let neighbour = v4(1, 2);
        assert_eq!(take(&mut shares, neighbour), Err(Refused::Share));
        assert_eq!(take(&mut shares, v4(2, 1)), Ok(()));
        assert_eq!(take(&mut shares, v4(2, 1)), Err(Refused::Share));
        assert_eq!(take(&mut shares, v4(3, 1)), Ok(()));
        for gone in [v4(3, 1), v4(2, 1), heavy] {
            shares.give_back(gone);
        }
        assert_eq!(take(&mut shares, heavy), Ok(()));
        (0..6).for_each(|_| shares.give_back(heavy));
        assert!(shares.is_empty(), "nothing is left of it");
    }
}
