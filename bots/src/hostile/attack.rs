//! One attempt of a hostile bot: the way in, the breach, and the code that the server closed
//! with. Bounded in time, whatever the server does.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use tickwire::codec::encode_client;
use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire::protocol::ClientMessage;
use tickwire::protocol::frame::{InputHead, encode_ack};
use tickwire::session::{Event, Session};
use tickwire::snapshot::fields::pack;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::controls::Controls;
use crate::dial::{Incoming, drip};
use crate::ending::ABNORMAL;
use crate::roles::{Behaviour, Breach};
use crate::run::Run;
use crate::socket::Socket;
use crate::target::Target;

/// How long a server may take to close on a breach.
const CLOSED_WITHIN: Duration = Duration::from_secs(8);
/// The same for a client that reads nothing: after 15 s without an acknowledgement a server
/// closes, and the code is read behind what waits in the kernel.
const STALLED_FOR: Duration = Duration::from_secs(20);
/// How long the way into the room may take.
const JOINED_WITHIN: Duration = Duration::from_secs(10);
/// Between two bytes of a handshake that never ends.
const DRIP_EVERY: Duration = Duration::from_millis(300);
/// Messages that a flood sends in a row; then it reads, so that only the flood is the reason.
const FLOOD_MESSAGES: usize = 50;
/// Inputs that a cheat sends a tick.
const INPUTS_A_TICK: u32 = 10;

/// What the attempts of one hostile bot share.
pub(super) struct Attacker<'a> {
    pub(super) rng: ChaCha8Rng,
    pub(super) run: &'a Run,
    pub(super) index: usize,
    pub(super) room: usize,
    /// Attempts so far: those with two ways take turns.
    pub(super) attempts: usize,
}

impl Attacker<'_> {
    /// One breach, and the code that the server closed with, 0 for none in time; `None` when it
    /// never got into the room.
    pub(super) async fn attempt(&mut self, breach: Breach) -> Option<u16> {
        self.attempts += 1;
        let in_turn = (self.index + self.attempts).is_multiple_of(2);
        if breach == Breach::Slowloris {
            return self.slowloris(in_turn).await;
        }
        let url = self.door();
        let mut socket = Socket::connect(url).await.ok()?;
        let session = timeout(JOINED_WITHIN, self.enter(&mut socket))
            .await
            .ok()??;
        match breach {
            Breach::Text => {
                socket.send_text("let me in").await;
            }
            Breach::Oversize => {
                let bytes = vec![1; CLIENT_MESSAGE_BYTES_MAX + 1];
                socket.send([bytes].into_iter()).await;
            }
            Breach::Garbage => {
                let rng = &mut self.rng;
                let mut bytes: Vec<u8> =
                    (0..rng.random_range(1..64)).map(|_| rng.random()).collect();
                // No kind of message starts like this.
                bytes[0] |= 0x80;
                socket.send([bytes].into_iter()).await;
            }
            Breach::Flood => {
                let ping = encode_client(&ClientMessage::Ping { nonce: 0 });
                let burst = vec![ping; FLOOD_MESSAGES];
                return flood(&mut socket, Duration::from_millis(2), || burst.clone()).await;
            }
            Breach::Cheat if in_turn => {
                let mut ack = Vec::new();
                let newest = session.room()?.newest.0;
                encode_ack(Tick(newest.saturating_add(1_000_000)), &mut ack);
                socket.send([ack].into_iter()).await;
            }
            Breach::Cheat => return self.cheat(&mut socket, &session).await,
            Breach::Stalled => sleep(STALLED_FOR).await,
            Breach::Slowloris => {}
        }
        Some(closed(&mut socket).await)
    }

    fn door(&self) -> &Target {
        &self.run.doors[self.index % self.run.doors.len()]
    }

    async fn slowloris(&self, silent: bool) -> Option<u16> {
        let url = self.door();
        if silent {
            let mut socket = Socket::connect(url).await.ok()?;
            return Some(closed(&mut socket).await);
        }
        let dripped = timeout(CLOSED_WITHIN, drip(url, DRIP_EVERY)).await;
        Some(dripped.map_or(0, |()| ABNORMAL))
    }

    /// Inputs for this tick ten times over, for past and far ones, with invented views; and the
    /// others' thrown out of the room, which only its maker may.
    async fn cheat(&mut self, socket: &mut Socket, session: &Session) -> Option<u16> {
        let (room, fields) = (session.room()?, &session.schema()?.input);
        let mut tick = room.newest.0;
        let mut controls = Controls::new(Behaviour::Random, fields, room.tick_rate);
        let rng = &mut self.rng;
        let pause = Duration::from_secs(1) / u32::from(room.tick_rate.max(1));
        flood(socket, pause, move || {
            tick += 1;
            let mut messages: Vec<Vec<u8>> = (0..INPUTS_A_TICK)
                .map(|number| {
                    let head = InputHead {
                        tick: Tick(tick.saturating_add(number * rng.random_range(0..20))),
                        ack: Tick(0),
                        view_lag: rng.random(),
                    };
                    let mut input = Vec::new();
                    head.encode(&mut input);
                    pack(fields, controls.next(rng), &mut input);
                    input
                })
                .collect();
            let player = PlayerId(rng.random_range(0..50));
            messages.push(encode_client(&ClientMessage::Kick { player }));
            messages
        })
        .await
    }

    /// Goes into the room as a guest like any other, up to the first snapshot.
    async fn enter(&self, socket: &mut Socket) -> Option<Session> {
        let run = self.run;
        let name = format!("hostile {}", self.index + 1);
        let mut session = Session::new(&name, "").of_game(&run.flags.game);
        loop {
            let outgoing = std::iter::from_fn(|| session.poll_transmit());
            if !socket.send(outgoing).await {
                return None;
            }
            let Incoming::Message(bytes, _) = socket.next().await else {
                return None;
            };
            session.handle_message(&bytes, run.now_us()).ok()?;
            while let Some(event) = session.poll_event() {
                match event {
                    Event::Welcome => match (&run.flags.code, run.rooms.wait(self.room).await) {
                        (Some(code), _) => session.join_code(code).ok()?,
                        (None, Some(id)) => session.join(id).ok()?,
                        (None, None) => return None,
                    },
                    Event::Snapshot { .. } => return Some(session),
                    Event::Refused { .. } => return None,
                    _ => {}
                }
            }
        }
    }
}

/// Sends what `burst` makes, with a pause for reading behind each, until the server closes.
async fn flood(
    socket: &mut Socket,
    pause: Duration,
    mut burst: impl FnMut() -> Vec<Vec<u8>>,
) -> Option<u16> {
    let until = Instant::now() + CLOSED_WITHIN;
    while Instant::now() < until && socket.send(burst().into_iter()).await {
        let next = Instant::now() + pause;
        while let Ok(incoming) = timeout_at(next, socket.next()).await {
            if let Incoming::Closed(code) = incoming {
                return Some(code);
            }
        }
    }
    Some(closed(socket).await)
}

/// The code that the server closes with; 0 for none in time.
async fn closed(socket: &mut Socket) -> u16 {
    let until = Instant::now() + CLOSED_WITHIN;
    loop {
        match timeout_at(until, socket.next()).await {
            Ok(Incoming::Closed(code)) => return code,
            Ok(Incoming::Message(..)) => {}
            Err(_) => return 0,
        }
    }
}
