//! HTTP responses, with the headers that every one of them carries.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::json;
use super::site::File;

/// A response as `http` sends it.
pub(crate) type Reply = Response<Full<Bytes>>;

/// What a page of the site may do: nothing but run its own files and open sockets. Peers' text
/// that slipped into the page as markup would still not run.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A response with the headers that all have.
fn with_body(status: StatusCode, media_type: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// A line of text.
pub(crate) fn text(status: StatusCode, line: &'static str) -> Reply {
    with_body(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(line.as_bytes()),
    )
}

/// A line of text that is made for this request.
pub(crate) fn line(status: StatusCode, line: String) -> Reply {
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

/// A file of the site; `held` is the request's `If-None-Match`. Names of files don't change with
/// their content, so browsers must ask each time, and mostly hear that nothing did.
pub(crate) fn file(file: &File, held: Option<&HeaderValue>) -> Reply {
    let held = held.and_then(|held| held.to_str().ok()).unwrap_or("");
    // A proxy that compressed the file marks the tag as weak.
    let tags = held
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"));
    let mut reply = if tags.into_iter().any(|tag| tag == file.etag || tag == "*") {
        let mut reply = with_body(StatusCode::NOT_MODIFIED, file.media_type, Bytes::new());
        reply.headers_mut().remove(CONTENT_TYPE);
        reply
    } else {
        with_body(StatusCode::OK, file.media_type, file.body.clone())
    };
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&file.etag) {
        headers.insert(ETAG, tag);
    }
    reply
}

/// 405 for a path that can only be read.
pub(crate) fn not_allowed() -> Reply {
    only(
        text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n"),
        "GET, HEAD",
    )
}

/// 405 for a path that can only be written to.
pub(crate) fn only_post() -> Reply {
    only(text(StatusCode::METHOD_NOT_ALLOWED, "only POST\n"), "POST")
}

fn only(mut reply: Reply, methods: &'static str) -> Reply {
    reply
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    reply
}

/// 401 for who does not bring the token.
pub(crate) fn unauthorised(line: &'static str) -> Reply {
    let mut reply = text(StatusCode::UNAUTHORIZED, line);
    reply
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    reply
}

/// 503 while the server stops or is full.
pub(crate) fn unavailable(line: &'static str) -> Reply {
    let mut reply = text(StatusCode::SERVICE_UNAVAILABLE, line);
    reply
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    reply
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
    let mut reply = text(StatusCode::TOO_MANY_REQUESTS, line);
    reply
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("5"));
    reply
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
