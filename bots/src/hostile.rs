//! Bots that break the protocol in one way each, most of them in a room with others, and have to
//! be closed with the code that the protocol states for it. They come back until the swarm stops.
//! How each way goes is `attack`'s.

mod attack;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use tickwire::protocol::CloseCode;
use tokio::time::{Instant, sleep, timeout_at};

use crate::socket::ABNORMAL;
use crate::swarm::Swarm;
use attack::Attack;

/// Between two attempts of one hostile bot.
const PAUSE: Duration = Duration::from_millis(500);

/// A way to break the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Breach {
    /// Far more messages than allowed.
    Flood,
    /// Bytes that are no message.
    Garbage,
    /// A text message.
    Text,
    /// A message one byte too big.
    Oversize,
    /// A handshake that never ends, or a WebSocket that never says hello.
    Slowloris,
    /// Ten inputs a tick for whatever ticks, or an acknowledgement of what was never sent.
    Cheat,
    /// Joins and then reads nothing.
    Stalled,
}

impl Breach {
    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Breach::Flood => "flood",
            Breach::Garbage => "garbage",
            Breach::Text => "text",
            Breach::Oversize => "oversize",
            Breach::Slowloris => "slowloris",
            Breach::Cheat => "cheat",
            Breach::Stalled => "stalled",
        }
    }

    /// Whether the server closed for the right reason. Bytes that are still on their way to a
    /// closed socket make the kernel reset it, which can swallow the close frame of a flood; an
    /// unfinished handshake ends without one, and who reads too late may find it gone.
    pub(crate) fn answered_by(self, code: u16) -> bool {
        let is = |right: CloseCode| code == right.number();
        match self {
            Breach::Flood => is(CloseCode::TooMany) || code == ABNORMAL,
            Breach::Garbage => is(CloseCode::Malformed),
            Breach::Text => is(CloseCode::Text),
            Breach::Oversize => is(CloseCode::TooBig),
            Breach::Slowloris => is(CloseCode::HelloTimeout) || code == ABNORMAL,
            Breach::Cheat => {
                is(CloseCode::OutOfRange) || is(CloseCode::TooMany) || code == ABNORMAL
            }
            Breach::Stalled => is(CloseCode::Stalled) || code == ABNORMAL,
        }
    }
}

/// Close codes and how often each came; 0 stands for a breach that was not answered in time.
pub(crate) type Answers = BTreeMap<u16, u64>;

/// Breaks the protocol again and again until the swarm stops.
pub(crate) async fn harass(
    breach: Breach,
    index: usize,
    room: usize,
    swarm: Arc<Swarm>,
) -> (Breach, Answers) {
    let mut attack = Attack {
        rng: ChaCha8Rng::seed_from_u64(swarm.flags.seed.wrapping_add(index as u64)),
        swarm: &swarm,
        index,
        room,
        attempts: 0,
    };
    let mut answers = Answers::new();
    let mut stop = swarm.stop.subscribe();
    loop {
        let attempt = async {
            let code = attack.run(breach).await;
            sleep(PAUSE).await;
            code
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            code = attempt => if let Some(code) = code {
                *answers.entry(code).or_default() += 1;
            }
        }
    }
    (breach, answers)
}

/// What became of the hostile ones until `deadline`, by their breach.
pub(crate) async fn collect(
    hostile: &mut tokio::task::JoinSet<(Breach, Answers)>,
    deadline: Instant,
) -> BTreeMap<Breach, Answers> {
    let mut all = BTreeMap::<_, Answers>::new();
    while let Ok(Some(done)) = timeout_at(deadline, hostile.join_next()).await {
        if let Ok((breach, answers)) = done {
            let of_breach = all.entry(breach).or_default();
            for (code, count) in answers {
                *of_breach.entry(code).or_default() += count;
            }
        }
    }
    hostile.abort_all();
    all
}
