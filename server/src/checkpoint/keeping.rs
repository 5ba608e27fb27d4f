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
mod tests {
    use parking_lot::Mutex;

    use super::*;

    const NOW: Date = Date(1_000_000);

    /// A disk that the test can see, and fill.
    #[derive(Default)]
    struct Disk {
        files: HashMap<RoomId, Vec<u8>>,
        at_once: usize,
        is_full: bool,
        /// Where it is full for one room alone.
        bad: Option<RoomId>,
        /// Rooms for which it has no place yet.
        early: Vec<RoomId>,
        /// Rooms that are another's.
        lost: Vec<RoomId>,
        big: Option<RoomId>,
        settled: u32,
    }

    struct OnDisk(Arc<Mutex<Disk>>);

    impl Keeper for OnDisk {
        fn name(&self) -> String {
            "disk".into()
        }

        fn at_once(&self) -> usize {
            self.0.lock().at_once
        }

        fn keep(&mut self, rooms: &[Sealed<'_>]) -> Vec<io::Result<Outcome>> {
            let mut disk = self.0.lock();
            assert!((1..=disk.at_once).contains(&rooms.len()));
            let keep = rooms.iter().map(|sealed| {
                if disk.is_full || disk.bad == Some(sealed.room) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                if disk.early.contains(&sealed.room) {
                    return Ok(Outcome::NotYet);
                }
                if disk.lost.contains(&sealed.room) {
                    return Ok(Outcome::Anothers);
                }
                if disk.big == Some(sealed.room) {
                    return Ok(Outcome::TooBig(20));
                }
                let bytes = sealed.parts.concat();
                let length = bytes.len() as u64;
                disk.files.insert(sealed.room, bytes);
                Ok(Outcome::Kept(length))
            });
            keep.collect()
        }

        fn forget(&mut self, room: RoomId) -> io::Result<()> {
            self.0.lock().files.remove(&room);
            Ok(())
        }

        fn settle(&mut self) -> io::Result<()> {
            self.0.lock().settled += 1;
            Ok(())
        }
    }

    struct Disked {
        slots: Arc<Slots>,
        disk: Arc<Mutex<Disk>>,
        keeping: Keeping,
    }

    impl Disked {
        fn new() -> Disked {
            let (slots, disk) = (Arc::<Slots>::default(), Arc::<Mutex<Disk>>::default());
            disk.lock().at_once = 1;
            let metrics = Arc::new(Metrics::new().unwrap());
            let keeper = Box::new(OnDisk(disk.clone()));
            let games = vec!["chess"];
            Disked {
                keeping: Keeping::new(slots.clone(), keeper, games, metrics),
                slots,
                disk,
            }
        }

        fn save(&self, room: RoomId, byte: u8) {
            let (bytes, at) = (vec![byte; 20], (Instant::now(), Tick::default()));
            let about = Default::default();
            let claim = None;
            let change = Change::Saved {
                bytes,
                about,
                at,
                claim,
            };
            self.slots.put(room, change);
        }

        fn step(&mut self) -> Step {
            self.keeping.step(Instant::now(), NOW)
        }

        /// What is kept of a room, but for what is sealed.
        fn kept(&self, room: RoomId) -> Option<(String, u8)> {
            let disk = self.disk.lock();
            let (head, save) = envelope::open(disk.files.get(&room)?, NOW).unwrap();
            assert_eq!(head.room, room);
            Some((head.game, save[19]))
        }

        fn figure(&self, line: &str) -> bool {
            self.keeping.show(Instant::now());
            let text = self.keeping.metrics.render();
            text.lines().any(|other| other == line)
        }
    }

    #[test]
    fn what_rooms_give_is_kept_with_what_the_directory_knows_until_they_are_gone() {
        let mut kept = Disked::new();
        let (one, two) = (RoomId(1), RoomId(2));
        kept.save(one, 1);
        kept.save(two, 2);
        kept.save(one, 3);
        assert_eq!(
            [kept.step(), kept.step(), kept.step()],
            [Step::Done, Step::Done, Step::Idle]
        );
        assert_eq!(kept.kept(one), Some(("chess".into(), 3)));
        assert_eq!(kept.kept(two), Some(("chess".into(), 2)));
        assert_eq!(kept.disk.lock().settled, 1, "once for both");
        assert!(kept.figure("tickwire_checkpoints_total 2"));
        assert!(kept.figure("tickwire_checkpoint_age_seconds 0"));
        // One that is on its way goes with it.
        kept.save(one, 4);
        kept.slots.put(one, Change::Gone);
        assert_eq!(kept.step(), Step::Done);
        assert_eq!(kept.kept(one), None);
        let bytes = kept.disk.lock().files[&two].len();
        assert!(kept.figure(&format!("tickwire_checkpoint_bytes {bytes}")));
    }

    #[test]
    fn a_disk_that_is_full_leaves_what_was_and_is_tried_again() {
        let mut kept = Disked::new();
        let room = RoomId(1);
        kept.save(room, 1);
        assert_eq!(kept.step(), Step::Done);
        kept.disk.lock().is_full = true;
        kept.save(room, 2);
        assert_eq!([kept.step(), kept.step()], [Step::Failed, Step::Failed]);
        assert_eq!(kept.kept(room).unwrap().1, 1);
        assert!(kept.keeping.is_failing && !kept.figure("tickwire_checkpoint_age_seconds 0"));
        assert!(kept.figure("tickwire_checkpoints_failed_total{stage=\"write\"} 2"));
        kept.save(room, 3);
        kept.disk.lock().is_full = false;
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
        assert_eq!(kept.kept(room).unwrap().1, 3, "the newest");
        assert!(!kept.keeping.is_failing && kept.figure("tickwire_checkpoint_age_seconds 0"));
    }

