//! Whose connection it is behind proxies: the address that the outermost trusted one of them saw.
//! Anybody can send an `X-Forwarded-For`; only what a trusted proxy appended to it is believed,
//! which is read from the right up to the first address that is no trusted proxy. Pure; `public`
//! asks once a connection and once a handshake.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;

use crate::config::Network;

/// The header's name.
pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";
/// Addresses that are read of it: nobody has so many proxies in a row.
const HOPS_MAX: usize = 16;

/// The proxies that are believed.
#[derive(Clone, Debug)]
pub(crate) struct Proxies(Vec<Network>);

impl Proxies {
    pub(crate) fn new(trusted: &[Network]) -> Proxies {
        Proxies(trusted.to_vec())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address` is one of them.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client's address in a request that `peer`, a trusted proxy, passed on. Where the
    /// header ends or can't be read, it is the last proxy that could be followed to.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values = headers.get_all(FORWARDED_FOR);
        let lines: Vec<_> = values.iter().map(|value| value.to_str().ok()).collect();
        // Several lines are one list (RFC 9110 §5.3).
        let hops = lines.iter().rev().flat_map(|line| match line {
            Some(line) => line.rsplit(',').map(address).collect(),
            None => vec![None],
        });
        for hop in hops.take(HOPS_MAX) {
            let Some(hop) = hop else { break };
            client = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        client
    }
}

/// An entry of the list: an address, which some proxies write with a port or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let parsed = bare.unwrap_or(text).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|addr| addr.ip());
    parsed
        .or_else(with_port)
        .map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn client(lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                FORWARDED_FOR,
                HeaderValue::from_bytes(line.as_bytes()).unwrap(),
            );
        }
        let client = Proxies::new(&trusted).client("10.0.0.1".parse().unwrap(), &headers);
        client.to_string()
    }

    #[test]
    fn the_rightmost_stranger_is_the_client() {
        assert_eq!(client(&["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            client(&["198.51.100.7, 10.0.0.2, 10.9.9.9"]),
            "198.51.100.7"
        );
        assert_eq!(client(&["::ffff:198.51.100.7,fd00::3"]), "198.51.100.7");
        assert_eq!(client(&["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client(&["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client(&["[2001:db8::7]:4711 "]), "2001:db8::7");
        assert_eq!(client(&["[2001:db8::7]"]), "2001:db8::7");
    }

    #[test]
    fn what_stands_left_of_the_client_is_its_own_invention() {
        assert_eq!(client(&["1.2.3.4, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            client(&["10.0.0.5, 198.51.100.7, 10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(
            client(&["1.2.3.4", "198.51.100.7", "10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(client(&["unknown, 198.51.100.7"]), "198.51.100.7");
    }

    #[test]
    fn where_the_list_ends_the_proxy_itself_is_the_client() {
        assert_eq!(client(&[]), "10.0.0.1");
        assert_eq!(client(&[""]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(client(&["198.51.100.7, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&["198.51.100.7", "\u{E9}"]), "10.0.0.1");
        let long = "198.51.100.7, ".to_owned() + &["10.0.0.2"; 99].join(", ");
        assert_eq!(client(&[&long]), "10.0.0.2");
    }
}
