//! What all bots of a run share. Made by `swarm`, used by every bot, honest or hostile.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwire::session::Games;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::flags::Flags;
use crate::journal::{Journal, SeatEvent};
use crate::reconnects::Reconnects;
use crate::rooms::Rooms;
use crate::slow::Slowness;
use crate::tally::Tally;
use crate::target::Target;

/// News that wait for the swarm. Beyond, the bots wait.
const NEWS_MAX: usize = 1024;

/// See the module's description.
pub(crate) struct Run {
    pub(crate) flags: Flags,
    /// Where they come to, at least one; see `doors`.
    pub(crate) doors: Arc<[Target]>,
    pub(crate) tally: Tally,
    /// The same of spectators.
    pub(crate) audience: Tally,
    pub(crate) rooms: Rooms,
    /// Set once, when all are to say goodbye.
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) slowness: Slowness,
    pub(crate) reconnects: Mutex<Reconnects>,
    pub(crate) joined: mpsc::Sender<Joined>,
    /// What they know of the game.
    pub(crate) games: Arc<Games>,
    /// When it began.
    pub(crate) start: Instant,
    /// Who wants to know of each seat. Then a bot whose seat is lost for good looks for another
    /// one, until the run stops.
    journal: Option<Arc<Journal>>,
}

/// What a bot tells the swarm at once: it is in a room of these rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    /// Steps a second.
    pub(crate) tick_rate: u16,
    /// Ticks between snapshots.
    pub(crate) snapshot_every: u16,
    /// Whether it looks on, without a seat.
    pub(crate) spectates: bool,
}

impl Run {
    /// One that begins now, and where its news come out.
    pub(crate) fn new(
        flags: Flags,
        journal: Option<Arc<Journal>>,
    ) -> (Arc<Run>, mpsc::Receiver<Joined>) {
        let (joined, news) = mpsc::channel(NEWS_MAX);
        let run = Run {
            tally: Tally::new(),
            audience: Tally::new(),
            rooms: Rooms::new(flags.rooms as usize),
            stop: watch::Sender::new(false),
            slowness: Slowness::new(flags.rooms as usize),
            reconnects: Mutex::default(),
            joined,
            games: Arc::default(),
            start: Instant::now(),
            doors: flags.url.iter().cloned().collect(),
            journal,
            flags,
        };
        (Arc::new(run), news)
    }

    /// Where those write who play, or those who look on.
    pub(crate) fn tally_of(&self, spectates: bool) -> &Tally {
        if spectates {
            &self.audience
        } else {
            &self.tally
        }
    }

    /// Whether a bot goes on when its seat is lost for good.
    pub(crate) fn goes_on(&self) -> bool {
        self.journal.is_some()
    }

    /// Something became of a bot's seat.
    pub(crate) fn note(&self, bot: usize, now_us: u64, event: impl FnOnce() -> SeatEvent) {
        if let Some(journal) = &self.journal {
            journal.note(self.instant(now_us).into_std(), bot, event());
        }
    }

    /// Microseconds since the start.
    pub(crate) fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// The moment of so many microseconds after the start.
    pub(crate) fn instant(&self, us: u64) -> Instant {
        self.start + Duration::from_micros(us)
    }
}
