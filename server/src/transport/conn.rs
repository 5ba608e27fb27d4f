//! One client's connection after the handshake: socket, WebSocket state, outbox, limits and
//! name. It is owned by exactly one of the lobby (`lobby::sessions`) and a worker, and moves
//! between them whole, with every byte that was read or not yet written. How it is read is
//! `reading`; what waits to be written is `outbox`. It never blocks and knows no clock.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::ServerConnection;
use socket2::{SockRef, TcpKeepalive};
use tickwire::ids::RoomId;
use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire::protocol::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use super::frames::FrameCount;
use super::outbox::{Outbox, SendBuffer, SendBuffers};
use super::reading::{Fetched, Reading, Scratch};
use super::tls::Tls;
use crate::admission::addresses::AddressLease;
use crate::admission::crowd::Spot;
use crate::admission::limiter::{Budget, Limiter, Rates};
use crate::admission::sockets::Seat;
use crate::auth::Identity;
use crate::moderation::Present;
use crate::prefetch::prefetch_from_to;

/// Bytes that the WebSocket context takes at a time: the slices it is fed are in memory already,
/// so a larger buffer would only cost memory per connection.
const CONTEXT_BUFFER_BYTES: usize = 128;
/// Idle seconds until the kernel asks whether the peer is still there: a phone that lost its
/// network says nothing, and nothing is ever written to an idle member of the lobby.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Between the kernel's further questions, of which it asks three.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long the kernel tries to deliver what was written, to a peer that confirms nothing or takes nothing, before
/// the socket is gone. It goes on when this process has closed it, and would for a quarter of an hour. Not
/// sooner than keepalive gives up, which it would cut short.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// A non-blocking socket: std's in a worker, tokio's in the lobby.
pub(crate) trait Socket {
    /// Reads what is there, `WouldBlock` if nothing is.
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize>;
    /// Writes what the kernel takes, `WouldBlock` if nothing.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Socket for TcpStream {
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut socket = self;
        socket.read(bytes)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self;
        socket.write(bytes)
    }
}

impl Socket for tokio::net::TcpStream {
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        tokio::net::TcpStream::try_read(self, bytes)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        tokio::net::TcpStream::try_write(self, bytes)
    }
}

/// Why a connection is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server closes it; the code still has to be sent.
    Close(CloseCode),
    /// The client said goodbye; the answer is in the outbox.
    Goodbye,
    /// The client closed without meaning to leave, as browsers do when a page is reloaded; the
    /// answer is in the outbox.
    Away,
    /// The socket is gone.
    Lost,
}

/// A client's connection. `S` is the socket: std's where nothing else is said.
pub struct Conn<S = TcpStream> {
    pub(crate) socket: S,
    /// Boxed: connections move between threads and sit in tables, their state does not.
    pub(crate) link: Box<Link>,
}

/// Everything of a connection but the socket. In this order in memory: the first three cache lines are all that a
/// turn touches of a connection that sends inputs and takes snapshots.
#[repr(C)]
pub(crate) struct Link {
    /// Whether the context may hold whole messages: its reading was left off.
    pub(crate) unread: bool,
    /// Whether the client's close frame says that it may come back.
    pub(crate) going_away: bool,
    /// Whether it was ever in a room: then inputs may still be under way when it is back.
    pub(crate) has_played: bool,
    pub(crate) frames: FrameCount,
    pub(crate) limiter: Limiter,
    /// Between the outbox and the socket, and between that and the context; boxed, since most
    /// servers leave it to a proxy.
    pub(crate) tls: Option<Box<Tls>>,
    /// Bytes that were read from the socket, or by the handshake, but not by the context.
    pub(crate) ahead: Vec<u8>,
    /// Since when a message, or a frame between two, lacks its end.
    pub(crate) unfinished_since: Option<Instant>,
    /// Frames that wait to be written.
    pub(crate) outbox: Outbox,
    pub(crate) context: WebSocketContext,
    /// What joins and listings cost the server; kept here so that leaving a room renews nothing.
    pub(crate) requests: Budget,
    /// The tidied name, once the client said hello.
    pub(crate) name: Option<Box<str>>,
    /// Who it is, once the client said hello.
    pub(crate) identity: Identity,
    /// As operators see it, from its hello to its end.
    pub(crate) online: Option<Present>,
    /// The other end as the outermost trusted proxy saw it, then without a port; for logs and
    /// bans.
    pub(crate) peer: SocketAddr,
    /// Its place at its address.
    pub(crate) guest: AddressLease,
    /// Its place among the players of its address, while it has a seat in a room or is on its way to one.
    pub(crate) seated: Option<AddressLease>,
    /// Its place among those without a seat, which it has left meanwhile.
    pub(crate) spot: Option<Spot>,
    /// Its place among those that have not said hello; dropped when it does.
    pub(crate) pre_hello: Option<Spot>,
    /// Dropped with the connection: what counts open sockets and live connections.
    _held: (Option<Seat>, Option<Box<dyn Send + Sync>>),
}

