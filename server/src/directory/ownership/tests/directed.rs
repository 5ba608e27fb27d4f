//! One node alone, told what a rule is about: each test fails without its rule.

use std::time::Duration;

use tickwire::ids::RoomId;

use super::super::messages::{
    Answer, Command, Epoch, Incarnation, NodeRecord, Reply, RoomRecord, Run,
};
use super::super::{Action, Anew, Ownership, State, Timing, Why};

const ME: Incarnation = Incarnation(100);
const PEER: Incarnation = Incarnation(200);
const GONE: Incarnation = Incarnation(300);
const ROOM: RoomId = RoomId(7);

/// A node, its time, and what the engine's tables say.
struct Bench {
    own: Ownership,
    now: Duration,
    run: Run,
    nodes: Vec<(Incarnation, NodeRecord)>,
    held: Vec<(RoomId, Epoch)>,
    lost: Vec<(RoomId, RoomRecord)>,
    orphans: Vec<(RoomId, RoomRecord)>,
    /// What it did since this was last looked at, but for beats and questions.
    done: Vec<Action>,
    asked: Vec<String>,
    beats: Vec<(Duration, Command)>,
}

fn secs(of: f64) -> Duration {
    Duration::from_secs_f64(of)
}

fn record(node: &str, knows: &[Incarnation]) -> NodeRecord {
    NodeRecord {
        node: node.into(),
        beat: 1,
        url: String::new(),
        load: 0,
        knows: knows.to_vec(),
    }
}

impl Bench {
    fn new() -> Bench {
        let timing = Timing::default();
        let name = "me:1".to_owned();
        let mut own = Ownership::new(Duration::ZERO, ME, name, String::new(), timing, 1);
        own.connected(Duration::ZERO, Run(1));
        Bench {
            own,
            now: Duration::ZERO,
            run: Run(1),
            nodes: Vec::new(),
            held: Vec::new(),
            lost: Vec::new(),
            orphans: Vec::new(),
            done: Vec::new(),
            asked: Vec::new(),
            beats: Vec::new(),
        }
    }

    /// Attached and settled, with a peer that lives and knows it.
    fn settled() -> Bench {
        let mut bench = Bench::new();
        bench.nodes = vec![(PEER, record("peer:1", &[ME]))];
        bench.plays(10.);
        bench.done.clear();
        bench
    }

    fn poll(&mut self) {
        while let Some(action) = self.own.poll(self.now) {
            match action {
                Action::Ask(node) => self.asked.push(node),
                Action::Send(_, command @ Command::Beat { .. }) => {
                    self.beats.push((self.now, command));
                }
                other => self.done.push(other),
            }
        }
    }

    fn reply(&mut self, sent: Duration, reply: Reply) {
        self.own.replied(self.now, sent, self.run, reply);
        self.poll();
    }

    fn answer(&self) -> Reply {
        Reply::Beat {
            lost: self.lost.clone(),
            held: self.held.clone(),
            nodes: self.nodes.clone(),
            orphans: self.orphans.clone(),
        }
    }

    /// Time passes; nobody answers.
    fn waits(&mut self, seconds: f64) {
        let end = self.now + secs(seconds);
        while self.now < end {
            self.now = self.own.wakes_at().clamp(self.now, end);
            self.poll();
        }
        self.beats.clear();
    }

    /// The same with an engine that answers at once, and a peer that beats.
    fn plays(&mut self, seconds: f64) {
        let end = self.now + secs(seconds);
        self.poll();
        loop {
            for (sent, _) in std::mem::take(&mut self.beats) {
                for (who, record) in &mut self.nodes {
                    record.beat += u64::from(*who == PEER);
                }
                let answer = self.answer();
                self.reply(sent, answer);
            }
            if self.now >= end {
                break;
            }
            self.now = self.own.wakes_at().clamp(self.now, end);
            self.poll();
        }
    }

    fn says(&mut self, answer: Answer) {
        self.own.answered(self.now, self.now, "peer:1", answer);
        self.poll();
    }

    fn done(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.done)
    }

    /// Owns a room.
    fn adopts(&mut self) -> Epoch {
        let owner = GONE;
        let old = RoomRecord {
            epoch: Epoch(5),
            owner,
        };
        self.orphans = vec![(ROOM, old)];
        self.plays(3.);
        let me = ME;
        let adopt = Command::Adopt {
            room: ROOM,
            old,
            me,
        };
        assert!(self.done().contains(&Action::Send(self.run, adopt)));
        self.orphans.clear();
        let epoch = Epoch(6);
        self.reply(self.now, Reply::Adopted(ROOM, Some(epoch)));
        assert_eq!(self.done(), [Action::Start { room: ROOM, epoch }]);
        epoch
    }
}

