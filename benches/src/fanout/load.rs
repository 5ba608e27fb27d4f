//! The clients of either server, in one thread of a process of their own. It sleeps 200 us and
//! looks what is there, so that the servers' sends never wake it: on loopback that would be on
//! their account. Every client sends an input 20 times a second, evenly spread, that acknowledges
//! its newest snapshot.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use tickwire::ids::RoomId;
use tickwire::schema::{Kind, Schema};
use tickwire::snapshot::fields::pack;

use super::RATE;
use super::join::{connect, join};
use super::wire::Client;

/// Between two looks at the sockets.
const SLEEP: Duration = Duration::from_micros(200);
/// Rooms that are filled at a time.
const DOORS: usize = 20;
/// Ticks by which inputs are ahead of the newest snapshot.
const LEAD: u32 = 3;
/// Inputs to choose from.
const HANDS: usize = 64;
/// Inputs in a row that are the same, per client: half a second.
const HELD: u64 = 10;
/// The longest gap that is told from longer ones, in microseconds.
const GAP_US_MAX: u64 = 60_000_000;
/// Sizes of snapshots that are kept as a sample.
const SIZES: usize = 512;

/// What the clients do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The server.
    pub server: SocketAddr,
    /// Clients.
    pub clients: usize,
    /// Of a room.
    pub room: usize,
    /// They speak to the bare loop, with inputs of so many bytes.
    pub bare_input_bytes: Option<usize>,
    /// Milliseconds before they are measured, and while.
    pub warm_ms: u64,
    /// See `warm_ms`.
    pub measure_ms: u64,
}

/// What they saw while they were measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sight {
    /// Snapshots that came.
    pub snapshots: u64,
    /// Their bytes, without framing.
    pub bytes: u64,
    /// Inputs that were sent.
    pub inputs: u64,
    /// Bytes of the last input's fields.
    pub input_bytes: usize,
    /// Between two snapshots to a client, in milliseconds: median and the 99th percentile.
    pub gap_p50_ms: f64,
    /// See `gap_p50_ms`.
    pub gap_p99_ms: f64,
    /// Clients that the server closed, by code; 1006 for a socket that broke.
    pub ended: BTreeMap<u16, usize>,
    /// How much of the time it was not asleep.
    pub busy: f64,
    /// Sizes of some snapshots, without framing.
    pub sizes: Vec<usize>,
}

/// The clients.
struct Crowd {
    clients: Vec<Client>,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    frame: Vec<u8>,
    hands: Vec<Vec<u8>>,
    rng: ChaCha8Rng,
    start: Instant,
    /// The clients in the order in which they send, which is not that of rooms and turns: how long
    /// an input waits for its turn is anything within a period, in either server.
    order: Vec<usize>,
    /// Inputs sent so far; the next is that client's whose place in the order it is.
    inputs: u64,
    /// Inputs that are due, in thousand millionths.
    due: u64,
    /// When that was reckoned.
    looked: Instant,
    seen: Sight,
    gaps: Histogram<u64>,
    asleep: Duration,
}

/// Brings the clients in, lets them play, and measures. `ready` is called when measuring begins,
/// `saw` when it has ended, while all clients are still there: without them the bare loop would
/// end, and with it what the system says of it.
///
/// # Errors
/// The sockets', or a server that does not let them in.
pub fn run(
    orders: &Orders,
    ready: impl FnOnce(),
    saw: impl FnOnce(Sight) -> io::Result<()>,
) -> io::Result<()> {
    let mut crowd = Crowd::new()?;
    match orders.bare_input_bytes {
        Some(bytes) => {
            crowd.hands = vec![vec![7; bytes]; HANDS];
            for _ in 0..orders.clients {
                crowd.add(Client::new(connect(orders.server)?, Vec::new())?)?;
                crowd.look();
            }
        }
        None => crowd.join_all(orders)?,
    }
    crowd.play(Duration::from_millis(orders.warm_ms));
    crowd.forget();
    ready();
    let time = Duration::from_millis(orders.measure_ms);
    crowd.play(time);
    saw(crowd.sight(time))
}

/// Inputs of the game at random: flags are seldom set, the rest is anything.
fn hands(schema: &Schema) -> Vec<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut values = |field: &tickwire::schema::Field| match &field.kind {
        Kind::Bool => i32::from(rng.random_ratio(1, 8)),
        kind => rng.random_range(0..=kind.q_max()) as i32,
    };
    (0..HANDS)
        .map(|_| {
            let values: Vec<i32> = schema.input.iter().map(&mut values).collect();
            let mut bytes = Vec::new();
            pack(&schema.input, &values, &mut bytes);
            bytes
        })
        .collect()
}

