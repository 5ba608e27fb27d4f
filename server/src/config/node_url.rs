//! Where clients reach one node of several: the URL that a `Redirect` leads to. The directory of
//! all nodes tells it to the others; who peers are is `peer_address`'s.

use std::fmt;
use std::str::FromStr;

use super::connect_origin::{self, ConnectOrigin};
use super::origin::Authority;

/// Bytes of such a URL.
pub(crate) const NODE_URL_BYTES_MAX: usize = 512;

/// A WebSocket's URL whose path ends with `/ws`: `wss://play.example/n/3/ws`,
/// `ws://127.0.0.1:7777/ws`.
///
/// Two that are written the same are the same; the host is in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeUrl {
    scheme: &'static str,
    authority: Authority,
    /// With its `/` at the start.
    path: Box<str>,
}

impl NodeUrl {
    /// What the page's policy has to name, `None` for an IPv6 address, which it can't.
    pub(crate) fn origin(&self) -> Option<ConnectOrigin> {
        ConnectOrigin::new(self.scheme, self.authority.clone())
    }
}

impl FromStr for NodeUrl {
    type Err = String;

    /// No user, no query, nothing that has to be percent-encoded.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a node's URL such as wss://play.example/n/3/ws or \
                 ws://127.0.0.1:7777/ws"
            )
        };
        if text.len() > NODE_URL_BYTES_MAX {
            let bytes = text.len();
            return Err(format!(
                "a node's URL has at most {NODE_URL_BYTES_MAX} bytes, and this one {bytes}"
            ));
        }
        let path = text
            .find("://")
            .and_then(|at| text[at + 3..].find('/').map(|of| at + 3 + of));
        let (server, path) = path.map(|at| text.split_at(at)).ok_or_else(wrong)?;
        let (scheme, authority) = connect_origin::server(server).ok_or_else(wrong)?;
        if !path.ends_with("/ws") || !path.split('/').skip(1).all(is_segment) {
            return Err(wrong());
        }
        // The node says itself which game's it is.
        if path.split('/').any(|segment| segment == "g") {
            return Err(format!(
                "{text:?} has /g/ in its path, which stands for a game: all games of a node have \
                 one URL"
            ));
        }
        Ok(NodeUrl {
            scheme,
            authority,
            path: path.into(),
        })
    }
}

/// What stands for itself between two `/` (RFC 3986 §2.3), and leads nowhere else.
fn is_segment(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !matches!(text, "" | "." | "..") && text.bytes().all(plain)
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_written_as_others_compare_them() {
        let check = |text: &str, shown: &str, origin: Option<&str>| {
            let url: NodeUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(shown.parse(), Ok(url.clone()), "{text}");
            let named = url.origin().map(|origin| origin.to_string());
            assert_eq!(named.as_deref(), origin, "{text}");
        };
        check(
            "WSS://Play.Example./n/3/ws",
            "wss://play.example/n/3/ws",
            Some("wss://play.example"),
        );
        check(
            "ws://127.0.0.1:7777/ws",
            "ws://127.0.0.1:7777/ws",
            Some("ws://127.0.0.1:7777"),
        );
        check(
            "ws://[0::1]:7777/A_b~c-1.2/ws",
            "ws://[::1]:7777/A_b~c-1.2/ws",
            None,
        );
    }

    #[test]
    fn what_is_no_nodes_url_is_told_in_a_line() {
        let refusal = |text: &str| {
            let why = text.parse::<NodeUrl>().expect_err(text);
            assert!(!why.contains('\n'), "{why}");
            why
        };
        for wrong in [
            "",
            "wss://",
            "wss://play.example",
            "wss://play.example/",
            "wss://play.example/n/3",
            "wss://play.example/n/3/ws/",
            "wss://play.example/news",
            "wss:///ws",
            "https://play.example/ws",
            "play.example/ws",
            "wss://u:p@play.example/ws",
            "wss://play.example/ws?a=/ws",
            "wss://play.example/#/ws",
            "wss://play.example//ws",
            "wss://play.example/../ws",
            "wss://play.example/./ws",
            "wss://play.example/a b/ws",
            "wss://play.example/%41/ws",
            "wss://play.example/\u{e9}/ws",
            "wss://play.example/\r\n/ws",
        ] {
            let why = refusal(wrong);
            assert!(why.contains("such as wss://play.example/n/3/ws"), "{why}");
        }
        assert!(refusal("wss://play.example/g/chess/ws").contains("/g/"));
        let long = format!("wss://play.example/{}/ws", "n".repeat(NODE_URL_BYTES_MAX));
        assert!(refusal(&long).contains("at most 512 bytes"));
    }
}