impl Link {
    /// Has the processor fetch what a turn touches.
    pub(crate) fn prefetch(&self) {
        prefetch_from_to(&self.unread, &self.context);
    }

    /// With which code an operator wants it closed.
    pub(crate) fn expelled(&self) -> Option<CloseCode> {
        self.online.as_ref()?.expelled()
    }

    /// Whether the client takes too little, or has not finished a message, for `timeout`.
    pub(crate) fn is_stalled(&self, now: Instant, timeout: Duration) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= timeout;
        self.outbox.is_stalled(now, timeout) || self.unfinished_since.is_some_and(is_over)
    }

    /// When it will be, if nothing more comes or is taken.
    pub(crate) fn stalls_at(&self, timeout: Duration) -> Option<Instant> {
        let unfinished = self.unfinished_since.map(|since| since + timeout);
        let blocked = self.outbox.stalls_at(timeout);
        blocked.into_iter().chain(unfinished).min()
    }

    /// Done when an operator wants it closed.
    pub(crate) async fn ordered(&self) {
        match &self.online {
            Some(online) => online.ordered().await,
            None => std::future::pending().await,
        }
    }

    /// Whether it must go, for others who come.
    pub(crate) fn must_go(&self) -> bool {
        let spots = self.spot.iter().chain(&self.pre_hello);
        spots.into_iter().any(|spot| spot.notice().is_given())
    }

    /// Done when it must.
    pub(crate) fn sent_away(&self) -> impl Future<Output = ()> + use<> {
        let spot = self.spot.as_ref().or(self.pre_hello.as_ref());
        let notice = spot.map(|spot| spot.notice().clone());
        async move {
            match notice {
                Some(notice) => notice.given().await,
                None => std::future::pending().await,
            }
        }
    }

    /// It has no seat in a room: it may have to go.
    pub(crate) fn stand_up(&mut self) {
        self.seated = None;
        if let Some(spot) = &mut self.spot {
            spot.come_back();
        }
    }

    /// It gets a seat, with its place among its address's players. False: it has to go, and was told so before.
    pub(crate) fn sit_down(&mut self, seated: AddressLease) -> bool {
        let stays = self.spot.as_mut().is_none_or(Spot::leave);
        self.seated = Some(seated);
        stays
    }

    /// Tells operators in which room it is.
    pub(crate) fn set_room(&self, room: Option<RoomId>) {
        if let Some(online) = &self.online {
            online.set_room(room);
        }
    }
}

impl Conn<tokio::net::TcpStream> {
    /// A connection whose handshake is done, watched by tokio for readiness. `read_ahead` is what
    /// came behind the handshake.
    ///
    /// # Errors
    /// When the socket's options can't be set: it is gone.
    pub fn new(
        stream: tokio::net::TcpStream,
        read_ahead: Vec<u8>,
        peer: SocketAddr,
        now: Instant,
    ) -> io::Result<Conn<tokio::net::TcpStream>> {
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL);
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(&keepalive)?;
        socket.set_tcp_user_timeout(Some(DELIVERY_MAX))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(CONTEXT_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(CLIENT_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(CLIENT_MESSAGE_BYTES_MAX));
        let mut frames = FrameCount::default();
        frames.count(&read_ahead);
        Ok(Conn {
            socket: stream,
            link: Box::new(Link {
                context: WebSocketContext::new(Role::Server, Some(config)),
                tls: None,
                outbox: Outbox::default(),
                ahead: read_ahead,
                unread: false,
                unfinished_since: frames.is_unfinished().then_some(now),
                frames,
                limiter: Limiter::new(now),
                requests: Budget::new(now),
                name: None,
                identity: Identity::nobody(),
                online: None,
                going_away: false,
                has_played: false,
                peer,
                guest: AddressLease::unlimited(),
                seated: None,
                spot: None,
                pre_hello: None,
                _held: (None, None),
            }),
        })
    }

    /// The same connection, watched by nobody.
    pub(crate) fn unwatched(self) -> io::Result<Conn> {
        Ok(Conn {
            socket: self.socket.into_std()?,
            link: self.link,
        })
    }

    /// Asks the kernel to keep only so many bytes that the client has not taken; it doubles them.
    ///
    /// # Errors
    /// When the socket is gone.
    pub(crate) fn bound_send_buffer(&self, bytes: u32) -> io::Result<()> {
        SockRef::from(&self.socket).set_send_buffer_size(bytes as usize)
    }
}

impl Conn {
    /// The same connection, watched by tokio for readiness. In a runtime's context.
    pub(crate) fn watched(self) -> io::Result<Conn<tokio::net::TcpStream>> {
        Ok(Conn {
            socket: tokio::net::TcpStream::from_std(self.socket)?,
            link: self.link,
        })
    }
}

