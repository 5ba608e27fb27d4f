//! The thread that keeps checkpoints: takes them from their slots one by one and hands them to the
//! [`Keeper`]. Where that fails, a full disk say, play goes on: it is tried again, it is counted,
//! and one line says when it begins and when it is over. [`Keeping::step`] is one of its steps,
//! which tests call by hand.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tickwire::ids::{RoomId, Tick};

use super::slots::{Change, Slots};
use super::{Keeper, Outcome, Sealed, envelope};
use crate::background;
use crate::date::Date;
use crate::directory::claims::Claim;
use crate::directory::{GameIndex, Kept};
use crate::metrics::Metrics;
use crate::room;
use crate::vitals::Vitals;

/// Until what failed is tried again, and the figures are brought up to date.
const RETRY: Duration = Duration::from_secs(1);
/// Until states are given again for which there was no place yet, where nothing else waits: the
/// tables have a new room after a round trip, one that they lost after the next beat.
const EARLY: Duration = Duration::from_millis(100);
/// Files in a row before the folder is synced: that costs about what a file's sync does.
const UNSETTLED_MAX: u32 = 64;

/// See the module's description.
pub(crate) struct Keeping {
    slots: Arc<Slots>,
    keeper: Box<dyn Keeper>,
    /// The games' names, by their index.
    games: Vec<&'static str>,
    metrics: Arc<Metrics>,
    /// What is kept of each room: when it was so, and its bytes.
    kept: HashMap<RoomId, (Instant, u64)>,
    /// All of their bytes.
    bytes: u64,
    /// Changes since the keeper settled last.
    unsettled: u32,
    /// Rooms that were too big the last time: each is told of once.
    too_big: HashSet<RoomId>,
    /// Whether the last try failed.
    is_failing: bool,
    /// When the figures are brought up to date again.
    shows_at: Instant,
}

/// A room's state and what goes before it.
struct Saved {
    room: RoomId,
    bytes: Vec<u8>,
    about: (GameIndex, Kept),
    at: (Instant, Tick),
    claim: Option<Arc<Claim>>,
    head: Vec<u8>,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    Failed,
    /// There is no place yet for anything that there was.
    NotYet,
    /// There was nothing to do.
    Idle,
}

impl Keeping {
    /// Of what comes into `slots`, of rooms of these games.
    pub(crate) fn new(
        slots: Arc<Slots>,
        keeper: Box<dyn Keeper>,
        games: Vec<&'static str>,
        metrics: Arc<Metrics>,
    ) -> Keeping {
        Keeping {
            slots,
            keeper,
            games,
            metrics,
            kept: HashMap::new(),
            bytes: 0,
            unsettled: 0,
            too_big: HashSet::new(),
            is_failing: false,
            shows_at: Instant::now(),
        }
    }

    /// Where it takes from.
    pub(crate) fn slots(&self) -> Arc<Slots> {
        self.slots.clone()
    }

