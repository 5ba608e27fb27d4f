//! The public port: what each path answers, and how a socket that became a WebSocket gets to the
//! lobby. Limits of HTTP itself are `http`'s; `run` starts this and stops it.

use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tickwire::protocol::{CloseCode, SUBPROTOCOL};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio_rustls::server::TlsStream;

use super::accept::Accept;
use super::authority;
use super::descriptors;
use super::echo;
use super::forwarded::{FORWARDED_FOR, Proxies};
use super::handshake::{self, Refused};
use super::http1;
use super::linger::Linger;
use super::origin::{self, Origins};
use super::reply::{self, Reply};
use super::site::Site;
use crate::admission::addresses::{AddressLease, Addresses};
use crate::admission::crowd::{Crowd, Spot};
use crate::admission::sockets::{Notice, Seat, Seats};
use crate::config::Config;
use crate::game::Game;
use crate::lobby::Lobby;
use crate::metrics::Metrics;
use crate::transport::End;
use crate::transport::certificate::Certificate;
use crate::transport::websocket::Tcp;
use crate::transport::websocket::WebSocket;
use crate::worker::Client;

/// Sockets that a browser opens to one server at once. Of a page that comes when all seats are
/// taken none has to go for the next: they are answered, and beyond the limit for as long as that
/// takes.
const BROWSER_SOCKETS: u32 = 6;
/// Sockets that are beyond the limit for that at once. More come by a flood, of which each pushes
/// out another one.
const SPARED_MAX: u32 = 4 * BROWSER_SOCKETS;
/// Characters of a peer's header in the log.
const SHOWN_CHARS_MAX: usize = 200;

/// What every connection of the public port shares.
pub(crate) struct Public<G: Game> {
    site: Site,
    origins: Origins,
    seats: Seats,
    /// Sockets that have no seat in a room: of those one goes for each that comes when all seats
    /// here are taken.
    seatless: Crowd,
    /// WebSockets that have not said hello.
    pre_hello: Crowd,
    proxies: Proxies,
    addresses: Addresses,
    /// Whether it was said that there is a proxy that no setting knows of.
    warned_of_proxy: AtomicBool,
    header_timeout: Duration,
    /// Bytes of each WebSocket's send buffer.
    send_buffer: u32,
    lobby: Lobby<G>,
    /// For TLS in this process; `None`: plain, or a proxy's.
    certificate: Option<Arc<Certificate>>,
    /// Whether there is `/echo`, which no setting turns on.
    has_echo: bool,
    metrics: Arc<Metrics>,
    /// Set once: the server stops.
    stopping: watch::Receiver<bool>,
}

/// One connection until it is upgraded or closed.
struct Visit {
    peer: SocketAddr,
    /// Its place at its address; `None` where a proxy speaks for others.
    guest: Mutex<Option<AddressLease>>,
    /// Its place among those without a seat; `None` as above: a proxy's connection is not sent
    /// away.
    spot: Mutex<Option<Spot>>,
    /// How it hears that it must go.
    notice: Notice,
    upgrade: Mutex<Option<Upgrade>>,
}

