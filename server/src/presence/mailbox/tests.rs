//! A mailbox as its connection moves while letters come, and one that overflows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::mail::LETTERS_MAX;
use super::*;

const ROOM: RoomId = RoomId(7);
const PLAYER: PlayerId = PlayerId(3);

fn letter(number: u32, bytes: usize) -> Letter {
    Letter {
        number,
        bytes: Bytes::from(vec![number as u8; bytes]),
    }
}

/// An open mailbox, and what wakes the lobby.
fn open() -> (Mailbox, Notify) {
    let (mailbox, lobby) = (Mailbox::new(), Notify::new());
    mailbox.fill([], &lobby);
    (mailbox, lobby)
}

fn put(mailbox: &Mailbox, number: u32) -> Put {
    mailbox.put(letter(number, 10), &Notify::new())
}

/// What the lobby takes: the first byte of each.
fn take(mailbox: &Mailbox) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(!mailbox.take(usize::MAX, None, &mut out));
    out.iter().map(|bytes| bytes[0]).collect()
}

/// A worker's post, and how often it was woken.
fn post() -> (Arc<Post>, Arc<AtomicUsize>) {
    let woken = Arc::new(AtomicUsize::new(0));
    let counts = woken.clone();
    let post = Post::new(move || {
        counts.fetch_add(1, Ordering::Relaxed);
    });
    (Arc::new(post), woken)
}

const IN: Put = Put {
    is_in: true,
    dropped: 0,
};

#[test]
fn a_shut_one_takes_nothing() {
    let mailbox = Mailbox::new();
    assert_eq!(put(&mailbox, 0), Put::default());
    assert_eq!(put(&mailbox, 1), Put::default());
    mailbox.fill([letter(1, 10)], &Notify::new());
    assert_eq!(put(&mailbox, 2), IN);
    assert_eq!(take(&mailbox), [1, 2]);
}

/// Every way in which a letter, a move and the looks of both owners can follow one another: whoever
/// looks as an owner does, when it takes over and when it is told, takes it, once.
#[test]
fn a_letter_is_taken_once_however_the_connection_moves_meanwhile() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Step {
        Put,
        ToWorker,
        ToOther,
        ToLobby,
        WorkerLooks,
        OtherLooks,
    }
    use Step::{OtherLooks, Put, ToLobby, ToOther, ToWorker, WorkerLooks};
    let all = [
        Put,
        Put,
        ToWorker,
        ToOther,
        ToLobby,
        WorkerLooks,
        OtherLooks,
    ];
    let mut orders = 0;
    permute(&all, &mut |steps: &[Step]| {
        orders += 1;
        let (mailbox, lobby) = open();
        let posts = [post().0, post().0];
        let (mut number, mut taken) = (0, Vec::new());
        // Who has the connection: a worker, or nobody's, which is the lobby.
        let mut owner: Option<usize> = None;
        let mut knows = [false; 2];
        let look = |taken: &mut Vec<u8>| taken.extend(take(&mailbox));
        for step in steps {
            match step {
                Put => {
                    number += 1;
                    assert!(mailbox.put(letter(number, 10), &lobby).is_in);
                    // The task is woken, and has it at once if it is its.
                    if owner.is_none() {
                        look(&mut taken);
                    }
                }
                ToWorker | ToOther => {
                    let worker = usize::from(*step == ToOther);
                    owner = Some(worker);
                    let owner = Owner::Worker(posts[worker].clone(), ROOM, PLAYER);
                    knows[worker] |= mailbox.hand_to(owner);
                }
                ToLobby => {
                    owner = None;
                    mailbox.hand_to(Owner::Lobby);
                    look(&mut taken);
                }
                WorkerLooks | OtherLooks => {
                    let worker = usize::from(*step == OtherLooks);
                    knows[worker] |= posts[worker].take() == [(ROOM, PLAYER)];
                    if std::mem::take(&mut knows[worker]) && owner == Some(worker) {
                        look(&mut taken);
                    }
                }
            }
        }
        // Whoever has it looks again.
        if let Some(worker) = owner {
            knows[worker] |= !posts[worker].take().is_empty();
            assert_eq!(knows[worker], taken.len() < 2, "{steps:?}");
            look(&mut taken);
        }
        assert_eq!(taken, [1, 2], "{steps:?}");
    });
    assert_eq!(orders, 5040);
}

