//! A WebSocket's state: socket, frames, TLS, outbox and what its client may send.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use rustls::ServerConnection;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use super::frames::{FrameCount, Frames};
use crate::admission::limiter::Limiter;
use crate::transport::outbox::Outbox;
use crate::transport::socket::{Socket, Tcp};
use crate::transport::tls::Tls;
use crate::transport::way::End;

/// Bytes that the WebSocket context takes at a time: the slices it is fed are in memory already,
/// so a larger buffer would only cost memory per connection.
const CONTEXT_BUFFER_BYTES: usize = 128;
/// A connection after the handshake. In this order in memory: all but the address is what a turn
/// touches of one that sends inputs and takes snapshots.
#[repr(C)]
pub struct WebSocket<S> {
    pub(super) socket: S,
    /// Whether the context may hold whole messages: its reading was left off.
    pub(super) unread: bool,
    /// Whether the client's close frame says that it may come back.
    pub(super) going_away: bool,
    pub(super) frames: FrameCount,
    pub(super) limiter: Limiter,
    /// Between the outbox and the socket, and between that and the context; boxed, since most
    /// servers leave it to a proxy.
    pub(super) tls: Option<Box<Tls>>,
    /// Bytes that were read from the socket, or by the handshake, but not by the context.
    pub(super) ahead: Vec<u8>,
    /// Since when a message, or a frame between two, lacks its end.
    pub(super) unfinished_since: Option<Instant>,
    /// Frames that wait to be written.
    pub(super) outbox: Outbox<Frames>,
    /// Takes what is more than a whole binary message, and is there only while it is amid that: it
    /// is as large as all the rest.
    pub(super) context: Option<Box<WebSocketContext>>,
    pub(super) peer: SocketAddr,
}

/// A context before its first frame, for messages of so many bytes.
pub(super) fn context(message_bytes_max: usize) -> Box<WebSocketContext> {
    let config = WebSocketConfig::default()
        .read_buffer_size(CONTEXT_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max));
    Box::new(WebSocketContext::new(Role::Server, Some(config)))
}

impl WebSocket<Tcp> {
    /// A connection whose handshake is done, watched by tokio for readiness. `read_ahead` is what
    /// came behind the handshake.
    ///
    /// # Errors
    /// When the socket's options can't be set: it is gone.
    pub fn tcp(
        stream: tokio::net::TcpStream,
        read_ahead: Vec<u8>,
        peer: SocketAddr,
        now: Instant,
    ) -> io::Result<WebSocket<Tcp>> {
        let socket = Tcp::new(stream)?;
        Ok(WebSocket::new(socket, read_ahead, peer, now))
    }

    /// The same over TLS, whose handshake is done.
    pub(crate) fn with_tls(mut self, session: ServerConnection) -> WebSocket<Tcp> {
        self.tls = Some(Box::new(Tls::new(session)));
        self
    }

    /// Asks the kernel to keep only so many bytes that the client has not taken; it doubles them.
    ///
    /// # Errors
    /// When the socket is gone.
    pub(crate) fn bound_send_buffer(&self, bytes: u32) -> io::Result<()> {
        self.socket.bound_send_buffer(bytes)
    }
}

impl<S: Socket> WebSocket<S> {
    /// A connection whose handshake is done, over any socket.
    pub fn new(socket: S, read_ahead: Vec<u8>, peer: SocketAddr, now: Instant) -> WebSocket<S> {
        let mut frames = FrameCount::default();
        frames.count(&read_ahead);
        WebSocket {
            socket,
            unread: false,
            going_away: false,
            unfinished_since: frames.is_unfinished().then_some(now),
            frames,
            limiter: Limiter::new(now),
            tls: None,
            ahead: read_ahead,
            outbox: Outbox::default(),
            context: None,
            peer,
        }
    }

    pub(super) fn lost(&self, error: &io::Error) -> End {
        tracing::debug!(peer = %self.peer, %error, "socket lost");
        End::Lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::socket::DELIVERY_MAX;
    use crate::transport::way::Transport;
    use std::net::{Ipv4Addr, TcpStream};
    use tokio::net::TcpListener;

    /// 300 B at 20 Hz: what is stale after 1.6 s is 32 of them.
    #[tokio::test]
    async fn what_a_client_does_not_read_is_bounded_in_the_kernel_too() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let mut conn = WebSocket::tcp(stream, Vec::new(), peer, Instant::now()).unwrap();
        conn.bound_send_buffer(8192).unwrap();
        conn.unwatch().unwrap();
        let snapshot = [0; 300];
        let taken = (0..10_000).take_while(|_| {
            let taken = conn.socket.try_write(&snapshot);
            matches!(taken, Ok(300))
        });
        let taken = taken.count();
        assert!((8..=32).contains(&taken), "{taken} stale snapshots");
        let given_up = conn.socket.options().unwrap().tcp_user_timeout().unwrap();
        assert_eq!(
            given_up,
            Some(DELIVERY_MAX),
            "nor for long once it is closed"
        );
        drop(client);
    }
}
