//! Parties and matches of players at several nodes: as of one server, and what stands outlives the
//! node that is its home.

use tickwire::protocol::{
    OutOfParty, PartyRequest, PartyRoom, PartyState, PeopleNews, PeopleRequest, QueueRequest,
    QueueState,
};

use super::*;

impl Player {
    fn party(&self) -> PartyState {
        let told = self.told.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::Party { state, .. } => Some(state.clone()),
            _ => None,
        });
        told.next().expect("it was told something of a party")
    }

    fn party_code(&self) -> String {
        match self.party() {
            PartyState::In { code, .. } => code,
            out => panic!("in no party: {out:?}"),
        }
    }

    /// The numbers of its party's members, the leader's first, and its own.
    fn numbers(&self) -> (Vec<u32>, u32) {
        match self.party() {
            PartyState::In { members, you, .. } => {
                (members.iter().map(|member| member.number).collect(), you)
            }
            out => panic!("in no party: {out:?}"),
        }
    }

    fn may_follow(&self) -> Option<PartyRoom> {
        match self.party() {
            PartyState::In { room, .. } => room,
            out => panic!("in no party: {out:?}"),
        }
    }

    fn queue(&self) -> QueueState {
        let told = self.told.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::Queue { state, .. } => Some(state.clone()),
            _ => None,
        });
        told.next().expect("it was told something of the queue")
    }

    fn enqueues(&mut self, mode: &str) {
        let enqueue = QueueRequest::Enqueue {
            nonce: 5,
            mode: mode.to_owned(),
            regions: Vec::new(),
        };
        self.session.queue(&enqueue).unwrap();
    }

    fn accepts(&mut self) {
        match self.queue() {
            QueueState::Offered { offer, .. } => {
                let accept = true;
                let answer = QueueRequest::Answer { offer, accept };
                self.session.queue(&answer).unwrap();
            }
            other => panic!("nothing is offered: {other:?}"),
        }
    }

    fn goes(&mut self) -> RoomId {
        match self.queue() {
            QueueState::Going { room, .. } => {
                self.session.join(room).unwrap();
                room
            }
            other => panic!("no match: {other:?}"),
        }
    }
}

impl Land {
    /// A party of one at each of these nodes, the leader first.
    fn party(&mut self, nodes: &[usize]) -> Vec<Player> {
        let mut players: Vec<Player> = nodes.iter().map(|node| self.guest(*node)).collect();
        players[0]
            .session
            .party(&PartyRequest::Create { nonce: 1 })
            .unwrap();
        self.settle(&mut [&mut players[0]]);
        let code = players[0].party_code();
        for player in &mut players[1..] {
            let code = code.clone();
            player
                .session
                .party(&PartyRequest::Join { nonce: 2, code })
                .unwrap();
            self.settle(&mut [player]);
        }
        self.settle(&mut players.iter_mut().collect::<Vec<_>>());
        players
    }
}

#[test]
fn a_party_is_of_all_nodes_and_follows_its_leader_to_a_room_at_another() {
    let mut land = Land::new("party", 4);
    let mut players = land.party(&[1, 2, 3]);
    for (player, you) in players.iter().zip(1..) {
        assert_eq!(player.numbers(), (vec![1, 2, 3], you));
    }
    // A private room at a node where none of them is.
    let den = NewRoom {
        name: "den".to_owned(),
        private: true,
        seats: 4,
        ..NewRoom::default()
    };
    let mut host = land.host(0, &den);
    let code = host.code();
    let [ann, bo, cy] = &mut players[..] else {
        panic!("three");
    };
    ann.session.join_code(&code).unwrap();
    land.settle(&mut [&mut host, ann, bo, cy]);
    assert_eq!((ann.room(), ann.node), (host.room(), 0));
    land.settle(&mut [&mut host, ann, bo, cy]);
    let to = host.room();
    for player in [&mut *bo, &mut *cy] {
        assert_eq!(player.may_follow().map(|led| led.room), Some(to));
        player.session.join(to).unwrap();
    }
    land.settle(&mut [&mut host, ann, bo, cy]);
    assert_eq!((bo.room(), cy.room()), (to, to));
    // She leads still, from where she is now, and anywhere: to a room at another node.
    assert_eq!(ann.numbers(), (vec![1, 2, 3], 1));
    for player in [&mut *ann, &mut *bo, &mut *cy] {
        player.session.leave().unwrap();
    }
    land.settle(&mut [&mut host, ann, bo, cy]);
    let mut other = land.host(3, &named("hall"));
    ann.session.join(other.room()).unwrap();
    (0..2).for_each(|_| land.settle(&mut [&mut host, &mut other, ann, bo, cy]));
    assert_eq!((ann.room(), ann.node), (other.room(), 3));
    assert_eq!(bo.may_follow().map(|led| led.room), Some(other.room()));
    bo.session.join(other.room()).unwrap();
    land.settle(&mut [&mut host, &mut other, ann, bo, cy]);
    assert_eq!((bo.room(), bo.node), (other.room(), 3));
    // Nobody else gets into a private room by its number, and a wrong code is none.
    let mut dee = land.guest(2);
    dee.session.join(to).unwrap();
    let code = "AAAAAA".to_owned();
    dee.session
        .party(&PartyRequest::Join { nonce: 3, code })
        .unwrap();
    (0..2).for_each(|_| land.settle(&mut [&mut host, &mut dee]));
    assert!(dee.session.room().is_none());
    let why = OutOfParty::NoSuchParty;
    assert_eq!(dee.party(), PartyState::Out { why });
}

