//! Hosts and origins, parsed and comparable: what browsers call the place that a page is from (RFC
//! 6454), and what a request calls the place that it is for. For the list of allowed origins; who
//! is let in is `http::origin`'s to say.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host and maybe a port, as in `Host`: `play.example`, `127.0.0.1:7777`, `[::1]:80`. Two that
/// mean the same are equal but for a port that goes without saying: lower case, without the dot of
/// the root, IPv6 in its shortest form.
///
/// Its text has no character that would mean something in a header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    host: Box<str>,
    port: Option<u16>,
}

/// Characters of a host's name (RFC 1035).
const HOST_CHARS_MAX: usize = 253;

impl Authority {
    /// Whether it is a name that the world may know: neither an address nor this machine's.
    pub(crate) fn is_public_name(&self) -> bool {
        let is_local = &*self.host == "localhost" || self.host.ends_with(".localhost");
        !is_local && self.address().is_none()
    }

    /// The address that stands there in the place of a name.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let bare = self
            .host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match bare {
            Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::from),
            None => self.host.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        }
    }

    /// The port, if one is written.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is an IPv6 address, which stands in brackets.
    pub(crate) fn is_ipv6(&self) -> bool {
        self.host.starts_with('[')
    }
}

impl FromStr for Authority {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, port) = match text.rfind(':') {
            // Not the colon within an IPv6 address.
            Some(at) if !text.ends_with(']') => (&text[..at], Some(&text[at + 1..])),
            _ => (text, None),
        };
        let port = match port {
            None | Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| ())?)
            }
            Some(_) => return Err(()),
        };
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let address = rest.strip_suffix(']').ok_or(())?;
                let address: Ipv6Addr = address.parse().map_err(|_| ())?;
                format!("[{address}]")
            }
            None => name(host).ok_or(())?,
        };
        Ok(Authority {
            host: host.into(),
            port,
        })
    }
}

/// A host's name or IPv4 address. What else a URL may have there (`~`, `;`, `%41` …) no name of a
/// host has, and some of it would mean something where the host is written down again.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    let is_name = text.len() <= HOST_CHARS_MAX && text.split('.').all(label);
    is_name.then(|| text.to_ascii_lowercase())
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Where a page is from, as in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// In lower case: `https`, or one of an app such as `capacitor`.
    scheme: Box<str>,
    /// With a port unless it goes without saying.
    authority: Authority,
}

impl Origin {
    /// Whether the page came over HTTP from the host that `authority` names. A port that goes
    /// without saying there is that of the page's own scheme: behind a proxy that speaks TLS a
    /// server can't tell which it is.
    pub(crate) fn is_of(&self, authority: &Authority) -> bool {
        let usual = usual_port(&self.scheme);
        let from = &self.authority;
        usual.is_some()
            && from.host == authority.host
            && from.port.or(usual) == authority.port.or(usual)
    }
}

/// The port that goes without saying.
fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl FromStr for Origin {
    type Err = ();

    /// Nothing but scheme, host and port: no user, no path, no `null`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, authority) = text.split_once("://").ok_or(())?;
        let scheme = scheme.to_ascii_lowercase();
        let mut letters = scheme.bytes();
        let starts = letters.next().is_some_and(|b| b.is_ascii_lowercase());
        let goes_on = letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !starts || !goes_on {
            return Err(());
        }
        let mut authority: Authority = authority.parse()?;
        if authority.port == usual_port(&scheme) {
            authority.port = None;
        }
        Ok(Origin {
            scheme: scheme.into(),
            authority,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// An entry of the list of those who may open WebSockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Pages from there.
    From(Origin),
    /// `null`: pages that have no origin, such as sandboxed frames and files, whoever made them.
    Null,
    /// `none`: programs that are no browsers and name no origin. A browser always names one.
    Missing,
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "null" => Ok(AllowedOrigin::Null),
            "none" => Ok(AllowedOrigin::Missing),
            _ => text.parse().map(AllowedOrigin::From).map_err(|()| {
                format!(
                    "{text:?} is not an origin such as https://play.example:8443 or capacitor://localhost, \
                     nor null, nor none"
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_host_is_equal() {
        let check = |text: &str, shown: &str| {
            let authority: Authority = text.parse().unwrap();
            assert_eq!(authority.to_string(), shown);
            assert_eq!(shown.parse(), Ok(authority), "{text}");
        };
        check("play.example", "play.example");
        check("PLAY.Example:7777", "play.example:7777");
        check("play.example.", "play.example");
        check("play.example.:80", "play.example:80");
        check("play.example:", "play.example");
        check("play.example:00080", "play.example:80");
        check("my_service", "my_service");
        check("127.0.0.1:0", "127.0.0.1:0");
        check("[::1]", "[::1]");
        check("[0:0:0:0:0:0:0:1]:7777", "[::1]:7777");
        check("[2001:DB8::0:1]:443", "[2001:db8::1]:443");
    }

    #[test]
    fn what_is_no_host_is_not_read() {
        for text in [
            "",
            ".",
            ":80",
            "a:b",
            "a:80:80",
            "a:+80",
            "a:65536",
            "a:99999999999",
            "a..b",
            ".a",
            "a b",
            " a",
            "a,b",
            "a;b",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "u@a",
            "u:p@a",
            "a'b",
            "*.a",
            "a%41",
            "é",
            "::1",
            "[::1",
            "::1]",
            "[]",
            "[::1]x",
            "[::1]80",
            "[fe80::1%eth0]",
            "[1.2.3.4]",
            "[v1.a]",
            "[[::1]]",
        ] {
            assert_eq!(text.parse::<Authority>(), Err(()), "{text}");
        }
        assert!("a".repeat(254).parse::<Authority>().is_err());
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        let check = |text: &str, shown: &str| {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.to_string(), shown);
        };
        check("https://play.example", "https://play.example");
        check("HTTPS://Play.Example:443", "https://play.example");
        check("http://play.example:80", "http://play.example");
        check("http://play.example:443", "http://play.example:443");
        check("http://[::0001]:8080", "http://[::1]:8080");
        check("capacitor://localhost", "capacitor://localhost");
        check("chrome-extension://abcdef", "chrome-extension://abcdef");
        for text in [
            "",
            "null",
            "play.example",
            "https:play.example",
            "https://",
            "://a",
            "1http://a",
            "ht tp://a",
            "https://a/",
            "https://u@a",
            "https://a https://b",
            "https://a,https://b",
            "https://*.a",
            "file://",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(()), "{text}");
        }
    }

    #[test]
    fn the_list_has_words_for_who_names_no_origin() {
        assert_eq!("null".parse(), Ok(AllowedOrigin::Null));
        assert_eq!("none".parse(), Ok(AllowedOrigin::Missing));
        for text in ["*", "any", "Null", "", "good.com"] {
            let error = text.parse::<AllowedOrigin>().unwrap_err();
            assert!(error.contains("capacitor://localhost"), "{error}");
        }
    }
}
