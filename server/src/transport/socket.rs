//! The socket below a transport: TCP's, or what a test takes for it.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::Interest;

use super::tls::Tls;

/// Idle seconds until the kernel asks whether the peer is still there: a phone that lost its
/// network says nothing, and nothing is ever written to an idle member of the lobby.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Between the kernel's further questions, of which it asks three.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How long the kernel tries to deliver what was written, to a peer that confirms nothing or takes
/// nothing, before the socket is gone. It goes on when this process has closed it, and would for a
/// quarter of an hour. Not sooner than keepalive gives up, which it would cut short.
pub(super) const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// A socket that never blocks. What has to do with tasks need not be there where no task waits.
pub trait Socket: Send {
    /// Reads what is there, `WouldBlock` if nothing is.
    ///
    /// # Errors
    /// When the peer is gone.
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize>;

    /// Writes what is taken at once, `WouldBlock` if nothing is.
    ///
    /// # Errors
    /// When the peer is gone.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Closes the way out.
    ///
    /// # Errors
    /// When the peer is gone.
    fn shutdown(&self) -> io::Result<()>;

    /// See [`crate::transport::Transport::watch`].
    ///
    /// # Errors
    /// As there.
    fn watch(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// See [`crate::transport::Transport::unwatch`].
    ///
    /// # Errors
    /// As there.
    fn unwatch(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// See [`crate::transport::Transport::poll_ready`].
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// TCP's: std's in a worker, tokio's where a task waits for it.
pub enum Tcp {
    /// Watched by nobody.
    Still(TcpStream),
    /// Watched for readiness.
    Watched(tokio::net::TcpStream),
    /// Lost between the two.
    Gone,
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl Tcp {
    /// A client's socket, watched by tokio for readiness.
    ///
    /// # Errors
    /// When its options can't be set: it is gone.
    pub(super) fn new(stream: tokio::net::TcpStream) -> io::Result<Tcp> {
        stream.set_nodelay(true)?;
        let socket = Tcp::Watched(stream);
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL);
        let options = socket.options()?;
        options.set_tcp_keepalive(&keepalive)?;
        options.set_tcp_user_timeout(Some(DELIVERY_MAX))?;
        Ok(socket)
    }

    /// Asks the kernel to keep only so many bytes that the client has not taken; it doubles them.
    ///
    /// # Errors
    /// When the socket is gone.
    pub(super) fn bound_send_buffer(&self, bytes: u32) -> io::Result<()> {
        self.options()?.set_send_buffer_size(bytes as usize)
    }

    /// For its options.
    pub(super) fn options(&self) -> io::Result<SockRef<'_>> {
        match self {
            Tcp::Still(socket) => Ok(SockRef::from(socket)),
            Tcp::Watched(socket) => Ok(SockRef::from(socket)),
            Tcp::Gone => Err(gone()),
        }
    }
}

impl Socket for Tcp {
    #[inline]
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Tcp::Still(socket) => (&*socket).read(bytes),
            Tcp::Watched(socket) => socket.try_read(bytes),
            Tcp::Gone => Err(gone()),
        }
    }

    #[inline]
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Tcp::Still(socket) => (&*socket).write(bytes),
            Tcp::Watched(socket) => socket.try_write(bytes),
            Tcp::Gone => Err(gone()),
        }
    }

    fn shutdown(&self) -> io::Result<()> {
        self.options()?.shutdown(Shutdown::Write)
    }

    fn watch(&mut self) -> io::Result<()> {
        if let Tcp::Still(socket) = mem::replace(self, Tcp::Gone) {
            *self = Tcp::Watched(tokio::net::TcpStream::from_std(socket)?);
        }
        Ok(())
    }

    fn unwatch(&mut self) -> io::Result<()> {
        if let Tcp::Watched(socket) = mem::replace(self, Tcp::Gone) {
            *self = Tcp::Still(socket.into_std()?);
        }
        Ok(())
    }

    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        let Tcp::Watched(socket) = self else {
            return Poll::Ready(Err(gone()));
        };
        if interest.is_readable()
            && let Poll::Ready(ready) = socket.poll_read_ready(cx)
        {
            return Poll::Ready(ready);
        }
        match interest.is_writable() {
            true => socket.poll_write_ready(cx),
            false => Poll::Pending,
        }
    }
}

/// Writes through TLS, if there is any.
pub(super) fn write<S: Socket>(
    socket: &S,
    tls: &mut Option<Box<Tls>>,
    bytes: &[u8],
) -> io::Result<usize> {
    match tls {
        None => socket.try_write(bytes),
        Some(tls) => tls.write(bytes, |bytes| socket.try_write(bytes)),
    }
}

/// Closes the way out, TLS's own end first.
pub(super) fn finish<S: Socket>(socket: &S, tls: &mut Option<Box<Tls>>) -> io::Result<()> {
    if let Some(tls) = tls {
        tls.close(|bytes| socket.try_write(bytes));
    }
    socket.shutdown()
}
