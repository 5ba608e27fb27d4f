//! Two ends of a session in memory, on virtual time: what arrives, and that nothing arrives that
//! was not said so.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire::exact::Xorshift32;

use super::super::keys::ClusterKey;
use super::super::session::{End, Event, HANDSHAKE_MAX, Session, This, WAITING_MAX};
use super::super::wire::{self, Head, WireError};
use crate::directory::ownership::messages::Incarnation;

const NODE: &str = "node-b:7780";
const DIALER: Incarnation = Incarnation(11);
const ACCEPTOR: Incarnation = Incarnation(22);

fn this(key: u8, me: Incarnation, nonce: u8) -> This {
    This {
        key: ClusterKey::new(&[key; 32]),
        me,
        nonce: [nonce; 32],
    }
}

/// Both ends, and what each was told.
struct Pair {
    now: Instant,
    ends: [Session; 2],
    told: [Vec<Event>; 2],
}

impl Pair {
    fn new(now: Instant) -> Pair {
        Pair::with_keys(now, [1, 1])
    }

    fn with_keys(now: Instant, [one, other]: [u8; 2]) -> Pair {
        let dialer = Session::dial(now, this(one, DIALER, 3), NODE.into());
        let acceptor = Session::accept(now, this(other, ACCEPTOR, 4), NODE.into());
        Pair {
            now,
            ends: [dialer, acceptor],
            told: [Vec::new(), Vec::new()],
        }
    }

    fn linked() -> Pair {
        let mut pair = Pair::new(Instant::now());
        pair.exchange(&mut |_, _| usize::MAX).unwrap();
        assert_eq!(pair.told[0], [Event::Linked(ACCEPTOR)]);
        assert_eq!(pair.told[1], [Event::Linked(DIALER)]);
        pair.told = [Vec::new(), Vec::new()];
        pair
    }

    /// All that one end has to write.
    fn written(&mut self, end: usize) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let out = self.ends[end].output(self.now).to_vec();
            if out.is_empty() {
                return all;
            }
            self.ends[end].wrote(out.len());
            all.extend(out);
        }
    }

    fn hears(&mut self, end: usize, bytes: &[u8]) -> Result<(), End> {
        self.ends[end].received(self.now, bytes);
        while let Some(event) = self.ends[end].next(self.now)? {
            self.told[end].push(event);
        }
        Ok(())
    }

    /// Carries bytes until there are none, in pieces whose length `piece` says, which may change
    /// them.
    fn exchange(&mut self, piece: &mut dyn FnMut(usize, &mut [u8]) -> usize) -> Result<(), End> {
        loop {
            let mut is_quiet = true;
            for from in [0, 1] {
                let mut bytes = self.ends[from].output(self.now).to_vec();
                if bytes.is_empty() {
                    continue;
                }
                is_quiet = false;
                let length = piece(from, &mut bytes).clamp(1, bytes.len());
                self.ends[from].wrote(length);
                self.hears(1 - from, &bytes[..length])?;
            }
            if is_quiet {
                return Ok(());
            }
        }
    }
}

fn body(length: usize) -> Bytes {
    Bytes::from(vec![5; length])
}

