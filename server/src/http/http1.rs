//! One HTTP/1.1 connection from its first byte to its end, for every port: the limits that keep
//! a slow or silent peer from holding it. What is answered is the caller's function.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

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

/// That nothing follows on the connection but this answer's body, which whoever serves it writes.
#[derive(Clone, Copy)]
struct TakesStream;

/// The head of an answer whose body is written to the connection itself, until that is closed.
pub(super) fn takes_stream(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(TakesStream);
    reply
}

/// That this was one of many requests that belong together, which don't end the connection by their
/// number.
#[derive(Clone, Copy)]
struct OneOfMany;

/// The reply to such a request.
pub(super) fn one_of_many(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(OneOfMany);
    reply
}

/// A connection on which the head of an answer is to go out, and its body.
pub(super) struct Taken<S> {
    pub(super) stream: S,
    /// Boxed: the task of each connection has a place for it.
    pub(super) head: Box<Reply>,
}

/// When the answer to a request must be out at the latest on a connection that is as old as this.
pub(super) fn answer_by(since: Instant) -> Instant {
    since + AGE_MAX + LAST_RESPONSE
}

/// The reply to a request whose body, if it had one, was read to its end: the connection goes on.
pub(super) fn body_read(mut reply: Reply) -> Reply {
    reply.extensions_mut().insert(BodyRead);
    reply
}

/// Serves `stream` until it is upgraded, closed, too old, or `stop` is done. `answer` sees only
/// requests without a body, for GET or HEAD, and those that `port` takes; all of them for one host.
/// The connection's type after an upgrade is [`Linger`] of the stream's. What it returns is a
/// connection that is an answer from now on: see [`takes_stream`].
pub(crate) async fn serve<A: Future<Output = Reply>, S>(
    stream: S,
    header_timeout: Duration,
    stop: impl Future<Output = ()>,
    port: Port,
    answer: impl Fn(Request<Incoming>) -> A,
) -> Option<Taken<S>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let requests = AtomicU32::new(0);
    let (head, is_taken_over) = (Mutex::new(None), Notify::new());
    let (head_out, taken_over) = (&head, &is_taken_over);
    let service = service_fn(|request: Request<Incoming>| {
        let requests = &requests;
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
            if reply.extensions().get::<TakesStream>().is_some() {
                *head_out.lock() = Some(Box::new(reply));
                taken_over.notify_one();
                return std::future::pending().await;
            }
            let counts = reply.extensions().get::<OneOfMany>().is_none();
            let count = requests.fetch_add(u32::from(counts), Ordering::Relaxed);
            let last = count + 1 >= REQUESTS_MAX;
            let upgraded = reply.status() == StatusCode::SWITCHING_PROTOCOLS;
            if (last || !fit) && !upgraded {
                reply = reply::with(reply, CONNECTION, "close");
            }
            Ok::<_, Infallible>(reply)
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // Who has sent all of its requests may say so and still wants the answers. That a peer is
        // gone shows when it is written to, and no answer takes long.
        .half_close(true)
        .serve_connection(TokioIo::new(Linger::new(stream)), service)
        .with_upgrades();
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = taken_over.notified() => Some(Ok(())),
        () = tokio::time::sleep(AGE_MAX) => None,
        () = stop => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = taken_over.notified() => Ok(()),
                () = tokio::time::sleep(LAST_RESPONSE) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "HTTP connection failed");
        return None;
    }
    let head = head.lock().take()?;
    let stream = connection.into_parts()?.io.into_inner().into_inner();
    Some(Taken { stream, head })
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
