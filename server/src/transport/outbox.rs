//! What waits to be written to one client: whole frames in the order in which they go out, the
//! first of which may have left in part. Nothing overtakes it. Snapshots don't wait here: they
//! are composed in [`SendBuffers`] when nothing older waits, and only what the kernel did not take
//! of them stays. What a frame is, its transport says ([`Framing`]). Knows no state of a transport,
//! no socket and no clock.

use std::io;
use std::marker::PhantomData;
use std::time::Instant;

use tickwire::protocol::CloseCode;

use super::send_buffers::{SendBuffer, SendBuffers};
use super::way::{Backlog, WAITING_BYTES_MAX};

/// Bytes of the longest header that a frame has, in any transport.
pub(super) const HEADER_BYTES_MAX: usize = 10;

/// How a transport puts messages into frames.
pub(super) trait Framing {
    /// The header of a message of `length` bytes: the last `.1` of the bytes `.0`, so that it can
    /// stand right before the message.
    fn header(length: usize) -> ([u8; HEADER_BYTES_MAX], usize);

    /// Bytes of the frame that starts here, header included. The bytes are the server's own, so
    /// the header is whole.
    fn frame_bytes(frame: &[u8]) -> usize;

    /// Appends the frame that says that this is the end.
    fn push_close(code: CloseCode, out: &mut Vec<u8>);
}

/// Capacity that an empty outbox keeps: a few small control messages. Most clients are idle or
/// get nothing but snapshots, and more would be theirs for ever.
const KEPT_BYTES: usize = 256;

/// Frames that wait for one client.
#[derive(Debug)]
pub(super) struct Outbox<F> {
    /// Whole frames, but for the first `unfinished` bytes.
    bytes: Vec<u8>,
    /// Bytes that are left of a frame whose start was written.
    unfinished: usize,
    /// Since when the kernel has not taken everything.
    blocked_since: Option<Instant>,
    overflowed: bool,
    framing: PhantomData<F>,
}

impl<F> Default for Outbox<F> {
    fn default() -> Outbox<F> {
        Outbox {
            bytes: Vec::new(),
            unfinished: 0,
            blocked_since: None,
            overflowed: false,
            framing: PhantomData,
        }
    }
}

impl<F: Framing> Outbox<F> {
    /// How full it is.
    pub(super) fn backlog(&self) -> Backlog {
        Backlog {
            waiting_bytes: self.bytes.len(),
            blocked_since: self.blocked_since,
            overflowed: self.overflowed,
            unfinished_since: None,
        }
    }

    /// Bytes that go out with a message that is not blocked: what waits, and its header.
    pub(super) fn front_bytes(&self) -> usize {
        match self.blocked_since {
            Some(_) => 0,
            None => self.bytes.len() + HEADER_BYTES_MAX,
        }
    }