/// A connection that becomes a WebSocket.
struct Upgrade {
    on: OnUpgrade,
    /// Whether it is the conformance test's.
    echoes: bool,
    peer: SocketAddr,
    guest: AddressLease,
    spot: Spot,
    pre_hello: Spot,
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
            proxies: Proxies::new(&config.trusted_proxies),
            addresses: Addresses::new(config, allowed, metrics.clone()),
            warned_of_proxy: AtomicBool::new(false),
            header_timeout: config.header_timeout,
            send_buffer: config.send_buffer,
            lobby,
            certificate: None,
            has_echo: false,
            metrics,
            stopping,
        }
    }

    /// The same over TLS.
    pub(crate) fn with_tls(mut self, certificate: Option<Arc<Certificate>>) -> Public<G> {
        self.certificate = certificate;
        self
    }

    /// The same with `/echo`, for the conformance test.
    pub(crate) fn with_echo(mut self) -> Public<G> {
        self.has_echo = true;
        self
    }

    /// The lobby behind it.
    #[cfg(test)]
    pub(crate) fn lobby(&self) -> &Lobby<G> {
        &self.lobby
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
        let (guest, spot) = if self.proxies.trusts(peer.ip()) {
            (None, None)
        } else {
            let guest = self.addresses.admit(peer.ip(), Instant::now()).ok()?;
            let spot = self.seatless.enter(peer.ip(), &notice);
            match self.seats.beyond() {
                0 => {}
                1..=SPARED_MAX => self.seatless.make_way_for(&spot, BROWSER_SOCKETS),
                _ => self.seatless.make_way_for(&spot, 0),
            }
            (Some(guest), Some(spot))
        };
        let visit = Visit {
            peer,
            guest: Mutex::new(guest),
            spot: Mutex::new(spot),
            notice,
            upgrade: Mutex::new(None),
        };
        Some((seat, visit))
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

    async fn connection(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        seat: Seat,
        visit: Visit,
    ) {
        let mut stopping = self.stopping.clone();
        let stop = async move {
            // An error means that the server is gone, which is a stop too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        http1::serve(
            stream,
            self.header_timeout,
            stop,
            http1::NOTHING,
            |request| {
                self.metrics.http_requests.increment(1);
                std::future::ready(self.answer(request, &visit))
            },
        )
        .await;
        if let Some(upgrade) = visit.upgrade.into_inner() {
            // Boxed: the task of each plain connection would hold it as well.
            Box::pin(self.upgraded(upgrade, seat)).await;
        }
    }

    /// The answer went out: it is a WebSocket now, which the lobby takes.
    async fn upgraded(&self, mut upgrade: Upgrade, seat: Seat) {
        let (peer, echoes) = (upgrade.peer, upgrade.echoes);
        let beyond = self.seats.beyond();
        // Who plays is worth more than the sockets that their page came by.
        let is_full = beyond > 0 && !self.seatless.make_room_for(&mut upgrade.spot, beyond);
        let (guest, spot, pre_hello) = (upgrade.guest, upgrade.spot, upgrade.pre_hello);
        let web_socket = web_socket(upgrade.on, peer).await.and_then(|web_socket| {
            if !echoes {
                web_socket.bound_send_buffer(self.send_buffer)?;
            }
            Ok(web_socket)
        });
        let client = |web_socket: WebSocket<Tcp>| {
            let client = Client::new(web_socket.into(), Instant::now());
            client.with_guest(guest, spot, pre_hello).with_seat(seat)
        };
        match web_socket {
            Ok(web_socket) if is_full => {
                self.metrics.connections_refused.increment(1);
                // A browser's page can see a close code, but not an HTTP status.
                let client = client(web_socket);
                client.close(End::Close(CloseCode::ServerFull)).await;
            }
            Ok(web_socket) if echoes => echo::serve(web_socket).await,
            Ok(web_socket) => self.lobby.adopt(client(web_socket)),
            Err(error) => tracing::debug!(%peer, %error, "handshake cut off"),
        }
    }

    fn answer(&self, request: Request<Incoming>, visit: &Visit) -> Reply {
        // `http` answered those that name a wrong one.
        let host = authority::of(request.uri(), request.version(), request.headers());
        let reply = self.answer_path(request, visit);
        match host {
            Ok(Some(host)) if reply.status() != StatusCode::SWITCHING_PROTOCOLS => {
                reply::at_host(reply, &host, self.certificate.is_some())
            }
            _ => reply,
        }
    }

    fn answer_path(&self, request: Request<Incoming>, visit: &Visit) -> Reply {
        let is_get = request.method() == Method::GET;
        match request.uri().path() {
            "/ws" if is_get => self.handshake(request, visit, false),
            "/echo" if is_get && self.has_echo => self.handshake(request, visit, true),
            "/ws" => reply::not_allowed(),
            "/healthz" => reply::health(self.lobby.lives()),
            "/api/rooms" => reply::json(&self.lobby.rooms()),
            path => match self.site.find(path) {
                Some(file) => reply::file(file, request.headers()),
                None => reply::text(StatusCode::NOT_FOUND, "nothing here\n"),
            },
        }
    }

    /// The client's address and its places there and among those without a seat; `None` if it has
    /// none left.
    fn guest(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Option<(SocketAddr, AddressLease, Spot)> {
        if let Some(guest) = visit.guest.lock().take()
            && let Some(spot) = visit.spot.lock().take()
        {
            let unknown_proxy = self.proxies.is_empty()
                && visit.peer.ip().is_loopback()
                && headers.contains_key(FORWARDED_FOR);
            if unknown_proxy && !self.warned_of_proxy.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "requests are forwarded from this machine: without --trusted-proxy no limit \
                     by address holds for them"
                );
            }
            return Some((visit.peer, guest, spot));
        }
        let client = self.proxies.client(visit.peer.ip(), headers);
        let guest = self.addresses.admit(client, Instant::now()).ok()?;
        let spot = self.seatless.enter(client, &visit.notice);
        Some((SocketAddr::new(client, 0), guest, spot))
    }

    fn handshake(&self, mut request: Request<Incoming>, visit: &Visit, echoes: bool) -> Reply {
        let metrics = &self.metrics;
        if *self.stopping.borrow() {
            metrics.handshakes_refused_stopping.increment(1);
            return reply::unavailable("stopping\n");
        }
        let on = hyper::upgrade::on(&mut request);
        let head = request.into_parts().0;
        let checked = if echoes {
            handshake::check_rules(&head, &self.origins)
        } else {
            handshake::check(&head, &self.origins)
        };
        match checked {
            Ok(key) => {
                let Some((peer, guest, spot)) = self.guest(&head.headers, visit) else {
                    metrics.handshakes_refused_address.increment(1);
                    return reply::too_many("too many from this address\n");
                };
                let pre_hello = self.pre_hello.enter(peer.ip(), &visit.notice);
                *visit.upgrade.lock() = Some(Upgrade {
                    on,
                    echoes,
                    peer,
                    guest,
                    spot,
                    pre_hello,
                });
                switch(&key)
            }
            Err(Refused::Origin) => {
                metrics.handshakes_refused_origin.increment(1);
                let client = match self.proxies.trusts(visit.peer.ip()) {
                    true => self.proxies.client(visit.peer.ip(), &head.headers),
                    false => visit.peer.ip(),
                };
                say_refused(&head.headers, client);
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

/// Tells the operator of a page that was not let in: it may be their own, by a name that nobody
/// thought of.
fn say_refused(headers: &HeaderMap, peer: IpAddr) {
    let origin = handshake::origin(headers);
    let set = origin::remedy(origin);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let start = |text: &str| text.chars().take(SHOWN_CHARS_MAX).collect::<String>();
    tracing::warn!(
        %peer,
        origin = origin.map(start),
        host = host.map(start),
        set = set.as_deref().map(start),
        "a page of another origin may not connect; if it is yours, set this"
    );
}

/// The connection behind an upgrade, with what was read from it already: a client may send its
/// first messages together with the handshake.
async fn web_socket(
    on: OnUpgrade,
    peer: SocketAddr,
) -> Result<WebSocket<Tcp>, Box<dyn Error + Send + Sync>> {
    let (stream, session, ahead) = match on.await?.downcast::<TokioIo<Linger<TcpStream>>>() {
        Ok(plain) => (plain.io.into_inner().into_inner(), None, plain.read_buf),
        Err(secured) => {
            let parts = secured.downcast::<TokioIo<Linger<TlsStream<TcpStream>>>>();
            let parts = parts.map_err(|_| "neither TCP nor TLS over it")?;
            let (stream, session) = parts.io.into_inner().into_inner().into_inner();
            (stream, Some(session), parts.read_buf)
        }
    };
    let web_socket = WebSocket::tcp(stream, ahead.to_vec(), peer, Instant::now())?;
    Ok(match session {
        Some(session) => web_socket.with_tls(session),
        None => web_socket,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::still::Still;

    /// In a burst thousands of them wait for their turn.
    #[test]
    fn a_plain_connections_task_is_small() {
        fn task_bytes<F>(_: fn(Arc<Public<Still>>, TcpStream, Seat, Visit) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = task_bytes(Public::attended);
        assert!(bytes < 4096, "{bytes} bytes");
    }
}
