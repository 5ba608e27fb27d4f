//! WebSocket over a socket: the transport of browsers. How it is read is `reading`; what waits to
//! be written is `outbox`; what is below is a [`Socket`], in a server TCP's.

mod frames;
mod outbox;
mod reading;
mod socket;
mod state;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tickwire::protocol::CloseCode;
use tokio::io::Interest;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::reading::{Fetched, Reading, Scratch};
use super::send_buffers::{SendBuffer, SendBuffers};
use super::way::{Backlog, End, Transport};
use crate::prefetch::prefetch_from_to;
use reading::Incoming;
pub use socket::{Socket, Tcp};
pub use state::WebSocket;
use tls::Tls;

impl<S: Socket> WebSocket<S> {
    /// Takes messages of up to `bytes_max`. For `echo`: players' are bounded by `new`.
    pub(crate) fn set_message_bytes(&mut self, bytes_max: usize) {
        self.context.set_config(|config| {
            config.max_message_size = Some(bytes_max);
            config.max_frame_size = Some(bytes_max);
        });
    }

    /// The next message, a text too. For `echo`.
    pub(crate) fn next_message(
        &mut self,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Message>, End> {
        let incoming = self.incoming(reading)?;
        Ok(incoming.map(|incoming| match incoming {
            Incoming::Whole(at) => Bytes::copy_from_slice(&reading.bytes[at]).into(),
            Incoming::Read(message) => message,
        }))
    }

    /// Writes past the outbox, which holds as much as a player may be behind. For `echo`.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_write(bytes)
    }
}

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
        self.next_binary(reading)
    }

    fn keep(&mut self, reading: &mut Reading<'_>) {
        self.keep_rest(reading);
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
        let WebSocket {
            socket,
            outbox,
            tls,
            ..
        } = self;
        let flushed = outbox.flush(now, |bytes| write(socket, tls, bytes));
        flushed.map_err(|error| self.lost(&error))
    }

    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        let WebSocket {
            socket,
            outbox,
            tls,
            ..
        } = self;
        let flushed = outbox.flush_with(send_buffers, send_buffer, now, |bytes| {
            write(socket, tls, bytes)
        });
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

    /// TLS's own end first.
    fn finish(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.close(|bytes| self.socket.try_write(bytes));
        }
        self.socket.shutdown()
    }

    fn discard(&mut self) -> io::Result<usize> {
        // On the stack of this turn only, not part of what a task keeps.
        self.socket.try_read(&mut [0; 1024])
    }
}

fn write<S: Socket>(socket: &S, tls: &mut Option<Box<Tls>>, bytes: &[u8]) -> io::Result<usize> {
    match tls {
        None => socket.try_write(bytes),
        Some(tls) => tls.write(bytes, |bytes| socket.try_write(bytes)),
    }
}