impl Crowd {
    fn new() -> io::Result<Crowd> {
        Ok(Crowd {
            clients: Vec::new(),
            poll: Poll::new()?,
            events: Events::with_capacity(4096),
            scratch: vec![0; 16 * 1024],
            frame: Vec::new(),
            hands: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(11),
            order: Vec::new(),
            start: Instant::now(),
            inputs: 0,
            due: 0,
            looked: Instant::now(),
            seen: Sight::default(),
            gaps: Histogram::new_with_max(GAP_US_MAX, 3).map_err(io::Error::other)?,
            asleep: Duration::ZERO,
        })
    }

    /// Joins by several doors at once: each waits for its room's tick. Those who are in play on, or
    /// they would be slow clients by the time that all are.
    fn join_all(&mut self, orders: &Orders) -> io::Result<()> {
        let Orders {
            server,
            clients,
            room: seats,
            ..
        } = *orders;
        let rooms = clients.div_ceil(seats);
        let (inside, joined) = mpsc::channel();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..DOORS.min(rooms) {
                let (inside, next) = (inside.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let first = next.fetch_add(seats, Ordering::Relaxed);
                        let mut room: Option<RoomId> = None;
                        for _ in first..clients.min(first + seats) {
                            let came = join(server, room);
                            room = came.as_ref().ok().map(|came| came.room);
                            if inside.send(came).is_err() || room.is_none() {
                                return;
                            }
                        }
                        if first >= clients {
                            return;
                        }
                    }
                });
            }
            drop(inside);
            while self.clients.len() < clients {
                match joined.recv_timeout(SLEEP) {
                    Ok(came) => {
                        let came = came?;
                        if self.hands.is_empty() {
                            self.hands = hands(&came.schema);
                        }
                        self.add(came.client)?;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(io::Error::other("not all clients came in"));
                    }
                }
                self.look();
            }
            Ok(())
        })
    }

    fn add(&mut self, mut client: Client) -> io::Result<()> {
        let token = Token(self.clients.len());
        // Everyone's place is chance from the first on (Fisher and Yates, from the inside out).
        let place = self.rng.random_range(0..=token.0);
        self.order.push(token.0);
        self.order.swap(place, token.0);
        self.poll
            .registry()
            .register(&mut client.socket, token, Interest::READABLE)?;
        self.clients.push(client);
        // What came with the handshake has no event.
        self.read(token.0);
        Ok(())
    }

    fn read(&mut self, index: usize) {
        // Not 0, which stands for never.
        let now_us = self.start.elapsed().as_micros() as u64 + 1;
        let (seen, gaps) = (&mut self.seen, &mut self.gaps);
        self.clients[index].read(&mut self.scratch, |came_us, message| {
            seen.snapshots += 1;
            seen.bytes += message.len() as u64;
            if seen.sizes.len() < SIZES && seen.snapshots.is_multiple_of(37) {
                seen.sizes.push(message.len());
            }
            if *came_us > 0 {
                gaps.saturating_record(now_us - *came_us);
            }
            *came_us = now_us;
        });
    }

    /// One look: reads what is there, sends the inputs that are due.
    fn look(&mut self) {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        // It can only be interrupted.
        let _ = self.poll.poll(&mut events, Some(Duration::ZERO));
        for event in &events {
            self.read(event.token().0);
        }
        self.events = events;
        let count = self.clients.len() as u64;
        if self.hands.is_empty() {
            return;
        }
        let now = Instant::now();
        let passed = (now - self.looked).as_nanos() as u64;
        self.looked = now;
        // After a pause, no more than one each.
        let second = 1_000_000_000;
        self.due = (self.due + passed * RATE * count).min(second * count);
        while self.due >= second {
            self.due -= second;
            let index = self.order[(self.inputs % count) as usize];
            let hand = (index as u64 + self.inputs / (count * HELD)) as usize % HANDS;
            let client = &mut self.clients[index];
            if client.newest > 0 && client.ended.is_none() {
                client.send_input(&self.hands[hand], LEAD, &mut self.frame);
                self.seen.inputs += 1;
            }
            self.inputs += 1;
        }
    }

    fn play(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.look();
            let before = Instant::now();
            std::thread::sleep(SLEEP);
            self.asleep += before.elapsed();
        }
    }

    fn forget(&mut self) {
        self.seen = Sight::default();
        self.gaps.reset();
        self.asleep = Duration::ZERO;
    }

    fn sight(&mut self, time: Duration) -> Sight {
        let mut ended = BTreeMap::new();
        for code in self.clients.iter().filter_map(|client| client.ended) {
            *ended.entry(code).or_default() += 1;
        }
        let gap_ms = |quantile| self.gaps.value_at_quantile(quantile) as f64 / 1e3;
        Sight {
            gap_p50_ms: gap_ms(0.5),
            gap_p99_ms: gap_ms(0.99),
            ended,
            busy: 1.0 - self.asleep.as_secs_f64() / time.as_secs_f64(),
            input_bytes: self.hands.first().map_or(0, Vec::len),
            ..std::mem::take(&mut self.seen)
        }
    }
}
