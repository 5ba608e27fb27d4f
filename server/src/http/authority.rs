//! Which host a request is for (RFC 9112 §3.2). `http` refuses requests that don't say it as they
//! must; the handshake compares it with the page's origin, and the page's policy names it.

use hyper::header::HOST;
use hyper::http::uri::Scheme;
use hyper::{HeaderMap, Uri, Version};

use crate::config::Authority;

/// The host is missing, there twice, or none: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadHost;

/// The host that a request's head names: in its target if that is absolute, else in `Host`. `None`:
/// HTTP/1.0 need not say.
pub(super) fn of(
    uri: &Uri,
    version: Version,
    headers: &HeaderMap,
) -> Result<Option<Authority>, BadHost> {
    let mut lines = headers.get_all(HOST).iter();
    let host = match (lines.next(), lines.next()) {
        (None, _) if version < Version::HTTP_11 => None,
        (Some(host), None) => Some(read(host.to_str().map_err(|_| BadHost)?)?),
        _ => return Err(BadHost),
    };
    match (uri.scheme(), uri.authority()) {
        (None, None) => Ok(host),
        (Some(scheme), Some(target)) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => {
            read(target.as_str()).map(Some)
        }
        _ => Err(BadHost),
    }
}

fn read(text: &str) -> Result<Authority, BadHost> {
    text.parse().map_err(|()| BadHost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn of_request(
        target: &str,
        version: Version,
        hosts: &[&str],
    ) -> Result<Option<String>, BadHost> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        let authority = of(&target.parse().unwrap(), version, &headers)?;
        Ok(authority.map(|authority| authority.to_string()))
    }

    #[test]
    fn one_host_is_said_once() {
        let check = |target: &str, hosts: &[&str], host: Option<&str>| {
            let told = of_request(target, Version::HTTP_11, hosts);
            let wanted = host.map(|host| Some(host.to_owned())).ok_or(BadHost);
            assert_eq!(told, wanted, "{target} {hosts:?}");
        };
        check("/", &["a.example"], Some("a.example"));
        check("/", &["A.example:80"], Some("a.example:80"));
        check("/", &[], None);
        check("/", &["a", "a"], None);
        check("/", &["a", "b"], None);
        check("/", &[""], None);
        check("/", &["a, b"], None);
        check("/", &["a;script-src *"], None);
        check("/", &["é"], None);
        // The target's counts, and the header must be right all the same.
        check("http://b.example/x", &["a.example"], Some("b.example"));
        check("https://b.example:8443/x", &["a"], Some("b.example:8443"));
        check("http://b.example/x", &[], None);
        check("http://u@b.example/x", &["b.example"], None);
        check("ftp://b.example/x", &["b.example"], None);
        check("b.example:80", &["b.example"], None);
    }

    #[test]
    fn http_1_0_need_not_say() {
        assert_eq!(of_request("/", Version::HTTP_10, &[]), Ok(None));
        assert_eq!(
            of_request("/", Version::HTTP_10, &["a"]),
            Ok(Some("a".into()))
        );
        assert_eq!(of_request("/", Version::HTTP_10, &["a", "b"]), Err(BadHost));
        assert_eq!(of_request("/", Version::HTTP_10, &["a b"]), Err(BadHost));
    }
}
