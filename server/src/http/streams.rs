//! Requests of clients whom WebSocket does not reach (PROTOCOL.md §1.1): they open a stream, bring
//! messages, ask for messages. Who may is asked as for a WebSocket; what becomes of messages is the
//! transport's (`transport::http_stream`). All of them are POST: a page of another origin sends its
//! origin with it, a body carries the secret, and nothing on the way keeps an answer.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONNECTION, HeaderName, HeaderValue, ORIGIN,
    TRANSFER_ENCODING, VARY,
};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use serde::Serialize;
use tokio::io::AsyncWriteExt;

use tickwire::protocol::SUBPROTOCOL;

use super::body::{self, BodyError};
use super::http1::{self, Taken};
use super::public::{Public, Visit};
use super::reply::{self, Reply};
use super::stream_request::{Asked, Down, Layers};
use super::{authority, handshake};
use crate::admission::sockets::Seat;
use crate::lobby::GameIndex;
use crate::transport::http_stream::{
    DOWN_BYTES, DownRequest, LIFE_FRAME, Opened, POLL_MAX, Pushed, UP_BYTES_MAX, UpRequest,
};
use crate::worker::Client;

/// Left of a connection's time when the answer to a poll goes out.
const POLL_MARGIN: Duration = Duration::from_secs(2);
/// For proxies that would collect an answer before they pass it on (nginx).
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

#[derive(Serialize)]
struct Key<'a> {
    id: &'a str,
    secret: &'a str,
}

impl Public {
    /// Answers a request of a stream.
    pub(super) async fn stream(
        &self,
        asked: Asked<'_>,
        game: Option<GameIndex>,
        request: Request<Incoming>,
        visit: &Visit,
    ) -> Reply {
        if request.method() != Method::POST {
            return reply::only_post();
        }
        let (head, body) = request.into_parts();
        let metrics = &self.metrics;
        let host = authority::of(&head.uri, head.version, &head.headers);
        let origin = handshake::origin(&head.headers);
        let is_admitted = matches!(host, Ok(Some(host)) if self.origins.admit(origin, &host));
        if !is_admitted {
            metrics.stream_requests_refused_origin.increment(1);
            self.say_refused(&head.headers, visit);
            return reply::text(StatusCode::FORBIDDEN, "this origin may not connect\n");
        }
        // With a length of its own there is one way only to see where it ends.
        let reply = if head.headers.contains_key(TRANSFER_ENCODING) {
            metrics.stream_requests_refused_malformed.increment(1);
            reply::text(
                StatusCode::LENGTH_REQUIRED,
                "a body with a length, not chunked\n",
            )
        } else {
            match asked {
                Asked::Open => self.open(game, &head, body, visit).await,
                Asked::Up(id) => self.up(id, body).await,
                Asked::Down(id) => self.down(id, body, visit).await,
            }
        };
        allow(reply, &head.headers)
    }

    /// A new stream, in the lobby from now on as a WebSocket would be.
    async fn open(
        &self,
        game: Option<GameIndex>,
        head: &Parts,
        body: Incoming,
        visit: &Visit,
    ) -> Reply {
        let metrics = &self.metrics;
        if *self.stopping.borrow() {
            metrics.stream_requests_refused_stopping.increment(1);
            return reply::unavailable("stopping\n");
        }
        let offered = match self.body(body, SUBPROTOCOL.len() + 5).await {
            Ok(offered) => offered,
            Err(refused) => return refused,
        };
        if offered != SUBPROTOCOL.as_bytes() {
            metrics.stream_requests_refused_version.increment(1);
            let line = "the body is the subprotocol: tickwire.2\n";
            return http1::body_read(reply::text(StatusCode::CONFLICT, line));
        }
        let Some(seat) = self.seats.take() else {
            metrics.connections_refused.increment(1);
            metrics.stream_requests_refused_full.increment(1);
            return http1::body_read(reply::unavailable("full\n"));
        };
        let address = self.client_of(&head.headers, visit);
        let Some((guest, mut spot)) = self.places(address.ip(), seat.notice()) else {
            metrics.stream_requests_refused_address.increment(1);
            return http1::body_read(reply::too_many("too many from this address\n"));
        };
        let pre_hello = self.pre_hello.enter(address.ip(), seat.notice());
        if !self.makes_room(&mut spot) {
            metrics.connections_refused.increment(1);
            metrics.stream_requests_refused_full.increment(1);
            return http1::body_read(reply::unavailable("full\n"));
        }
        let now = Instant::now();
        let Some((stream, Opened { id, secret })) = self.streams.open(address, now) else {
            return http1::body_read(reply::text(StatusCode::INTERNAL_SERVER_ERROR, "no key\n"));
        };
        let client = Client::new(Box::new(stream), now).of_game(game.unwrap_or_default());
        let client = client.with_places(seat, guest, spot, pre_hello);
        metrics.clients_by_stream.increment(1);
        self.lobby.adopt(client);
        let (id, secret) = (&*id, &*secret);
        http1::body_read(reply::json(&Key { id, secret }))
    }

