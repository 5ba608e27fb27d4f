//! The queue at the lobby: whatever befalls a match, a connection or a page, what the page was told
//! last is how things stand, and a seat is where it says.

use tickwire::protocol::client_message::JoinAs;
use tickwire::protocol::{OutOfQueue, QueueRequest, QueueState, feature};

use super::*;
use crate::auth::Identity;

const OFFERED_WITHIN: usize = 15;

pub(super) fn enqueue(nonce: u32, mode: &str) -> QueueRequest {
    QueueRequest::Enqueue {
        nonce,
        mode: mode.to_owned(),
        regions: Vec::new(),
    }
}

impl Player {
    pub(super) fn says(&mut self, request: QueueRequest) {
        self.session.queue(&request).unwrap();
    }

    /// How things stand, by what it was told last; with the nonce.
    pub(super) fn told_last(&self) -> Option<(u32, QueueState)> {
        let told = self.events.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::Queue { nonce, state } => Some((*nonce, state.clone())),
            _ => None,
        });
        told.next()
    }

    fn stands(&self) -> QueueState {
        let told = self.told_last();
        told.unwrap_or_else(|| panic!("told nothing: {:?}", self.events))
            .1
    }

    pub(super) fn offer(&self) -> u32 {
        match self.stands() {
            QueueState::Offered { offer, .. } => offer,
            other => panic!("nothing is offered: {other:?}"),
        }
    }

    fn answers(&mut self, accept: bool) {
        let offer = self.offer();
        self.says(QueueRequest::Answer { offer, accept });
    }

    /// The room to which it is to come.
    fn going(&self) -> RoomId {
        match self.stands() {
            QueueState::Going { room, .. } => room,
            other => panic!("no match: {other:?}"),
        }
    }

    fn comes(&mut self) {
        let room = self.going();
        self.session.join(room).unwrap();
    }

    pub(super) fn waited_ms(&self) -> u32 {
        match self.stands() {
            QueueState::Waiting { waited_ms, .. } => waited_ms,
            other => panic!("does not wait: {other:?}"),
        }
    }

    /// Why it is out, and whether by itself.
    pub(super) fn out(&self) -> (OutOfQueue, bool) {
        match self.stands() {
            QueueState::Out { why, own, .. } => (why, own),
            other => panic!("not out: {other:?}"),
        }
    }

    fn is_sent_back(&self) -> bool {
        let reason = LeaveReason::RoomClosed;
        self.events.contains(&Event::Left { reason })
    }
}

impl Hall {
    pub(super) fn pass(&mut self, seconds: f64, players: &mut [&mut Player]) {
        let steps = (seconds / STEP.as_secs_f64()).ceil() as usize;
        (0..steps).for_each(|_| self.step(players));
    }

    /// So many who are offered a match of a mode.
    fn offered(&mut self, mode: &str, count: u32) -> Vec<Player> {
        let mut players: Vec<Player> = (0..count).map(|_| self.guest("")).collect();
        for (nonce, player) in (1..).zip(&mut players) {
            player.says(enqueue(nonce, mode));
        }
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        (0..OFFERED_WITHIN).for_each(|_| self.step(&mut all));
        players
    }

    /// The same, and all have accepted.
    fn matched(&mut self, mode: &str, count: u32) -> Vec<Player> {
        let mut players = self.offered(mode, count);
        players.iter_mut().for_each(|player| player.answers(true));
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        self.settle(&mut all);
        players
    }

    fn rooms(&self) -> usize {
        self.server.shared.registry.survey().len()
    }

    pub(super) fn in_queue(&self) -> usize {
        let queueing = self.server.shared.games[0].queueing.as_ref().unwrap();
        queueing.with(self.now, |table| table.players())
    }
}

fn pair(players: &mut [Player]) -> [&mut Player; 2] {
    players
        .iter_mut()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("two"))
}

