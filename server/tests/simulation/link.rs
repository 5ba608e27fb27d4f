//! A link in memory, on virtual time: TCP as its ends see it. Bytes arrive in order, whole, late
//! and in bursts; what the reader leaves fills the buffers, until the writer's writes are cut short
//! or refused. The server's end is a [`Socket`] below its real WebSockets. No clock: times are
//! arguments, in microseconds.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire_server::transport::websocket::Socket;

use crate::broken::Broken;
use crate::frames::{Frame, framed, masked, take_frame};
use crate::tamper::Bug;

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality {
    /// One way.
    pub(crate) delay_us: u64,
    /// At most so much more, evenly spread.
    pub(crate) jitter_us: u64,
    /// Bytes that both ends' buffers take together.
    pub(crate) capacity: usize,
    /// One in so many writes and reads is cut short though there is more.
    pub(crate) cut_one_in: u32,
    /// What the client reads a second, at most.
    pub(crate) read_bytes_per_s: u64,
}

/// Both directions between the server and a client.
pub(crate) struct Link {
    pub(crate) quality: Quality,
    rng: ChaCha8Rng,
    /// What time it is to the server's end.
    pub(crate) now_us: u64,
    /// What the server wrote and nobody has looked at.
    written: Vec<u8>,
    /// To the client.
    down: VecDeque<(u64, Vec<u8>)>,
    down_bytes: usize,
    /// To the server, frame by frame.
    up: VecDeque<(u64, Vec<u8>)>,
    /// Bytes of the first of them that were read.
    up_read: usize,
    /// Messages to the server, and those of them that were read.
    said: VecDeque<Vec<u8>>,
    pub(crate) heard: Vec<Vec<u8>>,
    /// Nothing arrives before.
    stalled_until_us: u64,
    last_down_us: u64,
    last_up_us: u64,
    /// Bytes that the client may read by now, times a million.
    allowance: u64,
    allowed_at_us: u64,
    /// Since when the client is gone as the server can notice.
    pub(crate) cut_at_us: Option<u64>,
    /// The server has noticed.
    pub(crate) noticed: bool,
    /// The server closed it: what is under way still arrives.
    pub(crate) closed: bool,
    pub(crate) cut_writes: u64,
    bug: Option<Bug>,
    /// The bug's own state.
    pub(crate) is_lost: bool,
    last_read: Vec<u8>,
}

/// Of how many reads and writes a bug spoils one.
const SPOILED_ONE_IN: u32 = 60;

