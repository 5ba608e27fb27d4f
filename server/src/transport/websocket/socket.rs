//! The socket below a WebSocket: TCP's, or what a test takes for it.

use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::Interest;

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
