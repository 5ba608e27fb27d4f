//! WebSocket over a socket: the transport of browsers. How it is read is `reading`; what waits to
//! be written is an `outbox`; what is below is a [`Socket`], in a server TCP's.

mod frames;
mod reading;
mod state;
#[cfg(test)]
pub(crate) mod tests;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use tickwire::protocol::{CloseCode, Kind};
use tokio::io::Interest;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::reading::{Fetched, Reading, Scratch};
use super::send_buffers::{SendBuffer, SendBuffers};
pub use super::socket::{Socket, Tcp};
use super::socket::{finish, write};
use super::way::{Backlog, End, Transport};
use crate::prefetch::prefetch_from_to;
#[cfg(test)]
pub(super) use frames::Frames;
use reading::Incoming;
pub use state::WebSocket;

impl<S: Socket> Transport for WebSocket<S> {
    fn prefetch(&self) {
        prefetch_from_to(&self.socket, &self.context);
    }

    fn fetch(&self, scratch: &mut Scratch) -> Fetched {
        if !self.ahead.is_empty() || self.unread || self.tls.is_some() {
            return Fetched::NONE;
        }
        scratch.fetch(|bytes| self.socket.try_read(bytes))
    }

    fn next<'a>(&mut self, reading: &'a mut Reading<'_>) -> Result<Option<&'a [u8]>, End> {
        let (rates, now) = (reading.rates, reading.now);
        let message = match self.incoming(reading)? {
            Some(Incoming::Whole(at)) => &reading.bytes[at],
            Some(Incoming::Read(Message::Binary(message))) => reading.lend(message),
            Some(Incoming::Read(_)) => return Err(End::Close(CloseCode::Text)),
            None => return Ok(None),
        };
        let is_control = message.first() == Some(&(Kind::Control as u8));
        if is_control && !self.limiter.charge_control(rates, now) {
            return Err(End::Close(CloseCode::TooMany));
        }
        Ok(Some(message))
    }

    fn keep(&mut self, reading: &mut Reading<'_>) {
        // Too much is too much at the next count as well.
        let _ = self.take_fetched(reading);
        let rest = &reading.bytes[reading.from..reading.to];
        if !rest.is_empty() {
            self.ahead.splice(..0, rest.iter().copied());
        }
    }

    fn push(&mut self, parts: &[&[u8]]) {
        self.outbox.push_parts(parts);
    }

    fn push_close(&mut self, code: CloseCode) {
        self.outbox.push_close(code);
    }

    fn front_bytes(&self) -> usize {
        self.outbox.front_bytes()
    }

    fn flush(&mut self, now: Instant) -> Result<(), End> {
        let (socket, tls) = (&self.socket, &mut self.tls);
        let flushed = self.outbox.flush(now, |bytes| write(socket, tls, bytes));
        flushed.map_err(|error| self.lost(&error))
    }

    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        let (socket, tls) = (&self.socket, &mut self.tls);
        let write = |bytes: &[u8]| write(socket, tls, bytes);
        let flushed = self
            .outbox
            .flush_with(send_buffers, send_buffer, now, write);
        flushed.map_err(|error| self.lost(&error))
    }

    fn backlog(&self) -> Backlog {
        Backlog {
            unfinished_since: self.unfinished_since,
            ..self.outbox.backlog()
        }
    }

    fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn watch(&mut self) -> io::Result<()> {
        self.socket.watch()
    }

    fn unwatch(&mut self) -> io::Result<()> {
        self.socket.unwatch()
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        self.socket.poll_ready(cx, interest)
    }

    fn finish(&mut self) -> io::Result<()> {
        finish(&self.socket, &mut self.tls)
    }

    fn discard(&mut self) -> io::Result<usize> {
        // On the stack of this turn only, not part of what a task keeps.
        self.socket.try_read(&mut [0; 1024])
    }
}