    /// Starts the thread, which lives until the slots are finished and empty.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(mut self, vitals: &Vitals) -> io::Result<JoinHandle<()>> {
        let alive = vitals.part("the keeper of checkpoints");
        std::thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || {
                background::steps_aside();
                self.run();
                drop(alive);
            })
    }

    fn run(&mut self) {
        while !self.slots.is_over() {
            match self.step(Instant::now() + RETRY, Date::now()) {
                Step::Failed => self.slots.rest(RETRY),
                Step::NotYet => self.slots.rest(EARLY),
                Step::Done | Step::Idle => {}
            }
            let now = Instant::now();
            if now >= self.shows_at {
                self.shows_at = now + RETRY;
                self.show(now);
            }
        }
        // Each has one more try.
        self.keep_all(Date::now());
        self.settle();
        let rooms = self.slots.waiting();
        if rooms > 0 {
            tracing::error!(rooms, "rooms are not kept as they were at the end");
        }
    }

    /// All that waits, each once, for whoever keeps without a thread.
    pub(crate) fn keep_all(&mut self, now: Date) {
        for _ in 0..self.slots.waiting() {
            self.step(Instant::now(), now);
        }
    }

    /// The next changes, as many as the keeper takes at once; the first is waited for until
    /// `until`.
    pub(super) fn step(&mut self, until: Instant, now: Date) -> Step {
        if self.unsettled > 0 && (self.slots.waiting() == 0 || self.unsettled >= UNSETTLED_MAX) {
            self.settle();
        }
        let Some(first) = self.slots.take(until) else {
            return Step::Idle;
        };
        let waiting = std::iter::from_fn(|| self.slots.take(Instant::now()));
        let changes = std::iter::once(first).chain(waiting);
        let changes: Vec<_> = changes.take(self.keeper.at_once()).collect();
        let (mut saved, mut outcomes) = (Vec::new(), Vec::new());
        for (room, change) in changes {
            match change {
                Change::Gone => {
                    let forgotten = self.forget(room).map(|()| true);
                    outcomes.push((room, Change::Gone, forgotten));
                }
                Change::Left => {
                    self.uncount(room);
                    outcomes.push((room, Change::Left, Ok(true)));
                }
                Change::Saved {
                    bytes,
                    about,
                    at,
                    claim,
                } => {
                    let head = Vec::new();
                    let unsealed = Saved {
                        room,
                        bytes,
                        about,
                        at,
                        claim,
                        head,
                    };
                    saved.push(self.seal(unsealed, now));
                }
            }
        }
        outcomes.extend(self.keep(saved));
        let (mut is_any_done, mut has_any_failed) = (false, false);
        for (room, change, outcome) in outcomes {
            match outcome {
                Ok(true) => {
                    is_any_done = true;
                    if let Change::Saved { bytes, .. } = change {
                        self.slots.give_back(bytes);
                    }
                }
                Ok(false) => self.slots.put_back(room, change),
                Err(error) => {
                    has_any_failed = true;
                    self.slots.put_back(room, change);
                    self.failed(&error);
                }
            }
        }
        match (is_any_done, has_any_failed) {
            (true, _) => Step::Done,
            (false, true) => Step::Failed,
            (false, false) => Step::NotYet,
        }
    }

    /// Completes what came from a room, and puts before it what the directory knows.
    fn seal(&self, mut saved: Saved, now: Date) -> Saved {
        room::seal(&mut saved.bytes);
        let (GameIndex(index), kept) = &saved.about;
        let game = self.games.get(usize::from(*index));
        let game = game.copied().unwrap_or_default();
        envelope::seal(game, saved.room, kept, now, &saved.bytes, &mut saved.head);
        saved
    }

    /// Whether each is done with, which it is not where there is no place for it yet.
    fn keep(&mut self, saved: Vec<Saved>) -> Vec<(RoomId, Change, io::Result<bool>)> {
        if saved.is_empty() {
            return Vec::new();
        }
        let sealed = saved.iter().map(|saved| Sealed {
            room: saved.room,
            tick: saved.at.1,
            claim: saved.claim.as_ref(),
            parts: [&saved.head, &saved.bytes],
        });
        let kept = self.keeper.keep(&sealed.collect::<Vec<_>>());
        let counted = saved.into_iter().zip(kept).map(|(saved, kept)| {
            let Saved {
                room,
                bytes,
                about,
                at,
                claim,
                ..
            } = saved;
            let kept = kept.map(|outcome| {
                match outcome {
                    Outcome::Kept(bytes) => self.count(room, at.0, bytes),
                    Outcome::Anothers => self.uncount(room),
                    Outcome::TooBig(bytes) => self.too_big(room, bytes),
                    Outcome::NotYet => return false,
                }
                true
            });
            let change = Change::Saved {
                bytes,
                about,
                at,
                claim,
            };
            (room, change, kept)
        });
        counted.collect()
    }

    fn count(&mut self, room: RoomId, at: Instant, bytes: u64) {
        self.unsettled += 1;
        self.too_big.remove(&room);
        self.metrics.checkpoints.increment(1);
        let before = self.kept.insert(room, (at, bytes));
        self.bytes = self.bytes + bytes - before.map_or(0, |(_, bytes)| bytes);
    }

    /// Nothing of a room is kept here any more.
    fn uncount(&mut self, room: RoomId) {
        self.too_big.remove(&room);
        if let Some((_, bytes)) = self.kept.remove(&room) {
            self.bytes -= bytes;
        }
    }

    /// It is done with, and is no failure of who keeps it: the room's next state may be smaller.
    fn too_big(&mut self, room: RoomId, bytes: u64) {
        self.metrics.checkpoints_unwritten.increment(1);
        if self.too_big.insert(room) {
            let kept = self.keeper.name();
            tracing::error!(%room, bytes, kept, "a room is too big to be kept; it plays on");
        }
    }

    fn forget(&mut self, room: RoomId) -> io::Result<()> {
        self.keeper.forget(room)?;
        self.uncount(room);
        self.unsettled += 1;
        Ok(())
    }

    fn settle(&mut self) {
        self.unsettled = 0;
        match self.keeper.settle() {
            Err(error) => self.failed(&error),
            // Not while something waits to be tried again.
            Ok(()) if self.is_failing && self.slots.waiting() == 0 => {
                self.is_failing = false;
                tracing::info!("rooms are kept again");
            }
            Ok(()) => {}
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.metrics.checkpoints_unwritten.increment(1);
        if !std::mem::replace(&mut self.is_failing, true) {
            let kept = self.keeper.name();
            tracing::error!(kept, %error, "rooms can't be kept for now; they play on");
        }
    }

    /// Brings the figures up to date: how old what is kept is of rooms that have changed since.
    fn show(&self, now: Instant) {
        let kept_at = |room| self.kept.get(&room).map(|(at, _)| *at);
        let behind = self.slots.behind(kept_at);
        let age = behind.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.metrics.checkpoint_age.set(age);
        self.metrics.checkpoint_bytes.set(self.bytes as f64);
    }
}

#[cfg(test)]
mod tests;
