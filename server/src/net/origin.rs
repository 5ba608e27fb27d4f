//! Which pages may open a WebSocket. A browser names the page's origin in every handshake and
//! no page can forge it, so an exact comparison keeps strangers' pages from playing in a
//! visitor's name. `handshake` asks before it answers 101.

/// The rule of one server.
///
/// - Without a list, a page may connect to the host that it came from: the origin's authority
///   equals `Host`. A handshake without an origin is no browser's, and is let in.
/// - With a list, the origin must be in it, byte for byte, and must be there.
///
/// `null` (sandboxed frames, files) is never let in.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    /// The rule for `allowed`, origins as browsers write them; empty: the same host.
    pub(crate) fn new(allowed: &[String]) -> Origins {
        Origins(allowed.to_vec())
    }

    /// Whether a page of `origin` may connect by a request for `host`. `None` is a header that
    /// is not there; one that can't be read as text must be passed as an empty string.
    pub(crate) fn admit(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else {
            return self.0.is_empty();
        };
        if !self.0.is_empty() {
            return self.0.iter().any(|allowed| allowed == origin);
        }
        let authority = ["http://", "https://"]
            .iter()
            .find_map(|s| origin.strip_prefix(s));
        authority.is_some_and(|authority| !authority.is_empty() && Some(authority) == host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_host_without_a_list() {
        let check = |origin: Option<&str>, admitted: bool| {
            let rule = Origins::new(&[]);
            assert_eq!(
                rule.admit(origin, Some("good.com:7777")),
                admitted,
                "{origin:?}"
            );
        };
        check(None, true);
        check(Some("http://good.com:7777"), true);
        check(Some("https://good.com:7777"), true);
        for origin in [
            "null",
            "",
            "good.com:7777",
            "http://good.com",
            "http://good.com:77777",
            "http://good.com:7777.evil",
            "http://good.com:7777/",
            "http://GOOD.com:7777",
            "HTTP://good.com:7777",
            "http://evil.com/good.com:7777",
            "http://evil.good.com:7777",
            "http://user@good.com:7777",
            "ftp://good.com:7777",
            "http://",
        ] {
            check(Some(origin), false);
        }
        assert!(!Origins::new(&[]).admit(Some("http://"), Some("")));
        assert!(!Origins::new(&[]).admit(Some("http://good.com"), None));
    }

    #[test]
    fn exact_with_a_list() {
        let rule = Origins::new(&["https://good.com".into(), "http://localhost:3000".into()]);
        let check = |origin: Option<&str>, admitted: bool| {
            assert_eq!(
                rule.admit(origin, Some("host:7777")),
                admitted,
                "{origin:?}"
            );
        };
        check(Some("https://good.com"), true);
        check(Some("http://localhost:3000"), true);
        for origin in [
            "null",
            "",
            "https://good.com.evil",
            "https://good.com:443",
            "https://good.com/",
            "https://evilgood.com",
            "https://Good.com",
            "http://good.com",
            "http://localhost",
            "http://host:7777",
        ] {
            check(Some(origin), false);
        }
        check(None, false);
    }
}
