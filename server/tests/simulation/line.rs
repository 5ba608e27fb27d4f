//! A connection as the server's end has it: a link, what waits for it, and how far it has come.

use std::collections::VecDeque;

use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::{UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};
use tickwire::protocol::Kind;
use tickwire::protocol::frame::{InputHead, decode_ack};
use tickwire_server::game::Identity;
use tickwire_server::transport::WAITING_BYTES_MAX;
use tickwire_server::transport::websocket::outbox::Outbox;

use crate::broken::{Broken, Check};
use crate::link::Link;

/// A connection's number. Never given twice.
pub(crate) type LineId = u32;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Hello,
    Lobby,
    Room(PlayerId),
    Closed,
}

/// A connection.
pub(crate) struct Line {
    pub(crate) link: Link,
    pub(crate) outbox: Outbox,
    pub(crate) stage: Stage,
    /// Who said hello.
    pub(crate) who: Identity,
    /// When a cut link is noticed.
    pub(crate) noticed_at_us: u64,
    /// The room's tick when its player joined.
    pub(crate) joined_at: Tick,
    /// The room's tick when its player's seat was taken for the first time, maybe over another connection.
    pub(crate) seated_at: Tick,
    /// Whether an input or acknowledgement has come from the room.
    pub(crate) answered: bool,
    /// What its player's actions came to, in order.
    pub(crate) answers: VecDeque<Result<(), String>>,
    pub(crate) in_flight: VecDeque<(Tick, u32)>,
}

impl Line {
    /// One that was just opened.
    pub(crate) fn new(link: Link) -> Line {
        Line {
            link,
            outbox: Outbox::default(),
            stage: Stage::Hello,
            who: Identity::nobody(),
            noticed_at_us: u64::MAX,
            joined_at: Tick(0),
            seated_at: Tick(0),
            answered: false,
            answers: VecDeque::new(),
            in_flight: VecDeque::new(),
        }
    }

    /// Follows the acknowledgements, which the room takes next.
    pub(crate) fn acknowledge(&mut self, message: &[u8]) {
        let ack = match message.first().copied().and_then(Kind::from_byte) {
            Some(Kind::State) => InputHead::decode(message).ok().map(|(head, _)| head.ack),
            Some(Kind::Ack) => decode_ack(message).ok(),
            _ => None,
        };
        self.answered |= ack.is_some();
        if let Some(ack) = ack {
            while self.in_flight.front().is_some_and(|(tick, _)| *tick <= ack) {
                self.in_flight.pop_front();
            }
        }
    }

    /// What waits and is in flight is within the limits.
    pub(crate) fn within_limits(&self) -> Result<(), Broken> {
        // The close frame comes on top.
        let waiting = self.outbox.backlog().waiting_bytes;
        let bytes: u32 = self
            .in_flight
            .iter()
            .rev()
            .skip(1)
            .map(|(_, bytes)| bytes)
            .sum();
        let in_flight = self.in_flight.len();
        if waiting > WAITING_BYTES_MAX + 128
            || in_flight > UNACKED_SNAPSHOTS_MAX as usize
            || bytes >= UNACKED_BYTES_MAX
        {
            let what = format!(
                "{waiting} B wait, {in_flight} snapshots in flight, {bytes} B before the last"
            );
            return Err(Broken::new(Check::Limits, what));
        }
        Ok(())
    }
}
