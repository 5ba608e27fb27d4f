//! The public port: who may have a socket there, and what each path answers; `/ws` is `upgrade`'s.
//! Limits of HTTP itself are `http`'s; `run` starts this and stops it.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, StatusCode};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::authority;
use super::board::Boards;
use super::descriptors;
use super::forwarded::Proxies;
use super::http1;
use super::origin::Origins;
use super::pages::{self, NamedPages, Pages, Route};
use super::policy::Policy;
use super::reply::{self, Reply};
use super::stream_request::{self, Down, Layers};
use crate::admission::addresses::{AddressLease, Addresses};
use crate::admission::crowd::{Crowd, Spot};
use crate::admission::sockets::{Notice, Seat, Seats};
use crate::config::Config;
use crate::lobby::{GameIndex, Lobby};
use crate::metrics::Metrics;
use crate::transport::Accept;
use crate::transport::certificate::Certificate;
use crate::transport::http_stream::Streams;

/// Sockets that a browser opens to one server at once. Of a page that comes when all seats are
/// taken none has to go for the next: they are answered, and beyond the limit for as long as that
/// takes.
const BROWSER_SOCKETS: u32 = 6;
/// Sockets that are beyond the limit for that at once. More come by a flood, of which each pushes
/// out another one.
const SPARED_MAX: u32 = 4 * BROWSER_SOCKETS;

/// What every connection of the public port shares.
pub(crate) struct Public {
    pages: Pages,
    boards: Arc<Boards>,
    policy: Policy,
    pub(super) origins: Origins,
    pub(super) seats: Seats,
    /// Sockets that have no seat in a room: of those one goes for each that comes when all seats
    /// here are taken.
    pub(super) seatless: Crowd,
    /// WebSockets that have not said hello.
    pub(super) pre_hello: Crowd,
    /// Of clients whom WebSocket does not reach.
    pub(super) streams: Streams,
    pub(super) proxies: Proxies,
    addresses: Addresses,
    /// Whether it was said that there is a proxy that no setting knows of.
    pub(super) warned_of_proxy: AtomicBool,
    header_timeout: Duration,
    /// For how long the body of a stream's request may come, as any message.
    pub(super) stall_timeout: Duration,
    /// Bytes of each WebSocket's send buffer.
    pub(super) send_buffer: u32,
    pub(super) lobby: Lobby,
    /// For TLS in this process; `None`: plain, or a proxy's.
    certificate: Option<Arc<Certificate>>,
    pub(super) metrics: Arc<Metrics>,
    /// Set once: the server stops.
    pub(super) stopping: watch::Receiver<bool>,
}

/// One connection until it is upgraded or closed.
pub(super) struct Visit {
    pub(super) peer: SocketAddr,
    /// Its places at its address and among those without a seat; `None` where a proxy speaks for
    /// others, whose connection is not sent away.
    pub(super) places: Mutex<Option<(AddressLease, Spot)>>,
    /// How it hears that it must go.
    pub(super) notice: Notice,
    pub(super) upgrade: Mutex<Option<Upgrade>>,
    /// What its last answer is for, if that is a stream's.
    pub(super) down: Mutex<Option<Down>>,
    /// Since when there is the connection.
    pub(super) since: Instant,
}

/// A connection that becomes a WebSocket.
pub(super) struct Upgrade {
    pub(super) on: OnUpgrade,
    /// Of the path that it came by.
    pub(super) game: GameIndex,
    /// Whether it speaks this server's version.
    pub(super) is_spoken: bool,
    pub(super) peer: SocketAddr,
    pub(super) guest: AddressLease,
    pub(super) spot: Spot,
    pub(super) pre_hello: Spot,
}