#[test]
fn two_who_accept_play_in_a_room_of_their_own_that_knows_its_teams() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.offered("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    assert_eq!(ann.told_last().unwrap().0, 1);
    ann.answers(true);
    hall.settle(&mut [ann, bo]);
    for (player, is_taken) in [(&ann, true), (&bo, false)] {
        let state = player.stands();
        let QueueState::Offered {
            taken,
            accepted,
            of,
            ..
        } = state
        else {
            panic!("{state:?}");
        };
        assert_eq!((taken, accepted, of), (is_taken, 1, 2));
    }
    bo.answers(true);
    hall.settle(&mut [ann, bo]);
    assert_eq!((ann.going(), hall.rooms()), (bo.going(), 1));
    assert!(hall.server.rooms().is_empty(), "it is private");
    ann.comes();
    hall.settle(&mut [ann, bo]);
    let state = ann.stands();
    assert!(
        matches!(state, QueueState::Going { there: true, .. }),
        "{state:?}"
    );
    bo.comes();
    hall.settle(&mut [ann, bo]);
    assert_eq!(ann.seat().0, bo.seat().0);
    for player in [&ann, &bo] {
        assert_eq!(player.out(), (OutOfQueue::Playing, false));
    }
    let room = hall.server.room(ann.seat().0).unwrap();
    let options = room.options().clone();
    let identities: Vec<Identity> = [&ann, &bo]
        .map(|player| room.identity(player.seat().1).unwrap().clone())
        .to_vec();
    let matched = options.matched.unwrap();
    assert_eq!(
        (&*matched.mode, &*matched.region, options.seats),
        ("duel", "eu", 2)
    );
    let mut teams: Vec<_> = identities.iter().map(|who| matched.team_of(who)).collect();
    teams.sort_unstable();
    assert_eq!(teams, [Some(0), Some(1)]);
    assert_eq!(matched.team_of(&Identity::nobody()), None);
    assert_eq!(hall.in_queue(), 0);
}

#[test]
fn who_declines_is_out_and_cools_and_the_other_waits_on() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.offered("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    hall.pass(2.0, &mut [ann, bo]);
    bo.answers(false);
    hall.settle(&mut [ann, bo]);
    assert_eq!(bo.out(), (OutOfQueue::Declined, true));
    assert!(ann.waited_ms() >= 2000, "{:?}", ann.stands());
    bo.says(enqueue(9, "duel"));
    hall.settle(&mut [ann, bo]);
    let Some((9, QueueState::Out { why, again_ms, .. })) = bo.told_last() else {
        panic!("{:?}", bo.told_last());
    };
    assert_eq!(why, OutOfQueue::Cooling);
    assert!((8_000..10_000).contains(&again_ms), "{again_ms}");
}

#[test]
fn who_does_not_answer_is_out() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.offered("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    ann.answers(true);
    hall.pass(16.0, &mut [ann, bo]);
    assert_eq!(bo.out(), (OutOfQueue::NotAccepted, true));
    assert!(ann.waited_ms() >= 15_000);
    // And what is said too late changes nothing.
    ann.says(QueueRequest::Answer {
        offer: 1,
        accept: false,
    });
    bo.says(QueueRequest::Answer {
        offer: 1,
        accept: true,
    });
    hall.settle(&mut [ann, bo]);
    assert_eq!(bo.out(), (OutOfQueue::NotQueued, true));
    ann.waited_ms();
}

#[test]
fn a_cut_link_keeps_the_place_for_a_while_and_is_matched_with_nobody() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    ann.says(enqueue(7, "duel"));
    hall.settle(&mut [&mut ann]);
    let token = ann.token();
    drop(ann);
    hall.settle(&mut []);
    let mut bo = hall.guest("");
    bo.says(enqueue(1, "duel"));
    hall.pass(6.0, &mut [&mut bo]);
    assert!(bo.waited_ms() >= 5000);
    let mut ann = hall.guest(&token);
    let (nonce, state) = ann.told_last().unwrap();
    assert_eq!(nonce, 7);
    let is_back = matches!(
        state,
        QueueState::Waiting {
            waited_ms: 5000..,
            held: false,
            ..
        }
    );
    assert!(
        is_back || matches!(state, QueueState::Offered { .. }),
        "{state:?}"
    );
    hall.pass(0.5, &mut [&mut ann, &mut bo]);
    assert_eq!(ann.offer(), bo.offer());
    // While it is offered a cut link changes nothing for who is back in time.
    drop(ann);
    hall.settle(&mut [&mut bo]);
    let mut ann = hall.guest(&token);
    ann.answers(true);
    bo.answers(true);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(ann.going(), bo.going());
}

#[test]
fn who_stays_away_is_out_and_told_so_when_they_ask() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    ann.says(enqueue(7, "duel"));
    hall.settle(&mut [&mut ann]);
    let token = ann.token();
    drop(ann);
    hall.pass(21.0, &mut []);
    assert_eq!(hall.in_queue(), 0);
    let mut ann = hall.guest(&token);
    assert_eq!(ann.told_last(), None);
    ann.says(QueueRequest::Look);
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.out(), (OutOfQueue::NotQueued, true));
}

