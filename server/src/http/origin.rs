//! Which pages may open a WebSocket. A browser names the page's origin in every handshake and
//! no page can forge it, so a comparison keeps strangers' pages from playing in a
//! visitor's name. `handshake` asks before it answers 101.

use crate::config::{AllowedOrigin, Authority};

/// The rule of one server.
///
/// - Without a list, a page may connect to the host that it came from: the origin's host and port
///   are those that the request is for. A handshake without an origin is no browser's, and is let
///   in.
/// - With a list, the origin must be in it; `null` (sandboxed frames, files) and none at all
///   (programs) only if the list says so.
///
/// Compared is what is meant: neither case nor a port that goes without saying makes a difference.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Vec<AllowedOrigin>);

impl Origins {
    /// The rule for this list; empty: the same host.
    pub(crate) fn new(allowed: &[AllowedOrigin]) -> Origins {
        Origins(allowed.to_vec())
    }

    /// Whether a page of `origin` may connect by a request for `host`. `None` is a header that
    /// is not there; one that can't be read as text must be passed as an empty string.
    pub(crate) fn admit(&self, origin: Option<&str>, host: &Authority) -> bool {
        let Some(origin) = read(origin) else {
            return false;
        };
        if !self.0.is_empty() {
            return self.0.contains(&origin);
        }
        match origin {
            AllowedOrigin::From(origin) => origin.is_of(host),
            AllowedOrigin::Null => false,
            AllowedOrigin::Missing => true,
        }
    }
}

fn read(origin: Option<&str>) -> Option<AllowedOrigin> {
    match origin {
        None => Some(AllowedOrigin::Missing),
        Some("null") => Some(AllowedOrigin::Null),
        Some(origin) => origin.parse().ok().map(AllowedOrigin::From),
    }
}

/// The setting that would let in who was refused, for the operator's log; `None` if there is none.
pub(super) fn remedy(origin: Option<&str>) -> Option<String> {
    let value = match read(origin)? {
        AllowedOrigin::From(origin) => origin.to_string(),
        AllowedOrigin::Null => "null".into(),
        AllowedOrigin::Missing => "none".into(),
    };
    Some(format!("--allowed-origin {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(allowed: &[&str]) -> Origins {
        let allowed: Vec<AllowedOrigin> = allowed.iter().map(|o| o.parse().unwrap()).collect();
        Origins::new(&allowed)
    }

    #[test]
    fn same_host_without_a_list() {
        let check = |host: &str, origin: Option<&str>, admitted: bool| {
            let host = host.parse().unwrap();
            assert_eq!(
                rule(&[]).admit(origin, &host),
                admitted,
                "{origin:?} at {host}"
            );
        };
        let host = "good.com:7777";
        check(host, None, true);
        check(host, Some("http://good.com:7777"), true);
        check(host, Some("https://good.com:7777"), true);
        check(host, Some("HTTP://Good.COM:7777"), true);
        check(host, Some("http://good.com.:7777"), true);
        check("GOOD.com:7777", Some("http://good.com:7777"), true);
        for origin in [
            "null",
            "",
            "good.com:7777",
            "http://good.com",
            "http://good.com:77777",
            "http://good.com:777",
            "http://good.com:7777.evil",
            "http://good.com:7777/",
            "http://evil.com/good.com:7777",
            "http://evil.good.com:7777",
            "http://good.com.evil:7777",
            "http://user@good.com:7777",
            "http://good.com:7777 http://evil.com:7777",
            "ftp://good.com:7777",
            "capacitor://good.com:7777",
            "http://",
        ] {
            check(host, Some(origin), false);
        }
    }

    /// Browsers leave out the port of a page's scheme; proxies and programs may write it.
    #[test]
    fn a_port_that_goes_without_saying_may_be_said() {
        let check = |host: &str, origin: &str, admitted: bool| {
            let host = host.parse().unwrap();
            assert_eq!(
                rule(&[]).admit(Some(origin), &host),
                admitted,
                "{origin} at {host}"
            );
        };
        check("good.com:443", "https://good.com", true);
        check("good.com", "https://good.com", true);
        check("good.com", "https://good.com:443", true);
        check("good.com:80", "http://good.com", true);
        check("good.com", "http://good.com", true);
        check("good.com:80", "https://good.com", false);
        check("good.com:443", "http://good.com", false);
        check("good.com", "https://good.com:8443", false);
        check("good.com:8443", "https://good.com", false);
        check("[0:0:0:0:0:0:0:1]:7777", "http://[::1]:7777", true);
        check("[::1]", "http://[::1]:80", true);
        check("[::1]:7777", "http://[::2]:7777", false);
    }

    #[test]
    fn exact_with_a_list() {
        let list = rule(&["https://good.com", "http://localhost:3000"]);
        let check = |origin: Option<&str>, admitted: bool| {
            let host = "host:7777".parse().unwrap();
            assert_eq!(list.admit(origin, &host), admitted, "{origin:?}");
        };
        check(Some("https://good.com"), true);
        check(Some("https://Good.com"), true);
        check(Some("https://good.com:443"), true);
        check(Some("http://localhost:3000"), true);
        for origin in [
            "null",
            "none",
            "",
            "https://good.com.evil",
            "https://good.com:444",
            "https://good.com/",
            "https://evilgood.com",
            "http://good.com",
            "http://localhost",
            "http://host:7777",
        ] {
            check(Some(origin), false);
        }
        check(None, false);
    }

    #[test]
    fn apps_and_programs_come_in_where_the_list_says_so() {
        let check = |allowed: &[&str], origin: Option<&str>, admitted: bool| {
            let host = "host:7777".parse().unwrap();
            assert_eq!(
                rule(allowed).admit(origin, &host),
                admitted,
                "{origin:?} with {allowed:?}"
            );
        };
        check(
            &["capacitor://localhost"],
            Some("capacitor://localhost"),
            true,
        );
        check(&["capacitor://localhost"], Some("ionic://localhost"), false);
        check(&["capacitor://localhost"], Some("http://localhost"), false);
        check(&["tauri://localhost", "null"], Some("null"), true);
        check(&["null"], None, false);
        check(&["none"], None, true);
        check(&["none"], Some("none"), false);
        check(&["none"], Some("null"), false);
        check(&["none"], Some("http://host:7777"), false);
        check(&["https://good.com", "none"], None, true);
    }

    #[test]
    fn the_log_says_what_to_set() {
        let check = |origin: Option<&str>, remedy_is: Option<&str>| {
            assert_eq!(remedy(origin).as_deref(), remedy_is, "{origin:?}");
        };
        check(
            Some("HTTPS://a.example:443"),
            Some("--allowed-origin https://a.example"),
        );
        check(
            Some("ionic://localhost"),
            Some("--allowed-origin ionic://localhost"),
        );
        check(Some("null"), Some("--allowed-origin null"));
        check(None, Some("--allowed-origin none"));
        check(Some("https://a b"), None);
        check(Some(""), None);
    }
}
