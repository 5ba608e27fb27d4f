//! The public port: what each path answers, and how a socket that became a WebSocket gets to the
//! lobby. Limits of HTTP itself are `http`'s; `run` starts this and stops it.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HeaderValue, IF_NONE_MATCH, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tickwire::protocol::{CloseCode, SUBPROTOCOL};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::accept::Accept;
use super::conn::{Conn, End};
use super::descriptors;
use super::echo;
use super::farewell::farewell;
use super::handshake::{self, Refused};
use super::http;
use super::origin::Origins;
use super::reply::{self, Reply};
use super::seat::{Seat, Seats};
use super::site::Site;
use crate::config::Config;
use crate::game::Game;
use crate::lobby::Lobby;
use crate::metrics::Metrics;

/// What every connection of the public port shares.
pub(crate) struct Public<G: Game> {
    site: Site,
    origins: Origins,
    seats: Seats,
    header_timeout: Duration,
    lobby: Lobby<G>,
    /// Whether there is `/echo`, which no setting turns on.
    has_echo: bool,
    metrics: Arc<Metrics>,
    /// Set once: the server stops.
    stopping: watch::Receiver<bool>,
}

impl<G: Game> Public<G> {
    /// The port's state, from the operator's settings.
    pub(crate) fn new(
        config: &Config,
        site: Site,
        lobby: Lobby<G>,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Public<G> {
        let allowed = descriptors::allow(config.max_connections);
        Public {
            site,
            origins: Origins::new(&config.allowed_origins),
            seats: Seats::new(allowed, metrics.connections_open.clone()),
            header_timeout: config.header_timeout,
            lobby,
            has_echo: false,
            metrics,
            stopping,
        }
    }

    /// The same with `/echo`, for the conformance test.
    pub(crate) fn with_echo(mut self) -> Public<G> {
        self.has_echo = true;
        self
    }

    /// Takes sockets until the server stops, then waits for what HTTP still has to say.
    pub(crate) async fn serve(self, mut accept: Accept) {
        let public = Arc::new(self);
        let mut stopping = public.stopping.clone();
        let mut open = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accept.next() => accepted,
                Some(_) = open.join_next() => continue,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            public.metrics.connections_accepted.increment(1);
            match public.seats.take() {
                Some(seat) => {
                    open.spawn(public.clone().connection(stream, peer, seat));
                }
                // Dropped: a refusal would need what there is too little of.
                None => public.metrics.connections_refused.increment(1),
            }
        }
        drop(accept);
        while open.join_next().await.is_some() {}
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        let mut stopping = self.stopping.clone();
        let stop = async move {
            // An error means that the server is gone, which is a stop too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        let upgrade = Mutex::new(None);
        http::serve(stream, self.header_timeout, stop, |request| {
            self.metrics.http_requests.increment(1);
            self.answer(request, &upgrade)
        })
        .await;
        let Some((upgrade, echoes)) = upgrade.into_inner() else {
            return;
        };
        match self.conn(upgrade, peer).await {
            Ok(conn) if seat.is_spare() => {
                self.metrics.connections_refused.increment(1);
                // A browser's page can see a close code, but not an HTTP status.
                if let Ok(conn) = conn.with_seat(seat).watched() {
                    farewell(conn, End::Close(CloseCode::ServerFull)).await;
                }
            }
            Ok(conn) if echoes => echo::serve(conn.with_seat(seat)).await,
            Ok(conn) => self.lobby.adopt(conn.with_seat(seat)),
            Err(error) => tracing::debug!(%peer, %error, "handshake cut off"),
        }
    }

    /// The connection behind an upgrade, with what was read from it already: a client may send
    /// its first messages together with the handshake.
    async fn conn(
        &self,
        upgrade: OnUpgrade,
        peer: SocketAddr,
    ) -> Result<Conn, Box<dyn Error + Send + Sync>> {
        let parts = upgrade
            .await?
            .downcast::<TokioIo<TcpStream>>()
            .map_err(|_| "not a TCP socket")?;
        let stream = parts.io.into_inner().into_std()?;
        Ok(Conn::new(
            stream,
            parts.read_buf.to_vec(),
            peer,
            Instant::now(),
        )?)
    }

    /// `upgrade`: what becomes of the connection, and whether it is the echo's.
    fn answer(
        &self,
        mut request: Request<Incoming>,
        upgrade: &Mutex<Option<(OnUpgrade, bool)>>,
    ) -> Reply {
        match request.uri().path() {
            path @ ("/ws" | "/echo")
                if request.method() == Method::GET && (path == "/ws" || self.has_echo) =>
            {
                let echoes = path == "/echo";
                let on = hyper::upgrade::on(&mut request);
                let check = if echoes {
                    handshake::check_rules
                } else {
                    handshake::check
                };
                self.handshake(request, check, |reply| {
                    *upgrade.lock() = Some((on, echoes));
                    reply
                })
            }
            "/ws" => reply::not_allowed(),
            "/healthz" => reply::text(StatusCode::OK, "ok\n"),
            "/api/rooms" => match serde_json::to_vec(&self.lobby.rooms()) {
                Ok(rooms) => reply::fresh("application/json", rooms),
                Err(error) => {
                    tracing::error!(%error, "the list of rooms is no JSON");
                    reply::text(StatusCode::INTERNAL_SERVER_ERROR, "no list\n")
                }
            },
            path => match self.site.find(path) {
                Some(file) => reply::file(file, request.headers().get(IF_NONE_MATCH)),
                None => reply::text(StatusCode::NOT_FOUND, "nothing here\n"),
            },
        }
    }

    fn handshake(
        &self,
        request: Request<Incoming>,
        check: impl FnOnce(&Parts, &Origins) -> Result<String, Refused>,
        accept: impl FnOnce(Reply) -> Reply,
    ) -> Reply {
        let metrics = &self.metrics;
        if *self.stopping.borrow() {
            metrics.handshakes_refused_stopping.increment(1);
            return reply::unavailable("stopping\n");
        }
        match check(&request.into_parts().0, &self.origins) {
            Ok(key) => accept(switch(&key)),
            Err(Refused::Origin) => {
                metrics.handshakes_refused_origin.increment(1);
                reply::text(StatusCode::FORBIDDEN, "this origin may not connect\n")
            }
            Err(Refused::Malformed) => {
                metrics.handshakes_refused_malformed.increment(1);
                reply::text(StatusCode::BAD_REQUEST, "not a WebSocket handshake\n")
            }
            Err(Refused::Version) => {
                metrics.handshakes_refused_version.increment(1);
                let mut reply = reply::text(StatusCode::UPGRADE_REQUIRED, "WebSocket 13 only\n");
                reply
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
                reply
                    .headers_mut()
                    .insert(UPGRADE, HeaderValue::from_static("websocket"));
                reply
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                reply
            }
            Err(Refused::Subprotocol) => {
                metrics.handshakes_refused_subprotocol.increment(1);
                reply::text(StatusCode::BAD_REQUEST, "the subprotocol is tickwire.1\n")
            }
        }
    }
}

/// 101 for a handshake whose key gives `accept`.
fn switch(accept: &str) -> Reply {
    let mut reply = Response::new(Default::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(
        SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}