#[test]
fn a_second_tab_shows_what_the_first_does_and_ends_it_for_both() {
    let mut hall = Hall::new(&awake());
    let mut tab = hall.guest("");
    tab.says(enqueue(7, "duel"));
    hall.settle(&mut [&mut tab]);
    let mut other = hall.guest(&tab.token());
    assert_eq!(other.told_last().unwrap().0, 7);
    other.waited_ms();
    // Asked twice it is the same wait.
    other.says(enqueue(8, "trio"));
    hall.settle(&mut [&mut tab, &mut other]);
    let (nonce, state) = other.told_last().unwrap();
    assert!(
        matches!(&state, QueueState::Waiting { mode, .. } if mode == "duel"),
        "{state:?}"
    );
    assert_eq!((nonce, hall.in_queue()), (7, 1));
    // One of two that goes leaves the place as it is.
    let third = hall.guest(&tab.token());
    drop(third);
    hall.pass(21.0, &mut [&mut tab, &mut other]);
    tab.waited_ms();
    other.says(QueueRequest::Cancel);
    hall.settle(&mut [&mut tab, &mut other]);
    assert_eq!(tab.told_last().unwrap().0, 7);
    for tab in [&tab, &other] {
        assert_eq!(tab.out(), (OutOfQueue::Cancelled, true));
    }
}

#[test]
fn who_does_not_come_is_out_and_who_came_is_sent_back_to_wait() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.matched("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    ann.comes();
    hall.settle(&mut [ann, bo]);
    let _ = ann.seat();
    hall.pass(31.0, &mut [ann, bo]);
    assert_eq!(bo.out(), (OutOfQueue::NotCome, true));
    assert!(ann.is_sent_back());
    assert!(ann.waited_ms() >= 30_000);
    // Nothing is left of its room, and the seat that was kept is nobody's.
    hall.pass(60.0, &mut [ann, bo]);
    assert_eq!(hall.rooms(), 0);
    bo.session.join(RoomId(1)).unwrap();
    hall.settle(&mut [ann, bo]);
    assert!(bo.session.room().is_none());
}

#[test]
fn a_room_to_which_nobody_comes_is_gone() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.matched("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    assert_eq!(hall.rooms(), 1);
    hall.pass(31.0, &mut [ann, bo]);
    assert_eq!((hall.rooms(), hall.in_queue()), (0, 0));
    for player in [&ann, &bo] {
        assert_eq!(player.out(), (OutOfQueue::NotCome, true));
    }
}

#[test]
fn enough_of_them_play_on_without_who_does_not_come() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.matched("trio", 3);
    let room = players[0].going();
    players[0].comes();
    players[1].comes();
    let mut all: Vec<&mut Player> = players.iter_mut().collect();
    hall.pass(31.0, &mut all);
    let out: Vec<_> = players.iter().map(Player::out).collect();
    let plays = (OutOfQueue::Playing, false);
    assert_eq!(out, [plays, plays, (OutOfQueue::NotCome, true)]);
    assert_eq!(players[0].seat().0, players[1].seat().0);
    // It is too late for the seat.
    players[2].session.join(room).unwrap();
    let mut all: Vec<&mut Player> = players.iter_mut().collect();
    hall.settle(&mut all);
    assert!(players[2].session.room().is_none() && players[0].session.room().is_some());
}

#[test]
fn a_join_that_fails_ends_the_match_for_who_failed() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.matched("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    let who = JoinAs {
        spectator: false,
        options: vec![1, 2, 3],
    };
    let room = bo.going();
    bo.session.join_as(room, &who).unwrap();
    hall.settle(&mut [ann, bo]);
    let reason = Refusal::BadOptions;
    assert!(bo.events.contains(&Event::Refused { reason }));
    assert_eq!(bo.out(), (OutOfQueue::JoinFailed, true));
    ann.waited_ms();
    assert_eq!(hall.rooms(), 0);
}

