//! Keeping on virtual time, with a keeper that does what a test says.

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
