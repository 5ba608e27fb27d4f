//! The WebSocket handshake of RFC 6455 §4.2, checked on the request's head alone. Pure: `http`
//! has the socket, sends what [`check`] says and hands the socket on.

use hyper::header::{
    CONNECTION, HeaderName, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Version};
use tickwire::protocol::SUBPROTOCOL;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::authority;
use super::origin::Origins;

/// Why a handshake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The page's origin is not let in: 403.
    Origin,
    /// A plain request, or a handshake that breaks the rules: 400.
    Malformed,
    /// Another version of WebSocket, or none: 426, with the one that is spoken.
    Version,
    /// No subprotocol of Tickwire's was offered: 400.
    Subprotocol,
}

/// A handshake that is answered with 101.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The value of `Sec-WebSocket-Accept`.
    pub(crate) accept: String,
    /// The subprotocol that it is accepted by. Where it is not [`SUBPROTOCOL`] the client is of
    /// another version: a browser's page sees a close code, but no HTTP status.
    pub(crate) subprotocol: String,
}

impl Accepted {
    /// Whether the client speaks this server's version.
    pub(crate) fn is_spoken(&self) -> bool {
        self.subprotocol == SUBPROTOCOL
    }
}

/// Whether `head` (of a GET) opens a WebSocket of Tickwire's here, and of which version.
pub(crate) fn check(head: &Parts, origins: &Origins) -> Result<Accepted, Refused> {
    let accept = check_rules(head, origins)?;
    // Names of subprotocols are compared exactly, unlike other tokens.
    let offered = || tokens(&head.headers, SEC_WEBSOCKET_PROTOCOL);
    let spoken = offered().find(|name| *name == SUBPROTOCOL);
    let subprotocol = spoken.or_else(|| offered().find(|name| is_a_version(name)));
    Ok(Accepted {
        accept,
        subprotocol: subprotocol.ok_or(Refused::Subprotocol)?.to_owned(),
    })
}

/// Whether this is a subprotocol of Tickwire's of any version: short, so that it can be repeated.
fn is_a_version(name: &str) -> bool {
    let number = name.strip_prefix("tickwire.");
    number.is_some_and(|number| {
        (1..=5).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// The same whatever the subprotocol.
pub(super) fn check_rules(head: &Parts, origins: &Origins) -> Result<String, Refused> {
    let headers = &head.headers;
    if head.version != Version::HTTP_11 || !has_token(headers, CONNECTION, "upgrade") {
        return Err(Refused::Malformed);
    }
    if !has_token(headers, UPGRADE, "websocket") {
        return Err(Refused::Malformed);
    }
    let key = one(headers, SEC_WEBSOCKET_KEY)?.filter(|key| is_key(key));
    let host = authority::of(&head.uri, head.version, headers);
    let (Some(key), Ok(Some(host))) = (key, host) else {
        return Err(Refused::Malformed);
    };
    if one(headers, SEC_WEBSOCKET_VERSION)? != Some("13") {
        return Err(Refused::Version);
    }
    if !origins.admit(origin(headers), &host) {
        return Err(Refused::Origin);
    }
    Ok(derive_accept_key(key.as_bytes()))
}

/// The page's origin. Two of them, or one that is no text, are as good as a wrong one.
pub(super) fn origin(headers: &HeaderMap) -> Option<&str> {
    one(headers, ORIGIN).unwrap_or(Some(""))
}

/// The only value of a header that may come once; `None` if it is not there.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        _ => Err(Refused::Malformed),
    }
}

/// Items of a list that may spread over several headers; text that can't be read is left out.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// Whether `key` is 16 bytes in base64: 21 digits, one of which only two bits count, `==`.
fn is_key(key: &str) -> bool {
    let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    match key.as_bytes() {
        [digits @ .., last, b'=', b'='] => {
            digits.len() == 21 && digits.iter().all(digit) && b"AQgw".contains(last)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    const GOOD: &[(&str, &str)] = &[
        ("host", "localhost:7777"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "other, tickwire.2"),
        ("origin", "http://localhost:7777"),
    ];

    fn head(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get("/ws");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_rfcs_example_is_accepted() {
        let accepted = check(&head(GOOD), &Origins::new(&[]));
        let accepted = accepted.expect("it is good");
        assert_eq!(accepted.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(accepted.is_spoken());
    }

    #[test]
    fn another_version_is_let_in_by_its_own_name_to_be_told() {
        let offer = |offered| {
            let mut headers = GOOD.to_vec();
            headers[5].1 = offered;
            check(&head(&headers), &Origins::new(&[])).map(|accepted| accepted.subprotocol)
        };
        for (offered, by) in [
            ("tickwire.1", "tickwire.1"),
            ("other, tickwire.12345", "tickwire.12345"),
            ("tickwire.3, tickwire.2", SUBPROTOCOL),
        ] {
            assert_eq!(offer(offered).as_deref(), Ok(by), "{offered}");
        }
        for offered in ["tickwire.", "tickwire.123456", "tickwire.2a", "tickwire"] {
            assert_eq!(offer(offered), Err(Refused::Subprotocol), "{offered}");
        }
    }

    /// Replaces one header of a good handshake (`None`: leaves it out).
    #[test]
    fn each_header_matters() {
        let check = |name: &str, value: Option<&str>, refused: Refused| {
            let mut headers: Vec<_> = GOOD.iter().copied().filter(|(n, _)| *n != name).collect();
            headers.extend(value.map(|value| (name, value)));
            let result = check(&head(&headers), &Origins::new(&[]));
            assert_eq!(result, Err(refused), "{name}: {value:?}");
        };
        check("host", None, Refused::Malformed);
        check("connection", None, Refused::Malformed);
        check("connection", Some("keep-alive"), Refused::Malformed);
        check("upgrade", None, Refused::Malformed);
        check("upgrade", Some("h2c"), Refused::Malformed);
        check("sec-websocket-version", None, Refused::Version);
        check("sec-websocket-version", Some("8"), Refused::Version);
        check("sec-websocket-version", Some("13, 8"), Refused::Version);
        check("sec-websocket-key", None, Refused::Malformed);
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZZ==",
            "dGhlIHNhbXBsZSBub2==",
        ] {
            check("sec-websocket-key", Some(key), Refused::Malformed);
        }
        check("sec-websocket-protocol", None, Refused::Subprotocol);
        check(
            "sec-websocket-protocol",
            Some("another.2"),
            Refused::Subprotocol,
        );
        check(
            "sec-websocket-protocol",
            Some("Tickwire.2"),
            Refused::Subprotocol,
        );
        check("origin", Some("http://localhost"), Refused::Origin);
        check("origin", Some("null"), Refused::Origin);
    }

    #[test]
    fn what_comes_once_must_not_come_twice() {
        let check = |name: &str, value: &str, refused: Refused| {
            let headers: Vec<_> = GOOD.iter().copied().chain([(name, value)]).collect();
            assert_eq!(
                check(&head(&headers), &Origins::new(&[])),
                Err(refused),
                "{name}"
            );
        };
        check("host", "evil.example", Refused::Malformed);
        check(
            "sec-websocket-key",
            "dGhlIHNhbXBsZSBub25jZQ==",
            Refused::Malformed,
        );
        check("sec-websocket-version", "13", Refused::Malformed);
        check("origin", "http://localhost:7777", Refused::Origin);
    }

    #[test]
    fn http_1_0_has_no_upgrade() {
        let mut old = head(GOOD);
        old.version = Version::HTTP_10;
        assert_eq!(check(&old, &Origins::new(&[])), Err(Refused::Malformed));
    }
}