#[test]
fn what_is_said_arrives_in_order_however_it_is_cut() {
    for seed in 1..=200 {
        let mut dice = Xorshift32::new(seed);
        let mut pair = Pair::new(Instant::now());
        let mut piece = |_: usize, _: &mut [u8]| 1 + dice.draw() as usize % 700;
        pair.exchange(&mut piece).unwrap();
        let asks: Vec<_> = (0..20)
            .map(|id| (Head::Ask { id }, body(id as usize * 37)))
            .collect();
        let answers: Vec<_> = (0..20)
            .map(|id| (Head::Answer { id, is_some: true }, body(id as usize * 41)))
            .collect();
        for (end, said) in [&asks, &answers].into_iter().enumerate() {
            for (head, body) in said {
                assert!(pair.ends[end].send(*head, body.clone()), "seed {seed}");
            }
        }
        pair.ends[0].publish(body(wire::BATCH_BYTES_MAX));
        pair.exchange(&mut piece).unwrap();
        let message = |(head, body): (Head, Bytes)| Event::Message(head, body);
        let batch = (Head::Batch, body(wire::BATCH_BYTES_MAX));
        let to_acceptor = asks.into_iter().chain([batch]).map(message);
        let to_acceptor: Vec<_> = [Event::Linked(DIALER)]
            .into_iter()
            .chain(to_acceptor)
            .collect();
        assert!(pair.told[1] == to_acceptor, "seed {seed}");
        let to_dialer = answers.into_iter().map(message);
        let to_dialer: Vec<_> = [Event::Linked(ACCEPTOR)]
            .into_iter()
            .chain(to_dialer)
            .collect();
        assert!(pair.told[0] == to_dialer, "seed {seed}");
    }
}

#[test]
fn who_has_another_key_is_not_believed_and_hears_nothing() {
    let mut pair = Pair::with_keys(Instant::now(), [1, 2]);
    assert_eq!(pair.exchange(&mut |_, _| usize::MAX), Err(End::WrongKey));
    // A stranger that goes on regardless.
    let now = Instant::now();
    let mut pair = Pair::new(now);
    let opening = pair.written(0);
    pair.hears(1, &opening).unwrap();
    let mut finish = Vec::new();
    wire::append_handshake(&wire::Finish { proof: [0; 32] }, false, &mut finish);
    assert_eq!(pair.hears(1, &finish), Err(End::WrongKey));
    assert_eq!(pair.told, [vec![], vec![]]);
}

/// One byte, anywhere, in either direction, in the handshake or behind it.
#[test]
fn bytes_that_were_changed_on_their_way_end_the_session() {
    let play = |change: Option<(usize, usize)>| {
        let mut pair = Pair::new(Instant::now());
        let mut at = [0; 2];
        let mut piece = |from: usize, bytes: &mut [u8]| {
            if let Some((end, place)) = change
                && end == from
                && (at[from]..at[from] + bytes.len()).contains(&place)
            {
                bytes[place - at[from]] ^= 0x10;
            }
            at[from] += bytes.len();
            bytes.len()
        };
        let mut all = || -> Result<(), End> {
            pair.exchange(&mut piece)?;
            pair.ends[0].send(Head::Ask { id: 1 }, body(9));
            pair.ends[1].send(
                Head::Answer {
                    id: 1,
                    is_some: true,
                },
                body(9),
            );
            pair.exchange(&mut piece)
        };
        let ended = all();
        (ended, pair.told, at)
    };
    let (ended, sound, lengths) = play(None);
    assert_eq!(ended, Ok(()));
    for end in [0, 1] {
        for place in 0..lengths[end] {
            let (ended, told, _) = play(Some((end, place)));
            // A length that grew waits for more, until the session's time is over.
            let is_over = ended.is_err() || told[1 - end].len() < sound[1 - end].len();
            assert!(is_over, "byte {place} of end {end}");
            for event in &told[1 - end] {
                assert!(sound[1 - end].contains(event), "byte {place}: {event:?}");
            }
        }
    }
}

#[test]
fn frames_that_are_repeated_left_out_or_of_another_session_are_forged() {
    let ask = |pair: &mut Pair, id| {
        assert!(pair.ends[0].send(Head::Ask { id }, body(4)));
        pair.written(0)
    };
    let mut pair = Pair::linked();
    let first = ask(&mut pair, 1);
    pair.hears(1, &first).unwrap();
    assert_eq!(pair.hears(1, &first), Err(End::Forged), "repeated");

    let mut pair = Pair::linked();
    ask(&mut pair, 1);
    let second = ask(&mut pair, 2);
    assert_eq!(
        pair.hears(1, &second),
        Err(End::Forged),
        "the first was left out"
    );

    // Back to who said it.
    let mut pair = Pair::linked();
    let said = ask(&mut pair, 1);
    assert_eq!(pair.hears(0, &said), Err(End::Forged), "turned around");
    assert_eq!(pair.told, [vec![], vec![]]);
}

