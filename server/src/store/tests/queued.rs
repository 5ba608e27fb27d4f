//! Which records stay where not all can.

use tokio::sync::oneshot;

use super::{line, result};
use crate::metrics::RECORDS;
use crate::store::queue::{Limits, Lost, Queue};
use crate::store::record::{Kind, Player, Record, Sanction};

const ROOMY: usize = 1 << 20;

fn queue(records: usize, bytes: usize) -> Queue {
    Queue::new(Limits { records, bytes })
}

fn presence(name: &str) -> Record {
    Record::Player(Player {
        player: format!("user:{name}"),
        name: name.into(),
        handle: String::new(),
        seen_at_ms: 0,
    })
}

fn ban() -> Record {
    Record::Sanction(Sanction {
        kind: "ban",
        target: "user:bo".into(),
        terms: None,
    })
}

fn won(round: u64) -> Record {
    Record::Result(result("room", round, &[]))
}

fn lost(kinds: &[(Kind, u32)]) -> Lost {
    let mut lost = Lost::default();
    for (kind, records) in kinds {
        lost[*kind as usize] += records;
    }
    lost
}

/// What waits, in the order in which it is written.
fn rest(queue: &mut Queue) -> Vec<Record> {
    let all = queue.take(usize::MAX, Kind::Chat);
    all.into_iter().map(|entry| entry.record).collect()
}

#[test]
fn the_figures_have_the_kinds_words() {
    let words = Kind::ALL.map(|kind| format!("{kind:?}").to_lowercase());
    assert_eq!(words, RECORDS);
    let numbers = Kind::ALL.map(|kind| kind as usize);
    assert!(numbers.iter().copied().eq(0..Kind::ALL.len()));
}

#[test]
fn records_come_out_as_they_came_in() {
    let mut queue = queue(9, ROOMY);
    let all = [won(1), line("a", 1), ban(), line("a", 2), presence("ann")];
    for record in &all {
        assert_eq!(queue.push(record.clone(), None), lost(&[]));
    }
    let first = queue.take(2, Kind::Chat);
    assert!(first.iter().map(|entry| &entry.record).eq(&all[..2]));
    assert_eq!(queue.records(), 5, "those that are being written count");
    queue.done();
    assert_eq!(queue.records(), 3);
    assert_eq!(rest(&mut queue), all[2..]);
    queue.done();
    assert_eq!((queue.records(), queue.bytes()), (0, 0));
}

#[test]
fn chat_goes_first_and_results_last() {
    let mut queue = queue(4, ROOMY);
    for record in [line("a", 1), presence("ann"), line("a", 2), won(1)] {
        queue.push(record, None);
    }
    // Nothing matters less than chat: it is lost itself.
    assert_eq!(queue.push(line("a", 3), None), lost(&[(Kind::Chat, 1)]));
    // The newest line goes, so that what is kept of a channel is whole.
    assert_eq!(queue.push(ban(), None), lost(&[(Kind::Chat, 1)]));
    assert_eq!(queue.push(won(2), None), lost(&[(Kind::Chat, 1)]));
    assert_eq!(
        queue.push(presence("bo"), None),
        lost(&[(Kind::Presence, 1)])
    );
    assert_eq!(queue.push(won(3), None), lost(&[(Kind::Presence, 1)]));
    assert_eq!(queue.push(ban(), None), lost(&[(Kind::Sanction, 1)]));
    assert_eq!(queue.push(won(4), None), lost(&[(Kind::Sanction, 1)]));
    assert_eq!(queue.push(won(5), None), lost(&[(Kind::Result, 1)]));
    assert_eq!(rest(&mut queue), [won(1), won(2), won(3), won(4)]);
}

#[test]
fn what_is_being_written_stays() {
    let mut queue = queue(2, ROOMY);
    queue.push(line("a", 1), None);
    queue.push(line("a", 2), None);
    assert_eq!(queue.take(2, Kind::Chat).len(), 2);
    assert_eq!(queue.push(won(1), None), lost(&[(Kind::Result, 1)]));
    queue.done();
    assert_eq!(queue.push(won(1), None), lost(&[]));
}

#[test]
fn bytes_are_bounded_as_records_are() {
    let (small, wide) = (line("a", 1), line(&"a".repeat(400), 1));
    let mut queue = queue(100, 3 * small.bytes() + 10);
    for _ in 0..3 {
        assert_eq!(queue.push(small.clone(), None), lost(&[]));
    }
    assert_eq!(queue.push(wide.clone(), None), lost(&[(Kind::Chat, 1)]));
    // Two lines make room for it, and the third stays.
    assert!(won(1).bytes() <= small.bytes() + 10, "the test's own");
    assert_eq!(queue.push(won(1), None)[Kind::Chat as usize], 1);
    // What would not fit into an empty one costs nobody anything.
    let players = ["user:x"; 50].map(|player| (player, 0));
    let vast = Record::Result(result("room", 2, &players));
    assert_eq!(queue.push(vast, None), lost(&[(Kind::Result, 1)]));
    assert_eq!(queue.records(), 3);
    assert!(queue.bytes() <= 3 * small.bytes() + 10);
}

#[test]
fn who_waits_for_a_record_is_told_of_its_loss() {
    let mut queue = queue(1, ROOMY);
    let (acknowledge, mut written) = oneshot::channel();
    queue.push(line("a", 1), Some(acknowledge));
    assert_eq!(written.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    queue.push(won(1), None);
    assert_eq!(
        written.try_recv(),
        Err(oneshot::error::TryRecvError::Closed)
    );
}

#[test]
fn on_a_full_disk_what_matters_less_waits() {
    let mut queue = queue(9, ROOMY);
    for record in [line("a", 1), ban(), won(1)] {
        queue.push(record, None);
    }
    assert_eq!(queue.waiting(Kind::Sanction), 2);
    assert_eq!(queue.take(9, Kind::Sanction).len(), 2);
    assert!(!queue.is_past(1), "the line came before");
    assert_eq!(rest(&mut queue), [line("a", 1)]);
    assert!(queue.is_past(3));
}

#[test]
fn a_person_who_is_erased_is_nowhere_in_what_waits() {
    let mut queue = queue(9, ROOMY);
    let players = [("user:ann", 3), ("user:bo", 1)];
    let records = [
        line("a", 1),
        presence("ann"),
        presence("bo"),
        Record::Result(result("room", 1, &players)),
    ];
    for record in records {
        queue.push(record, None);
    }
    queue.erase("user:ann");
    let left = rest(&mut queue);
    let shown = format!("{left:?}").to_lowercase();
    for word in ["user:ann", "\"ann\"", "hello"] {
        assert!(!shown.contains(word), "{shown}");
    }
    assert_eq!(left.len(), 3, "the line and the result are there: {shown}");
    assert!(shown.contains("score: 3"), "{shown}");
    queue.done();
    assert_eq!(queue.bytes(), 0);
}
