//! HTTP responses, with the headers that every one of them carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use super::encoding::takes_gzip;
use super::json;
use super::policy::{self, Policy};
use super::site::File;
use crate::config::Authority;

/// A response as `http` sends it.
pub(crate) type Reply = Response<Full<Bytes>>;

/// For how long browsers that came over TLS come over TLS alone, to this host and all of its ports:
/// 30 days, which each visit renews. Longer would make a mistake last longer.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=2592000");

/// A response with the headers that all have.
fn with_body(status: StatusCode, media_type: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, policy::STRICTEST);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// A line of text.
pub(crate) fn text(status: StatusCode, line: impl Into<Bytes>) -> Reply {
    with_body(status, "text/plain; charset=utf-8", line.into())
}

/// A body that is made for this request.
pub(crate) fn fresh(media_type: &'static str, body: Vec<u8>) -> Reply {
    with_body(StatusCode::OK, media_type, body.into())
}

/// A view of the server.
pub(crate) fn json(value: &impl Serialize) -> Reply {
    match json::write(value) {
        Ok(text) => fresh("application/json", text),
        Err(error) => {
            tracing::error!(%error, "a view is no JSON");
            text(StatusCode::INTERNAL_SERVER_ERROR, "no view\n")
        }
    }
}

/// A file of the site, in the form that these headers of a request ask for. Names of files don't
/// change with their content, so browsers must ask each time, and mostly hear that nothing did.
pub(crate) fn file(file: &File, asked: &HeaderMap) -> Reply {
    let gzip = file.gzip.as_ref().filter(|_| takes_gzip(asked));
    let form = gzip.unwrap_or(&file.plain);
    let held = asked.get(IF_NONE_MATCH);
    let held = held.and_then(|held| held.to_str().ok()).unwrap_or("");
    // A proxy that compressed the file marks the tag as weak.
    let tags = held
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    let mut reply = if tags.into_iter().any(|tag| tag == form.etag || tag == "*") {
        let mut reply = with_body(StatusCode::NOT_MODIFIED, file.media_type, Bytes::new());
        reply.headers_mut().remove(CONTENT_TYPE);
        reply
    } else {
        let reply = with_body(StatusCode::OK, file.media_type, form.body.clone());
        match gzip {
            Some(_) => with(reply, CONTENT_ENCODING, "gzip"),
            None => reply,
        }
    };
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&form.etag) {
        headers.insert(ETAG, tag);
    }
    if file.gzip.is_some() {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    reply
}

/// The same for a page that was asked for at `host`, as which `policy` lets it do more; `secured`,
/// over TLS, its browser comes back over TLS alone.
pub(super) fn at_host(
    mut reply: Reply,
    policy: &Policy,
    host: Option<&Authority>,
    secured: bool,
) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.at(host));
    // For an address it means nothing, for localhost it would keep a developer from every other
    // port.
    if secured && host.is_some_and(Authority::is_public_name) {
        headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    reply
}

/// The reply with one header more.
pub(super) fn with(mut reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    let headers = reply.headers_mut();
    headers.insert(name, HeaderValue::from_static(value));
    reply
}

/// 308 for a folder that was asked for without the slash behind it. Relative: a proxy may have it
/// below a path of its own.
pub(super) fn folder(name: &str) -> Reply {
    let mut reply = text(StatusCode::PERMANENT_REDIRECT, "");
    if let Ok(to) = HeaderValue::from_str(&format!("./{name}/")) {
        reply.headers_mut().insert(LOCATION, to);
    }
    reply
}

/// 405 for a path that can only be read.
pub(crate) fn not_allowed() -> Reply {
    let reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    with(reply, ALLOW, "GET, HEAD")
}

/// 405 for a path that can only be written to.
pub(crate) fn only_post() -> Reply {
    let reply = text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
    with(reply, ALLOW, "POST")
}

/// 401 for who does not bring the token.
pub(crate) fn unauthorised(line: &'static str) -> Reply {
    with(
        text(StatusCode::UNAUTHORIZED, line),
        WWW_AUTHENTICATE,
        "Bearer",
    )
}

/// 503 while the server stops or is full.
pub(crate) fn unavailable(line: &'static str) -> Reply {
    with(
        text(StatusCode::SERVICE_UNAVAILABLE, line),
        RETRY_AFTER,
        "5",
    )
}

/// 503 for what is there in a moment.
pub(super) fn later(line: &'static str) -> Reply {
    with(
        text(StatusCode::SERVICE_UNAVAILABLE, line),
        RETRY_AFTER,
        "1",
    )
}

/// Whether the server lives: a supervisor that asks starts it again where it does not.
pub(crate) fn health(lives: bool) -> Reply {
    match lives {
        true => text(StatusCode::OK, "ok\n"),
        false => unavailable("a part of the server ended\n"),
    }
}

/// 429 for an address that asks for too much.
pub(crate) fn too_many(line: &'static str) -> Reply {
    with(text(StatusCode::TOO_MANY_REQUESTS, line), RETRY_AFTER, "5")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_which_a_part_ended_is_not_healthy() {
        assert_eq!(health(true).status(), StatusCode::OK);
        assert_eq!(health(false).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
