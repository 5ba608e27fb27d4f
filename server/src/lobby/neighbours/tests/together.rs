//! Parties and matches of players at several nodes: as of one server, and what stands outlives the
//! node that is its home.

use tickwire::protocol::{
    OutOfParty, PartyRequest, PartyRoom, PartyState, QueueRequest, QueueState,
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
