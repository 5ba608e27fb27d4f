//! Reading a connection: bytes from the socket into a scratch that all connections of a thread
//! share, counted against the limits. Whole binary messages, which are nearly all that comes, are taken
//! as they are; from the first other frame on, what was read goes through the WebSocket context. Bounded per
//! call, so that no client holds up the others. Used by worker and lobby.
//!
//! A worker has many to read in a row. It has the kernel **fetch** for all of them first, then looks at what came: code that
//! runs fifty times in a row is in the caches for all but the first, the kernel's as well as its own.

use std::io::{self, Read, Write};
use std::mem;
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use tickwire::protocol::{CloseCode, Kind};
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WsCode;

use super::conn::{Conn, End, Link, Socket};
use super::frames::unmask_message;
use super::outbox::Outbox;
use crate::admission::limiter::Rates;

/// Bytes of one read from a socket.
const READ_BYTES: usize = 4096;
/// Reads of one socket in a row. Beyond: the rest waits in the kernel until the next tick.
const READS_MAX: u32 = 4;
/// Bytes that may be fetched before they are looked at: what some hundred players send between two ticks, and still
/// in the processor's second cache when their turn comes.
const FETCHED_MAX: usize = 15 * READ_BYTES;

/// What a thread reads into, and what it counted.
pub(crate) struct Scratch {
    /// What was fetched, behind the place for a connection that is read as it is looked at.
    bytes: Box<[u8]>,
    /// Bytes that were fetched.
    fetched: usize,
    counts: Counts,
}

/// Since [`Scratch::take_counts`].
#[derive(Default)]
struct Counts {
    messages: u64,
    /// Frame headers included.
    bytes: u64,
}

/// Where in the scratch is what was fetched from a connection's socket; `None` if it was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetched(Option<Range<usize>>);

impl Fetched {
    /// Nothing was fetched.
    pub(crate) const NONE: Fetched = Fetched(None);
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            bytes: vec![0; READ_BYTES + FETCHED_MAX].into_boxed_slice(),
            fetched: 0,
            counts: Counts::default(),
        }
    }
}

impl Scratch {
    /// Forgets what was fetched, once it was looked at.
    pub(crate) fn clear(&mut self) {
        self.fetched = 0;
    }

    /// Whether there is room to fetch from another connection.
    pub(crate) fn has_room(&self) -> bool {
        self.fetched + READ_BYTES <= FETCHED_MAX
    }

    /// Fetches what is there of a connection's bytes, in one read. All else, the end of the connection
    /// too, is left to its [`Reading`]. Only if there is room.
    pub(crate) fn fetch<S: Socket>(&mut self, conn: &Conn<S>) -> Fetched {
        let link = &*conn.link;
        if !link.ahead.is_empty() || link.unread || link.tls.is_some() {
            return Fetched::NONE;
        }
        let start = READ_BYTES + self.fetched;
        let place = &mut self.bytes[start..start + READ_BYTES];
        match conn.socket.try_read(place) {
            Ok(size @ 1..) => {
                self.fetched += size;
                Fetched(Some(start..start + size))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Fetched(Some(start..start)),
            _ => Fetched::NONE,
        }
    }

    /// Messages and bytes read since the last call.
    pub(crate) fn take_counts(&mut self) -> (u64, u64) {
        let Counts { messages, bytes } = mem::take(&mut self.counts);
        (messages, bytes)
    }
}

/// A connection that is being read. Dropping it leaves what was not asked for in the connection.
pub(crate) struct Reading<'a, S: Socket> {
    conn: &'a mut Conn<S>,
    /// Its part of the scratch.
    bytes: &'a mut [u8],
    counts: &'a mut Counts,
    rates: Rates,
    now: Instant,
    /// What the context has not taken of `bytes`.
    from: usize,
    to: usize,
    /// Whether `bytes` were fetched and not counted yet.
    fetched: bool,
    /// Reads that are left; 0 after a short one.
    reads: u32,
    /// Whether the context is empty and what is left of `bytes` starts with a message of its own.
    whole: bool,
    /// The context's last message.
    message: Bytes,
}

