//! A way within a process, without sockets and threads: messages are handed over as they are, and
//! as many bytes wait at the client as it takes. For the simulation, tests and benches, and for
//! whoever plays in the server's own process. It has no limits of rate: both ends are the program's
//! own.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use tickwire::protocol::CloseCode;
use tokio::io::Interest;

use super::reading::Reading;
use super::send_buffers::{SendBuffer, SendBuffers};
use super::way::{Backlog, End, Transport, WAITING_BYTES_MAX};

/// What is between the two ends.
#[derive(Default)]
struct Between {
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Vec<u8>>,
    down_bytes: usize,
    /// The last that goes down.
    code: Option<CloseCode>,
    /// How the client ended it.
    end: Option<End>,
    waker: Option<Waker>,
}

impl Between {
    fn takes(&self, bytes: usize, capacity: usize) -> bool {
        self.down.is_empty() || self.down_bytes + bytes <= capacity
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The server's end.
pub struct Memory {
    between: Arc<Mutex<Between>>,
    /// Bytes that the client's end holds.
    capacity: usize,
    waiting: VecDeque<Vec<u8>>,
    code: Option<CloseCode>,
    backlog: Backlog,
}

/// The client's end. Dropping it without a goodbye loses the connection.
pub struct Far(Arc<Mutex<Between>>);

/// Both ends of a way whose client holds so many bytes that it has not received; one message always
/// fits.
pub fn pair(capacity: usize) -> (Memory, Far) {
    let between = Arc::<Mutex<Between>>::default();
    let memory = Memory {
        between: between.clone(),
        capacity,
        waiting: VecDeque::new(),
        code: None,
        backlog: Backlog::default(),
    };
    (memory, Far(between))
}

impl Far {
    /// Sends a message.
    pub fn send(&self, message: Vec<u8>) {
        let mut between = self.0.lock();
        between.up.push_back(message);
        between.wake();
    }

    /// The next message from the server.
    pub fn receive(&self) -> Option<Vec<u8>> {
        let mut between = self.0.lock();
        let message = between.down.pop_front()?;
        between.down_bytes -= message.len();
        between.wake();
        Some(message)
    }

    /// With which code the server closed it, once all before was received.
    pub fn closed(&self) -> Option<CloseCode> {
        let between = self.0.lock();
        between.code.filter(|_| between.down.is_empty())
    }

    /// Leaves for good, as a client does that closes with the normal code.
    pub fn goodbye(self) {
        self.0.lock().end = Some(End::Goodbye);
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let mut between = self.0.lock();
        between.end.get_or_insert(End::Lost);
        between.wake();
    }
}

impl Transport for Memory {
    fn next<'a>(&mut self, reading: &'a mut Reading<'_>) -> Result<Option<&'a [u8]>, End> {
        let mut between = self.between.lock();
        match (between.up.pop_front(), between.end) {
            (Some(message), _) => {
                reading.counts.messages += 1;
                reading.counts.bytes += message.len() as u64;
                Ok(Some(reading.lend(message.into())))
            }
            (None, Some(end)) => Err(end),
            (None, None) => Ok(None),
        }
    }

    fn push(&mut self, parts: &[&[u8]]) {
        let message = parts.concat();
        if self.backlog.waiting_bytes + message.len() > WAITING_BYTES_MAX {
            self.backlog.overflowed = true;
            return;
        }
        self.backlog.waiting_bytes += message.len();
        self.waiting.push_back(message);
    }

    fn push_close(&mut self, code: CloseCode) {
        if code == CloseCode::Stalled {
            self.waiting.clear();
            self.backlog.waiting_bytes = 0;
        }
        self.code = Some(code);
    }

    fn flush(&mut self, now: Instant) -> Result<(), End> {
        let mut between = self.between.lock();
        if between.end == Some(End::Lost) {
            return Err(End::Lost);
        }
        while let Some(message) = self.waiting.front() {
            if !between.takes(message.len(), self.capacity) {
                self.backlog.blocked_since.get_or_insert(now);
                return Ok(());
            }
            between.down_bytes += message.len();
            self.backlog.waiting_bytes -= message.len();
            between.down.extend(self.waiting.pop_front());
        }
        self.backlog.blocked_since = None;
        between.code = self.code;
        Ok(())
    }

    fn flush_with(
        &mut self,
        send_buffers: &mut SendBuffers,
        send_buffer: SendBuffer,
        now: Instant,
    ) -> Result<(), End> {
        self.push(&[send_buffers.message(&send_buffer)]);
        self.flush(now)
    }

    fn backlog(&self) -> Backlog {
        self.backlog
    }

    fn peer(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        let mut between = self.between.lock();
        let readable = !between.up.is_empty() || between.end.is_some();
        let next = self.waiting.front().map_or(0, Vec::len);
        let writable = between.takes(next, self.capacity);
        if interest.is_readable() && readable || interest.is_writable() && writable {
            return Poll::Ready(Ok(()));
        }
        between.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn discard(&mut self) -> io::Result<usize> {
        let mut between = self.between.lock();
        match (between.up.pop_front(), between.end) {
            (Some(message), _) => Ok(message.len().max(1)),
            (None, Some(_)) => Ok(0),
            (None, None) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::admission::limiter::Rates;
    use crate::transport::reading::{Fetched, Scratch};
    use crate::transport::way::Conn;

    const RATES: Rates = Rates {
        messages_per_second: 1,
        bytes_per_second: 1,
        control_per_second: 1,
    };

    fn next(conn: &mut Conn, now: Instant) -> Result<Option<Vec<u8>>, End> {
        let mut scratch = Scratch::default();
        let mut reading = Reading::new(&mut scratch, Fetched::NONE, RATES, now);
        Ok(conn.next(&mut reading)?.map(<[u8]>::to_vec))
    }

    #[test]
    fn messages_wait_while_the_client_holds_what_it_takes_and_the_close_comes_last() {
        let now = Instant::now();
        let (mut memory, far) = pair(10);
        (1..=3).for_each(|n| memory.push(&[&[n; 4], &[n; 2]]));
        memory.push_close(CloseCode::Restart);
        for n in 1..=3 {
            memory.flush(now).unwrap();
            assert_eq!(memory.backlog().is_blocked(), n < 3);
            assert_eq!(memory.backlog().waiting_bytes, 6 * (3 - usize::from(n)));
            assert_eq!(far.closed(), None);
            assert_eq!(far.receive(), Some(vec![n; 6]));
        }
        assert_eq!(far.closed(), Some(CloseCode::Restart));
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut memory, _far) = pair(0);
        (0..1000).for_each(|_| memory.push(&[&[0; 1000]]));
        assert!(memory.backlog().waiting_bytes <= WAITING_BYTES_MAX);
        assert!(memory.backlog().overflowed);
    }

    #[tokio::test]
    async fn what_the_client_says_last_comes_before_its_end() {
        let now = Instant::now();
        for (end, ends) in [(End::Lost, drop as fn(Far)), (End::Goodbye, Far::goodbye)] {
            let (memory, far) = pair(10);
            let mut conn: Conn = Box::new(memory);
            assert_eq!(next(&mut conn, now), Ok(None));
            let ready = poll_fn(|cx| conn.poll_ready(cx, Interest::READABLE));
            let (woken, ()) = tokio::join!(ready, async {
                far.send(vec![7]);
                ends(far);
            });
            woken.unwrap();
            assert_eq!(next(&mut conn, now), Ok(Some(vec![7])));
            assert_eq!(next(&mut conn, now), Err(end));
        }
    }
}
