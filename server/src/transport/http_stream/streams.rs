//! The streams of one server, by the number that stands in their requests' paths. As many as there
//! are seats for connections, of which each holds one. The lock is taken once a request, never on
//! the tick path but where a client goes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use rustls::ServerConnection;
use tokio::sync::oneshot;

use super::down::Down;
use super::exchange::{Arrival, Exchange};
use super::state::HttpStream;
use crate::auth::Entropy;
use crate::transport::socket::{Socket, Tcp};
use crate::transport::tls::Tls;

/// Digits of a number in a path.
const ID_DIGITS: usize = 16;

type Table = Mutex<HashMap<u64, Arc<Exchange<Tcp>>>>;

/// See the module's description.
#[derive(Default)]
pub(crate) struct Streams {
    table: Arc<Table>,
    entropy: Entropy,
}

/// What a client is told of its stream.
pub(crate) struct Opened {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A stream's place in the table, which it leaves when it is dropped.
struct Entry {
    table: Arc<Table>,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.lock().remove(&self.id);
    }
}

impl Streams {
    /// A new one. `None`: the system has no random numbers.
    pub(crate) fn open(&self, peer: SocketAddr, now: Instant) -> Option<(HttpStream<Tcp>, Opened)> {
        let id = u64::from_le_bytes(self.entropy.bytes().ok()?);
        let [high, low] = [self.entropy.bytes().ok()?, self.entropy.bytes().ok()?];
        let [high, low] = [high, low].map(u64::from_le_bytes);
        let secret = format!("{high:016x}{low:016x}");
        let mut digits = [0; 32];
        digits.copy_from_slice(secret.as_bytes());
        let exchange = Arc::new(Exchange::new(digits));
        // One in 2^64 has the number of another one, which is lost to its client then.
        self.table.lock().insert(id, exchange.clone());
        let entry = Entry {
            table: self.table.clone(),
            id,
        };
        let stream = HttpStream::new(exchange, Box::new(entry), peer, now);
        let id = format!("{id:016x}");
        Some((stream, Opened { id, secret }))
    }

    /// The one that a request is for, if it may speak for its client.
    pub(crate) fn find(&self, id: &str, secret: &[u8]) -> Option<Arc<Exchange<Tcp>>> {
        let is_digit = |digit: u8| digit.is_ascii_digit() || matches!(digit, b'a'..=b'f');
        if id.len() != ID_DIGITS || !id.bytes().all(is_digit) {
            return None;
        }
        let id = u64::from_str_radix(id, 16).ok()?;
        let exchange = self.table.lock().get(&id)?.clone();
        exchange.opens(secret).then_some(exchange)
    }
}

impl Exchange<Tcp> {
    /// A streaming answer's socket, whose head is out. `held` is kept until it is closed.
    ///
    /// # Errors
    /// The socket is gone.
    pub(crate) fn stream(
        &self,
        stream: tokio::net::TcpStream,
        session: Option<ServerConnection>,
        send_buffer: u32,
        received: u32,
        held: Box<dyn Send>,
    ) -> std::io::Result<()> {
        let mut socket = Tcp::new(stream)?;
        socket.bound_send_buffer(send_buffer)?;
        // Whoever takes it may have no runtime.
        socket.unwatch()?;
        let down = Down::Stream {
            socket,
            tls: session.map(|session| Box::new(Tls::new(session))),
            _held: held,
        };
        self.arrive(Arrival { down, received });
        Ok(())
    }
}

impl<S: Socket> Exchange<S> {
    /// The answer to a long poll: what there is within `patience`, nothing if there is nothing.
    /// `None`: the stream is at its end, or another request asks for its messages now.
    pub(crate) async fn poll(&self, received: u32, patience: Duration) -> Option<Bytes> {
        let (answer, mut answered) = oneshot::channel();
        let down = Down::Poll(answer);
        self.arrive(Arrival { down, received });
        match tokio::time::timeout(patience, &mut answered).await {
            Ok(answered) => answered.ok(),
            Err(_) => {
                answered.close();
                // It may have been given in this moment.
                Some(answered.try_recv().unwrap_or_default())
            }
        }
    }
}
