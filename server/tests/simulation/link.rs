//! A link in memory, on virtual time: TCP as its ends see it. Bytes arrive in order, whole, late and in
//! bursts; what the reader leaves fills the buffers, until the writer's writes are cut short or refused. No
//! sockets and no clock: times are arguments, in microseconds.

use std::collections::VecDeque;
use std::io;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality {
    /// One way.
    pub(crate) delay_us: u64,
    /// At most so much more, evenly spread.
    pub(crate) jitter_us: u64,
    /// Bytes that both ends' buffers take together.
    pub(crate) capacity: usize,
    /// One in so many writes is cut short though there is room.
    pub(crate) cut_one_in: u32,
    /// What the client reads a second, at most.
    pub(crate) read_bytes_per_s: u64,
}

/// Both directions between the server and a client.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) quality: Quality,
    /// To the client.
    down: VecDeque<(u64, Vec<u8>)>,
    down_bytes: usize,
    /// To the server, message by message.
    up: VecDeque<(u64, Vec<u8>)>,
    /// Nothing arrives before.
    stalled_until_us: u64,
    last_down_us: u64,
    last_up_us: u64,
    /// Bytes that the client may read by now, times a million.
    allowance: u64,
    allowed_at_us: u64,
    /// The client is gone; its end may not be known to the server.
    pub(crate) cut: bool,
    /// The server closed it: what is under way still arrives.
    pub(crate) closed: bool,
}

impl Link {
    pub(crate) fn new(quality: Quality, now_us: u64) -> Link {
        Link {
            quality,
            down: VecDeque::new(),
            down_bytes: 0,
            up: VecDeque::new(),
            stalled_until_us: 0,
            last_down_us: 0,
            last_up_us: 0,
            allowance: 0,
            allowed_at_us: now_us,
            cut: false,
            closed: false,
        }
    }

    /// Nothing arrives until then.
    pub(crate) fn stall_until(&mut self, us: u64) {
        self.stalled_until_us = self.stalled_until_us.max(us);
    }

    /// Is from now on like this; what is under way comes as it would have.
    pub(crate) fn becomes(&mut self, quality: Quality) {
        self.quality = quality;
        self.stalled_until_us = 0;
    }

    fn arrival(&self, last_us: u64, now_us: u64, rng: &mut ChaCha8Rng) -> u64 {
        let quality = &self.quality;
        let late = quality.delay_us + rng.random_range(0..=quality.jitter_us);
        (now_us.max(self.stalled_until_us) + late).max(last_us)
    }

    /// The server's `write`.
    pub(crate) fn write(
        &mut self,
        bytes: &[u8],
        now_us: u64,
        rng: &mut ChaCha8Rng,
    ) -> io::Result<usize> {
        let free = self.quality.capacity.saturating_sub(self.down_bytes);
        if free == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut taken = bytes.len().min(free);
        if rng.random_ratio(1, self.quality.cut_one_in) {
            taken = rng.random_range(1..=taken);
        }
        self.last_down_us = self.arrival(self.last_down_us, now_us, rng);
        self.down
            .push_back((self.last_down_us, bytes[..taken].to_vec()));
        self.down_bytes += taken;
        Ok(taken)
    }

    /// The client's `read`: appends what has arrived, as far as it reads.
    pub(crate) fn read(&mut self, now_us: u64, into: &mut Vec<u8>) {
        let rate = self.quality.read_bytes_per_s;
        // Unread time counts for a tenth of a second at most: a slow reader does not catch up at once.
        let most = rate.saturating_mul(100_000);
        let earned = rate.saturating_mul(now_us - self.allowed_at_us);
        self.allowance = self.allowance.saturating_add(earned).min(most);
        self.allowed_at_us = now_us;
        while let Some((at_us, bytes)) = self.down.front_mut() {
            let allowed = usize::try_from(self.allowance / 1_000_000).unwrap_or(usize::MAX);
            if *at_us > now_us || self.stalled_until_us > now_us || allowed == 0 {
                return;
            }
            let taken = bytes.len().min(allowed);
            into.extend(bytes.drain(..taken));
            self.down_bytes -= taken;
            self.allowance -= taken as u64 * 1_000_000;
            if bytes.is_empty() {
                self.down.pop_front();
            }
        }
    }

    /// Whether nothing more will arrive at the client.
    pub(crate) fn is_drained(&self) -> bool {
        self.closed && self.down.is_empty()
    }

    /// The client sends a message.
    pub(crate) fn send(&mut self, message: Vec<u8>, now_us: u64, rng: &mut ChaCha8Rng) {
        self.last_up_us = self.arrival(self.last_up_us, now_us, rng);
        self.up.push_back((self.last_up_us, message));
    }

    /// The next message that has arrived at the server.
    pub(crate) fn receive(&mut self, now_us: u64) -> Option<Vec<u8>> {
        let &(at_us, _) = self.up.front()?;
        let here = at_us <= now_us && self.stalled_until_us <= now_us && !self.cut;
        here.then(|| self.up.pop_front())?
            .map(|(_, message)| message)
    }
}