impl Public {
    /// The port's state, from the operator's settings.
    pub(crate) fn new(
        config: &Config,
        pages: NamedPages,
        lobby: Lobby,
        certificate: Option<Arc<Certificate>>,
        metrics: Arc<Metrics>,
        stopping: watch::Receiver<bool>,
    ) -> Public {
        let allowed = descriptors::allow(config.max_connections);
        Public {
            pages: Pages::new(pages),
            boards: Arc::new(Boards::new(lobby.clone(), metrics.clone())),
            policy: Policy::new(&config.servers_of_pages()),
            origins: Origins::new(&config.allowed_origins),
            seats: Seats::new(allowed, metrics.connections_open.clone()),
            // As many as there are sockets: `seats` says when one has to go.
            seatless: Crowd::new(
                u32::MAX,
                metrics.sockets_seatless.clone(),
                metrics.connections_sent_away.clone(),
            ),
            pre_hello: Crowd::new(
                config.max_ungreeted,
                metrics.sockets_pre_hello.clone(),
                metrics.pre_hello_sent_away.clone(),
            ),
            streams: Streams::default(),
            proxies: Proxies::new(&config.trusted_proxies),
            addresses: Addresses::new(config, allowed, metrics.clone()),
            warned_of_proxy: AtomicBool::new(false),
            header_timeout: config.header_timeout,
            stall_timeout: config.stall_timeout,
            send_buffer: config.send_buffer,
            lobby,
            certificate,
            metrics,
            stopping,
        }
    }

    /// What pages show of results, to be read.
    pub(crate) fn boards(&self) -> Arc<Boards> {
        self.boards.clone()
    }

