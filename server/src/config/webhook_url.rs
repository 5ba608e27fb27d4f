//! Where results and chat are sent to: the URL that an operator gives. `webhooks` sends there. What
//! stands behind its `?` may be a secret, which no line repeats. And of what kinds.

use std::fmt;
use std::str::FromStr;

use hyper::http::uri::PathAndQuery;

use super::engine_url::{Host, read_host};
use super::error::ConfigError;

/// Bytes of such a URL.
const BYTES_MAX: usize = 2048;
const NOT_PLAIN: &str =
    "what is no letter, digit or sign of a URL is percent-encoded, and it has no #";

/// A URL of HTTP, as it is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    pub(crate) tls: bool,
    pub(crate) host: Host,
    /// Host and port as they were written, for the head of a request.
    pub(crate) authority: Box<str>,
    pub(crate) target: PathAndQuery,
}

impl FromStr for WebhookUrl {
    type Err = ConfigError;

    /// `http://` or `https://`, without a user and a fragment.
    ///
    /// # Errors
    /// One line, which does not repeat the URL.
    fn from_str(url: &str) -> Result<WebhookUrl, ConfigError> {
        read(url).map_err(|why| ConfigError::new(format!("webhook-url: {why}")))
    }
}

fn read(url: &str) -> Result<WebhookUrl, String> {
    let (tls, rest) = match url.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        _ => return Err("it begins with https:// or http://".to_owned()),
    };
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_plain {
        return Err(NOT_PLAIN.to_owned());
    }
    if url.len() > BYTES_MAX {
        return Err(format!("it has {BYTES_MAX} bytes at most"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if authority.contains('@') {
        return Err("it has no user: requests are signed".to_owned());
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    let target = PathAndQuery::try_from(format!("{slash}{target}"));
    Ok(WebhookUrl {
        tls,
        host: read_host(authority, if tls { 443 } else { 80 })?,
        authority: authority.into(),
        target: target.map_err(|_| NOT_PLAIN.to_owned())?,
    })
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.target.path())
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookKind {
    /// How matches ended.
    Results,
    /// What was said.
    Chat,
}

impl FromStr for WebhookKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<WebhookKind, &'static str> {
        match text {
            "results" => Ok(WebhookKind::Results),
            "chat" => Ok(WebhookKind::Chat),
            _ => Err("it is results or chat"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_they_are_asked_for() {
        let check = |text: &str, tls: bool, host: &str, port: u16, target: &str, shown: &str| {
            let url: WebhookUrl = text.parse().unwrap();
            let read = (url.tls, &*url.host.name, url.host.port, url.target.as_str());
            assert_eq!(read, (tls, host, port, target), "{text}");
            assert_eq!(url.to_string(), shown);
        };
        let own = "https://hooks.example/in?token=secret";
        let shown = "https://hooks.example/in";
        check(own, true, "hooks.example", 443, "/in?token=secret", shown);
        let local = "http://[::1]:8080";
        check(local, false, "::1", 8080, "/", "http://[::1]:8080/");
        check("http://a?b", false, "a", 80, "/?b", "http://a/");
    }

    #[test]
    fn others_are_refused_without_a_word_of_them() {
        let long = format!("https://a/{}", "x".repeat(2048));
        for text in [
            "",
            "hooks.example",
            "ftp://a/secret",
            "https:///secret",
            "https://user:secret@a/",
            "https://a/#secret",
            "https://a/ secret",
            "https://a/<secret>",
            "https://a/\r\nsecret: 1",
            "https://a:0/",
            "https://a:x/",
            &long,
        ] {
            let why = text.parse::<WebhookUrl>().unwrap_err().to_string();
            assert!(why.starts_with("webhook-url: "), "{why}");
            assert!(!why.contains("secret") && !why.contains('\n'), "{why}");
        }
    }
}
