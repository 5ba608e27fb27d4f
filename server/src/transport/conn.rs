//! The connection that lobby and workers own: one transport or another. Calls are static where
//! nearly all are; what else there is goes through the trait, so that it is in no list.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use tickwire::protocol::CloseCode;
use tokio::io::Interest;

use super::reading::{Fetched, Reading, Scratch};
use super::send_buffers::{SendBuffer, SendBuffers};
use super::way::{Backlog, End, Transport};
use super::websocket::{Tcp, WebSocket};

/// A client's way, whichever it is: calls are static where nearly all are.
pub enum Conn {
    /// WebSocket over TCP.
    WebSocket(Box<WebSocket<Tcp>>),
    /// Any other.
    Other(Box<dyn Transport>),
}

impl From<WebSocket<Tcp>> for Conn {
    fn from(way: WebSocket<Tcp>) -> Conn {
        Conn::WebSocket(Box::new(way))
    }
}

impl Conn {
    /// Starts to read; see [`Read::next`].
    pub(crate) fn read<'a>(&'a mut self, reading: Reading<'a>) -> Read<'a, Conn> {
        Read::new(self, reading)
    }

    /// A message waits to go out, behind all others.
    pub(crate) fn send(&mut self, message: &[u8]) {
        self.push(&[message]);
    }
}

macro_rules! either {
    ($conn:expr, $way:ident => $call:expr) => {
        match $conn {
            Conn::WebSocket($way) => $call,
            Conn::Other($way) => $call,
        }
    };
}

impl Transport for Conn {
    #[inline]
    fn prefetch(&self) {
        either!(self, way => way.prefetch());
    }

    #[inline]
    fn fetch(&self, scratch: &mut Scratch) -> Fetched {
        either!(self, way => way.fetch(scratch))
    }

    #[inline]
    fn next<'a>(&mut self, reading: &'a mut Reading<'_>) -> Result<Option<&'a [u8]>, End> {
        either!(self, way => way.next(reading))
    }

    #[inline]
    fn keep(&mut self, reading: &mut Reading<'_>) {
        either!(self, way => way.keep(reading));
    }

    fn push(&mut self, parts: &[&[u8]]) {
        either!(self, way => way.push(parts));
    }

    fn push_close(&mut self, code: CloseCode) {
        either!(self, way => way.push_close(code));
    }

    #[inline]
    fn front_bytes(&self) -> usize {
        either!(self, way => way.front_bytes())
    }

    #[inline]
    fn flush(&mut self, now: Instant) -> Result<(), End> {
        either!(self, way => way.flush(now))
    }

    #[inline]
    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        either!(self, way => way.flush_with(send_buffers, send_buffer, now))
    }

    #[inline]
    fn backlog(&self) -> Backlog {
        either!(self, way => way.backlog())
    }

    fn peer(&self) -> SocketAddr {
        either!(self, way => way.peer())
    }

    fn watch(&mut self) -> io::Result<()> {
        either!(self, way => way.watch())
    }

    fn unwatch(&mut self) -> io::Result<()> {
        either!(self, way => way.unwatch())
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        either!(self, way => way.poll_ready(cx, interest))
    }

    fn finish(&mut self) -> io::Result<()> {
        either!(self, way => way.finish())
    }

    fn discard(&mut self) -> io::Result<usize> {
        either!(self, way => way.discard())
    }
}

/// A connection that is being read. Dropping it leaves what was not asked for in the connection.
pub struct Read<'a, T: Transport> {
    conn: &'a mut T,
    reading: Reading<'a>,
}

impl<'a, T: Transport> Read<'a, T> {
    pub(super) fn new(conn: &'a mut T, reading: Reading<'a>) -> Read<'a, T> {
        Read { conn, reading }
    }

    /// The next message and its connection, `None` when there is no more for now.
    ///
    /// # Errors
    /// The connection is at its end; don't read it again.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(&[u8], &mut T)>, End> {
        let Read { conn, reading } = self;
        Ok(conn.next(reading)?.map(|message| (message, &mut **conn)))
    }
}

impl<T: Transport> Drop for Read<'_, T> {
    fn drop(&mut self) {
        self.conn.keep(&mut self.reading);
    }
}