    /// Takes sockets until the server stops, then waits for what HTTP still has to say.
    pub(crate) async fn serve(self, mut accept: Accept) {
        let public = Arc::new(self);
        let mut stopping = public.stopping.clone();
        // Each connection has a sender; the channel is closed when the last of them is gone.
        let (open, mut closed) = mpsc::channel::<Infallible>(1);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accept.next() => accepted,
                _ = stopping.wait_for(|stopping| *stopping) => break,
            };
            public.metrics.connections_accepted.increment(1);
            match public.seat(peer) {
                Some((seat, visit)) => {
                    let (public, open) = (public.clone(), open.clone());
                    tokio::spawn(async move {
                        public.attended(stream, seat, visit).await;
                        drop(open);
                    });
                }
                // Dropped: a refusal would need what there is too little of.
                None => public.metrics.connections_refused.increment(1),
            }
        }
        drop((accept, open));
        closed.recv().await;
    }

    /// A place for a socket that was accepted, among all and at its address. Whose address it
    /// is shows later where a proxy speaks for others.
    fn seat(&self, peer: SocketAddr) -> Option<(Seat, Visit)> {
        let seat = self.seats.take()?;
        let notice = seat.notice().clone();
        let mut places = None;
        if !self.proxies.trusts(peer.ip()) {
            let (guest, spot) = self.places(peer.ip(), &notice)?;
            match self.seats.beyond() {
                0 => {}
                1..=SPARED_MAX => self.seatless.make_way_for(&spot, BROWSER_SOCKETS),
                _ => self.seatless.make_way_for(&spot, 0),
            }
            places = Some((guest, spot));
        }
        let visit = Visit {
            peer,
            places: Mutex::new(places),
            notice,
            upgrade: Mutex::new(None),
            down: Mutex::new(None),
            since: Instant::now(),
        };
        Some((seat, visit))
    }

    /// A place at an address and one among those without a seat; `None` if the address has none
    /// left.
    pub(super) fn places(&self, address: IpAddr, notice: &Notice) -> Option<(AddressLease, Spot)> {
        let guest = self.addresses.admit(address, Instant::now())?;
        Some((guest, self.seatless.enter(address, notice)))
    }

    /// Serves a socket until it is the lobby's or at its end, or has to go for another one.
    async fn attended(self: Arc<Self>, stream: TcpStream, seat: Seat, visit: Visit) {
        let notice = visit.notice.clone();
        tokio::select! {
            biased;
            // Once it is the lobby's, it is the lobby that follows the notice.
            () = self.secured(stream, seat, visit) => {}
            () = notice.given() => {}
        }
    }

    /// The TLS handshake first, if there is one.
    async fn secured(self: Arc<Self>, stream: TcpStream, seat: Seat, visit: Visit) {
        match self.certificate.clone() {
            None => self.connection(stream, seat, visit).await,
            // Boxed: TLS takes 12 KB, which each plain connection's task would hold as well.
            Some(certificate) => Box::pin(self.over_tls(&certificate, stream, seat, visit)).await,
        }
    }

    /// The TLS handshake, then the same as without; a head has as much time again.
    async fn over_tls(
        self: Arc<Self>,
        certificate: &Certificate,
        stream: TcpStream,
        seat: Seat,
        visit: Visit,
    ) {
        // Records of small messages would wait for each other's acknowledgements.
        let _ = stream.set_nodelay(true);
        let accepted = tokio::time::timeout(self.header_timeout, certificate.accept(stream));
        match accepted.await {
            Ok(Ok(stream)) => self.connection(stream, seat, visit).await,
            Ok(Err(error)) => {
                self.metrics.tls_handshakes_failed.increment(1);
                tracing::debug!(peer = %visit.peer, %error, "TLS handshake failed");
            }
            Err(_) => self.metrics.tls_handshakes_failed.increment(1),
        }
    }

    async fn connection(self: Arc<Self>, stream: impl Layers, seat: Seat, visit: Visit) {
        let mut stopping = self.stopping.clone();
        let stop = async move {
            // An error means that the server is gone, which is a stop too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        let taken = http1::serve(
            stream,
            self.header_timeout,
            stop,
            stream_request::PORT,
            |request| {
                self.metrics.http_requests.increment(1);
                self.answer(request, &visit)
            },
        )
        .await;
        if let Some(taken) = taken {
            Box::pin(self.streams_down(taken, visit, seat)).await;
        } else if let Some(upgrade) = visit.upgrade.into_inner() {
            // Boxed: the task of each plain connection would hold it as well.
            Box::pin(self.upgraded(upgrade, seat)).await;
        }
    }

    async fn answer(&self, request: Request<Incoming>, visit: &Visit) -> Reply {
        // `http` answered those that name a wrong one.
        let path = request.uri().path().to_owned();
        if let Route::In(game, path) = self.pages.route(&path)
            && let Some(asked) = stream_request::asked(path)
        {
            // No page's.
            return Box::pin(self.stream(asked, game, request, visit)).await;
        }
        let host = authority::of(request.uri(), request.version(), request.headers());
        let reply = match self.asks_for_own_place(&request) {
            // Boxed: the task of each connection would hold it as well.
            Some(game) => Box::pin(self.own_place(game, request)).await,
            None => self.answer_path(request, visit),
        };
        match host {
            Ok(host) if reply.status() != StatusCode::SWITCHING_PROTOCOLS => {
                let secured = self.certificate.is_some();
                reply::at_host(reply, &self.policy, host.as_ref(), secured)
            }
            _ => reply,
        }
    }

    /// Of which game a request wants to know where somebody stands, if it does: the one thing here
    /// that has to be waited for.
    fn asks_for_own_place(&self, request: &Request<Incoming>) -> Option<Option<GameIndex>> {
        match self.pages.route(request.uri().path()) {
            Route::In(game, "/api/board/own") => Some(game),
            _ => None,
        }
    }

    async fn own_place(&self, game: Option<GameIndex>, request: Request<Incoming>) -> Reply {
        let (query, headers) = (request.uri().query(), request.headers());
        self.boards.answer_own(game, query, headers).await
    }

    fn answer_path(&self, request: Request<Incoming>, visit: &Visit) -> Reply {
        if request.method() == Method::POST {
            return reply::not_allowed();
        }
        let is_get = request.method() == Method::GET;
        let uri = request.uri().clone();
        let (game, path) = match self.pages.route(uri.path()) {
            Route::In(game, path) => (game, path),
            Route::Folder(name) => return reply::folder(name),
            Route::Nowhere => return nothing(),
        };
        match path {
            "/ws" if is_get => self.handshake(request, visit, game.unwrap_or_default()),
            "/ws" => reply::not_allowed(),
            "/healthz" if game.is_none() => reply::health(self.lobby.lives()),
            "/api/rooms" => reply::json(&self.lobby.list(game)),
            "/api/board" => self.boards.answer(game, uri.query(), request.headers()),
            _ if game.is_none() && self.pages.is_list(path) => {
                let list = pages::list(&self.lobby.games());
                reply::fresh("text/html; charset=utf-8", list.into_bytes())
            }
            _ => match self.pages.file(game, path) {
                Some(file) => reply::file(file, request.headers()),
                None => nothing(),
            },
        }
    }
}

fn nothing() -> Reply {
    reply::text(StatusCode::NOT_FOUND, "nothing here\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a burst thousands of them wait for their turn.
    #[test]
    fn a_plain_connections_task_is_small() {
        fn task_bytes<F>(_: fn(Arc<Public>, TcpStream, Seat, Visit) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = task_bytes(Public::attended);
        assert!(bytes < 4096, "{bytes} bytes");
    }
}