#[test]
fn players_of_different_nodes_are_matched_and_play_in_one_room() {
    let mut land = Land::new("match", 3);
    let (mut ann, mut bo) = (land.guest(1), land.guest(2));
    ann.enqueues("duel");
    bo.enqueues("duel");
    land.settle(&mut [&mut ann, &mut bo]);
    ann.accepts();
    bo.accepts();
    land.settle(&mut [&mut ann, &mut bo]);
    let room = ann.goes();
    assert_eq!(bo.goes(), room);
    (0..2).for_each(|_| land.settle(&mut [&mut ann, &mut bo]));
    assert_eq!((ann.room(), bo.room()), (room, room));
    assert_eq!((ann.node, bo.node), (0, 0), "it is played at the home");
}

#[test]
fn what_stands_outlives_its_home() {
    let mut land = Land::new("outlives", 4);
    let mut players = land.party(&[1, 2, 3]);
    let code = players[0].party_code();
    let [ann, bo, cy] = &mut players[..] else {
        panic!("three");
    };
    let mut dee = land.guest(2);
    dee.enqueues("duel");
    land.settle(&mut [ann, bo, cy, &mut dee]);
    assert!(matches!(dee.queue(), QueueState::Waiting { .. }));
    land.neighbours.hear(0, false);
    (0..6).for_each(|_| land.settle(&mut [ann, bo, cy, &mut dee]));
    for (player, you) in [(&*ann, 1), (&*bo, 2), (&*cy, 3)] {
        assert_eq!(player.numbers(), (vec![1, 2, 3], you));
        assert_eq!(player.party_code(), code);
    }
    // She waits at the next home, and is found an opponent there.
    let mut eve = land.guest(3);
    eve.enqueues("duel");
    land.settle(&mut [&mut dee, &mut eve]);
    dee.accepts();
    eve.accepts();
    land.settle(&mut [&mut dee, &mut eve]);
    let room = dee.goes();
    assert_eq!(eve.goes(), room);
    (0..2).for_each(|_| land.settle(&mut [&mut dee, &mut eve]));
    assert_eq!((dee.room(), eve.room()), (room, room));
    assert_eq!(dee.node, 1);
}

impl Player {
    fn talk(&self) -> Option<String> {
        let told = self.told.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::People(PeopleNews::Party { channel }) => Some(channel.clone()),
            _ => None,
        });
        told.next()
    }

    fn heard(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.filter_map(|event| match event {
            Event::Line { channel, line } => Some(channel + " " + &line.text),
            Event::PeerTyping { channel, .. } => Some(channel + " …"),
            _ => None,
        })
        .collect()
    }
}

/// As at one server, and at the next home as at the one before.
#[test]
fn a_party_of_several_nodes_talks_and_goes_on_at_another_home() {
    let mut land = Land::new("talks", 4);
    let mut players = land.party(&[1, 2]);
    let talk = players[0].talk().expect("it is told where it talks");
    assert_eq!(players[1].talk().as_ref(), Some(&talk));
    // At a node where nobody is of it, one who hears the lobby.
    players.push(land.guest(3));
    for player in &mut players {
        let (nonce, lobby) = (1, true);
        let enter = PeopleRequest::Enter { nonce, lobby };
        player.session.people(enter).unwrap();
        land.settle(&mut [player]);
        player.told.clear();
    }
    let [ann, bo, cy] = &mut players[..] else {
        panic!("three");
    };
    for is_moved in [false, true] {
        if is_moved {
            land.neighbours.hear(0, false);
            (0..6).for_each(|_| land.settle(&mut [ann, bo, cy]));
            ann.heard();
            bo.heard();
        }
        for channel in [&*talk, "lobby"] {
            land.pass(Duration::from_secs(3), &mut [ann, bo, cy]);
            ann.session.typing_in(channel).unwrap();
            land.settle(&mut [ann, bo, cy]);
            ann.session.say_in(channel, 5, "hi").unwrap();
            land.settle(&mut [ann, bo, cy]);
            let expected = [format!("{channel} …"), format!("{channel} hi")];
            assert_eq!(bo.heard(), expected, "{is_moved}");
            assert_eq!(ann.heard(), expected[1..], "{is_moved}");
            let of_all = if channel == "lobby" {
                &expected[..]
            } else {
                &[]
            };
            assert_eq!(cy.heard(), of_all, "{is_moved}");
        }
        let (nonce, before) = (8, 0);
        bo.session.history_of(&talk, nonce, before).unwrap();
        land.settle(&mut [ann, bo, cy]);
        let page = bo.told.iter().find_map(|event| match event {
            Event::Past { result, .. } => Some(result.clone()),
            _ => None,
        });
        let page = page.expect("a page").expect("they may read it");
        assert_eq!(page.lines.last().map(|line| &*line.text), Some("hi"));
    }
    bo.session.party(&PartyRequest::Leave).unwrap();
    land.settle(&mut [ann, bo, cy]);
    assert_eq!(bo.talk(), Some(String::new()));
    bo.told.clear();
    ann.session.say_in(&talk, 9, "alone").unwrap();
    bo.session.say_in(&talk, 9, "still?").unwrap();
    land.settle(&mut [ann, bo, cy]);
    assert_eq!(ann.heard(), [format!("{talk} alone")]);
    assert!(bo.heard().is_empty());
}

/// Who leaves the queue at a home that has just ended is in no other one.
#[test]
fn who_cancels_while_there_is_no_home_does_not_wait_at_the_next() {
    let mut land = Land::new("cancels", 3);
    let mut ann = land.guest(1);
    ann.enqueues("duel");
    land.settle(&mut [&mut ann]);
    land.neighbours.hear(0, false);
    ann.session.queue(&QueueRequest::Cancel).unwrap();
    (0..6).for_each(|_| land.settle(&mut [&mut ann]));
    assert!(matches!(ann.queue(), QueueState::Out { .. }));
}
