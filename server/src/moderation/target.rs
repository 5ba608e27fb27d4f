//! Whom an operator means: a player, by what their token proved, or everybody of an address or
//! network. Written as text in requests, in the file of sanctions and in the log.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::admission::prefix::host;
use crate::auth::Identity;

/// The widest networks that can be meant, in bits of prefix (IPv4, IPv6): wider ones would be a
/// slip of the finger more often than a wish.
const PREFIX_MIN: (u8, u8) = (8, 16);

/// See the module's description.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Target {
    /// Wherever they come from.
    Player(Identity),
    /// Whoever comes from there.
    Network(IpNet),
}

impl Target {
    /// A player as [`Identity`] is written: `guest:…` or `user:…`.
    ///
    /// # Errors
    /// One line.
    pub(crate) fn player(text: &str) -> Result<Target, String> {
        let identity = Identity::read(text).map(Target::Player);
        identity.ok_or("player is not guest:… or user:…, as /admin/players shows it".into())
    }

    /// An address, of IPv6 its /64, or a network such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// One line.
    pub(crate) fn address(text: &str) -> Result<Target, String> {
        let single = text.parse::<IpAddr>().map(host);
        let network = text.parse::<IpNet>().ok().or(single.ok());
        let wrong = "address is not one such as 10.0.0.7, 10.0.0.0/24 or 2001:db8::/48";
        let network = match network.ok_or(wrong)? {
            IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
                return Err("address is IPv4 within IPv6: write the IPv4 one".into());
            }
            network if network.prefix_len() > host(network.addr()).prefix_len() => {
                host(network.addr())
            }
            network => network.trunc(),
        };
        let (least, bits) = match network {
            IpNet::V4(_) => (PREFIX_MIN.0, 4),
            IpNet::V6(_) => (PREFIX_MIN.1, 6),
        };
        if network.prefix_len() < least {
            return Err(format!(
                "address is too wide: /{least} is the widest for IPv{bits}"
            ));
        }
        Ok(Target::Network(network))
    }

    /// Whether somebody of this identity at this address is meant.
    pub(crate) fn includes(&self, identity: &Identity, address: IpAddr) -> bool {
        match self {
            Target::Player(player) => player == identity,
            Target::Network(network) => network.contains(&address.to_canonical()),
        }
    }

    /// Every target that means the address, from the narrowest on.
    pub(crate) fn around(address: IpAddr) -> impl Iterator<Item = Target> {
        let wider = |network: &IpNet| network.supernet();
        std::iter::successors(Some(host(address)), wider).map(Target::Network)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Player(player) => player.fmt(f),
            Target::Network(IpNet::V4(v4)) if v4.prefix_len() == 32 => v4.addr().fmt(f),
            Target::Network(network) => network.fmt(f),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Target, D::Error> {
        let text = String::deserialize(from)?;
        let player = Target::player(&text).or_else(|_| Target::address(&text));
        player
            .map_err(|_| de::Error::custom("a target is guest:…, user:…, an address or a network"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> String {
        Target::address(text).map_or_else(|why| why, |target| target.to_string())
    }

    #[test]
    fn addresses_count_as_limits_count_them() {
        assert_eq!(address("10.0.0.7"), "10.0.0.7");
        assert_eq!(address("10.0.0.7/24"), "10.0.0.0/24");
        assert_eq!(address("::ffff:10.0.0.7"), "10.0.0.7");
        assert_eq!(address("2001:db8::7"), "2001:db8::/64");
        assert_eq!(address("2001:db8::7/128"), "2001:db8::/64");
        assert_eq!(address("2001:db8::/48"), "2001:db8::/48");
        for wrong in [
            "",
            "10.0.0",
            "0.0.0.0/0",
            "10.0.0.0/7",
            "::/0",
            "::ffff:10.0.0.0/104",
            "*",
        ] {
            assert!(Target::address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_is_meant_is_found_and_nobody_else() {
        let check = |target: &str, at: &str, meant: bool| {
            let target = Target::address(target).unwrap();
            let at: IpAddr = at.parse().unwrap();
            assert_eq!(
                target.includes(&Identity::nobody(), at),
                meant,
                "{target} {at}"
            );
            assert_eq!(Target::around(at).any(|around| around == target), meant);
        };
        check("10.0.0.7", "10.0.0.7", true);
        check("10.0.0.7", "::ffff:10.0.0.7", true);
        check("10.0.0.7", "10.0.0.8", false);
        check("10.0.0.0/8", "10.255.255.255", true);
        check("2001:db8::1", "2001:db8::ffff:1", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
        check("2001:db8::/32", "2001:db8:7::1", true);
        check("2001:db8::/32", "10.0.0.7", false);
    }

    #[test]
    fn players_are_written_as_they_are_shown() {
        for text in ["guest:0123", "user:Ann <ann@example.org>", "user:user:x"] {
            assert_eq!(Target::player(text).unwrap().to_string(), text);
        }
        let long = format!("user:{}", "x".repeat(129));
        for wrong in ["", "ann", "guest:", "user:", "user:a\nb", "User:a", &long] {
            assert!(Target::player(wrong).is_err(), "{wrong}");
        }
        let guest = Target::player("guest:a").unwrap();
        let (ann, at) = (
            Identity::read("user:a").unwrap(),
            "10.0.0.7".parse().unwrap(),
        );
        assert!(
            !guest.includes(&ann, at),
            "a user is not the guest of that name"
        );
    }
}
