//! What a transport is: messages in, messages out, how full it is, its end. A new one is a new file
//! that implements [`Transport`].

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tickwire::protocol::CloseCode;
use tokio::io::Interest;

use super::reading::{Fetched, Reading, Scratch};
use super::send_buffers::{SendBuffer, SendBuffers};

/// Bytes that may wait for one client: a `Joined` with 1,000 members and a full chat history
/// takes 60 KiB, and what the kernel left of a snapshot may come on top. Beyond: the client does
/// not read, and is closed with 4010.
pub const WAITING_BYTES_MAX: usize = 384 * 1024;

/// Why a connection is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server closes it; the code still has to be sent.
    Close(CloseCode),
    /// The client said goodbye; the answer waits to go out.
    Goodbye,
    /// The client closed without meaning to leave, as browsers do when a page is reloaded; the
    /// answer waits to go out.
    Away,
    /// The client is gone.
    Lost,
}

/// How full the way out is, and since when something is unfinished on the way in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Bytes that wait, at most [`WAITING_BYTES_MAX`] and a close.
    pub waiting_bytes: usize,
    /// Since when not everything was taken.
    pub blocked_since: Option<Instant>,
    /// Since when a message from the client lacks its end.
    pub unfinished_since: Option<Instant>,
    /// Whether more was to wait than may.
    pub overflowed: bool,
}

impl Backlog {
    /// Whether something was left when it was last written to.
    pub fn is_blocked(&self) -> bool {
        self.blocked_since.is_some()
    }

    /// For how long not everything was taken.
    pub fn blocked_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.blocked_since?))
    }

    /// Whether more waits than may, or the client takes too little, or has not finished a message,
    /// for `timeout`.
    pub fn is_stalled(&self, now: Instant, timeout: Duration) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= timeout;
        self.overflowed
            || self.blocked_since.is_some_and(is_over)
            || self.unfinished_since.is_some_and(is_over)
    }

    /// When it will be, if nothing more comes or is taken.
    pub fn stalls_at(&self, timeout: Duration) -> Option<Instant> {
        let since = self.blocked_since.into_iter().chain(self.unfinished_since);
        since.min().map(|since| since + timeout)
    }
}

/// A client's way, whichever it is.
pub type Conn = Box<dyn Transport>;

/// A way to a client and back.
pub trait Transport: Send {
    /// Has the processor fetch what a turn touches.
    fn prefetch(&self) {}

    /// Has what came put into the scratch, if one plain read does that; [`Transport::next`] comes
    /// next, before anything else is done with the connection. Only if the scratch has room.
    fn fetch(&self, _scratch: &mut Scratch) -> Fetched {
        Fetched::NONE
    }

    /// The next message that came, `None` when there is no more for now.
    ///
    /// # Errors
    /// The connection is at its end; it must not be read again.
    fn next<'a>(&mut self, reading: &'a mut Reading<'_>) -> Result<Option<&'a [u8]>, End>;

    /// The reading ends: what was taken in and not asked for stays in the connection. Every reading
    /// ends with it, but for those of connections that are at their end.
    fn keep(&mut self, _reading: &mut Reading<'_>) {}

    /// A message that lies in parts waits to go out, behind all others.
    fn push(&mut self, parts: &[&[u8]]);

    /// A message waits to go out, behind all others.
    fn send(&mut self, message: &[u8]) {
        self.push(&[message]);
    }

    /// The close waits to go out, the last that does. It takes the place of what waits if the
    /// client is stalled, but for what is under way.
    fn push_close(&mut self, code: CloseCode);

    /// Bytes that go out before the next message in one write, its own header included.
    fn front_bytes(&self) -> usize {
        0
    }

    /// Sends what waits, as far as it is taken at once.
    ///
    /// # Errors
    /// [`End::Lost`] when the client is gone.
    fn flush(&mut self, now: Instant) -> Result<(), End>;

    /// The same with a message behind it. Only when it is not blocked, and waits for what it did
    /// when the message was begun.
    ///
    /// # Errors
    /// [`End::Lost`] when the client is gone.
    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End>;

    /// How full it is.
    fn backlog(&self) -> Backlog;

    /// When it has to be looked at though nothing comes and nothing is taken.
    fn wakes_at(&self) -> Option<Instant> {
        None
    }

    /// The other end as the outermost trusted proxy saw it, then without a port; for logs and bans.
    fn peer(&self) -> SocketAddr;

    /// From now on a task waits for it, in a runtime's context.
    ///
    /// # Errors
    /// When the client is gone, or the system has nothing to watch it with.
    fn watch(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// From now on nobody does.
    ///
    /// # Errors
    /// As for [`Transport::watch`].
    fn unwatch(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Ready when something came, or when something would be taken, as `interest` says. Only while
    /// it is watched.
    fn poll_ready(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>>;

    /// Nothing goes out any more: the peer is told so.
    ///
    /// # Errors
    /// When the client is gone.
    fn finish(&mut self) -> io::Result<()>;

    /// Throws away some of what came. How many bytes, 0 once the client has closed as well;
    /// `WouldBlock` for nothing now.
    ///
    /// # Errors
    /// When the client is gone.
    fn discard(&mut self) -> io::Result<usize>;
}
