//! The bots' connection: messages in, messages out, and how it ended, by a WebSocket or by `requests`;
//! what the bytes mean is `player`'s. Called by `bot` and `hostile`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tickwire::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire::protocol::{CloseCode, SUBPROTOCOL};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::dial::{CLOSE_WITHIN, Incoming, Stream, connect};
use crate::ending::{ABNORMAL, NO_CODE};
use crate::requests::Requests;
use crate::target::{Target, Transport};

/// From the first SYN to the 101. A ramp faster than the server's accept loop waits here.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// What the server allows for; its default of 128 KiB would be most of a bot's memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// An open connection.
pub(crate) enum Socket {
    WebSocket(Box<WebSocketStream<Box<dyn Stream>>>),
    Requests(Box<Requests>),
}

impl Socket {
    /// Opens one, by the target's transport.
    ///
    /// # Errors
    /// One line saying why not.
    pub(crate) async fn connect(target: &Target) -> Result<Socket, String> {
        match timeout(CONNECT_WITHIN, Socket::open(target)).await {
            Ok(opened) => opened,
            Err(_) => Err(format!("no answer within {} s", CONNECT_WITHIN.as_secs())),
        }
    }

    async fn open(target: &Target) -> Result<Socket, String> {
        if target.transport != Transport::Websocket {
            let requests = Requests::open(target).await?;
            return Ok(Socket::Requests(Box::new(requests)));
        }
        let web_socket = Socket::web_socket(target).await;
        let web_socket = web_socket.map_err(|error| error.to_string())?;
        Ok(Socket::WebSocket(Box::new(web_socket)))
    }

    async fn web_socket(target: &Target) -> Result<WebSocketStream<Box<dyn Stream>>, Error> {
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
        Ok(socket)
    }

    /// The next message. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Incoming {
        let socket = match self {
            Socket::WebSocket(socket) => socket,
            Socket::Requests(requests) => return requests.next().await,
        };
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return Incoming::Message(bytes, socket.get_ref().arrived_us());
                }
                Some(Ok(Message::Close(frame))) => {
                    // The answer to the close is written here.
                    let _ = timeout(CLOSE_WITHIN, socket.flush()).await;
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
        let socket = match self {
            Socket::WebSocket(socket) => socket,
            Socket::Requests(requests) => return requests.send(messages).await,
        };
        for bytes in messages {
            if socket.send(Message::binary(bytes)).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Sends a text message, which no client should, nor can without a WebSocket.
    pub(crate) async fn send_text(&mut self, text: &str) -> bool {
        match self {
            Socket::WebSocket(socket) => socket.send(Message::text(text)).await.is_ok(),
            Socket::Requests(_) => false,
        }
    }

    /// Says goodbye and waits for the answer, both within [`CLOSE_WITHIN`].
    pub(crate) async fn close(self, code: CloseCode) {
        let mut socket = match self {
            Socket::WebSocket(socket) => *socket,
            Socket::Requests(requests) => return requests.close(code).await,
        };
        let frame = CloseFrame {
            code: code.number().into(),
            reason: code.reason().into(),
        };
        let goodbye = async {
            if socket.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = socket.next().await {}
            }
        };
        let _ = timeout(CLOSE_WITHIN, goodbye).await;
    }
}