    #[test]
    fn many_go_at_once_and_one_that_fails_holds_no_other() {
        let mut kept = Disked::new();
        kept.disk.lock().at_once = 16;
        kept.disk.lock().bad = Some(RoomId(3));
        (1..=20).for_each(|room| kept.save(RoomId(room), 7));
        kept.slots.put(RoomId(5), Change::Gone);
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Done]);
        let has = |room| kept.kept(RoomId(room)).is_some();
        assert!((1..=20).all(|room| has(room) != [3, 5].contains(&room)));
        assert_eq!(kept.step(), Step::Failed, "it alone is left");
        kept.disk.lock().bad = None;
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
    }

    /// As of a room that the engine's tables don't have yet: that is no fault, and is said to nobody.
    #[test]
    fn what_comes_too_early_holds_nobody_and_is_kept_later() {
        let mut kept = Disked::new();
        kept.disk.lock().at_once = 16;
        let (early, other) = (RoomId(1), RoomId(2));
        kept.disk.lock().early = vec![early];
        kept.save(early, 1);
        kept.save(other, 2);
        assert_eq!(
            [kept.step(), kept.step()],
            [Step::Done, Step::NotYet],
            "then it alone is left"
        );
        assert_eq!((kept.kept(early), kept.kept(other).unwrap().1), (None, 2));
        assert!(!kept.keeping.is_failing);
        assert!(kept.figure("tickwire_checkpoints_failed_total{stage=\"write\"} 0"));
        assert!(
            !kept.figure("tickwire_checkpoint_age_seconds 0"),
            "it waits"
        );
        kept.disk.lock().bad = Some(other);
        kept.save(other, 3);
        assert_eq!(kept.step(), Step::Failed, "what fails still fails");
        kept.disk.lock().bad = None;
        kept.disk.lock().early.clear();
        kept.save(early, 4);
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
        let both = [early, other].map(|room| kept.kept(room).unwrap().1);
        assert_eq!(both, [4, 3], "the newest of each");
        assert!(!kept.keeping.is_failing && kept.figure("tickwire_checkpoint_age_seconds 0"));
    }

    /// As nothing but its shrinking helps, it is not tried again, and hides no failure of the disk.
    #[test]
    fn what_is_too_big_is_done_with_and_what_was_kept_stays() {
        let mut kept = Disked::new();
        let room = RoomId(1);
        kept.save(room, 1);
        assert_eq!(kept.step(), Step::Done);
        kept.disk.lock().big = Some(room);
        for byte in 2..4 {
            kept.save(room, byte);
            assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
            assert_eq!(kept.keeping.too_big.len(), 1, "it is said once");
        }
        assert!(!kept.keeping.is_failing && kept.kept(room).unwrap().1 == 1);
        assert!(kept.figure("tickwire_checkpoints_failed_total{stage=\"write\"} 2"));
        kept.disk.lock().big = None;
        kept.save(room, 4);
        assert_eq!(kept.step(), Step::Done);
        assert!(kept.keeping.too_big.is_empty() && kept.kept(room).unwrap().1 == 4);
    }

    #[test]
    fn what_is_anothers_is_done_with_and_counts_no_longer() {
        let mut kept = Disked::new();
        let room = RoomId(1);
        kept.save(room, 1);
        assert_eq!(kept.step(), Step::Done);
        kept.disk.lock().lost = vec![room];
        kept.save(room, 2);
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
        assert!(kept.figure("tickwire_checkpoint_bytes 0"));
        assert!(kept.figure("tickwire_checkpoints_total 1"));
    }

    #[test]
    fn what_is_kept_of_a_room_that_left_stays_and_counts_no_longer() {
        let mut kept = Disked::new();
        let room = RoomId(1);
        kept.save(room, 1);
        assert_eq!(kept.step(), Step::Done);
        assert!(!kept.figure("tickwire_checkpoint_bytes 0"));
        // What it left behind is nobody's to write.
        kept.save(room, 2);
        kept.slots.put(room, Change::Left);
        assert_eq!([kept.step(), kept.step()], [Step::Done, Step::Idle]);
        assert_eq!(kept.kept(room).unwrap().1, 1);
        assert!(kept.figure("tickwire_checkpoint_bytes 0"));
        assert!(kept.figure("tickwire_checkpoint_age_seconds 0"));
    }

    #[test]
    fn at_the_end_all_that_waits_is_kept_and_what_fails_holds_nobody() {
        let mut kept = Disked::new();
        let rooms = [1, 2, 3].map(RoomId);
        rooms.iter().for_each(|room| kept.save(*room, 7));
        kept.slots.finish();
        kept.keeping.run();
        assert!(rooms.iter().all(|room| kept.kept(*room).is_some()));
        assert!(kept.disk.lock().settled > 0);
        kept.disk.lock().is_full = true;
        rooms.iter().for_each(|room| kept.save(*room, 8));
        kept.keeping.run();
        assert!(rooms.iter().all(|room| kept.kept(*room).unwrap().1 == 7));
    }
}
