//! Networks as operators write them: `10.0.0.0/8`, `fd00::/8`, or a single address. For the list
//! of trusted proxies; which of them is asked about is `http::forwarded`'s.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
/// A network of addresses. IPv4 addresses that come dressed as IPv6 (`::ffff:10.0.0.7`) count as
/// the IPv4 addresses that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let single = text.parse::<IpAddr>().map(IpNet::from);
        let network = text.parse::<IpNet>().ok().or(single.ok());
        let wrong = || format!("{text:?} is not a network such as 10.0.0.7 or 10.0.0.0/8");
        network.map(Network).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_their_networks_only() {
        let check = |network: &str, address: &str, inside: bool| {
            let network: Network = network.parse().unwrap();
            let address = address.parse().unwrap();
            assert_eq!(network.contains(address), inside, "{network:?} {address}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.7", "10.0.0.7", true);
        check("10.0.0.7", "10.0.0.8", false);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "10.0.0.1", false);
        check("0.0.0.0/0", "::1", false);
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "localhost",
            "*",
            "10.0.0.0/",
            "10.0.0.1:80",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
