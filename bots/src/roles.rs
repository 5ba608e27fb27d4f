//! What a bot of the swarm is there for: to play, or to break the protocol. The names that
//! `--behaviour` takes, and what close codes answer each breach.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use tickwire::protocol::CloseCode;

use crate::ending::ABNORMAL;

/// How a bot plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Behaviour {
    /// Like a person: holds a direction for a while, turns smoothly, presses buttons now and then.
    Wander,
    /// Every field at random in every tick: the hardest to predict and to encode.
    Random,
    /// Sends the neutral input in every tick.
    Idle,
    /// Sends no input: it watches.
    Spectate,
}

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

/// One of the behaviours that a swarm may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plays, and is measured.
    Honest(Behaviour),
    /// Breaks the protocol, and has to be closed for it.
    Hostile(Breach),
}

static ALL: LazyLock<Vec<Role>> = LazyLock::new(|| {
    let honest = Behaviour::value_variants().iter().map(|b| Role::Honest(*b));
    let hostile = Breach::value_variants().iter().map(|b| Role::Hostile(*b));
    honest.chain(hostile).collect()
});

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Role] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Role::Honest(behaviour) => behaviour.to_possible_value(),
            Role::Hostile(breach) => breach.to_possible_value(),
        }
    }
}
