//! A stream's state: what waits, the way down that there is, and what its client may send.

use std::collections::VecDeque;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::protocol::{CloseCode, Kind};

use super::down::{Down, POLL_MAX};
use super::exchange::{Arrival, Batch, Exchange};
use super::frames::{self, Frames, LIFE_FRAME, Up, messages};
use crate::admission::limiter::Limiter;
use crate::transport::outbox::Outbox;
use crate::transport::reading::{READ_BYTES, Reading};
use crate::transport::send_buffers::{SendBuffer, SendBuffers};
use crate::transport::socket::{self, Socket};
use crate::transport::way::End;

/// Between two signs of life in a stream: proxies cut what is silent, most of them for 30 s or more,
/// and a socket whose peer is gone shows it when it is written to.
const LIFE_EVERY: Duration = Duration::from_secs(5);
/// How long a client may be without a way down. It asks for the next one at once, and has a round
/// trip and a lost packet or two for it; then it is as gone as one whose socket closed.
const WITHOUT_MAX: Duration = Duration::from_secs(5);

/// See the module's description.
pub struct HttpStream<S: Socket> {
    pub(super) down: Option<Down<S>>,
    pub(super) outbox: Outbox<Frames>,
    pub(super) exchange: Arc<Exchange<S>>,
    pub(super) limiter: Limiter,
    /// What is left of the batch that is read.
    pub(super) batch: Bytes,
    /// Those behind it.
    pub(super) batches: VecDeque<Batch>,
    /// With what it is closed once they are read.
    pub(super) broken: Option<CloseCode>,
    /// Messages that were to go down, ever; wraps around.
    pub(super) pushed: u32,
    /// The answer to the last poll and its messages, until the client says that they came.
    answered: Option<(Bytes, u32)>,
    /// Since when there is no way down, if there is none.
    pub(super) without_since: Instant,
    /// When a stream was written to last.
    written_at: Instant,
    /// Whether a task waits for it.
    pub(super) is_watched: bool,
    pub(super) is_finished: bool,
    /// Nothing is read any more.
    pub(super) is_closing: bool,
    pub(super) peer: SocketAddr,
    /// Where requests find it.
    _entry: Box<dyn Send>,
}

impl<S: Socket> HttpStream<S> {
    /// One that was opened and has no way down yet; watched.
    pub(super) fn new(
        exchange: Arc<Exchange<S>>,
        entry: Box<dyn Send>,
        peer: SocketAddr,
        now: Instant,
    ) -> HttpStream<S> {
        HttpStream {
            down: None,
            outbox: Outbox::default(),
            exchange,
            limiter: Limiter::new(now),
            batch: Bytes::new(),
            batches: VecDeque::new(),
            broken: None,
            pushed: 0,
            answered: None,
            without_since: now,
            written_at: now,
            is_watched: true,
            is_finished: false,
            is_closing: false,
            peer,
            _entry: entry,
        }
    }

    /// The next message, charged for.
    pub(super) fn read(&mut self, reading: &mut Reading<'_>) -> Result<Option<Bytes>, End> {
        let (rates, now) = (reading.rates, reading.now);
        self.look(now)?;
        loop {
            match frames::next(&mut self.batch) {
                Some(Up::Message(message)) => {
                    reading.counts.messages += 1;
                    let is_control = message.first() == Some(&(Kind::Control as u8));
                    if is_control && !self.limiter.charge_control(rates, now) {
                        return Err(End::Close(CloseCode::TooMany));
                    }
                    return Ok(Some(message));
                }
                Some(Up::Close { is_goodbye: true }) => return Err(End::Goodbye),
                Some(Up::Close { is_goodbye: false }) => return Err(End::Away),
                None if reading.reads == 0 => return Ok(None),
                None => {}
            }
            let Some(batch) = self.batches.pop_front() else {
                return match self.broken {
                    Some(code) => Err(End::Close(code)),
                    None => Ok(None),
                };
            };
            let bytes = batch.frames.len();
            let reads = bytes.div_ceil(READ_BYTES).max(1) as u32;
            reading.reads = reading.reads.saturating_sub(reads);
            reading.counts.bytes += bytes as u64;
            // One without a message counts as well.
            let count = batch.count.max(1);
            if !self.limiter.charge(rates, now, count, bytes as u32) {
                return Err(End::Close(CloseCode::TooMany));
            }
            self.batch = batch.frames;
        }
    }