#[test]
fn who_goes_elsewhere_has_cancelled() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let mut ann = hall.guest("");
    ann.says(enqueue(7, "duel"));
    hall.settle(&mut [&mut host, &mut ann]);
    ann.session.join(host.seat().0).unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    assert_eq!(ann.seat().0, host.seat().0);
    assert_eq!(ann.out(), (OutOfQueue::Cancelled, true));
    // The queue is for the lobby.
    let request = ClientMessage::Queue(enqueue(8, "duel"));
    ann.way.send(encode_client(&request));
    hall.settle(&mut [&mut host, &mut ann]);
    assert_eq!(ann.told_last().unwrap().0, 8);
    assert_eq!(ann.out(), (OutOfQueue::InRoom, true));
}

#[test]
fn a_match_that_gets_no_room_is_nobodys_fault() {
    let config = Config {
        max_rooms: 1,
        ..awake()
    };
    let mut hall = Hall::new(&config);
    let mut host = hall.host(false);
    let mut players = hall.offered("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    ann.answers(true);
    bo.answers(true);
    hall.step(&mut [&mut host, ann, bo]);
    hall.step(&mut [&mut host, ann, bo]);
    // They are the same two: what is offered next is for them again.
    hall.settle(&mut [&mut host, ann, bo]);
    assert_eq!((ann.offer(), bo.offer()), (2, 2));
}

/// Before anything of theirs was held.
#[test]
fn who_loses_the_link_in_the_room_at_once_comes_again() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.matched("duel", 2);
    let mut bo = players.pop().unwrap();
    let ann = players.pop().unwrap();
    let (token, room) = (ann.token(), ann.going());
    ann.way.send(encode_client(&ClientMessage::join_room(room)));
    hall.step(&mut [&mut bo]);
    drop(ann);
    hall.settle(&mut [&mut bo]);
    let mut ann = hall.guest(&token);
    let state = ann.stands();
    assert!(
        matches!(state, QueueState::Going { there: true, .. }),
        "{state:?}"
    );
    ann.comes();
    bo.comes();
    hall.settle(&mut [&mut ann, &mut bo]);
    assert!(ann.session.room().is_some(), "{:?}", ann.events);
    assert!(bo.session.room().is_some(), "{:?}", bo.events);
    assert_eq!((ann.seat().0, bo.seat().0), (room, room));
    assert_eq!(ann.out(), (OutOfQueue::Playing, false));
}

#[test]
fn what_can_not_be_queued_for_is_refused_with_its_nonce() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    ann.says(enqueue(7, "chess"));
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.told_last().unwrap().0, 7);
    assert_eq!(ann.out(), (OutOfQueue::NoSuchMode, true));
    ann.says(QueueRequest::Enqueue {
        nonce: 8,
        mode: "duel".to_owned(),
        regions: vec!["eu".to_owned(), "mars".to_owned()],
    });
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.told_last().unwrap().0, 8);
    assert_eq!(ann.out(), (OutOfQueue::NoSuchRegion, true));
    // As often as joins.
    for nonce in 9..40 {
        ann.says(enqueue(nonce, "chess"));
    }
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.out(), (OutOfQueue::TooOften, true));
    assert_eq!(hall.in_queue(), 0);
}

#[test]
fn who_waits_is_told_again_and_at_the_end_of_the_wait() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    ann.says(enqueue(7, "duel"));
    hall.pass(30.0, &mut [&mut ann]);
    let told = ann.events.iter();
    let told = told.filter(|event| matches!(event, Event::Queue { .. }));
    let told = told.count();
    assert!((6..=7).contains(&told), "{told}");
    hall.pass(31.0, &mut [&mut ann]);
    assert_eq!(ann.out(), (OutOfQueue::TooFew, false));
}

#[test]
fn who_does_not_know_of_queues_is_told_nothing() {
    let mut hall = Hall::new(&awake());
    let features = feature::ALL & !feature::QUEUE;
    let mut old = hall.connect(Session::new("somebody", "").with_features(features));
    hall.settle(&mut [&mut old]);
    old.says(enqueue(7, "duel"));
    old.says(QueueRequest::Look);
    hall.pass(6.0, &mut [&mut old]);
    assert_eq!(old.told_last(), None);
}

#[test]
fn a_server_that_stops_makes_no_match_any_more() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.offered("duel", 2);
    let [ann, bo] = &mut pair(&mut players);
    hall.server.shared.stopping.send_replace(true);
    hall.settle(&mut [ann, bo]);
    assert_eq!(ann.way.closed(), Some(CloseCode::Restart));
    assert_eq!((hall.in_queue(), hall.rooms()), (0, 0));
}
