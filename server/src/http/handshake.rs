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
    /// [`SUBPROTOCOL`] was not offered: 400.
    Subprotocol,
}

/// Whether `head` (of a GET) opens a WebSocket of [`SUBPROTOCOL`] here; if so, the value of
/// `Sec-WebSocket-Accept`.
pub(crate) fn check(head: &Parts, origins: &Origins) -> Result<String, Refused> {
    let accept = check_rules(head, origins)?;
    // Names of subprotocols are compared exactly, unlike other tokens.
    if !tokens(&head.headers, SEC_WEBSOCKET_PROTOCOL).any(|name| name == SUBPROTOCOL) {
        return Err(Refused::Subprotocol);
    }
    Ok(accept)
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
        ("sec-websocket-protocol", "other, tickwire.1"),
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
        assert_eq!(accepted.as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
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
            Some("tickwire.2"),
            Refused::Subprotocol,
        );
        check(
            "sec-websocket-protocol",
            Some("Tickwire.1"),
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