impl Link {
    pub(crate) fn new(quality: Quality, seed: u64, now_us: u64, bug: Option<Bug>) -> Link {
        Link {
            quality,
            rng: ChaCha8Rng::seed_from_u64(seed),
            now_us,
            written: Vec::new(),
            down: VecDeque::new(),
            down_bytes: 0,
            up: VecDeque::new(),
            up_read: 0,
            said: VecDeque::new(),
            heard: Vec::new(),
            stalled_until_us: 0,
            last_down_us: 0,
            last_up_us: 0,
            allowance: 0,
            allowed_at_us: now_us,
            cut_at_us: None,
            noticed: false,
            closed: false,
            cut_writes: 0,
            bug,
            is_lost: false,
            last_read: Vec::new(),
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

    fn arrival(&mut self, last_us: u64, now_us: u64) -> u64 {
        let late = self.quality.delay_us + self.rng.random_range(0..=self.quality.jitter_us);
        (now_us.max(self.stalled_until_us) + late).max(last_us)
    }

    /// The next whole frame of what the server wrote.
    pub(crate) fn take_written(&mut self) -> Result<Option<Frame>, Broken> {
        let Some((frame, rest)) = take_frame(&self.written)? else {
            return Ok(None);
        };
        let taken = self.written.len() - rest.len();
        self.down_bytes -= taken;
        self.written.drain(..taken);
        Ok(Some(frame))
    }

    /// A frame of the server's is under way to the client.
    pub(crate) fn deliver(&mut self, frame: &Frame, now_us: u64) {
        let bytes = framed(frame);
        self.down_bytes += bytes.len();
        self.last_down_us = self.arrival(self.last_down_us, now_us);
        self.down.push_back((self.last_down_us, bytes));
    }

    /// The client's `read`: appends what has arrived, as far as it reads.
    pub(crate) fn read(&mut self, now_us: u64, into: &mut Vec<u8>) {
        let rate = self.quality.read_bytes_per_s;
        // Unread time counts for a tenth of a second at most: a slow reader does not catch up at
        // once.
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

    /// Whether the server can write no whole frame: there is no room, or a part of one waits.
    pub(crate) fn is_stuck(&self) -> bool {
        self.down_bytes >= self.quality.capacity || !self.written.is_empty()
    }

    /// Whether nothing is under way to the client.
    pub(crate) fn is_empty(&self) -> bool {
        self.down.is_empty()
    }

    /// Whether nothing more will arrive at the client.
    pub(crate) fn is_drained(&self) -> bool {
        self.closed && self.is_empty()
    }

    /// The client sends a message.
    pub(crate) fn send(&mut self, message: Vec<u8>, now_us: u64) {
        self.last_up_us = self.arrival(self.last_up_us, now_us);
        self.up.push_back((self.last_up_us, masked(0x82, &message)));
        self.said.push_back(message);
    }

    fn is_spoiled(&mut self, bug: Bug) -> bool {
        self.bug == Some(bug) && self.rng.random_ratio(1, SPOILED_ONE_IN)
    }

    /// The server's `read`.
    fn read_up(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bug == Some(Bug::ForgottenInLobby) && self.is_lost {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.cut_at_us.is_some_and(|at| at <= self.now_us) {
            if self.bug == Some(Bug::SeatNotHeld) && !mem::replace(&mut self.noticed, true) {
                let goodbye = masked(0x88, &1000_u16.to_be_bytes());
                into[..goodbye.len()].copy_from_slice(&goodbye);
                return Ok(goodbye.len());
            }
            self.noticed = true;
            return Ok(0);
        }
        if self.is_spoiled(Bug::RepeatedRead) && !self.last_read.is_empty() && self.up_read == 0 {
            let size = self.last_read.len();
            into[..size].copy_from_slice(&self.last_read);
            return Ok(size);
        }
        let mut size = 0;
        while let Some((at_us, frame)) = self.up.front()
            && *at_us <= self.now_us
            && self.stalled_until_us <= self.now_us
            && self.cut_at_us.is_none()
            && size < into.len()
        {
            let rest = &frame[self.up_read..];
            let mut taken = rest.len().min(into.len() - size);
            let is_cut = self.rng.random_ratio(1, self.quality.cut_one_in);
            if is_cut {
                taken = self.rng.random_range(1..=taken);
            }
            into[size..size + taken].copy_from_slice(&rest[..taken]);
            size += taken;
            self.up_read += taken;
            if self.up_read == frame.len() {
                self.up_read = 0;
                self.up.pop_front();
                self.heard.extend(self.said.pop_front());
            }
            if is_cut {
                break;
            }
        }
        if size == 0 || self.up_read == 0 && self.is_spoiled(Bug::LostRead) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if self.bug == Some(Bug::RepeatedRead) && self.up_read == 0 {
            self.last_read = into[..size].to_vec();
        }
        Ok(size)
    }

    /// The server's `write`.
    fn write_down(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let free = self.quality.capacity.saturating_sub(self.down_bytes);
        if free == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut taken = bytes.len().min(free);
        if self.rng.random_ratio(1, self.quality.cut_one_in) {
            taken = self.rng.random_range(1..=taken);
        }
        self.cut_writes += u64::from(taken < bytes.len());
        self.written.extend_from_slice(&bytes[..taken]);
        self.down_bytes += taken;
        match self.bug {
            Some(Bug::LostTail) => Ok(bytes.len()),
            Some(Bug::RepeatedTail) if taken < bytes.len() => Ok(taken.div_ceil(2)),
            _ => Ok(taken),
        }
    }
}

/// A link as both ends have it.
#[derive(Clone)]
pub(crate) struct Ends(Arc<Mutex<Link>>);

impl Ends {
    pub(crate) fn new(link: Link) -> Ends {
        Ends(Arc::new(Mutex::new(link)))
    }

    pub(crate) fn link(&self) -> MutexGuard<'_, Link> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Ends {
    /// Whether the server has ended it, told or not.
    pub(crate) fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1 || self.link().closed
    }

    /// Whether neither end has it any more.
    pub(crate) fn is_done(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && self.link().cut_at_us.is_some()
    }
}

impl Socket for Ends {
    fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.link().read_up(bytes)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.link().write_down(bytes)
    }

    fn shutdown(&self) -> io::Result<()> {
        self.link().closed = true;
        Ok(())
    }
}
