//! A WebSocket that sends every message back, texts too and of any size: what the conformance
//! test drives. It is read and closed as a player's is, but for the limits, which that test
//! exceeds.

use std::future::poll_fn;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::state::context;
use super::*;
use crate::admission::limiter::Rates;
use crate::transport::graceful_close;

/// Bytes of a message: the greatest that the test sends has 16 MiB.
const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// As good as none.
const RATES: Rates = Rates {
    messages_per_second: u32::MAX,
    bytes_per_second: u32::MAX,
    control_per_second: u32::MAX,
};

/// Serves a connection to its end.
pub(crate) async fn echo(mut conn: WebSocket<Tcp>) {
    let mut scratch = Scratch::default();
    let end = loop {
        if let Err(end) = turn(&mut conn, &mut scratch).await {
            break end;
        }
    };
    graceful_close::close(Box::new(conn), end, std::future::pending()).await;
}

/// One message at most: its echo is out before the next is looked at.
async fn turn(conn: &mut WebSocket<Tcp>, scratch: &mut Scratch) -> Result<(), End> {
    let mut reading = Reading::new(scratch, Fetched::NONE, RATES, Instant::now());
    conn.context
        .get_or_insert_with(|| context(MESSAGE_BYTES_MAX));
    let incoming = conn.incoming(&mut reading)?;
    let message = incoming.map(|incoming| match incoming {
        Incoming::Whole(at) => Bytes::copy_from_slice(&reading.bytes[at]).into(),
        Incoming::Read(message) => message,
    });
    conn.keep(&mut reading);
    while conn.backlog().waiting_bytes > 0 {
        ready(conn, Interest::WRITABLE).await?;
        conn.flush(Instant::now())?;
    }
    let (payload, kind) = match message {
        Some(Message::Text(text)) => (text.into(), Data::Text),
        Some(Message::Binary(bytes)) => (bytes, Data::Binary),
        Some(_) => return Ok(()),
        None => return ready(conn, Interest::READABLE).await,
    };
    // Past the outbox, which holds as much as a player may be behind.
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    let frame = Frame::message(payload, OpCode::Data(kind), true);
    frame.format(&mut bytes).map_err(|_| End::Lost)?;
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        ready(conn, Interest::WRITABLE).await?;
        match conn.socket.try_write(left) {
            Ok(size) => left = &left[size..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(End::Lost),
        }
    }
    Ok(())
}

async fn ready(conn: &mut WebSocket<Tcp>, interest: Interest) -> Result<(), End> {
    let ready = poll_fn(|cx| conn.poll_ready(cx, interest)).await;
    ready.map_err(|_| End::Lost)
}
