//! What became of each bot's seat, in the order in which it happened: for who judges a run as a
//! whole, as the nemesis does. Written through `run`; a swarm alone has none.

use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;
use tickwire::ids::{PlayerId, RoomId, Tick};

/// Notes that are kept; each loss of a connection makes a handful. Beyond they are only counted.
const NOTES_MAX: usize = 1 << 20;

/// Something that happened to a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When.
    #[serde(skip)]
    pub at: Instant,
    /// The bot's number.
    pub bot: usize,
    /// What.
    #[serde(flatten)]
    pub event: SeatEvent,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SeatEvent {
    /// It has a seat that it did not have before.
    Seated {
        /// Where.
        room: RoomId,
        /// The player's number.
        you: Option<PlayerId>,
        /// The room's tick on joining.
        tick: Tick,
    },
    /// Its connection is lost.
    Lost {
        /// The newest snapshot that it had.
        tick: Tick,
        /// The close code.
        code: u16,
    },
    /// The server sends it elsewhere, out of its room.
    Moved {
        /// The newest snapshot that it had.
        tick: Tick,
    },
    /// It is sent elsewhere on its way back.
    Redirected,
    /// It has a snapshot of its seat again.
    Back {
        /// Where.
        room: RoomId,
        /// The player's number.
        you: Option<PlayerId>,
        /// The first snapshot's tick.
        tick: Tick,
        /// Whether what it steers is what it steered.
        same_figure: bool,
        /// From the last snapshot before, in microseconds.
        gap_us: u64,
    },
    /// Its seat is lost for good; it looks for another one.
    Gone {
        /// Why, in words.
        why: String,
    },
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    notes: Vec<Note>,
    dropped: u64,
}

impl Journal {
    pub(crate) fn note(&self, at: Instant, bot: usize, event: SeatEvent) {
        let mut kept = self.0.lock();
        if kept.notes.len() < NOTES_MAX {
            kept.notes.push(Note { at, bot, event });
        } else {
            kept.dropped += 1;
        }
    }

    /// All so far, and how many more there were than are kept.
    pub fn notes(&self) -> (Vec<Note>, u64) {
        let kept = self.0.lock();
        (kept.notes.clone(), kept.dropped)
    }
}
