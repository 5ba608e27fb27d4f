//! A WebSocket that sends every message back, texts too and of any size: what the conformance
//! test drives. It is opened, read, closed as a player's is, but for the limits, which that test
//! exceeds. No program and no setting leads here: only `lib::run_with_echo` does.

use std::time::Instant;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::admission::limiter::Rates;
use crate::transport::conn::{Conn, End};
use crate::transport::graceful_close::graceful_close;
use crate::transport::reading::{Fetched, Scratch};

/// Bytes of a message: the greatest that the test sends has 16 MiB.
const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// As good as none.
const RATES: Rates = Rates {
    messages_per_second: u32::MAX,
    bytes_per_second: u32::MAX,
    control_per_second: u32::MAX,
};

/// Serves a connection to its end.
pub(super) async fn serve(mut conn: Conn<TcpStream>) {
    conn.set_message_bytes(MESSAGE_BYTES_MAX);
    let mut scratch = Scratch::default();
    let end = loop {
        if let Err(end) = turn(&mut conn, &mut scratch).await {
            break end;
        }
    };
    graceful_close(conn, end).await;
}

/// One message at most: its echo is out before the next is looked at.
async fn turn(conn: &mut Conn<TcpStream>, scratch: &mut Scratch) -> Result<(), End> {
    let mut reading = conn.read(scratch, Fetched::NONE, RATES, Instant::now());
    let message = reading.next_message()?;
    drop(reading);
    while !conn.link.outbox.is_empty() {
        conn.socket.writable().await.map_err(|_| End::Lost)?;
        conn.flush(Instant::now())?;
    }
    let (payload, kind) = match message {
        Some(Message::Text(text)) => (text.into(), Data::Text),
        Some(Message::Binary(bytes)) => (bytes, Data::Binary),
        Some(_) => return Ok(()),
        None => {
            let readable = conn.socket.readable().await;
            return readable.map_err(|_| End::Lost);
        }
    };
    // Past the outbox, which holds as much as a player may be behind.
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    let frame = Frame::message(payload, OpCode::Data(kind), true);
    frame.format(&mut bytes).map_err(|_| End::Lost)?;
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        conn.socket.writable().await.map_err(|_| End::Lost)?;
        match conn.socket.try_write(left) {
            Ok(size) => left = &left[size..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(conn.lost(&error)),
        }
    }
    Ok(())
}