#[test]
fn a_lease_ends_by_itself_in_the_hands_of_workers() {
    let bench = Bench::settled();
    let lease = bench.own.lease();
    let freeze = Timing::default().freeze;
    assert!(lease.holds(bench.now) && lease.holds(bench.now + freeze - secs(0.6)));
    assert!(!lease.holds(bench.now + freeze), "nobody polled");
}

#[test]
fn what_comes_after_the_lease_ended_does_not_make_it_longer() {
    let mut bench = Bench::settled();
    let sent = bench.now;
    bench.now += secs(5.);
    bench.says(Answer::NoContact(PEER));
    assert_eq!(bench.own.state(bench.now), State::Frozen);
    let answer = bench.answer();
    bench.reply(sent, answer);
    assert_eq!(bench.own.state(bench.now), State::Frozen, "it had waited");
    bench.plays(1.);
    assert_eq!(bench.own.state(bench.now), State::Attached);
    let done: Vec<Action> = bench.done();
    assert_eq!(done, [Action::Freeze, Action::Thaw]);
}

#[test]
fn who_is_frozen_and_connects_anew_starts_anew_and_its_rooms_never_tick_again() {
    let mut bench = Bench::settled();
    bench.adopts();
    let lease = bench.own.lease();
    bench.waits(5.);
    assert_eq!(bench.done(), [Action::Freeze]);
    bench.run = Run(2);
    bench.own.connected(bench.now, bench.run);
    bench.beats.clear();
    bench.poll();
    let [(_, Command::Beat { rooms, .. })] = &bench.beats[..] else {
        panic!("{:?}", bench.beats);
    };
    let none: &[(RoomId, Epoch)] = &[];
    assert_eq!(
        rooms, none,
        "an engine that lost its tables would give them"
    );
    bench.plays(0.);
    assert_eq!(bench.done(), [Action::StartAnew(Anew::FrozenTooLong)]);
    assert_eq!(bench.own.owned().count(), 0);
    let mut next = Bench::new();
    next.plays(1.);
    assert!(next.own.lease().holds(next.now) && !lease.holds(next.now));
}

#[test]
fn the_fenced_start_anew() {
    let mut bench = Bench::settled();
    bench.adopts();
    let lease = bench.own.lease();
    bench.reply(bench.now, Reply::Fenced);
    assert_eq!(bench.done(), [Action::StartAnew(Anew::Fenced)]);
    assert!(!lease.holds(bench.now));
}

#[test]
fn without_the_engine_it_plays_while_all_it_knows_have_none() {
    let mut bench = Bench::settled();
    for _ in 0..40 {
        bench.waits(0.5);
        bench.says(Answer::NoContact(PEER));
    }
    assert_eq!(bench.own.state(bench.now), State::Detached);
    bench.waits(1.9);
    assert_eq!(bench.done(), []);
    bench.waits(0.2);
    assert_eq!(bench.done(), [Action::Freeze], "the word is old");
}

#[test]
fn one_that_has_contact_freezes_it_at_once() {
    let mut bench = Bench::settled();
    for _ in 0..12 {
        bench.waits(0.5);
        bench.says(Answer::NoContact(PEER));
    }
    bench.says(Answer::Contact(PEER));
    assert_eq!(bench.done(), [Action::Freeze]);
}

#[test]
fn it_plays_without_the_engine_no_longer_than_allowed() {
    let mut bench = Bench::settled();
    for _ in 0..200 {
        bench.waits(0.5);
        bench.says(Answer::NoContact(PEER));
    }
    assert_eq!(bench.own.state(bench.now), State::Frozen);
}

#[test]
fn who_left_the_table_is_heeded_for_as_long_as_it_may_know_otherwise() {
    let mut bench = Bench::settled();
    bench.nodes.clear();
    bench.plays(5.);
    bench.waits(5.);
    assert_eq!(
        bench.own.state(bench.now),
        State::Frozen,
        "it may have contact"
    );
    let mut bench = Bench::settled();
    bench.nodes.clear();
    bench.plays(100.);
    bench.waits(20.);
    assert_eq!(
        bench.own.state(bench.now),
        State::Detached,
        "it is long gone"
    );
}

