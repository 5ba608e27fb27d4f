//! Reading a WebSocket: bytes from the socket, counted against the limits. Whole binary messages,
//! which are nearly all that comes, are taken as they are; from the first other frame on, what was
//! read goes through the WebSocket context. Bounded per call, so that no client holds up the
//! others.

use std::io::{self, Read, Write};
use std::mem;
use std::ops::Range;

use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire::protocol::CloseCode;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WsCode;

use super::frames::{Frames, unmask_message};
use super::state::{WebSocket, context};
use crate::transport::outbox::Outbox;
use crate::transport::reading::{READ_BYTES, Reading};
use crate::transport::socket::Socket;
use crate::transport::way::End;

/// A message.
pub(super) enum Incoming {
    /// A binary one, there in the reading's bytes.
    Whole(Range<usize>),
    /// Any, from the context.
    Read(Message),
}

impl<S: Socket> WebSocket<S> {
    /// The next message, a text too.
    pub(super) fn incoming(&mut self, reading: &mut Reading<'_>) -> Result<Option<Incoming>, End> {
        loop {
            if reading.from == reading.to && !self.unread && !self.refill(reading)? {
                return Ok(None);
            }
            if reading.whole {
                let from = reading.from;
                if let Some(at) = unmask_message(&mut reading.bytes[from..reading.to]) {
                    reading.from = from + at.end;
                    reading.counts.messages += 1;
                    return Ok(Some(Incoming::Whole(from + at.start..from + at.end)));
                }
                reading.whole = false;
            }
            let mut port = Port {
                incoming: &reading.bytes[reading.from..reading.to],
                outbox: &mut self.outbox,
            };
            let context = self
                .context
                .get_or_insert_with(|| context(CLIENT_MESSAGE_BYTES_MAX));
            let read = context.read(&mut port);
            reading.from = reading.to - port.incoming.len();
            self.unread = true;
            match read {
                Ok(message @ (Message::Binary(_) | Message::Text(_))) => {
                    reading.counts.messages += 1;
                    return Ok(Some(Incoming::Read(message)));
                }
                Ok(Message::Close(frame)) => {
                    self.going_away = frame.is_some_and(|frame| frame.code != WsCode::Normal);
                }
                // Pings are answered by the context; after a close it answers on its next read.
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unread = false;
                    // It has taken all that was counted, and answered what wants an answer: between
                    // two messages nothing is left in it.
                    if self.ahead.is_empty() && self.frames.is_between_messages() {
                        self.context = None;
                    }
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    let end = if self.going_away {
                        End::Away
                    } else {
                        End::Goodbye
                    };
                    return Err(end);
                }
                Err(Error::Utf8(_)) => return Err(End::Close(CloseCode::NotUtf8)),
                Err(Error::Capacity(_)) => return Err(End::Close(CloseCode::TooBig)),
                Err(error) => {
                    tracing::debug!(peer = %self.peer, %error, "bad frame");
                    return Err(End::Close(CloseCode::Protocol));
                }
            }
        }
    }

    /// Fills the empty reading with what was read before, else from the socket. False: nothing
    /// more for now.
    fn refill(&mut self, reading: &mut Reading<'_>) -> Result<bool, End> {
        let is_filled = self.fill(reading)?;
        // Found where frames are counted, be it here or when the connection was opened.
        if self.frames.is_broken {
            tracing::debug!(peer = %self.peer, "a frame's length has more bytes than it needs");
            return Err(End::Close(CloseCode::Protocol));
        }
        Ok(is_filled)
    }

    /// As [`WebSocket::refill`], whatever the frames are.
    fn fill(&mut self, reading: &mut Reading<'_>) -> Result<bool, End> {
        if self.take_fetched(reading)? {
            return Ok(true);
        }
        let ahead = &mut self.ahead;
        if !ahead.is_empty() {
            let size = ahead.len().min(READ_BYTES);
            reading.bytes[..size].copy_from_slice(&ahead[..size]);
            ahead.drain(..size);
            if ahead.is_empty() {
                *ahead = Vec::new();
            }
            (reading.from, reading.to) = (0, size);
            // It was counted when it came.
            reading.whole = false;
            return Ok(true);
        }
        if self.tls.is_some() && self.take_plaintext(reading)? {
            return Ok(true);
        }
        while reading.reads > 0 {
            reading.reads -= 1;
            match self.socket.try_read(reading.bytes) {
                Ok(0) => return Err(End::Lost),
                Ok(size) => {
                    if size < READ_BYTES {
                        reading.reads = 0;
                    }
                    if self.tls.is_none() {
                        (reading.from, reading.to) = (0, size);
                        return self.charge(reading, size, size).map(|()| true);
                    }
                    self.charge(reading, 0, size)?;
                    if self.decrypt(reading, size)? {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => reading.reads = 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(false)
    }

    /// Counts what was fetched and has not been asked for. False: nothing.
    pub(super) fn take_fetched(&mut self, reading: &mut Reading<'_>) -> Result<bool, End> {
        let size = reading.bytes.len();
        if !mem::take(&mut reading.fetched) || size == 0 {
            return Ok(false);
        }
        (reading.from, reading.to) = (0, size);
        self.charge(reading, size, size).map(|()| true)
    }

    /// Feeds the ciphertext in the reading to TLS. True: it has plaintext instead.
    fn decrypt(&mut self, reading: &mut Reading<'_>, size: usize) -> Result<bool, End> {
        let fed = match &mut self.tls {
            Some(tls) => tls.feed(&reading.bytes[..size]),
            None => Ok(()),
        };
        fed.map_err(|error| self.lost(&error))?;
        self.take_plaintext(reading)
    }

    /// Fills the empty reading with what TLS has decrypted. False: nothing.
    fn take_plaintext(&mut self, reading: &mut Reading<'_>) -> Result<bool, End> {
        let taken = match &mut self.tls {
            Some(tls) => tls.take(reading.bytes),
            None => Ok(0),
        };
        let size = taken.map_err(|error| self.lost(&error))?;
        (reading.from, reading.to) = (0, size);
        self.charge(reading, size, 0).map(|()| size > 0)
    }

    /// Counts what came: the first `plain` of the reading's bytes, out of `bytes` of the socket.
    fn charge(&mut self, reading: &mut Reading<'_>, plain: usize, bytes: usize) -> Result<(), End> {
        reading.counts.bytes += bytes as u64;
        reading.whole = self.frames.is_between_messages() && !self.unread;
        let begun = self.frames.begun;
        let frames = self.frames.count(&reading.bytes[..plain]);
        if !self.frames.is_unfinished() {
            self.unfinished_since = None;
        } else if self.unfinished_since.is_none() || self.frames.begun != begun {
            self.unfinished_since = Some(reading.now);
        }
        let (rates, now) = (reading.rates, reading.now);
        if self.limiter.charge(rates, now, frames, bytes as u32) {
            Ok(())
        } else {
            Err(End::Close(CloseCode::TooMany))
        }
    }
}

/// What the context takes for its socket: it reads from memory and writes into the outbox, so
/// that its pongs never cut into a frame that is half written.
struct Port<'a> {
    incoming: &'a [u8],
    outbox: &'a mut Outbox<Frames>,
}

impl Read for Port<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.incoming.read(bytes)
    }
}

impl Write for Port<'_> {
    fn write(&mut self, frames: &[u8]) -> io::Result<usize> {
        self.outbox.push_frame(frames);
        Ok(frames.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
