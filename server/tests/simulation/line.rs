//! A connection as it is seen from between its ends: a link, how far it has come, what is in
//! flight.

use std::collections::VecDeque;

use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::{UNACKED_BYTES_MAX, UNACKED_SNAPSHOTS_MAX};
use tickwire::protocol::Kind;
use tickwire::protocol::frame::{InputHead, decode_ack};

use crate::broken::{Broken, Check};
use crate::link::Ends;

/// A connection's number. Never given twice.
pub(crate) type LineId = u32;

/// How far a connection has come, as the server has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Lobby,
    Room(PlayerId),
    /// In the room without a seat: by which number, if it is known.
    Watching(Option<PlayerId>),
    Closed,
}

/// A connection.
pub(crate) struct Line {
    pub(crate) ends: Ends,
    /// Whose it is: a peer's number.
    pub(crate) who: usize,
    /// What the server calls them, once it said so.
    pub(crate) subject: Option<String>,
    /// By which number it was taken into the room last, to play or to look on.
    pub(crate) number: Option<PlayerId>,
    /// The seat that it asked for again, until that was answered.
    pub(crate) asks: Option<PlayerId>,
    /// It asked for a seat, any or that one, which the server has read and not answered.
    pub(crate) is_asking: bool,
    pub(crate) stage: Stage,
    /// The room's tick when its player joined.
    pub(crate) joined_at: Tick,
    /// The room's tick when its player's seat was taken for the first time, maybe over another
    /// connection; of the seat that it asks for, until it has one.
    pub(crate) seated_at: Tick,
    /// The newest tick that its player can have seen on earlier connections: what was said since to
    /// who was there, the process that said it took with it. Or one of several that the server may go
    /// by.
    pub(crate) seen_max: Vec<Tick>,
    /// Its player has acknowledged something of what they were sent over it.
    pub(crate) has_acked: bool,
    /// What its player's actions came to, in order.
    pub(crate) answers: VecDeque<Result<(), String>>,
    in_flight: VecDeque<(Tick, u32)>,
    stuck_since: Option<Tick>,
}

impl Line {
    /// One that was just opened.
    pub(crate) fn new(ends: Ends, who: usize, asks: Option<(PlayerId, Tick)>) -> Line {
        Line {
            ends,
            who,
            subject: None,
            number: None,
            asks: asks.map(|(player, _)| player),
            is_asking: false,
            stage: Stage::Lobby,
            joined_at: Tick(0),
            seated_at: asks.map_or(Tick(0), |(_, seated_at)| seated_at),
            seen_max: vec![Tick(u32::MAX)],
            has_acked: false,
            answers: VecDeque::new(),
            in_flight: VecDeque::new(),
            stuck_since: None,
        }
    }

    /// Its player has a seat from now on.
    pub(crate) fn seat(&mut self, player: PlayerId, joined_at: Tick, seated_at: Tick) {
        self.stage = Stage::Room(player);
        self.begin(Some(player), joined_at, seated_at);
    }

    /// It looks on from now on.
    pub(crate) fn watch(&mut self, number: Option<PlayerId>, joined_at: Tick) {
        self.stage = Stage::Watching(number);
        self.begin(number, joined_at, joined_at);
    }

    fn begin(&mut self, number: Option<PlayerId>, joined_at: Tick, seated_at: Tick) {
        self.number = number;
        (self.joined_at, self.seated_at) = (joined_at, seated_at);
        self.asks = None;
        self.is_asking = false;
        self.in_flight.clear();
        self.has_acked = false;
        self.answers.clear();
    }

    /// Whether the server has ended it, or was heard to do so, or may have said so where nothing
    /// gets through.
    pub(crate) fn may_be_over(&self) -> bool {
        self.stage == Stage::Closed || self.ends.is_over() || self.ends.link().is_stuck()
    }

    /// Since which of the room's ticks nothing gets through to the client.
    pub(crate) fn stuck_since(&mut self, now: Tick) -> Option<Tick> {
        let since = self.stuck_since.unwrap_or(now);
        self.stuck_since = self.ends.link().is_stuck().then_some(since);
        self.stuck_since
    }

    /// The same as of the step before.
    pub(crate) fn was_stuck_since(&self) -> Option<Tick> {
        self.stuck_since
    }

    /// A snapshot was sent.
    pub(crate) fn sent(&mut self, tick: Tick, bytes: usize) {
        self.in_flight.push_back((tick, bytes as u32));
    }

    /// Follows the acknowledgements that the server has read. Whether this is one.
    pub(crate) fn acknowledge(&mut self, message: &[u8]) -> bool {
        let ack = match message.first().copied().and_then(Kind::from_byte) {
            Some(Kind::State) => InputHead::decode(message).ok().map(|(head, _)| head.ack),
            Some(Kind::Ack) => decode_ack(message).ok(),
            _ => None,
        };
        if let Some(ack) = ack {
            while self.in_flight.front().is_some_and(|(tick, _)| *tick <= ack) {
                self.in_flight.pop_front();
                self.has_acked = true;
            }
        }
        ack.is_some()
    }

    /// What is in flight is within the limits.
    pub(crate) fn within_limits(&self) -> Result<(), Broken> {
        let bytes = self.in_flight.iter().rev().skip(1);
        let bytes: u32 = bytes.map(|(_, bytes)| bytes).sum();
        let in_flight = self.in_flight.len();
        if in_flight > UNACKED_SNAPSHOTS_MAX as usize || bytes >= UNACKED_BYTES_MAX {
            let what = format!("{in_flight} snapshots in flight, {bytes} B before the last");
            return Err(Broken::new(Check::Limits, what));
        }
        Ok(())
    }
}
