//! What the other nodes of a cluster dial to reach this one: its name among them, by which a node
//! that comes back is known for the one that was there before. Where it listens is another setting:
//! in a container that is an address which nobody else has.

use std::fmt;
use std::str::FromStr;

use super::origin::Authority;

/// Bytes of such an address: a host's name, a colon and a port are less.
pub(crate) const PEER_ADDRESS_BYTES_MAX: usize = 262;

/// A host and a port: `node-1.tickwire:7779`, `10.0.0.1:7779`, `[fd00::1]:7779`.
///
/// Two that are written the same are the same; a name is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress(Authority);

impl FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a host and port such as node-1.tickwire:7779");
        let authority: Authority = text.parse().map_err(|()| wrong())?;
        if authority.port().is_none_or(|port| port == 0) {
            return Err(wrong());
        }
        if authority.address().is_some_and(|ip| ip.is_unspecified()) {
            return Err(format!("{text:?} is no host: others dial it"));
        }
        Ok(PeerAddress(authority))
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_ports_are_addresses() {
        let check = |text: &str, shown: &str| {
            let address: PeerAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse(), Ok(address), "{text}");
        };
        check("Node-1.Tickwire.:7779", "node-1.tickwire:7779");
        check("10.0.0.1:07779", "10.0.0.1:7779");
        check("[FD00::0:1]:7779", "[fd00::1]:7779");
        let long = format!("{}a:65535", "a.".repeat(126));
        assert!(long.len() <= PEER_ADDRESS_BYTES_MAX);
        check(&long, &long);
    }

    #[test]
    fn what_nobody_can_dial_is_told_in_a_line() {
        for wrong in [
            "",
            "node-1",
            "node-1:",
            "node-1:0",
            "node-1:65536",
            ":7779",
            "fd00::1",
            "ws://node-1:7779",
            "node-1:7779/ws",
            "a b:7779",
            "0.0.0.0:7779",
            "[::]:7779",
            &format!("{}:1", "a".repeat(254)),
        ] {
            let why = wrong.parse::<PeerAddress>().expect_err(wrong);
            assert!(!why.contains('\n') && why.contains(wrong), "{why}");
        }
    }
}