    /// What waits, unless it begins amid a frame.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        (self.unfinished == 0).then_some(&self.bytes)
    }

    /// Whole frames that went out and did not arrive wait again, before all others.
    pub(super) fn restore(&mut self, frames: &[u8]) {
        debug_assert!(self.unfinished == 0, "a frame is under way");
        self.bytes.splice(..0, frames.iter().copied());
    }

    /// Appends a message that lies in parts as one frame.
    pub(super) fn push_parts(&mut self, parts: &[&[u8]]) {
        let message = parts.iter().map(|part| part.len()).sum();
        let (header, size) = F::header(message);
        if self.admits(size + message) {
            self.bytes.reserve(size + message);
            self.bytes
                .extend_from_slice(&header[HEADER_BYTES_MAX - size..]);
            for part in parts {
                self.bytes.extend_from_slice(part);
            }
        }
    }

    /// Appends a frame as it is.
    pub(super) fn push_frame(&mut self, frame: &[u8]) {
        if self.admits(frame.len()) {
            self.bytes.extend_from_slice(frame);
        }
    }

    /// Appends the close frame, the last that goes out. It takes the place of what waits if the
    /// client is stalled, but for the frame that is under way.
    pub(super) fn push_close(&mut self, code: CloseCode) {
        if code == CloseCode::Stalled {
            self.bytes.truncate(self.unfinished);
        }
        F::push_close(code, &mut self.bytes);
    }

    fn admits(&mut self, bytes: usize) -> bool {
        let fits = self.bytes.len() + bytes <= WAITING_BYTES_MAX;
        self.overflowed |= !fits;
        fits
    }

    /// Writes what waits, as far as one `write` takes it. Errors are those of a socket that is
    /// gone.
    pub(super) fn flush(
        &mut self,
        now: Instant,
        write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let written = write_once(&self.bytes, write)?;
        self.unfinished = cut_frame::<F>(&self.bytes, self.unfinished, written);
        self.bytes.drain(..written);
        self.settle(now);
        Ok(())
    }

    /// Writes what waits and the send buffer behind it in one `write`; what that leaves stays
    /// here. Only when not blocked, and as it was when the send buffer was begun.
    pub(super) fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
        write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        debug_assert!(
            self.blocked_since.is_none(),
            "a snapshot would wait behind a frame"
        );
        let (header, size) = F::header(send_buffer.message_bytes());
        let header = &header[HEADER_BYTES_MAX - size..];
        let bytes = send_buffers.behind(send_buffer, &[&self.bytes, header]);
        let written = write_once(bytes, write)?;
        self.unfinished = cut_frame::<F>(bytes, self.unfinished, written);
        self.bytes.clear();
        self.bytes.extend_from_slice(&bytes[written..]);
        self.settle(now);
        Ok(())
    }

    fn settle(&mut self, now: Instant) {
        if !self.bytes.is_empty() {
            self.blocked_since.get_or_insert(now);
            return;
        }
        self.blocked_since = None;
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
    }
}

/// One write that is not repeated when it is cut short: the kernel is full then. 0 if it takes
/// nothing.
fn write_once(
    bytes: &[u8],
    mut write: impl FnMut(&[u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            result => return result,
        }
    }
}

