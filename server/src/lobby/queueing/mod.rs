//! The matchmaking queue of a game at its lobby: [`crate::queue`] decides who plays with whom, this
//! tells it what players say and what becomes of their connections, makes the rooms of its matches
//! with a seat for each of their players, and tells each of a player's connections how things stand.
//!
//! **What a page is told is the whole state**, and of it the newest alone waits in a connection's
//! mailbox: whatever was lost or overtaken, what comes last is so. Who connects is told at once, as
//! far as they are in the queue.
//!
//! **Nothing waits for it on the tick path.** One lock for each game, held for a step of the queue
//! at most (milliseconds with ten thousand players), is taken by the lobby's tasks; a worker says
//! what happened into a list ([`QueueEar`]), which [`Queueing::tend`] looks through. What clients say
//! comes by `queue_requests`.
//!
//! Of several nodes it is at the home, and its matches are played there: see `joint`.

mod around;
mod asking;
mod coming;
mod match_room;
mod skill;
mod table;
mod telling;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::game::Modes;
use crate::metrics::GameMetrics;
use crate::worker::{QueueEar, QueueNews};
pub(super) use around::{Around, out, tell};
pub(super) use asking::Wish;
pub(super) use skill::Skill;
pub(super) use table::{MatchSeat, Table};

/// From one step of a queue to the next, if it hears of nothing.
pub(super) const STEP: Duration = Duration::from_millis(250);

/// See the module's description.
pub(super) struct Queueing {
    pub(super) modes: Modes,
    pub(super) skill: Skill,
    pub(super) metrics: GameMetrics,
    pub(super) ear: Arc<QueueEar>,
    table: Mutex<Table>,
    seed: u64,
}

impl Queueing {
    /// Of a game that has modes, else `None`.
    ///
    /// # Errors
    /// A mode can't be played.
    pub(super) fn new(
        modes: &Modes,
        metrics: GameMetrics,
        skill: Skill,
        seed: u64,
    ) -> Result<Option<Queueing>, String> {
        if modes.are_none() {
            return Ok(None);
        }
        Ok(Some(Queueing {
            modes: modes.clone(),
            skill,
            metrics,
            ear: Arc::default(),
            table: Mutex::new(Table::new(modes.queue(seed)?)),
            seed,
        }))
    }

    /// Time passed, or there is news.
    pub(super) fn tend(&self, around: &Around<'_>, is_over: bool, now: Instant) {
        let news = self.ear.take();
        let mut table = self.table.lock();
        table.pass_to(now);
        for news in news {
            match news {
                QueueNews::Gone(player) => table.on_gone(around, &player),
                QueueNews::Seated(player, offer, room) => {
                    table.on_seated(around, &player, offer, room);
                }
            }
        }
        match is_over {
            true => table.close(around),
            false => table.step(around),
        }
        self.metrics.queue_players.set(table.players() as f64);
    }

    /// It is another node's: nobody is told anything, and matches that are not played end.
    pub(super) fn forget(&self, around: &Around<'_>) {
        // It was made of these modes before.
        if let Ok(queue) = self.modes.queue(self.seed) {
            self.with(around.now, |table| table.forget(around, queue));
        }
    }

    /// Does something at `now` in its table, which nobody else has meanwhile.
    pub(super) fn with<T>(&self, now: Instant, act: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.table.lock();
        table.pass_to(now);
        act(&mut table)
    }
}