    /// Messages for the server.
    async fn up(&self, id: &str, body: Incoming) -> Reply {
        let metrics = &self.metrics;
        let body = match self.body(body, UP_BYTES_MAX).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let Some(UpRequest {
            secret,
            number,
            frames,
        }) = UpRequest::read(body)
        else {
            return self.malformed();
        };
        let Some(exchange) = self.streams.find(id, &secret) else {
            return self.unknown();
        };
        let reply = match exchange.push(number, frames) {
            Pushed::Taken => answer(StatusCode::NO_CONTENT),
            Pushed::Repeated => {
                metrics.stream_batches_repeated.increment(1);
                answer(StatusCode::NO_CONTENT)
            }
            Pushed::OutOfOrder => {
                metrics.stream_requests_refused_order.increment(1);
                reply::text(StatusCode::CONFLICT, "not the next batch\n")
            }
            Pushed::Full => {
                metrics.stream_requests_refused_waiting.increment(1);
                reply::later("too much waits\n")
            }
            Pushed::Broken => return self.malformed(),
            Pushed::Over => return self.unknown(),
        };
        http1::one_of_many(http1::body_read(reply))
    }

    /// A way for messages to the client.
    async fn down(&self, id: &str, body: Incoming, visit: &Visit) -> Reply {
        let metrics = &self.metrics;
        let body = match self.body(body, DOWN_BYTES).await {
            Ok(body) => body,
            Err(refused) => return refused,
        };
        let Some(DownRequest {
            secret,
            is_poll,
            received,
        }) = DownRequest::read(body)
        else {
            return self.malformed();
        };
        let Some(exchange) = self.streams.find(id, &secret) else {
            return self.unknown();
        };
        if !is_poll {
            metrics.stream_answers_streamed.increment(1);
            *visit.down.lock() = Some(Down { exchange, received });
            return http1::takes_stream(flowing(answer(StatusCode::OK)));
        }
        metrics.stream_answers_polled.increment(1);
        let left = http1::answer_by(visit.since).saturating_duration_since(Instant::now());
        let patience = POLL_MAX.min(left.saturating_sub(POLL_MARGIN));
        let Some(frames) = exchange.poll(received, patience).await else {
            return self.unknown();
        };
        let mut reply = flowing(answer(StatusCode::OK));
        *reply.body_mut() = frames.into();
        http1::one_of_many(http1::body_read(reply))
    }

    async fn body(&self, body: Incoming, most: usize) -> Result<bytes::Bytes, Reply> {
        body::read(body, most, self.stall_timeout)
            .await
            .map_err(|error| {
                self.metrics.stream_requests_refused_malformed.increment(1);
                let line = match error {
                    BodyError::TooLong(_) => "body: too long\n",
                    BodyError::CutOff => "body: cut off\n",
                    BodyError::TooSlow => "body: too slow\n",
                };
                reply::text(error.status(), line)
            })
    }

    fn malformed(&self) -> Reply {
        self.metrics.stream_requests_refused_malformed.increment(1);
        http1::body_read(reply::text(
            StatusCode::BAD_REQUEST,
            "not a stream's body\n",
        ))
    }

    /// The same whether there is none, the secret is wrong, or it is over.
    fn unknown(&self) -> Reply {
        self.metrics.stream_requests_refused_unknown.increment(1);
        http1::body_read(reply::text(StatusCode::NOT_FOUND, "no such stream\n"))
    }

    /// The connection is a stream's answer from now on: its head goes out, then the transport has
    /// it.
    pub(super) async fn streams_down<S: Layers>(&self, taken: Taken<S>, visit: Visit, seat: Seat) {
        let Visit {
            peer, places, down, ..
        } = visit;
        let Some(Down { exchange, received }) = down.into_inner() else {
            return;
        };
        let Taken { mut stream, head } = taken;
        let mut bytes = head_bytes(&head);
        bytes.extend_from_slice(&LIFE_FRAME);
        let written = tokio::time::timeout(self.stall_timeout, async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        });
        let Ok(Ok(())) = written.await else {
            return;
        };
        let (stream, session) = stream.into_layers();
        // It is no longer one that can be sent away by itself: its client is.
        let guest = places.into_inner().map(|(guest, _)| guest);
        let held = Box::new((seat, guest));
        let handed = exchange.stream(stream, session, self.send_buffer, received, held);
        if let Err(error) = handed {
            tracing::debug!(%peer, %error, "stream cut off");
        }
    }

    /// The address that a request comes from.
    fn client_of(&self, headers: &HeaderMap, visit: &Visit) -> SocketAddr {
        match self.proxies.trusts(visit.peer.ip()) {
            true => SocketAddr::new(self.proxies.client(visit.peer.ip(), headers), 0),
            false => {
                self.warn_of_proxy(headers, visit);
                visit.peer
            }
        }
    }
}

/// An answer without a word.
fn answer(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply::with(reply, CACHE_CONTROL, "no-store")
}

/// What asks everybody on the way to pass it on as it comes.
fn flowing(reply: Reply) -> Reply {
    let reply = reply::with(
        reply,
        hyper::header::CONTENT_TYPE,
        "application/octet-stream",
    );
    let reply = reply::with(reply, hyper::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let reply = reply::with(reply, CACHE_CONTROL, "no-store, no-transform");
    reply::with(reply, X_ACCEL_BUFFERING, "no")
}

/// The page that asked, which was admitted, may read the answer.
fn allow(mut reply: Reply, asked: &HeaderMap) -> Reply {
    if let Some(origin) = asked.get(ORIGIN) {
        let headers = reply.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    reply
}

/// The head of an answer whose body ends with the connection.
fn head_bytes(head: &Reply) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status()).into_bytes();
    let close = HeaderValue::from_static("close");
    let headers = head.headers().iter().chain([(&CONNECTION, &close)]);
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_ends_where_the_body_begins() {
        let head = head_bytes(&flowing(answer(StatusCode::OK)));
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        for line in [
            "cache-control: no-store, no-transform",
            "x-accel-buffering: no",
            "connection: close",
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
        }
        assert!(!head.contains("content-length") && !head.contains("transfer-encoding"));
    }
}
