//! What becomes of bots that lose their connections, on purpose or with their node, or are sent out
//! of their rooms to another node: each comes back by resume as the SDK does, at random distances,
//! and must find its seat and its figure. Noted by `player`, awaited by `swarm`, judged by `judge`.

use tickwire::ids::{Handle, PlayerId, RoomId, Tick};
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
    /// Redirects since the loss.
    pub(crate) redirects: u32,
    since_us: u64,
    /// When the last snapshot came, and of which tick it was.
    shown: Option<(u64, Tick)>,
    seat: (RoomId, Option<PlayerId>),
    figure: Option<Handle>,
}

impl Outage {
    /// From the session's last state in a room.
    pub(crate) fn new(
        ticket: Ticket,
        token: &str,
        room: &RoomSession,
        shown_us: Option<u64>,
        now_us: u64,
    ) -> Outage {
        Outage {
            ticket,
            token: token.to_owned(),
            backoff: Backoff::new(now_us),
            redirects: 0,
            since_us: now_us,
            shown: shown_us.map(|us| (us, room.newest)),
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
        self.seat == (room.info.id, room.you) && self.has_its_figure(room)
    }

    /// Whether it steers there what it steered.
    pub(crate) fn has_its_figure(&self, room: &RoomSession) -> bool {
        self.figure.is_none() || self.figure == figure(room)
    }

    /// From the last snapshot before to the first one after, in microseconds.
    pub(crate) fn gap_us(&self, now_us: u64) -> u64 {
        now_us - self.shown.map_or(self.since_us, |(us, _)| us)
    }

    /// How far play had fallen back in the first snapshot, in microseconds.
    fn lost_play_us(&self, room: &RoomSession) -> u64 {
        let before = self.shown.map_or(Tick(0), |(_, tick)| tick);
        let ticks = before.0.saturating_sub(room.newest.0);
        u64::from(ticks) * 1_000_000 / u64::from(room.tick_rate.max(1))
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
    /// Connections lost.
    pub(crate) drops: u64,
    /// Bots that were sent out of their rooms to another node.
    pub(crate) moves: u64,
    /// Connections that were opened because a server said that it would probably send there.
    pub(crate) prepared: u64,
    /// Those of them on which a redirect was followed.
    pub(crate) prepared_used: u64,
    /// Bots that were back, with a snapshot.
    pub(crate) returns: u64,
    /// Those that were not where they had been.
    pub(crate) strayed: u64,
    /// Tries that were refused, or whose connection did not last.
    pub(crate) retries: u64,
    /// From the loss to the first snapshot.
    pub(crate) away: Times,
    /// From the last snapshot before to the first one after.
    pub(crate) gaps: Times,
    /// How far play had fallen back then.
    pub(crate) lost_play: Times,
}

impl Reconnects {
    /// Bots that are not back yet.
    pub(crate) fn missing(&self) -> u64 {
        self.drops + self.moves - self.returns
    }

    /// A bot has its first snapshot again.
    pub(crate) fn note_return(&mut self, outage: &Outage, room: &RoomSession, now_us: u64) {
        self.returns += 1;
        self.strayed += u64::from(!outage.is_where_it_was(room));
        self.away.record(now_us - outage.since_us);
        self.gaps.record(outage.gap_us(now_us));
        self.lost_play.record(outage.lost_play_us(room));
    }
}