fn permute<T: Copy>(all: &[T], visit: &mut impl FnMut(&[T])) {
    fn go<T: Copy>(done: &mut Vec<T>, left: &mut Vec<T>, visit: &mut impl FnMut(&[T])) {
        if left.is_empty() {
            return visit(done);
        }
        for at in 0..left.len() {
            done.push(left.remove(at));
            go(done, left, visit);
            left.extend(done.pop());
            let last = left.len() - 1;
            left[at..=last].rotate_right(1);
        }
    }
    go(&mut Vec::new(), &mut all.to_vec(), visit);
}

#[test]
fn a_worker_is_woken_once_for_all_that_comes_before_it_looks() {
    let (mailbox, _) = open();
    let (post, woken) = post();
    mailbox.hand_to(Owner::Worker(post.clone(), ROOM, PLAYER));
    (1..4).for_each(|number| assert_eq!(put(&mailbox, number), IN));
    assert_eq!(post.take(), [(ROOM, PLAYER)]);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    // It knows until it has taken all.
    assert_eq!(put(&mailbox, 4), IN);
    assert!(post.take().is_empty());
    assert_eq!(take(&mailbox), [1, 2, 3, 4]);
    assert_eq!(put(&mailbox, 5), IN);
    assert_eq!(post.take(), [(ROOM, PLAYER)]);
    assert_eq!(woken.load(Ordering::Relaxed), 2);
}

#[test]
fn of_too_many_those_go_first_that_are_not_kept() {
    let (mailbox, lobby) = open();
    for number in 1..LETTERS_MAX as u32 {
        assert_eq!(put(&mailbox, number), IN);
    }
    assert_eq!(put(&mailbox, 0), IN, "the last place");
    let dropped = Put {
        is_in: true,
        dropped: 1,
    };
    assert_eq!(put(&mailbox, 0), dropped, "the older one goes");
    let newest = LETTERS_MAX as u32;
    assert_eq!(put(&mailbox, newest), dropped);
    assert_eq!(put(&mailbox, 0), Put::default(), "there is none to go");
    assert_eq!(put(&mailbox, newest + 1), Put::default());
    assert!(mailbox.lacks_some());
    // Not even when there is room: what was left comes before it.
    let all: Vec<u8> = (1..=newest as u8).collect();
    assert_eq!(take(&mailbox), all);
    assert_eq!(put(&mailbox, newest + 2), Put::default());
    assert_eq!(put(&mailbox, 0), IN, "they have no order");
    mailbox.fill((1..newest + 3).map(|number| letter(number, 10)), &lobby);
    assert!(!mailbox.lacks_some());
    assert_eq!(take(&mailbox), [0, newest as u8 + 1, newest as u8 + 2]);
    assert_eq!(put(&mailbox, newest + 3), IN);
}

#[test]
fn bytes_are_bounded_too() {
    let (mailbox, lobby) = open();
    let half = MAILBOX_BYTES_MAX / 2;
    mailbox.fill((1..4).map(|number| letter(number, half)), &lobby);
    assert!(mailbox.lacks_some());
    let mut out = Vec::new();
    assert!(mailbox.take(1, None, &mut out), "until there is one byte");
    assert_eq!(out.len(), 1);
    mailbox.fill((1..4).map(|number| letter(number, half)), &lobby);
    assert!(!mailbox.lacks_some());
    assert_eq!(take(&mailbox), [2, 3]);
}

#[test]
fn in_a_room_a_flood_of_them_waits() {
    let (mailbox, lobby) = open();
    let start = Instant::now();
    mailbox.fill((1..16).map(|number| letter(number, 1024)), &lobby);
    let at = |ms| {
        let mut out = Vec::new();
        let now = Some(start + Duration::from_millis(ms));
        assert!(mailbox.take(usize::MAX, now, &mut out));
        out.len()
    };
    assert_eq!([at(0), at(0), at(260), at(520)], [8, 0, 1, 1]);
}

