//! What becomes of bots that lose their connections on purpose: each comes back by resume as the
//! SDK does, at random distances, and must find its seat and its figure. Noted by `player`, awaited
//! by `swarm`, judged by `judge`.

use hdrhistogram::Histogram;
use tickwire::ids::{Handle, LayerId, PlayerId, RoomId};
use tickwire::session::{Backoff, RoomSession, Ticket};

use crate::tally::times_us;

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
    seat: (RoomId, PlayerId),
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

    /// Whether the room that it is back in is the one that it left, with the same seat and the same
    /// figure.
    fn is_where_it_was(&self, room: &RoomSession) -> bool {
        let same_figure = self.figure.is_none() || self.figure == figure(room);
        self.seat == (room.info.id, room.you) && same_figure
    }
}

/// What a bot steers, if its room shows it.
fn figure(room: &RoomSession) -> Option<Handle> {
    let image = room.layer(LayerId::ROOM)?;
    Some(image.entities.get(room.avatar()?)?.handle())
}

/// What all bots' drops came to.
#[derive(Clone, Debug)]
pub(crate) struct Reconnects {
    /// Connections lost on purpose.
    pub(crate) drops: u64,
    /// Bots that were back, with a snapshot.
    pub(crate) returns: u64,
    /// Those that were not where they had been.
    pub(crate) strayed: u64,
    /// Tries that were refused, or whose connection did not last.
    pub(crate) retries: u64,
    /// From the loss to the first snapshot, in microseconds.
    pub(crate) away_us: Histogram<u64>,
}

impl Default for Reconnects {
    fn default() -> Reconnects {
        Reconnects {
            drops: 0,
            returns: 0,
            strayed: 0,
            retries: 0,
            away_us: times_us(),
        }
    }
}

impl Reconnects {
    /// Bots that are away.
    pub(crate) fn away(&self) -> u64 {
        self.drops - self.returns
    }

    /// A bot has its first snapshot again.
    pub(crate) fn note_return(&mut self, outage: &Outage, room: &RoomSession, now_us: u64) {
        self.returns += 1;
        self.strayed += u64::from(!outage.is_where_it_was(room));
        self.away_us.saturating_record(now_us - outage.since_us);
    }
}
