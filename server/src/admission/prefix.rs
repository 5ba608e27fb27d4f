//! Who counts as one: addresses by the networks that providers hand out. One customer has an IPv4
//! address or an IPv6 /64 (a *host*), often a /56 (a *site*), and who rents more has its neighbours
//! too, an IPv4 /24 or an IPv6 /48 (a *network*). Limits, shares and bans count by these and by
//! nothing else. Pure.

use std::net::IpAddr;

use ipnet::IpNet;

/// How much lies in a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    /// An IPv4 address, an IPv6 /64: a household, a phone.
    Host,
    /// An IPv6 /56: all networks of one customer.
    Site,
    /// An IPv4 /24, an IPv6 /48: neighbours, a company, a rented range.
    Network,
}

impl Width {
    /// How many times what a host may hold a prefix of this width may hold where its hosts are
    /// counted together.
    pub(crate) fn factor(self) -> u32 {
        match self {
            Width::Host => 1,
            Width::Site => 2,
            Width::Network => 4,
        }
    }
}

/// The prefixes that an address lies in, widest first. An IPv4 address in IPv6's clothes is an IPv4
/// address.
pub(crate) fn prefixes(address: IpAddr) -> impl Iterator<Item = (Width, IpNet)> {
    let address = address.to_canonical();
    let widths: &'static [(Width, u8)] = match address {
        IpAddr::V4(_) => &[(Width::Network, 24), (Width::Host, 32)],
        IpAddr::V6(_) => &[(Width::Network, 48), (Width::Site, 56), (Width::Host, 64)],
    };
    widths
        .iter()
        .map(move |(width, bits)| (*width, cut(address, *bits)))
}

/// The narrowest of them: the unit that most limits and bans are for.
pub(crate) fn host(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    cut(address, if address.is_ipv4() { 32 } else { 64 })
}

/// The widest of them.
pub(crate) fn network(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    cut(address, if address.is_ipv4() { 24 } else { 48 })
}

fn cut(address: IpAddr, bits: u8) -> IpNet {
    // No address has too few bits for that.
    let network = IpNet::new(address, bits).unwrap_or(address.into());
    network.trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_in_ever_narrower_prefixes() {
        let check = |address: &str, expected: &[&str]| {
            let address = address.parse().unwrap();
            let shown: Vec<String> = prefixes(address).map(|(_, net)| net.to_string()).collect();
            assert_eq!(shown, expected, "{address}");
            assert_eq!(network(address).to_string(), expected[0]);
            assert_eq!(host(address).to_string(), *expected.last().unwrap());
            let widths: Vec<Width> = prefixes(address).map(|(width, _)| width).collect();
            assert!(widths.is_sorted_by(|a, b| a > b), "{widths:?}");
        };
        check("192.0.2.77", &["192.0.2.0/24", "192.0.2.77/32"]);
        check("::ffff:192.0.2.77", &["192.0.2.0/24", "192.0.2.77/32"]);
        check(
            "2001:db8:1:2a3b:4::5",
            &[
                "2001:db8:1::/48",
                "2001:db8:1:2a00::/56",
                "2001:db8:1:2a3b::/64",
            ],
        );
    }
}
