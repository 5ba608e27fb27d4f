//! How a connection of the public port becomes a WebSocket: whose it is, the answer to its
//! handshake, and its way to the lobby once that is out. What a handshake must say is
//! `handshake`'s.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tickwire::protocol::CloseCode;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::forwarded::FORWARDED_FOR;
use super::handshake::{self, Accepted, Refused};
use super::linger::Linger;
use super::origin;
use super::public::{Public, Upgrade, Visit};
use super::reply::{self, Reply};
use crate::admission::addresses::AddressLease;
use crate::admission::crowd::Spot;
use crate::admission::sockets::Seat;
use crate::lobby::GameIndex;
use crate::transport::End;
use crate::transport::websocket::{Tcp, WebSocket};
use crate::worker::Client;

/// Characters of a peer's header in the log.
const SHOWN_CHARS_MAX: usize = 200;

impl Public {
    pub(super) fn handshake(
        &self,
        mut request: Request<Incoming>,
        visit: &Visit,
        game: GameIndex,
    ) -> Reply {
        let metrics = &self.metrics;
        if *self.stopping.borrow() {
            metrics.handshakes_refused_stopping.increment(1);
            return reply::unavailable("stopping\n");
        }
        let on = hyper::upgrade::on(&mut request);
        let head = request.into_parts().0;
        match handshake::check(&head, &self.origins) {
            Ok(accepted) => {
                let Some((peer, guest, spot)) = self.guest(&head.headers, visit) else {
                    metrics.handshakes_refused_address.increment(1);
                    return reply::too_many("too many from this address\n");
                };
                let pre_hello = self.pre_hello.enter(peer.ip(), &visit.notice);
                *visit.upgrade.lock() = Some(Upgrade {
                    on,
                    game,
                    is_spoken: accepted.is_spoken(),
                    peer,
                    guest,
                    spot,
                    pre_hello,
                });
                switch(&accepted)
            }
            Err(Refused::Origin) => {
                metrics.handshakes_refused_origin.increment(1);
                self.say_refused(&head.headers, visit);
                reply::text(StatusCode::FORBIDDEN, "this origin may not connect\n")
            }
            Err(Refused::Malformed) => {
                metrics.handshakes_refused_malformed.increment(1);
                reply::text(StatusCode::BAD_REQUEST, "not a WebSocket handshake\n")
            }
            Err(Refused::Version) => {
                metrics.handshakes_refused_version.increment(1);
                let reply = reply::text(StatusCode::UPGRADE_REQUIRED, "WebSocket 13 only\n");
                offering(reply::with(reply, SEC_WEBSOCKET_VERSION, "13"))
            }
            Err(Refused::Subprotocol) => {
                metrics.handshakes_refused_subprotocol.increment(1);
                reply::text(StatusCode::BAD_REQUEST, "the subprotocol is tickwire.2\n")
            }
        }
    }

    /// The client's address and its places there and among those without a seat; `None` if it has
    /// none left.
    fn guest(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Option<(SocketAddr, AddressLease, Spot)> {
        if let Some((guest, spot)) = visit.places.lock().take() {
            self.warn_of_proxy(headers, visit);
            return Some((visit.peer, guest, spot));
        }
        let client = self.proxies.client(visit.peer.ip(), headers);
        let (guest, spot) = self.places(client, &visit.notice)?;
        Some((SocketAddr::new(client, 0), guest, spot))
    }

    /// Says once that there is a proxy that no setting knows of.
    pub(super) fn warn_of_proxy(&self, headers: &HeaderMap, visit: &Visit) {
        let unknown_proxy = self.proxies.is_empty()
            && visit.peer.ip().is_loopback()
            && headers.contains_key(FORWARDED_FOR);
        if unknown_proxy && !self.warned_of_proxy.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests are forwarded from this machine: without --trusted-proxy no limit by \
                 address holds for them"
            );
        }
    }

    /// Tells the operator of a page that was not let in.
    pub(super) fn say_refused(&self, headers: &HeaderMap, visit: &Visit) {
        let client = match self.proxies.trusts(visit.peer.ip()) {
            true => self.proxies.client(visit.peer.ip(), headers),
            false => visit.peer.ip(),
        };
        say_refused(headers, client);
    }

    /// Whether there is a place for one more client. Who plays is worth more than the sockets that
    /// their page came by.
    pub(super) fn makes_room(&self, spot: &mut Spot) -> bool {
        let beyond = self.seats.beyond();
        beyond == 0 || self.seatless.make_room_for(spot, beyond)
    }

    /// The answer went out: it is a WebSocket now, which the lobby takes.
    pub(super) async fn upgraded(&self, mut upgrade: Upgrade, seat: Seat) {
        let peer = upgrade.peer;
        let is_full = !self.makes_room(&mut upgrade.spot);
        let web_socket = web_socket(upgrade.on, peer).await.and_then(|web_socket| {
            web_socket.bound_send_buffer(self.send_buffer)?;
            Ok(web_socket)
        });
        let web_socket = match web_socket {
            Ok(web_socket) => web_socket,
            Err(error) => return tracing::debug!(%peer, %error, "handshake cut off"),
        };
        let client = Client::new(Box::new(web_socket), Instant::now()).of_game(upgrade.game);
        let client = client.with_places(seat, upgrade.guest, upgrade.spot, upgrade.pre_hello);
        if !upgrade.is_spoken {
            client.close(End::Close(CloseCode::Version)).await;
        } else if is_full {
            self.metrics.connections_refused.increment(1);
            // A browser's page can see a close code, but not an HTTP status.
            client.close(End::Close(CloseCode::ServerFull)).await;
        } else {
            self.metrics.clients_by_websocket.increment(1);
            self.lobby.adopt(client);
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
pub(super) async fn web_socket(
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

/// 101 for a handshake.
pub(super) fn switch(accepted: &Accepted) -> Reply {
    let mut reply = Response::new(Default::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply = offering(reply);
    for (name, value) in [
        (SEC_WEBSOCKET_PROTOCOL, &accepted.subprotocol),
        (SEC_WEBSOCKET_ACCEPT, &accepted.accept),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply
}

/// The reply with what says that there are WebSockets here.
fn offering(reply: Reply) -> Reply {
    let reply = reply::with(reply, UPGRADE, "websocket");
    reply::with(reply, CONNECTION, "Upgrade")
}
