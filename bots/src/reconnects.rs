//! What becomes of bots that lose their connections on purpose: each comes back by resume as the
//! SDK does, at random distances, and must find its seat and its figure. Noted by `player`, awaited
//! by `swarm`, judged by `judge`.

use tickwire::ids::{Handle, PlayerId, RoomId};
use tickwire::session::{Backoff, RoomSession, Ticket};

use crate::tally::Times;

/// From the loss of a bot's connection until it is back.
#[derive(Debug)]
pub(crate) struct Outage {
    /// What opens its seat again.
    pub(crate) ticket: Ticket,
    /// Who it is to the server.
    pub(crate) token: String,
    /// When it tries.
    pub(crate) backoff: Backoff,
    since_us: u64,
    seat: (RoomId, Option<PlayerId>),
    figure: Option<Handle>,
}

impl Outage {
    /// From the session's last state in a room.
    pub(crate) fn new(ticket: Ticket, token: &str, room: &RoomSession, now_us: u64) -> Outage {
        Outage {
            ticket,
            token: token.to_owned(),
            backoff: Backoff::new(now_us),
            since_us: now_us,
            seat: (room.info.id, room.you),
            figure: figure(room),
        }
    }

    /// Whether its seat is in that room.
    pub(crate) fn is_of(&self, room: RoomId) -> bool {
        self.seat.0 == room
    }

    /// Whether the room that it is back in is the one that it left, with the same seat and the same
    /// figure.
    fn is_where_it_was(&self, room: &RoomSession) -> bool {
        let same_figure = self.figure.is_none() || self.figure == figure(room);
        self.seat == (room.info.id, room.you) && same_figure
    }
}

/// What a bot steers, if its room shows it.
fn figure(room: &RoomSession) -> Option<Handle> {
    let (layer, at) = room.avatar()?;
    Some(room.layer(layer)?.entities.get(at)?.handle())
}

/// What all bots' drops came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconnects {
    /// Connections lost on purpose.
    pub(crate) drops: u64,
    /// Bots that were back, with a snapshot.
    pub(crate) returns: u64,
    /// Those that were not where they had been.
    pub(crate) strayed: u64,
    /// Tries that were refused, or whose connection did not last.
    pub(crate) retries: u64,
    /// From the loss to the first snapshot.
    pub(crate) away: Times,
}

impl Reconnects {
    /// Bots that are not back yet.
    pub(crate) fn missing(&self) -> u64 {
        self.drops - self.returns
    }

    /// A bot has its first snapshot again.
    pub(crate) fn note_return(&mut self, outage: &Outage, room: &RoomSession, now_us: u64) {
        self.returns += 1;
        self.strayed += u64::from(!outage.is_where_it_was(room));
        self.away.record(now_us - outage.since_us);
    }
}
