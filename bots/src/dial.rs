//! Bytes to a server and back, over TCP or TLS: the only file here, but for `stamped` and the proxy,
//! with sockets. And what comes of a connection over them. Called by `socket`, `requests`, `hostile`
//! and `ops`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Bytes;

use crate::stamped::Stamped;
use crate::target::Target;

/// For the other side's goodbye, and for a last write.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What came.
pub(crate) enum Incoming {
    /// A binary message, and when the kernel had it: see [`Stamped::arrived_us`].
    Message(Bytes, Option<u64>),
    /// The end: the server's close code, or [`crate::ending::ABNORMAL`].
    Closed(u16),
}

/// Bytes both ways, over TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// See [`Stamped::arrived_us`].
    fn arrived_us(&self) -> Option<u64>;
}

impl Stream for Stamped {
    fn arrived_us(&self) -> Option<u64> {
        self.arrived_us()
    }
}

impl Stream for TlsStream<Stamped> {
    fn arrived_us(&self) -> Option<u64> {
        self.get_ref().0.arrived_us()
    }
}

/// A connection, over TLS if the URL asks for it.
pub(crate) async fn connect(target: &Target) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(&target.authority).await?;
    stream.set_nodelay(true)?;
    let stream = Stamped::new(stream);
    Ok(match &target.tls {
        None => Box::new(stream),
        Some((name, connector)) => Box::new(connector.connect(name.clone(), stream).await?),
    })
}

/// Begins a handshake and sends a byte of it every so often, until the server closes.
pub(crate) async fn drip(target: &Target, every: Duration) {
    let Ok(mut stream) = connect(target).await else {
        return;
    };
    let head = b"GET /ws HTTP/1.1\r\nHost: "
        .iter()
        .chain(std::iter::repeat(&b'a'));
    for byte in head {
        let mut answer = [0; 64];
        match timeout(every, stream.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => return,
            // Whatever it says: only the end counts.
            Ok(Ok(_)) => {}
            Err(_) if stream.write_all(&[*byte]).await.is_err() => return,
            Err(_) => {}
        }
    }
}

/// The body of a GET at a server's port; `None` if it is not granted in time.
pub(crate) async fn fetch(address: SocketAddr, path: &str) -> Option<String> {
    let fetched = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = timeout(CLOSE_WITHIN, fetched).await.ok()?.ok()?;
    let granted = answer.strip_prefix("HTTP/1.1 200 ")?;
    let (_, body) = granted.split_once("\r\n\r\n")?;
    Some(body.to_owned())
}