/// A message.
enum Incoming {
    /// A binary one, there in `bytes`.
    Whole(Range<usize>),
    /// Any, from the context.
    Read(Message),
}

impl<'a, S: Socket> Reading<'a, S> {
    pub(crate) fn new(
        conn: &'a mut Conn<S>,
        scratch: &'a mut Scratch,
        fetched: Fetched,
        rates: Rates,
        now: Instant,
    ) -> Reading<'a, S> {
        let Scratch { bytes, counts, .. } = scratch;
        let (place, fetched, reads) = match fetched.0 {
            None => (0..READ_BYTES, false, READS_MAX),
            Some(place) if place.len() < READ_BYTES => (place, true, 0),
            Some(place) => (place, true, READS_MAX - 1),
        };
        Reading {
            conn,
            bytes: &mut bytes[place],
            counts,
            rates,
            now,
            from: 0,
            to: 0,
            fetched,
            reads,
            whole: false,
            message: Bytes::new(),
        }
    }

    /// The next message and the connection's state, `None` when there is no more for now.
    ///
    /// # Errors
    /// The connection is at its end; don't read it again.
    pub(crate) fn next(&mut self) -> Result<Option<(&[u8], &mut Link)>, End> {
        let message = match self.incoming()? {
            Some(Incoming::Whole(at)) => &self.bytes[at],
            Some(Incoming::Read(Message::Binary(message))) => {
                self.message = message;
                &self.message
            }
            Some(Incoming::Read(_)) => return Err(End::Close(CloseCode::Text)),
            None => return Ok(None),
        };
        let link = &mut *self.conn.link;
        let is_control = message.first() == Some(&(Kind::Control as u8));
        if is_control && !link.limiter.charge_control(self.rates, self.now) {
            return Err(End::Close(CloseCode::TooMany));
        }
        Ok(Some((message, link)))
    }

    /// The same with texts, which only `echo` takes.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, End> {
        Ok(self.incoming()?.map(|incoming| match incoming {
            Incoming::Whole(at) => Bytes::copy_from_slice(&self.bytes[at]).into(),
            Incoming::Read(message) => message,
        }))
    }

    fn incoming(&mut self) -> Result<Option<Incoming>, End> {
        loop {
            if self.from == self.to && !self.conn.link.unread && !self.refill()? {
                return Ok(None);
            }
            if self.whole {
                let from = self.from;
                if let Some(at) = unmask_message(&mut self.bytes[from..self.to]) {
                    self.from = from + at.end;
                    self.counts.messages += 1;
                    return Ok(Some(Incoming::Whole(from + at.start..from + at.end)));
                }
                self.whole = false;
            }
            let link = &mut *self.conn.link;
            let mut port = Port {
                incoming: &self.bytes[self.from..self.to],
                outbox: &mut link.outbox,
            };
            let read = link.context.read(&mut port);
            self.from = self.to - port.incoming.len();
            link.unread = true;
            match read {
                Ok(message @ (Message::Binary(_) | Message::Text(_))) => {
                    self.counts.messages += 1;
                    return Ok(Some(Incoming::Read(message)));
                }
                Ok(Message::Close(frame)) => {
                    link.going_away = frame.is_some_and(|frame| frame.code != WsCode::Normal);
                }
                // Pings are answered by the context; after a close it answers on its next read.
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    link.unread = false;
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    let end = if link.going_away {
                        End::Away
                    } else {
                        End::Goodbye
                    };
                    return Err(end);
                }
                Err(Error::Utf8(_)) => return Err(End::Close(CloseCode::NotUtf8)),
                Err(Error::Capacity(_)) => return Err(End::Close(CloseCode::TooBig)),
                Err(error) => {
                    tracing::debug!(peer = %link.peer, %error, "bad frame");
                    return Err(End::Close(CloseCode::Protocol));
                }
            }
        }
    }

    /// Fills the empty `bytes` with what was read before, else from the socket. False: nothing
    /// more for now.
    fn refill(&mut self) -> Result<bool, End> {
        let is_filled = self.fill()?;
        // Found where frames are counted, be it here or when the connection was opened.
        if self.conn.link.frames.is_broken() {
            tracing::debug!(peer = %self.conn.link.peer, "a frame's length has more bytes than it needs");
            return Err(End::Close(CloseCode::Protocol));
        }
        Ok(is_filled)
    }

    /// As [`Reading::refill`], whatever the frames are.
    fn fill(&mut self) -> Result<bool, End> {
        if self.take_fetched()? {
            return Ok(true);
        }
        let ahead = &mut self.conn.link.ahead;
        if !ahead.is_empty() {
            let size = ahead.len().min(READ_BYTES);
            self.bytes[..size].copy_from_slice(&ahead[..size]);
            ahead.drain(..size);
            if ahead.is_empty() {
                *ahead = Vec::new();
            }
            (self.from, self.to) = (0, size);
            // It was counted when it came.
            self.whole = false;
            return Ok(true);
        }
        if self.conn.link.tls.is_some() && self.take_plaintext()? {
            return Ok(true);
        }
        while self.reads > 0 {
            self.reads -= 1;
            match self.conn.socket.try_read(self.bytes) {
                Ok(0) => return Err(End::Lost),
                Ok(size) => {
                    if size < READ_BYTES {
                        self.reads = 0;
                    }
                    if self.conn.link.tls.is_none() {
                        (self.from, self.to) = (0, size);
                        return self.charge(size, size).map(|()| true);
                    }
                    self.charge(0, size)?;
                    if self.decrypt(size)? {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.reads = 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.conn.lost(&error)),
            }
        }
        Ok(false)
    }

    /// Counts what was fetched and has not been asked for. False: nothing.
    fn take_fetched(&mut self) -> Result<bool, End> {
        let size = self.bytes.len();
        if !mem::take(&mut self.fetched) || size == 0 {
            return Ok(false);
        }
        (self.from, self.to) = (0, size);
        self.charge(size, size).map(|()| true)
    }

    /// Feeds the ciphertext in `bytes` to TLS. True: they are plaintext instead.
    fn decrypt(&mut self, size: usize) -> Result<bool, End> {
        let fed = match &mut self.conn.link.tls {
            Some(tls) => tls.feed(&self.bytes[..size]),
            None => Ok(()),
        };
        fed.map_err(|error| self.conn.lost(&error))?;
        self.take_plaintext()
    }

    /// Fills the empty `bytes` with what TLS has decrypted. False: nothing.
    fn take_plaintext(&mut self) -> Result<bool, End> {
        let taken = match &mut self.conn.link.tls {
            Some(tls) => tls.take(self.bytes),
            None => Ok(0),
        };
        let size = taken.map_err(|error| self.conn.lost(&error))?;
        (self.from, self.to) = (0, size);
        self.charge(size, 0).map(|()| size > 0)
    }

    /// Counts what came: the first `plain` of `bytes`, out of `bytes` of the socket.
    fn charge(&mut self, plain: usize, bytes: usize) -> Result<(), End> {
        let link = &mut *self.conn.link;
        self.counts.bytes += bytes as u64;
        self.whole = link.frames.is_between_messages() && !link.unread;
        let begun = link.frames.begun();
        let frames = link.frames.count(&self.bytes[..plain]);
        if !link.frames.is_unfinished() {
            link.unfinished_since = None;
        } else if link.unfinished_since.is_none() || link.frames.begun() != begun {
            link.unfinished_since = Some(self.now);
        }
        if link
            .limiter
            .charge(self.rates, self.now, frames, bytes as u32)
        {
            Ok(())
        } else {
            Err(End::Close(CloseCode::TooMany))
        }
    }
}

impl<S: Socket> Drop for Reading<'_, S> {
    fn drop(&mut self) {
        // Too much is too much at the next count as well.
        let _ = self.take_fetched();
        let rest = &self.bytes[self.from..self.to];
        if !rest.is_empty() {
            let ahead = &mut self.conn.link.ahead;
            ahead.splice(..0, rest.iter().copied());
        }
    }
}

/// What the context takes for its socket: it reads from memory and writes into the outbox, so
/// that its pongs never cut into a frame that is half written.
struct Port<'a> {
    incoming: &'a [u8],
    outbox: &'a mut Outbox,
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