/// All that a dialer ever said, said again to an acceptor that has another number.
#[test]
fn a_recorded_session_can_not_be_played_again() {
    let now = Instant::now();
    let mut pair = Pair::new(now);
    let mut recorded = Vec::new();
    pair.exchange(&mut |from, bytes| {
        if from == 0 {
            recorded.extend_from_slice(bytes);
        }
        bytes.len()
    })
    .unwrap();
    let mut again = Session::accept(now, this(1, ACCEPTOR, 5), NODE.into());
    again.received(now, &recorded);
    assert_eq!(again.next(now), Err(End::WrongKey));
}

#[test]
fn a_node_does_not_link_to_itself_nor_to_another_than_it_dialed() {
    let now = Instant::now();
    let mut pair = Pair::new(now);
    pair.ends[1] = Session::accept(now, this(1, DIALER, 4), NODE.into());
    assert_eq!(pair.exchange(&mut |_, _| usize::MAX), Err(End::Itself));
    let mut pair = Pair::new(now);
    pair.ends[1] = Session::accept(now, this(1, ACCEPTOR, 4), "node-c:7780".into());
    assert_eq!(pair.exchange(&mut |_, _| usize::MAX), Err(End::OtherNode));
    // Its own bytes, sent back.
    let mut pair = Pair::new(now);
    let opening = pair.written(0);
    let malformed = Err(End::Wire(WireError::Malformed));
    assert_eq!(pair.hears(0, &opening), malformed);
    assert_eq!(pair.told, [vec![], vec![]]);
}

#[test]
fn another_format_is_named() {
    let mut pair = Pair::new(Instant::now());
    let mut opening = pair.written(0);
    opening[wire::LENGTH_BYTES + 4] = 9;
    assert_eq!(
        pair.hears(1, &opening),
        Err(End::Wire(WireError::Format(9)))
    );
}

#[test]
fn each_end_says_only_what_is_its_own_to_say() {
    let mut pair = Pair::linked();
    pair.ends[0].send(
        Head::Answer {
            id: 1,
            is_some: false,
        },
        Bytes::new(),
    );
    let said = pair.written(0);
    assert_eq!(pair.hears(1, &said), Err(End::OutOfRole));
    let mut pair = Pair::linked();
    pair.ends[1].send(Head::Hurry, Bytes::new());
    let said = pair.written(1);
    assert_eq!(pair.hears(0, &said), Err(End::OutOfRole));
}

#[test]
fn the_newest_batch_takes_the_place_of_one_that_has_not_gone_out() {
    let mut pair = Pair::linked();
    for length in [1, 2, 3] {
        pair.ends[0].publish(body(length));
    }
    pair.ends[0].publish(body(wire::BATCH_BYTES_MAX + 1));
    pair.ends[0].send(Head::Hurry, Bytes::new());
    pair.exchange(&mut |_, _| usize::MAX).unwrap();
    let hurry = Event::Message(Head::Hurry, Bytes::new());
    let batch = Event::Message(Head::Batch, body(3));
    assert_eq!(pair.told[1], [hurry, batch], "and questions come first");
}

