//! A stream of answers down and requests up: the transport where WebSocket does not get through. A
//! client's messages come in the bodies of its requests, by an `Exchange`; what goes to it is
//! written into one streaming answer's socket, as cheaply as into a WebSocket's, or is the answer to
//! a long poll. Its state is `state`'s; HTTP itself is `http::streams`'s.
//!
//! A way down may end at any time and be followed by another one. What was on its way then is not
//! there again, except of a poll; the client says how many messages it has, and if that is not what
//! was sent the connection is lost, as a socket's would be: it comes back by `Resume`.

mod down;
mod exchange;
mod frames;
mod request;
mod state;
mod streams;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tickwire::protocol::CloseCode;
use tokio::io::Interest;

pub(crate) use down::POLL_MAX;
pub(crate) use exchange::{Exchange, Pushed};
pub(crate) use frames::LIFE_FRAME;
pub(crate) use request::{DOWN_BYTES, DownRequest, UP_BYTES_MAX, UpRequest};
pub use state::HttpStream;
pub(crate) use streams::{Opened, Streams};

use super::reading::Reading;
use super::send_buffers::{SendBuffer, SendBuffers};
use super::socket::Socket;
use super::way::{Backlog, End, Transport};
use down::Down;

impl<S: Socket> Transport for HttpStream<S> {
    fn next<'a>(&mut self, reading: &'a mut Reading<'_>) -> Result<Option<&'a [u8]>, End> {
        match self.read(reading) {
            Ok(message) => Ok(message.map(|message| reading.lend(message))),
            Err(end) => {
                self.is_closing = true;
                Err(end)
            }
        }
    }

    fn push(&mut self, parts: &[&[u8]]) {
        self.outbox.push_parts(parts);
        self.pushed = self.pushed.wrapping_add(1);
    }

    fn push_close(&mut self, code: CloseCode) {
        self.is_closing = true;
        self.outbox.push_close(code);
    }

    fn front_bytes(&self) -> usize {
        self.outbox.front_bytes()
    }

    fn flush(&mut self, now: Instant) -> Result<(), End> {
        self.look(now)?;
        self.write(now, None);
        Ok(())
    }

    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        self.pushed = self.pushed.wrapping_add(1);
        self.write(now, Some((send_buffers, send_buffer)));
        Ok(())
    }

    fn backlog(&self) -> Backlog {
        let backlog = self.outbox.backlog();
        match self.down {
            Some(_) => backlog,
            None => Backlog {
                blocked_since: Some(backlog.blocked_since.unwrap_or(self.without_since)),
                ..backlog
            },
        }
    }

    fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn wakes_at(&self) -> Option<Instant> {
        Some(self.due())
    }

    fn watch(&mut self) -> io::Result<()> {
        self.is_watched = true;
        self.down.as_mut().map_or(Ok(()), Down::watch)
    }

    fn unwatch(&mut self) -> io::Result<()> {
        self.is_watched = false;
        self.down.as_mut().map_or(Ok(()), Down::unwatch)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        if self.is_finished {
            return match &self.down {
                Some(Down::Stream { socket, .. }) => socket.poll_ready(cx, interest),
                _ => Poll::Ready(Ok(())),
            };
        }
        let has_more = !self.batch.is_empty() || !self.batches.is_empty();
        if interest.is_readable() && has_more || self.exchange.wakes(cx.waker()) {
            return Poll::Ready(Ok(()));
        }
        match &mut self.down {
            Some(Down::Stream { socket, .. }) if interest.is_writable() => {
                socket.poll_ready(cx, Interest::WRITABLE)
            }
            Some(Down::Poll(_)) if interest.is_writable() => Poll::Ready(Ok(())),
            Some(Down::Poll(answer)) => {
                ready!(answer.poll_closed(cx));
                Poll::Ready(Ok(()))
            }
            _ => Poll::Pending,
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.is_finished = true;
        self.down.as_mut().map_or(Ok(()), Down::finish)
    }

    /// Nothing is owed to who polls.
    fn discard(&mut self) -> io::Result<usize> {
        match &self.down {
            Some(Down::Stream { socket, .. }) => socket.try_read(&mut [0; 1024]),
            _ => Ok(0),
        }
    }
}