#[test]
fn an_answer_to_an_older_question_proves_nobody_dead() {
    let mut bench = Bench::settled();
    let before = bench.now;
    bench.nodes = vec![(GONE, record("peer:1", &[ME]))];
    bench.plays(1.);
    bench
        .own
        .answered(bench.now, before, "peer:1", Answer::Contact(PEER));
    bench.poll();
    assert_eq!(bench.done(), []);
    bench.says(Answer::Contact(PEER));
    let fence = Command::Fence { who: GONE, beat: 1 };
    assert_eq!(bench.done(), [Action::Send(bench.run, fence)]);
}

#[test]
fn the_silent_are_fenced_if_they_know_it_and_else_much_later() {
    let abandoned = Timing::default().abandoned().as_secs_f64();
    for (knows, waits) in [(vec![ME], 6.), (vec![], abandoned)] {
        let mut bench = Bench::settled();
        bench.nodes.push((GONE, record("gone:1", &knows)));
        bench.plays(waits - 0.6);
        assert_eq!(bench.done(), [], "{knows:?}");
        bench.plays(1.3);
        let fence = Command::Fence { who: GONE, beat: 1 };
        assert!(
            bench.done().contains(&Action::Send(bench.run, fence)),
            "{knows:?}"
        );
    }
}

#[test]
fn nobody_acts_on_others_before_contact_settled() {
    let mut bench = Bench::new();
    let owner = GONE;
    let old = RoomRecord {
        epoch: Epoch(5),
        owner,
    };
    bench.orphans = vec![(ROOM, old)];
    bench.nodes = vec![(GONE, record("gone:1", &[ME]))];
    bench.plays(7.9);
    assert_eq!(bench.done(), []);
    bench.plays(1.);
    let done = bench.done();
    let is_fence = |action: &&Action| matches!(action, Action::Send(_, Command::Fence { .. }));
    assert!(done.iter().any(|action| is_fence(&action)), "{done:?}");
    assert!(done.iter().any(|action| !is_fence(&action)), "{done:?}");
}

#[test]
fn nothing_is_adopted_while_one_may_play_of_whom_the_tables_know_nothing() {
    let old = RoomRecord {
        epoch: Epoch(5),
        owner: GONE,
    };
    let mut bench = Bench::new();
    bench.nodes = vec![(Incarnation(9), record("stranger:1", &[]))];
    bench.orphans = vec![(ROOM, old)];
    bench.plays(90.);
    assert_eq!(bench.done(), []);
    bench.nodes[0].1.beat += 1;
    bench.plays(1.);
    assert_eq!(
        bench.done().len(),
        1,
        "it is heard: what it owns is in the tables"
    );
}

#[test]
fn an_adoption_whose_answer_was_lost_is_made_anew() {
    let mut bench = Bench::settled();
    let epoch = Epoch(9);
    bench.held = vec![(ROOM, epoch)];
    bench.plays(0.6);
    let (room, owner, me) = (ROOM, ME, ME);
    let old = RoomRecord { epoch, owner };
    let adopt = Action::Send(bench.run, Command::Adopt { room, old, me });
    assert_eq!(bench.done(), [adopt]);
    let late = Reply::Adopted(ROOM, Some(Epoch(11)));
    bench.reply(bench.now - secs(5.), late);
    assert_eq!(bench.done(), [], "the answer that was lost came late");
    let epoch = Epoch(10);
    bench.reply(bench.now, Reply::Adopted(ROOM, Some(epoch)));
    assert_eq!(bench.done(), [Action::Start { room, epoch }]);
}

#[test]
fn answers_of_another_connection_are_nobodys() {
    let mut bench = Bench::settled();
    let old = bench.run;
    bench.own.connected(bench.now, Run(2));
    bench.own.replied(bench.now, bench.now, old, Reply::Fenced);
    bench.poll();
    assert_eq!(bench.done(), []);
}

#[test]
fn a_hand_over_whose_outcome_is_unknown_is_found_in_the_tables() {
    let mut bench = Bench::settled();
    let epoch = bench.adopts();
    assert!(bench.own.hand_over(bench.now, ROOM, PEER));
    bench.poll();
    let (room, me, to) = (ROOM, ME, PEER);
    let command = Command::HandOver {
        room,
        epoch,
        me,
        to,
    };
    assert_eq!(bench.done(), [Action::Send(bench.run, command)]);
    bench.run = Run(2);
    bench.own.connected(bench.now, bench.run);
    bench.poll();
    let why = Why::Unknown;
    assert_eq!(bench.done(), [Action::Drop { room, why }]);
    bench.held = vec![(ROOM, epoch)];
    bench.plays(7.);
    assert_eq!(bench.done(), [], "the new owner may not have beaten yet");
    bench.plays(3.);
    let old = RoomRecord { epoch, owner: ME };
    let adopt = Action::Send(bench.run, Command::Adopt { room, old, me });
    assert!(bench.done().contains(&adopt));
}

