//! Bots that break the protocol in one way each, in a room with others, and have to be closed
//! with the code that the protocol states for it. They come back until the swarm stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tickwire::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire::protocol::CloseCode;
use tickwire::session::{Event, Session};
use tokio::time::{Instant, sleep, timeout};

use crate::socket::{ABNORMAL, Incoming, Socket};
use crate::swarm::Swarm;

/// Between two attempts of one hostile bot.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a server may take to close on a breach.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// How long the way into the room may take.
const JOINED_WITHIN: Duration = Duration::from_secs(10);

/// A way to break the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breach {
    /// Far more messages than allowed.
    Flood,
    /// Bytes that are no message.
    Garbage,
    /// A text message.
    Text,
    /// A message one byte too big.
    Oversize,
}

impl Breach {
    /// The breach of the hostile bot of this number: each in turn.
    pub(crate) fn of(index: usize) -> Breach {
        [
            Breach::Flood,
            Breach::Garbage,
            Breach::Text,
            Breach::Oversize,
        ][index % 4]
    }

    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Breach::Flood => "flood",
            Breach::Garbage => "garbage",
            Breach::Text => "text",
            Breach::Oversize => "oversize",
        }
    }

    /// Whether the server closed for the right reason. Bytes that are still on their way to a
    /// closed socket make the kernel reset it, which can swallow the close frame of a flood.
    pub(crate) fn answered_by(self, code: u16) -> bool {
        match self {
            Breach::Flood => code == CloseCode::TooMany.number() || code == ABNORMAL,
            Breach::Garbage => code == CloseCode::Malformed.number(),
            Breach::Text => code == CloseCode::Text.number(),
            Breach::Oversize => code == CloseCode::TooBig.number(),
        }
    }
}

/// Close codes and how often each came; 0 stands for a breach that was not answered in time.
pub(crate) type Answers = BTreeMap<u16, u64>;

/// Breaks the protocol again and again until the swarm stops.
pub(crate) async fn harass(index: usize, room: usize, swarm: Arc<Swarm>) -> (Breach, Answers) {
    let breach = Breach::of(index);
    let mut rng = ChaCha8Rng::seed_from_u64(swarm.flags.seed.wrapping_add(index as u64));
    let mut answers = Answers::new();
    let mut stop = swarm.stop.subscribe();
    loop {
        let attempt = async {
            let code = attack(breach, index, room, &swarm, &mut rng).await;
            sleep(PAUSE).await;
            code
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return (breach, answers),
            code = attempt => if let Some(code) = code {
                *answers.entry(code).or_default() += 1;
            }
        }
    }
}

/// One breach, and the code that the server closed with; `None` when it never got into the room.
async fn attack(
    breach: Breach,
    index: usize,
    room: usize,
    swarm: &Swarm,
    rng: &mut ChaCha8Rng,
) -> Option<u16> {
    let mut socket = Socket::connect(&swarm.flags.url).await.ok()?;
    let joined = timeout(JOINED_WITHIN, enter(&mut socket, index, room, swarm)).await;
    if joined != Ok(true) {
        return None;
    }
    match breach {
        Breach::Text => {
            socket.send_text("let me in").await;
        }
        Breach::Oversize => {
            let bytes = vec![1; CLIENT_MESSAGE_BYTES_MAX + 1];
            socket.send([bytes].into_iter()).await;
        }
        Breach::Garbage => {
            let mut bytes: Vec<u8> = (0..rng.random_range(1..64)).map(|_| rng.random()).collect();
            // No kind of message starts like this.
            bytes[0] |= 0x80;
            socket.send([bytes].into_iter()).await;
        }
        Breach::Flood => {
            let ping = tickwire::codec::encode_client(&tickwire::protocol::ClientMessage::Ping {
                nonce: 0,
            });
            let until = Instant::now() + CLOSED_WITHIN;
            while Instant::now() < until {
                if !socket.send(std::iter::repeat_n(ping.clone(), 50)).await {
                    break;
                }
                // Reads on, so that only the flood can be the reason.
                while let Ok(incoming) = timeout(Duration::from_millis(2), socket.next()).await {
                    if let Incoming::Closed(code) = incoming {
                        return Some(code);
                    }
                }
            }
        }
    }
    let closed = async {
        loop {
            if let Incoming::Closed(code) = socket.next().await {
                return code;
            }
        }
    };
    Some(timeout(CLOSED_WITHIN, closed).await.unwrap_or(0))
}

/// Goes into the room as a guest like any other.
async fn enter(socket: &mut Socket, index: usize, room: usize, swarm: &Swarm) -> bool {
    let mut session = Session::new(&format!("hostile {}", index + 1), "");
    loop {
        if !socket
            .send(std::iter::from_fn(|| session.poll_transmit()))
            .await
        {
            return false;
        }
        let Incoming::Message(bytes) = socket.next().await else {
            return false;
        };
        if session.handle_message(&bytes, swarm.now_us()).is_err() {
            return false;
        }
        while let Some(event) = session.poll_event() {
            let asked = match event {
                Event::Welcome => match (&swarm.flags.code, swarm.doors.wait(room).await) {
                    (Some(code), _) => session.join_code(code),
                    (None, Some(id)) => session.join(id),
                    (None, None) => return false,
                },
                Event::Joined => return true,
                Event::Refused { .. } => return false,
                _ => Ok(()),
            };
            if asked.is_err() {
                return false;
            }
        }
    }
}
