//! The bots' WebSocket: the only file here, but for `stamped` and the proxy, with sockets. Frames
//! in, frames out, and how it ended; what the bytes mean is `player`'s. Called by `bot`, `hostile`
//! and `ops`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tickwire::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire::protocol::{CloseCode, SUBPROTOCOL};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::ending::{ABNORMAL, NO_CODE};
use crate::stamped::Stamped;
use crate::target::Target;

/// From the first SYN to the 101. A ramp faster than the server's accept loop waits here.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// For the other side's close frame, and for a last write.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// What the server allows for; its default of 128 KiB would be most of a bot's memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Bytes both ways, over TCP or TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
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
async fn connect(target: &Target) -> io::Result<Box<dyn Stream>> {
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

/// An open WebSocket.
pub(crate) struct Socket(WebSocketStream<Box<dyn Stream>>);

/// What came.
pub(crate) enum Incoming {
    /// A binary message, and when the kernel had it: see [`Stamped::arrived_us`].
    Message(Bytes, Option<u64>),
    /// The end: the server's close code, or [`ABNORMAL`].
    Closed(u16),
}

impl Socket {
    /// Opens a WebSocket.
    ///
    /// # Errors
    /// One line saying why not.
    pub(crate) async fn connect(target: &Target) -> Result<Socket, String> {
        match timeout(CONNECT_WITHIN, Socket::open(target)).await {
            Ok(Ok(socket)) => Ok(socket),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", CONNECT_WITHIN.as_secs())),
        }
    }

    async fn open(target: &Target) -> Result<Socket, Error> {
        let stream = connect(target).await?;
        let mut request = target.uri.clone().into_client_request()?;
        request.headers_mut().insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(64 * 1024)
            .max_message_size(Some(SERVER_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SERVER_MESSAGE_BYTES_MAX));
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Socket(socket))
    }

    /// The next message. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Incoming {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return Incoming::Message(bytes, self.0.get_ref().arrived_us());
                }
                Some(Ok(Message::Close(frame))) => {
                    // The answer to the close is written here.
                    let _ = timeout(CLOSE_WITHIN, self.0.flush()).await;
                    let code = frame.map_or(NO_CODE, |frame| frame.code.into());
                    return Incoming::Closed(code);
                }
                // Pings are answered beneath; the server sends no text.
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Incoming::Closed(ABNORMAL),
            }
        }
    }

    /// Sends binary messages in one go. False when the socket is broken: the next
    /// [`Socket::next`] says how it ended.
    pub(crate) async fn send(&mut self, messages: impl Iterator<Item = Vec<u8>>) -> bool {
        for bytes in messages {
            if self.0.send(Message::binary(bytes)).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Sends a text message, which no client should.
    pub(crate) async fn send_text(&mut self, text: &str) -> bool {
        self.0.send(Message::text(text)).await.is_ok()
    }

    /// Says goodbye and waits for the answer, both within [`CLOSE_WITHIN`].
    pub(crate) async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame {
            code: code.number().into(),
            reason: code.reason().into(),
        };
        let goodbye = async {
            if self.0.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }
}