#[test]
fn a_room_goes_to_one_that_is_known_for_long_enough() {
    let mut bench = Bench::settled();
    let epoch = bench.adopts();
    let young = Incarnation(900);
    bench.nodes.push((young, record("young:1", &[ME])));
    bench.plays(1.);
    assert!(!bench.own.hand_over(bench.now, ROOM, young));
    // One that could not adopt it yet would have it stand still until it can.
    let beats = |bench: &mut Bench, count: u32| {
        for _ in 0..count {
            bench.nodes[1].1.beat += 1;
            bench.plays(0.4);
        }
    };
    beats(&mut bench, 16);
    assert!(!bench.own.hand_over(bench.now, ROOM, young));
    beats(&mut bench, 4);
    let takers = bench.own.takers(bench.now);
    assert!(takers.iter().any(|(who, _)| *who == young));
    assert!(!bench.own.hand_over(bench.now, ROOM, GONE));
    assert!(bench.own.hand_over(bench.now, ROOM, PEER));
    bench.poll();
    bench.done();
    bench.reply(bench.now, Reply::HandedOver(ROOM, None));
    assert_eq!(bench.done(), [Action::Keep { room: ROOM }]);
    assert_eq!(bench.own.owned().collect::<Vec<_>>(), [(ROOM, epoch)]);
}

#[test]
fn a_closed_room_is_forgotten_until_the_engine_has_forgotten_it() {
    let mut bench = Bench::settled();
    let epoch = bench.adopts();
    bench.own.disconnected(bench.now);
    bench.own.closed(bench.now, ROOM);
    bench.run = Run(2);
    bench.own.connected(bench.now, bench.run);
    bench.held = vec![(ROOM, epoch)];
    bench.plays(3.);
    let (room, me) = (ROOM, ME);
    let forget = Action::Send(bench.run, Command::Forget { room, epoch, me });
    assert!(bench.done().contains(&forget));
    bench.held.clear();
    bench.plays(9.);
    bench.done();
    bench.held = vec![(ROOM, epoch)];
    bench.plays(1.);
    let (old, me) = (RoomRecord { epoch, owner: ME }, ME);
    let adopt = Action::Send(bench.run, Command::Adopt { room, old, me });
    assert!(bench.done().contains(&adopt), "a failover brought it back");
}

#[test]
fn a_room_that_nobody_waits_for_any_more_is_forgotten() {
    let mut bench = Bench::settled();
    assert!(bench.own.create(bench.now, ROOM));
    bench.plays(3.);
    let (room, is_taken) = (ROOM, false);
    let given_up = Action::NotCreated { room, is_taken };
    assert!(bench.done().contains(&given_up));
    let (epoch, me) = (Epoch(3), ME);
    bench.reply(bench.now, Reply::Created(ROOM, Some(epoch)));
    let forget = Command::Forget { room, epoch, me };
    assert_eq!(bench.done(), [Action::Send(bench.run, forget)]);
}

/// But for what is its own by the tables, which nobody else can have.
#[test]
fn a_node_adopts_no_more_rooms_than_it_has_places_for() {
    let mut bench = Bench::settled();
    bench.own = bench.own.with_places(3);
    let old = RoomRecord {
        epoch: Epoch(5),
        owner: GONE,
    };
    bench.orphans = (1..=9).map(|room| (RoomId(room), old)).collect();
    bench.held = vec![(RoomId(20), Epoch(3))];
    // None is given up by then.
    bench.plays(1.8);
    let asks = |action: &Action| match action {
        Action::Send(_, Command::Adopt { room, .. }) => Some(room.0),
        _ => None,
    };
    let mut asked: Vec<u32> = bench.done().iter().filter_map(asks).collect();
    asked.sort_unstable();
    asked.dedup();
    assert!(asked.len() == 4 && asked[3] == 20, "{asked:?}");
}

#[test]
fn a_node_that_drains_adopts_nothing() {
    let mut bench = Bench::settled();
    bench.own.set_load(super::super::placement::TAKES_NONE);
    let old = RoomRecord {
        epoch: Epoch(5),
        owner: GONE,
    };
    bench.orphans = vec![(ROOM, old)];
    bench.plays(10.);
    assert_eq!(bench.done(), []);
    assert!(!bench.asked.is_empty());
}