impl<S> Conn<S> {
    /// The same over TLS, whose handshake is done.
    pub(crate) fn with_tls(mut self, session: ServerConnection) -> Conn<S> {
        self.link.tls = Some(Box::new(Tls::new(session)));
        self
    }

    /// Keeps the socket's place until the connection is dropped.
    #[must_use]
    pub fn with_seat(mut self, seat: Seat) -> Conn<S> {
        self.link._held.0 = Some(seat);
        self
    }

    /// Keeps the address's place until the connection is dropped, the one among those without a seat while it has none, and the
    /// last until its hello.
    pub(crate) fn with_guest(
        mut self,
        guest: AddressLease,
        spot: Spot,
        pre_hello: Spot,
    ) -> Conn<S> {
        self.link.guest = guest;
        self.link.spot = Some(spot);
        self.link.pre_hello = Some(pre_hello);
        self
    }

    /// Takes messages of up to `bytes_max`. For `echo`: players' are bounded by `new`.
    pub(crate) fn set_message_bytes(&mut self, bytes_max: usize) {
        self.link.context.set_config(|config| {
            config.max_message_size = Some(bytes_max);
            config.max_frame_size = Some(bytes_max);
        });
    }

    /// Keeps `guard` until the connection is dropped.
    pub(crate) fn hold(&mut self, guard: Box<dyn Send + Sync>) {
        self.link._held.1 = Some(guard);
    }
}

// Which sockets there are is the server's own business.
#[allow(private_bounds)]
impl<S: Socket> Conn<S> {
    /// Has the kernel put what came into the scratch; [`Conn::read`] is next, before anything else is done with the
    /// connection. Only if the scratch has room.
    pub(crate) fn fetch(&self, scratch: &mut Scratch) -> Fetched {
        scratch.fetch(self)
    }

    /// Starts to read; see [`Reading::next`].
    pub(crate) fn read<'a>(
        &'a mut self,
        scratch: &'a mut Scratch,
        fetched: Fetched,
        rates: Rates,
        now: Instant,
    ) -> Reading<'a, S> {
        Reading::new(self, scratch, fetched, rates, now)
    }

    /// Writes what waits, as far as one write takes it.
    ///
    /// # Errors
    /// [`End::Lost`] when the socket is gone.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<(), End> {
        let (socket, Link { outbox, tls, .. }) = (&self.socket, &mut *self.link);
        let flushed = outbox.flush(now, |bytes| write(socket, tls, bytes));
        flushed.map_err(|error| self.lost(&error))
    }

    /// Writes what waits and the send buffer in one write. Only when the outbox is not blocked, and is as it was when the
    /// send buffer was begun.
    ///
    /// # Errors
    /// [`End::Lost`] when the socket is gone.
    pub(crate) fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        let (socket, Link { outbox, tls, .. }) = (&self.socket, &mut *self.link);
        let flushed = outbox.flush_with(send_buffers, send_buffer, now, |bytes| {
            write(socket, tls, bytes)
        });
        flushed.map_err(|error| self.lost(&error))
    }

    /// Tells the peer that TLS ends here, when nothing waits any more.
    pub(crate) fn end_tls(&mut self) {
        if let Some(tls) = &mut self.link.tls {
            tls.close(|bytes| self.socket.try_write(bytes));
        }
    }

    pub(crate) fn lost(&self, error: &io::Error) -> End {
        tracing::debug!(peer = %self.link.peer, %error, "socket lost");
        End::Lost
    }
}

fn write<S: Socket>(socket: &S, tls: &mut Option<Box<Tls>>, bytes: &[u8]) -> io::Result<usize> {
    match tls {
        None => socket.try_write(bytes),
        Some(tls) => tls.write(bytes, |bytes| socket.try_write(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    /// 300 B at 20 Hz: what is stale after 1.6 s is 32 of them.
    #[tokio::test]
    async fn what_a_client_does_not_read_is_bounded_in_the_kernel_too() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let conn = Conn::new(stream, Vec::new(), peer, Instant::now()).unwrap();
        conn.bound_send_buffer(8192).unwrap();
        let conn = conn.unwatched().unwrap();
        let snapshot = [0; 300];
        let taken = (0..10_000).take_while(|_| {
            let taken = conn.socket.try_write(&snapshot);
            matches!(taken, Ok(300))
        });
        let taken = taken.count();
        assert!((8..=32).contains(&taken), "{taken} stale snapshots");
        let given_up = SockRef::from(&conn.socket).tcp_user_timeout().unwrap();
        assert_eq!(
            given_up,
            Some(DELIVERY_MAX),
            "nor for long once it is closed"
        );
        drop(client);
    }
}
