//! Servers to which this one's pages may connect besides their own host, by WebSockets or by requests:
//! those that a `Redirect` leads to under another name. `http::policy` writes them into each page's policy; who
//! may connect to this server is `origin`'s.

use std::fmt;
use std::str::FromStr;

use super::error::ConfigError;
use super::origin::Authority;

/// Of one server. A page that is led to more of them wants a proxy with one name for all.
const CONNECT_ORIGINS_MAX: usize = 64;
/// Bytes of all of them as they are written down: they are in the head of every response, which has
/// less than 1 KB besides, and of which proxies take 4 KB (nginx's `proxy_buffer_size`).
const CONNECT_ORIGINS_BYTES_MAX: usize = 3072;

/// A server's scheme, host and maybe port: `wss://b.example`, `ws://127.0.0.1:7777`.
///
/// Its text has no character that would mean something in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectOrigin {
    scheme: &'static str,
    authority: Authority,
}

impl ConnectOrigin {
    /// `None`: it is an IPv6 address, which a page's policy can't name.
    pub(super) fn new(scheme: &'static str, authority: Authority) -> Option<ConnectOrigin> {
        (!authority.is_ipv6()).then_some(ConnectOrigin { scheme, authority })
    }

    /// As a page's policy names it, behind a space each: the WebSocket's origin and that of requests,
    /// which browsers take for two.
    pub(crate) fn in_policy(&self) -> String {
        let requests = if self.scheme == "wss" {
            "https"
        } else {
            "http"
        };
        format!(" {self} {requests}://{}", self.authority)
    }
}

impl FromStr for ConnectOrigin {
    type Err = String;

    /// Nothing but scheme, host and port: no path, no wildcard.
    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, authority) = server(text).ok_or_else(|| {
            format!(
                "{text:?} is not a server such as wss://b.example or ws://127.0.0.1:7777, without a path"
            )
        })?;
        ConnectOrigin::new(scheme, authority).ok_or_else(|| {
            format!(
                "{text:?} is an IPv6 address, which a page's policy can't name: use the host's name"
            )
        })
    }
}

/// A WebSocket server's scheme and host.
pub(super) fn server(text: &str) -> Option<(&'static str, Authority)> {
    let (scheme, authority) = text.split_once("://")?;
    let mut known = ["ws", "wss"].into_iter();
    let scheme = known.find(|known| scheme.eq_ignore_ascii_case(known))?;
    Some((scheme, authority.parse().ok()?))
}

impl fmt::Display for ConnectOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Whether the head of a response has room for them.
pub(super) fn check(origins: &[ConnectOrigin]) -> Result<(), ConfigError> {
    let bytes: usize = origins.iter().map(|of| of.in_policy().len()).sum();
    let message = match origins.len() {
        count if count > CONNECT_ORIGINS_MAX => {
            format!("connect-origin names {count} servers, of which {CONNECT_ORIGINS_MAX} may be")
        }
        _ if bytes > CONNECT_ORIGINS_BYTES_MAX => format!(
            "connect-origin takes {bytes} bytes of every response's head, which has room for \
             {CONNECT_ORIGINS_BYTES_MAX}"
        ),
        _ => return Ok(()),
    };
    Err(ConfigError::new(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_server_is_written_the_same() {
        let check = |text: &str, shown: &str| {
            let origin: ConnectOrigin = text.parse().unwrap();
            assert_eq!(origin.to_string(), shown);
            assert_eq!(shown.parse(), Ok(origin), "{text}");
        };
        check("wss://b.example", "wss://b.example");
        check("WSS://B.Example.:8443", "wss://b.example:8443");
        check("ws://127.0.0.1:7777", "ws://127.0.0.1:7777");
        check("ws://localhost:80", "ws://localhost:80");
    }

    #[test]
    fn what_is_no_server_is_told_in_a_line() {
        let check = |text: &str, words: &str| {
            let why = text.parse::<ConnectOrigin>().unwrap_err();
            assert!(why.contains(words) && !why.contains('\n'), "{text}: {why}");
        };
        for text in [
            "",
            "*",
            "wss:",
            "wss://",
            "b.example",
            "https://b.example",
            "wss://*.example",
            "wss://b.example/",
            "wss://b.example/ws",
            "wss://b.example:*",
            "wss://b.example:65536",
            "wss://u@b.example",
            "wss://b.example; script-src *",
            "wss://b.example ws:",
            "wss://b.example\r\nset-cookie: a",
            "'self'",
        ] {
            check(text, "wss://b.example or ws://");
        }
        check("ws://[::1]:7777", "IPv6");
    }

    #[test]
    fn as_many_as_a_head_has_room_for() {
        let servers = |count: usize, host: usize| -> Vec<ConnectOrigin> {
            let one = format!("wss://{}.example", "a".repeat(host));
            vec![one.parse().unwrap(); count]
        };
        assert!(check(&servers(CONNECT_ORIGINS_MAX, 8)).is_ok());
        let refusal = |origins: &[ConnectOrigin]| check(origins).unwrap_err().to_string();
        let many = refusal(&servers(CONNECT_ORIGINS_MAX + 1, 1));
        assert!(many.contains("connect-origin names 65 "), "{many}");
        let long = refusal(&servers(CONNECT_ORIGINS_MAX, 40));
        assert!(long.contains("connect-origin takes 7168 bytes"), "{long}");
    }
}