    /// Takes what requests brought.
    pub(super) fn look(&mut self, now: Instant) -> Result<(), End> {
        if self.exchange.has_news() {
            let (arrival, broken) = self.exchange.take(&mut self.batches);
            self.broken = broken;
            // Else it would look as if there were something to read for as long as it closes.
            if self.is_closing {
                self.batches.clear();
            }
            if let Some(arrival) = arrival {
                self.welcome(arrival, now)?;
            }
        }
        if self.down.as_ref().is_some_and(Down::is_closed) {
            self.lose_down(now);
        }
        if self.down.is_none() && now.saturating_duration_since(self.without_since) >= WITHOUT_MAX {
            tracing::debug!(peer = %self.peer, "nobody asks for messages");
            return Err(End::Lost);
        }
        Ok(())
    }

    /// When it has to be looked at if nothing comes before.
    pub(super) fn due(&self) -> Instant {
        match self.down {
            None => self.without_since + WITHOUT_MAX,
            Some(Down::Stream { .. }) => self.written_at + LIFE_EVERY,
            // Its end wakes.
            Some(Down::Poll(_)) => self.written_at + POLL_MAX,
        }
    }

    /// From now on what goes to the client goes this way: the later one wins.
    fn welcome(&mut self, arrival: Arrival<S>, now: Instant) -> Result<(), End> {
        let Arrival { mut down, received } = arrival;
        let answered = self.answered.take();
        let whole = self.outbox.whole();
        let sent = whole.map(|frames| self.pushed.wrapping_sub(messages(frames)));
        let lost = sent.map(|sent| sent.wrapping_sub(received));
        match (lost, answered) {
            (Some(0), _) => {}
            // The answer did not arrive: it goes out again.
            (Some(lost), Some((frames, count))) if lost == count => self.outbox.restore(&frames),
            _ => {
                tracing::debug!(peer = %self.peer, "messages were lost with their way down");
                return Err(End::Lost);
            }
        }
        if self.is_watched && down.watch().is_err() {
            self.lose_down(now);
            return Ok(());
        }
        self.down = Some(down);
        self.written_at = now;
        Ok(())
    }

    fn lose_down(&mut self, now: Instant) {
        self.down = None;
        self.without_since = now;
    }

    /// Writes what waits, and a message behind it, as far as the way down takes it.
    pub(super) fn write(&mut self, now: Instant, message: Option<(&mut SendBuffers, SendBuffer)>) {
        match &mut self.down {
            Some(Down::Stream { .. }) => self.write_stream(now, message),
            Some(Down::Poll(_)) => self.answer(now, message),
            None => {}
        }
    }

    fn write_stream(&mut self, now: Instant, message: Option<(&mut SendBuffers, SendBuffer)>) {
        let Some(Down::Stream { socket, tls, .. }) = &mut self.down else {
            return;
        };
        let write = |bytes: &[u8]| socket::write(socket, tls, bytes);
        let written = match message {
            Some((send_buffers, send_buffer)) => {
                self.outbox
                    .flush_with(send_buffers, send_buffer, now, write)
            }
            None => {
                let is_empty = self.outbox.backlog().waiting_bytes == 0;
                if is_empty && now.saturating_duration_since(self.written_at) < LIFE_EVERY {
                    return;
                }
                if is_empty {
                    self.outbox.push_frame(&LIFE_FRAME);
                }
                self.outbox.flush(now, write)
            }
        };
        match written {
            Ok(()) => self.written_at = now,
            // The client may ask for another way.
            Err(error) => {
                tracing::debug!(peer = %self.peer, %error, "stream lost");
                self.lose_down(now);
            }
        }
    }

    /// Answers a poll with all there is, if there is anything.
    fn answer(&mut self, now: Instant, message: Option<(&mut SendBuffers, SendBuffer)>) {
        let mut taken = Bytes::new();
        let take = |bytes: &[u8]| {
            taken = Bytes::copy_from_slice(bytes);
            Ok(bytes.len())
        };
        // It takes everything.
        let _ = match message {
            Some((send_buffers, send_buffer)) => {
                self.outbox.flush_with(send_buffers, send_buffer, now, take)
            }
            None => self.outbox.flush(now, take),
        };
        if taken.is_empty() {
            return;
        }
        if let Some(Down::Poll(answer)) = mem::take(&mut self.down) {
            self.lose_down(now);
            match answer.send(taken.clone()) {
                Ok(()) => {
                    let count = messages(&taken);
                    self.answered = Some((taken, count));
                }
                // Nobody waits for it any more.
                Err(taken) => self.outbox.restore(&taken),
            }
        }
    }
}

impl<S: Socket> Drop for HttpStream<S> {
    fn drop(&mut self) {
        self.exchange.end();
    }
}
