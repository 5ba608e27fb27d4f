//! Sockets to servers and sentinels: TCP, TLS where the URL says so, and no more bytes than what
//! was asked can have for its answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::config::Host;
use crate::directory::engine::Failure;

/// How long bytes may wait for the other host's kernel to have them: a host that is gone ends the
/// connection. So does a process there that stands still for so long, once its kernel's buffers are
/// full and take no more (Linux counts a window of zero, too): some hundred KB to MB after it
/// stopped, which checkpoints come to and beats do not, as the next one waits for an answer.
const DELIVERY_MAX: Duration = Duration::from_secs(10);
/// How long a connection is silent before the other host is asked whether it is there, and again.
const KEEPALIVE: Duration = Duration::from_secs(5);

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that fails when it brings more bytes than are allowed.
pub(super) struct Metered {
    io: Box<dyn Io>,
    left: Arc<AtomicUsize>,
}

/// Connects to one of the host's addresses, the first that answers. Bounded in time by the caller.
/// `left` is how many bytes may come until it is set anew.
///
/// # Errors
/// Where nobody is, or who is not trusted.
pub(super) async fn dial(
    host: &Host,
    tls: Option<&Arc<ClientConfig>>,
    left: Arc<AtomicUsize>,
) -> Result<Metered, Failure> {
    let away = |error: io::Error| Failure::Away(format!("{host}: {error}"));
    let addresses = tokio::net::lookup_host((host.name.as_str(), host.port)).await;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    let mut found = None;
    for address in addresses.map_err(away)? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                found = Some(stream);
                break;
            }
            Err(error) => last = error,
        }
    }
    let stream = found.ok_or_else(|| away(last))?;
    stream.set_nodelay(true).map_err(away)?;
    let options = SockRef::from(&stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE);
    options.set_tcp_keepalive(&keepalive).map_err(away)?;
    #[cfg(target_os = "linux")]
    options
        .set_tcp_user_timeout(Some(DELIVERY_MAX))
        .map_err(away)?;
    let io: Box<dyn Io> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let name = ServerName::try_from(host.name.clone());
            let name = name.map_err(|_| Failure::Unsuitable(format!("{host} is no TLS name")))?;
            let connector = TlsConnector::from(config.clone());
            let session = connector.connect(name, stream).await;
            // A certificate that is not believed does not change by itself; a reset may.
            let session = session.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Failure::Unsuitable(format!("{host}: TLS: {error}")),
                _ => away(error),
            })?;
            Box::new(session)
        }
    };
    Ok(Metered { io, left })
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let came = buffer.filled().len() - before;
        let left = self.left.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(came) else {
            return Poll::Ready(Err(io::Error::other("it says more than it was asked")));
        };
        self.left.store(left, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