/// Bytes left of the frame that a write of the first `written` bytes cut. The first whole frame
/// starts at `unfinished`.
fn cut_frame<F: Framing>(bytes: &[u8], unfinished: usize, written: usize) -> usize {
    let mut end = unfinished;
    while end < written {
        end += F::frame_bytes(&bytes[end..]);
    }
    end - written
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::transport::websocket::Frames;

    type Outbox = super::Outbox<Frames>;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut outbox = Outbox::default();
        outbox.push_parts(&[message]);
        outbox.bytes
    }

    /// A socket that takes the given numbers of bytes, then nothing.
    struct Socket<'a> {
        takes: std::slice::Iter<'a, usize>,
        got: Vec<u8>,
    }

    impl Socket<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let take = self.takes.next().copied().unwrap_or(0).min(bytes.len());
            self.got.extend_from_slice(&bytes[..take]);
            match take {
                0 => Err(io::ErrorKind::WouldBlock.into()),
                take => Ok(take),
            }
        }
    }

    #[test]
    fn every_cut_of_control_and_snapshot_arrives_whole() {
        let (control, snapshot) = (vec![1; 140], vec![2; 300]);
        let expected = [framed(&control), framed(&snapshot), framed(b"later")].concat();
        let now = Instant::now();
        for cut in 0..=expected.len() {
            let takes = [cut, 7, usize::MAX, usize::MAX, usize::MAX];
            let mut socket = Socket {
                takes: takes.iter(),
                got: Vec::new(),
            };
            let (mut outbox, mut send_buffers) = (Outbox::default(), SendBuffers::default());
            // Another client's message, and one that is not sent, lie before it.
            send_buffers
                .begin(outbox.front_bytes())
                .extend_from_slice(&[9; 70]);
            send_buffers
                .begin(outbox.front_bytes())
                .extend_from_slice(&[8; 9]);
            send_buffers.discard();
            assert_eq!(send_buffers.bytes(), 70 + HEADER_BYTES_MAX);
            outbox.push_parts(&[&control]);
            send_buffers
                .begin(outbox.front_bytes())
                .extend_from_slice(&snapshot);
            let send_buffer = send_buffers.end();
            assert_eq!(send_buffer.message_bytes(), 300);
            outbox
                .flush_with(&mut send_buffers, send_buffer, now, |bytes| {
                    socket.write(bytes)
                })
                .unwrap();
            outbox.push_parts(&[b"later"]);
            while !outbox.bytes.is_empty() {
                outbox.flush(now, |bytes| socket.write(bytes)).unwrap();
            }
            assert_eq!(socket.got, expected, "cut at {cut}");
            assert!(!outbox.backlog().is_blocked() && outbox.unfinished == 0);
        }
    }

    #[test]
    fn a_stalled_close_follows_the_frame_under_way() {
        let now = Instant::now();
        let whole = [framed(&[1; 200]), framed(&[2; 200]), framed(&[3; 200])].concat();
        let frame = framed(&[1; 200]).len();
        for cut in 1..whole.len() {
            let takes = [cut, usize::MAX, usize::MAX];
            let mut socket = Socket {
                takes: takes.iter(),
                got: Vec::new(),
            };
            let mut outbox = Outbox::default();
            outbox.push_frame(&whole);
            outbox.flush(now, |bytes| socket.write(bytes)).unwrap();
            outbox.push_close(CloseCode::Stalled);
            outbox.flush(now, |bytes| socket.write(bytes)).unwrap();
            let mut expected = whole[..cut.next_multiple_of(frame)].to_vec();
            Frames::push_close(CloseCode::Stalled, &mut expected);
            assert_eq!(socket.got, expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_client_that_takes_nothing_stalls() {
        let start = Instant::now();
        let timeout = Duration::from_secs(10);
        let mut outbox = Outbox::default();
        outbox.push_parts(&[b"hello"]);
        assert!(
            !outbox.backlog().is_stalled(start + timeout, timeout),
            "not tried yet"
        );
        let blocked = |_: &[u8]| Err(io::ErrorKind::WouldBlock.into());
        outbox.flush(start, blocked).unwrap();
        outbox.flush(start + timeout / 2, blocked).unwrap();
        assert!(
            outbox.backlog().is_blocked()
                && !outbox.backlog().is_stalled(start + timeout / 2, timeout)
        );
        assert_eq!(outbox.backlog().stalls_at(timeout), Some(start + timeout));
        assert!(outbox.backlog().is_stalled(start + timeout, timeout));
        outbox.flush(start, |bytes| Ok(bytes.len())).unwrap();
        assert!(!outbox.backlog().is_stalled(start + timeout, timeout));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut outbox = Outbox::default();
        let message = vec![0; 1000];
        for _ in 0..1000 {
            outbox.push_parts(&[&message]);
        }
        assert!(outbox.bytes.len() <= WAITING_BYTES_MAX);
        assert!(outbox.backlog().is_stalled(Instant::now(), Duration::MAX));
    }

    #[test]
    fn an_empty_outbox_gives_its_memory_back() {
        let mut outbox = Outbox::default();
        outbox.push_parts(&[&[0; 5000]]);
        outbox
            .flush(Instant::now(), |bytes| Ok(bytes.len()))
            .unwrap();
        assert!(outbox.bytes.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn a_socket_that_is_gone_is_an_error() {
        let mut outbox = Outbox::default();
        outbox.push_parts(&[b"hello"]);
        assert!(outbox.flush(Instant::now(), |_| Ok(0)).is_err());
        let reset = |_: &[u8]| Err(io::ErrorKind::ConnectionReset.into());
        assert!(outbox.flush(Instant::now(), reset).is_err());
    }
}
