//! One HTTP/1.1 connection from its first byte to its end, for every port: the limits that keep
//! a slow or silent peer from holding it. What is answered is the caller's function.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::authority;
use super::linger::Linger;
use super::reply::{self, Reply};

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header lines of a request.
const HEADERS_MAX: usize = 64;
/// Requests of one connection; then it is closed, so that load balances itself anew.
const REQUESTS_MAX: u32 = 100;
/// Age of a connection at which it ends after the current response.
const AGE_MAX: Duration = Duration::from_secs(30);
/// Time for that last response: a peer that reads this slowly is cut off.
const LAST_RESPONSE: Duration = Duration::from_secs(10);

/// What a port takes and how it says no.
#[derive(Clone, Copy)]
pub(crate) struct Port {
    /// Whether a request may change something and have a body: what it is and how long is
    /// `answer`'s to judge then.
    pub(crate) takes: fn(&Request<Incoming>) -> bool,
    /// The answer of this status to a request that `answer` does not see.
    pub(crate) refuse: fn(StatusCode, &'static str) -> Reply,
}

/// No request may: what a port for everybody takes.
pub(crate) const NOTHING: Port = Port {
    takes: |_| false,
    refuse: |status, line| reply::text(status, line),
};

/// That the body of the request was read to its end: what follows on the connection is a request.
#[derive(Clone, Copy)]
struct BodyRead;

/// The reply to a request whose body, if it had one, was read to its end: the connection goes on.
pub(super) fn body_read(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(BodyRead);
    reply
}

/// Serves `stream` until it is upgraded, closed, too old, or `stop` is done. `answer` sees only
/// requests without a body, for GET or HEAD, and those that `port` takes; all of them for one host.
/// The connection's type after an upgrade is [`Linger`] of the stream's.
pub(crate) async fn serve<A: Future<Output = Reply>>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    header_timeout: Duration,
    stop: impl Future<Output = ()>,
    port: Port,
    answer: impl Fn(Request<Incoming>) -> A,
) {
    let requests = AtomicU32::new(0);
    let service = service_fn(|request: Request<Incoming>| {
        let last = requests.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS_MAX;
        let is_taken = (port.takes)(&request);
        let refused = no_host(&request, port).or_else(|| refusal(&request).filter(|_| !is_taken));
        let answered = match refused {
            Some(refusal) => Err(refusal),
            None => Ok(answer(request)),
        };
        async move {
            let (mut reply, fit) = match answered {
                Err(refusal) => (refusal, false),
                // Part of its body may be unread, which must not be mistaken for a request.
                Ok(answer) => {
                    let reply = answer.await;
                    let is_read = reply.extensions().get::<BodyRead>().is_some();
                    (reply, !is_taken || is_read)
                }
            };
            let upgraded = reply.status() == StatusCode::SWITCHING_PROTOCOLS;
            if (last || !fit) && !upgraded {
                reply = reply::with(reply, CONNECTION, "close");
            }
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // Who has sent all of its requests may say so and still wants the answers. That a peer is
        // gone shows when it is written to, and no answer takes long.
        .half_close(true)
        .serve_connection(TokioIo::new(Linger::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = tokio::time::sleep(AGE_MAX) => None,
        () = stop => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_RESPONSE, connection)
                .await
                .unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "HTTP connection failed");
    }
}

/// The answer to a request that does not say as it must which host it is for: two parsers might
/// take it for two hosts'.
fn no_host(request: &Request<Incoming>, port: Port) -> Option<Reply> {
    let host = authority::of(request.uri(), request.version(), request.headers());
    let line = "which host? one Host, and a good one\n";
    host.err()
        .map(|_| (port.refuse)(StatusCode::BAD_REQUEST, line))
}

/// The answer to a request that no path takes: a body, or a method that would change something.
fn refusal(request: &Request<Incoming>) -> Option<Reply> {
    let has_body =
        !request.body().is_end_stream() || request.headers().contains_key(TRANSFER_ENCODING);
    if has_body {
        // Left unread: the connection closes, so nothing mistakes it for a request.
        let line = "no request here has a body\n";
        return Some(reply::text(StatusCode::BAD_REQUEST, line));
    }
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    (!readable).then(reply::not_allowed)
}