#[test]
fn an_answer_waits_beside_the_letters_and_there_is_one_at_a_time() {
    let (mailbox, lobby) = open();
    let now = Instant::now();
    let parts = || VecDeque::from([1u8, 2, 3].map(|part| Bytes::from(vec![part; 3000])));
    assert!(mailbox.expect_answer(now));
    assert!(!mailbox.expect_answer(now), "it is being found");
    // Letters fill their own place, and neither drops the other.
    for _ in 0..70 {
        put(&mailbox, 0);
    }
    let (post, woken) = post();
    assert!(mailbox.hand_to(Owner::Worker(post.clone(), ROOM, PLAYER)));
    let mut out = Vec::new();
    assert!(!mailbox.take(usize::MAX, None, &mut out));
    assert_eq!(out.len(), LETTERS_MAX);
    mailbox.answer(parts(), &lobby);
    assert_eq!((post.take().len(), woken.load(Ordering::Relaxed)), (1, 1));
    // As fast as it may go, however much is asked for.
    let at = |ms: u64, most: usize| {
        let mut out = Vec::new();
        let is_left = mailbox.take(most, Some(now + Duration::from_millis(ms)), &mut out);
        (out.iter().map(|part| part[0]).collect::<Vec<_>>(), is_left)
    };
    assert_eq!(at(0, 100), (vec![1], true), "one whole part at least");
    assert_eq!(at(1, usize::MAX), (vec![2], true));
    assert!(!mailbox.expect_answer(now), "it has not taken all of it");
    assert_eq!(at(2, usize::MAX), (vec![], true));
    assert_eq!(at(400, usize::MAX), (vec![3], false));
    assert!(mailbox.expect_answer(now));
    mailbox.answer(VecDeque::new(), &lobby);
    assert!(mailbox.expect_answer(now), "there was none");
}

#[test]
fn who_asks_too_often_gets_no_answer() {
    let (mailbox, lobby) = open();
    let now = Instant::now();
    let ask = |seconds: u64| {
        let may = mailbox.expect_answer(now + Duration::from_secs(seconds));
        mailbox.answer(VecDeque::new(), &lobby);
        may
    };
    assert_eq!((0..20).filter(|_| ask(0)).count(), 10);
    assert_eq!((0..20).filter(|_| ask(3)).count(), 3);
}

#[test]
fn who_knows_of_no_notices_gets_answers() {
    let mailbox = Mailbox::new();
    assert!(mailbox.expect_answer(Instant::now()));
    let answer = VecDeque::from([Bytes::from_static(b"a")]);
    mailbox.answer(answer, &Notify::new());
    assert_eq!(take(&mailbox), b"a");
}

#[test]
fn of_how_something_stands_the_newest_alone_waits_whatever_else_comes() {
    let (mailbox, lobby) = open();
    let show = |what: u8| {
        let bytes = Bytes::from(vec![what; 50]);
        mailbox.show(Standing::Queue, bytes, &lobby);
    };
    show(9);
    assert!(take(&mailbox).is_empty(), "its client does not heed it");
    mailbox.attend(Standing::Queue);
    assert!(take(&mailbox).is_empty());
    show(9);
    show(8);
    // A flood of letters.
    (0..1000).for_each(|_| _ = put(&mailbox, 0));
    let taken = take(&mailbox);
    assert_eq!((taken[0], taken.len()), (8, 1 + LETTERS_MAX));
    assert!(take(&mailbox).is_empty(), "it was told");
    // Whoever has the connection next is told of it, and gives out no more than may go.
    show(7);
    let (post, woken) = post();
    assert!(mailbox.hand_to(Owner::Worker(post, ROOM, PLAYER)));
    let (now, mut out) = (Instant::now(), Vec::new());
    assert!(mailbox.take(0, Some(now), &mut out));
    assert!(!mailbox.take(usize::MAX, Some(now), &mut out));
    assert_eq!(out.len(), 1);
    show(6);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
}