#[test]
fn what_waits_is_bounded() {
    let now = Instant::now();
    let mut early = Session::dial(now, this(1, DIALER, 3), NODE.into());
    assert!(
        !early.send(Head::Hurry, Bytes::new()),
        "nothing before the link"
    );
    let mut pair = Pair::linked();
    let sent = (0..2 * WAITING_MAX as u64)
        .filter(|id| pair.ends[0].send(Head::Ask { id: *id }, Bytes::new()))
        .count();
    assert_eq!(sent, WAITING_MAX);
    let mut pair = Pair::linked();
    let mut taken = 0;
    while pair.ends[0].takes_common() {
        pair.ends[0].send_common(body(wire::COMMON_BYTES_MAX));
        taken += 1;
    }
    assert_eq!(taken, 8);
    pair.ends[0].send_common(body(1));
    pair.ends[0].send(Head::Hurry, Bytes::new());
    pair.exchange(&mut |_, _| usize::MAX).unwrap();
    let told: Vec<(Head, usize)> = pair.told[1]
        .drain(..)
        .map(|event| match event {
            Event::Message(head, body) => (head, body.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    let common = (Head::Common, wire::COMMON_BYTES_MAX);
    let expected = [vec![(Head::Hurry, 0)], vec![common; 8]].concat();
    assert_eq!(told, expected, "questions come first");
    assert!(pair.ends[0].takes_common());
    pair.ends[0].send_common(body(wire::COMMON_BYTES_MAX + 1));
    assert!(pair.written(0).is_empty());
    let mut pair = Pair::linked();
    let long = body(wire::ASK_BYTES_MAX + 1);
    assert!(!pair.ends[0].send(Head::Ask { id: 1 }, long));
}

#[test]
fn each_step_has_its_time() {
    let second = Duration::from_secs(1);
    let start = Instant::now();
    // Nothing comes, or byte by byte.
    let mut silent = Session::accept(start, this(1, ACCEPTOR, 4), NODE.into());
    assert_eq!(silent.wakes_at(), Some(start + HANDSHAKE_MAX));
    silent.received(start + HANDSHAKE_MAX / 2, &[200]);
    assert_eq!(silent.next(start + HANDSHAKE_MAX / 2), Ok(None));
    assert_eq!(silent.pass(start + HANDSHAKE_MAX / 2), Ok(()));
    assert_eq!(silent.pass(start + HANDSHAKE_MAX), Err(End::Late));

    // A frame is begun, and drips.
    let mut pair = Pair::linked();
    pair.ends[0].publish(body(1000));
    let frame = pair.written(0);
    let start = pair.now;
    for (count, byte) in frame[..5].iter().enumerate() {
        pair.now = start + second * count as u32;
        assert_eq!(pair.ends[1].pass(pair.now), Ok(()));
        pair.hears(1, &[*byte]).unwrap();
    }
    assert_eq!(pair.ends[1].pass(start + second * 5), Err(End::Stalled));

    // What is written is not taken.
    let mut pair = Pair::linked();
    let start = pair.now;
    pair.ends[0].publish(body(1000));
    assert!(!pair.ends[0].output(start).is_empty());
    pair.ends[0].wrote(10);
    assert_eq!(pair.ends[0].pass(start + second * 4), Ok(()));
    assert_eq!(pair.ends[0].pass(start + second * 5), Err(End::Stalled));

    // A dialer that is linked and says nothing; an acceptor may.
    let pair = Pair::linked();
    assert_eq!(pair.ends[1].pass(pair.now + second * 14), Ok(()));
    assert_eq!(pair.ends[1].pass(pair.now + second * 15), Err(End::Silent));
    assert_eq!(pair.ends[0].pass(pair.now + second * 60), Ok(()));
    assert_eq!(pair.ends[0].wakes_at(), None, "nothing is due");
}

#[test]
fn who_floods_is_read_later() {
    let mut pair = Pair::linked();
    let mut sent = 0;
    while pair.ends[1].may_read(pair.now) {
        pair.ends[0].publish(body(wire::BATCH_BYTES_MAX));
        let bytes = pair.written(0);
        pair.hears(1, &bytes).unwrap();
        sent += 1;
        assert!(sent < 1000, "it was never stopped");
    }
    assert!(sent > 10, "an honest node's batches fit: {sent}");
    assert_eq!(pair.told[1].len(), sent - 1);
    let due = pair.ends[1].wakes_at();
    let is_later = due.is_some_and(|due| due > pair.now);
    assert!(is_later, "it is looked at again");
    pair.now += Duration::from_secs(1);
    pair.hears(1, &[]).unwrap();
    assert_eq!(pair.told[1].len(), sent, "and then comes all the same");
}
