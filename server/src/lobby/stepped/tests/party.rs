//! Parties at the lobby: what each page was told last is how things stand, whoever comes, goes,
//! queues or leads the others into a room.

use tickwire::protocol::{
    OutOfParty, OutOfQueue, PartyMember, PartyRequest, PartyRoom, PartyState, QueueRequest,
    QueueState,
};

use super::queue::enqueue;
use super::*;

impl Player {
    pub(super) fn asks(&mut self, request: PartyRequest) {
        self.session.party(&request).unwrap();
    }

    /// What it was told last of its party.
    fn party(&self) -> PartyState {
        let told = self.events.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::Party { state, .. } => Some(state.clone()),
            _ => None,
        });
        told.next().expect("it was told something of a party")
    }

    fn answer(&self, nonce: u32) -> PartyState {
        let mut told = self.events.iter();
        let answer = told.find_map(|event| match event {
            Event::Party { nonce: of, state } if *of == nonce => Some(state.clone()),
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("no answer to {nonce}: {:?}", self.events))
    }

    pub(super) fn code(&self) -> String {
        match self.party() {
            PartyState::In { code, .. } => code,
            out => panic!("in no party: {out:?}"),
        }
    }

    fn numbers(&self) -> Vec<u32> {
        self.members().iter().map(|member| member.number).collect()
    }

    fn members(&self) -> Vec<PartyMember> {
        match self.party() {
            PartyState::In { members, .. } => members,
            out => panic!("in no party: {out:?}"),
        }
    }

    fn may_follow(&self) -> Option<PartyRoom> {
        match self.party() {
            PartyState::In { room, .. } => room,
            out => panic!("in no party: {out:?}"),
        }
    }

    fn is_out(&self, why: OutOfParty) -> bool {
        self.party() == PartyState::Out { why }
    }

    fn is_in_room(&self, room: RoomId) -> bool {
        self.session.room().is_some_and(|at| at.info.id == room)
    }
}

impl Hall {
    /// So many in a party, the leader first.
    pub(super) fn party(&mut self, count: usize) -> Vec<Player> {
        let mut players: Vec<Player> = (0..count).map(|_| self.guest("")).collect();
        players[0].asks(PartyRequest::Create { nonce: 1 });
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        self.settle(&mut all);
        let code = players[0].code();
        for player in &mut players[1..] {
            player.asks(join(2, &code));
            self.settle(&mut [player]);
        }
        let mut all: Vec<&mut Player> = players.iter_mut().collect();
        self.settle(&mut all);
        players
    }

    fn seats_taken(&self, room: RoomId) -> u16 {
        let infos = self.server.shared.registry.infos(&[room]);
        infos[0].players
    }
}

pub(super) fn join(nonce: u32, code: &str) -> PartyRequest {
    let code = code.to_owned();
    PartyRequest::Join { nonce, code }
}

fn three(players: &mut [Player]) -> [&mut Player; 3] {
    let all = players.iter_mut().collect::<Vec<_>>();
    all.try_into().unwrap_or_else(|_| panic!("three"))
}

fn room(seats: u16, private: bool) -> NewRoom {
    NewRoom {
        name: "den".to_owned(),
        seats,
        private,
        ..NewRoom::default()
    }
}

#[test]
fn a_code_leads_into_a_party_and_everybody_sees_who_is_in_it() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let [ann, bo, cy] = &mut three(&mut players);
    assert_eq!(ann.code().len(), 8);
    for player in [&ann, &bo, &cy] {
        assert_eq!(player.numbers(), [1, 2, 3]);
        assert!(player.members().iter().all(|member| member.connected));
        assert_eq!(player.members()[0].name, "somebody");
    }
    assert!(matches!(
        cy.answer(2),
        PartyState::In {
            you: 3,
            most: 8,
            ..
        }
    ));
    // As it is typed; who is in it stays there.
    let typed = format!("{}-{} ", &ann.code()[..4], &ann.code()[4..]).to_lowercase();
    bo.asks(join(5, &typed));
    ann.asks(PartyRequest::Create { nonce: 6 });
    hall.settle(&mut [ann, bo, cy]);
    assert!(matches!(bo.answer(5), PartyState::In { you: 2, .. }));
    assert!(matches!(ann.answer(6), PartyState::In { you: 1, .. }));

    cy.asks(PartyRequest::Kick { member: 2 });
    ann.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    assert!(ann.is_out(OutOfParty::Left));
    assert_eq!(cy.numbers(), [2, 3], "who does not lead sends nobody away");
    let before = bo.code();
    bo.asks(PartyRequest::Kick { member: 3 });
    hall.settle(&mut [ann, bo, cy]);
    assert!(cy.is_out(OutOfParty::Kicked));
    assert!(bo.numbers() == [2] && bo.code() != before);
    cy.asks(join(7, &before));
    hall.settle(&mut [ann, bo, cy]);
    let why = OutOfParty::NoSuchParty;
    assert_eq!(cy.answer(7), PartyState::Out { why });
    let text = hall.metrics.render();
    for line in [
        "tickwire_parties{game=\"still\"} 1",
        "tickwire_party_players{game=\"still\"} 1",
        "tickwire_parties_made_total{game=\"still\"} 1",
        "tickwire_party_codes_wrong_total{game=\"still\"} 1",
    ] {
        assert!(text.contains(line), "{line}");
    }
}

#[test]
fn who_guesses_codes_has_few_tries() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    for nonce in 1..=30 {
        ann.asks(join(nonce, "AAAABBBB"));
        hall.step(&mut [&mut ann]);
    }
    hall.settle(&mut [&mut ann]);
    let why = OutOfParty::NoSuchParty;
    let tried = (1..=30).filter(|nonce| ann.answer(*nonce) == PartyState::Out { why });
    let tried = tried.count();
    assert!((1..=4).contains(&tried), "{tried}");
    let why = OutOfParty::TooOften;
    assert_eq!(ann.answer(30), PartyState::Out { why });
    // Nor are parties made without end.
    ann.asks(PartyRequest::Create { nonce: 31 });
    hall.settle(&mut [&mut ann]);
    assert_eq!(ann.answer(31), PartyState::Out { why });
}

#[test]
fn a_cut_link_keeps_its_place_and_a_second_tab_shows_the_same() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let bo = players.pop().unwrap();
    let mut ann = players.pop().unwrap();
    let token = bo.token();
    let tab = hall.guest(&token);
    assert_eq!(tab.numbers(), [1, 2]);
    drop(bo);
    hall.pass(40.0, &mut [&mut ann]);
    assert!(ann.members()[1].connected, "another tab is there");
    drop(tab);
    hall.pass(20.0, &mut [&mut ann]);
    assert!(!ann.members()[1].connected);
    let mut bo = hall.guest(&token);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert!(ann.members()[1].connected && bo.numbers() == [1, 2]);

    // The leader too; who stays away is out, and the next one leads.
    let token = ann.token();
    drop(ann);
    hall.pass(31.0, &mut [&mut bo]);
    assert_eq!(bo.numbers(), [2]);
    let mut ann = hall.guest(&token);
    ann.asks(PartyRequest::Look);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert!(ann.is_out(OutOfParty::NotInParty));
}

#[test]
fn the_others_follow_their_leader_into_a_private_room_that_has_a_seat_for_each() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let [ann, bo, cy] = &mut three(&mut players);
    ann.session.create(&room(3, true)).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    let den = ann.seat().0;
    for player in [&bo, &cy] {
        let to = player.may_follow().unwrap();
        assert_eq!((to.room, to.kept), (den, true));
        assert!((29_000..=30_000).contains(&to.left_ms), "{}", to.left_ms);
    }
    assert_eq!(ann.may_follow(), None);
    bo.session.join(den).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    assert!(bo.is_in_room(den));
    // Nobody else comes in by its number, and the last seat is cy's.
    let mut di = hall.guest("");
    di.session.join(den).unwrap();
    hall.settle(&mut [ann, bo, cy, &mut di]);
    assert!(di.session.room().is_none());
    let code = ann.session.room().unwrap().code.clone();
    di.session.join_code(&code).unwrap();
    hall.settle(&mut [ann, bo, cy, &mut di]);
    let reason = Refusal::RoomFull;
    assert!(di.events.contains(&Event::Refused { reason }));

    // After a while it is kept no longer.
    hall.pass(31.0, &mut [ann, bo, cy, &mut di]);
    assert_eq!(cy.may_follow(), None);
    di.session.join_code(&code).unwrap();
    hall.settle(&mut [ann, bo, cy, &mut di]);
    assert!(di.is_in_room(den));
    let text = hall.metrics.render();
    assert!(text.contains("tickwire_party_moves_total{game=\"still\"} 1"));
}

#[test]
fn what_is_kept_goes_with_who_leaves_and_when_the_leader_goes_elsewhere() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let [ann, bo, cy] = &mut three(&mut players);
    ann.session.create(&room(9, false)).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    let first = ann.seat().0;
    assert_eq!(hall.seats_taken(first), 3);
    cy.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(hall.seats_taken(first), 2);
    ann.session.leave().unwrap();
    hall.settle(&mut [ann, bo, cy]);
    ann.session.create(&room(9, false)).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    let second = ann.seat().0;
    assert_eq!(bo.may_follow().unwrap().room, second);
    assert_eq!(hall.seats_taken(second), 2);
    let rooms = hall.server.rooms();
    assert!(
        rooms
            .iter()
            .all(|room| room.id != first || room.players == 0)
    );
    // From a room one may leave, too, and who leads the others no more leads them nowhere.
    ann.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    assert!(ann.is_out(OutOfParty::Left) && ann.is_in_room(second));
    assert_eq!((bo.may_follow(), hall.seats_taken(second)), (None, 1));
    // A party is not made in one.
    let request = ClientMessage::Party(PartyRequest::Create { nonce: 9 });
    ann.way.send(encode_client(&request));
    hall.settle(&mut [ann, bo, cy]);
    let why = OutOfParty::InRoom;
    assert_eq!(ann.answer(9), PartyState::Out { why });
}

#[test]
fn where_the_room_is_full_the_others_are_told_and_stay() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let [ann, bo, cy] = &mut three(&mut players);
    ann.session.create(&room(2, false)).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    let den = ann.seat().0;
    let kept = [&bo, &cy].map(|player| player.may_follow().unwrap().kept);
    assert_eq!(kept, [true, false]);
    cy.session.join(den).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    let reason = Refusal::RoomFull;
    assert!(cy.events.contains(&Event::Refused { reason }));
    bo.session.join(den).unwrap();
    hall.settle(&mut [ann, bo, cy]);
    assert!(bo.is_in_room(den));
}

#[test]
fn its_leader_alone_queues_a_party_and_all_of_it_waits() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let [ann, bo, cy] = &mut three(&mut players);
    bo.says(enqueue(3, "pairs"));
    ann.says(enqueue(4, "pairs"));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(bo.told_last().unwrap().0, 3);
    assert_eq!(bo.out(), (OutOfQueue::NotLeader, true));
    assert_eq!(ann.out(), (OutOfQueue::PartySize, true));
    cy.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    ann.says(enqueue(5, "pairs"));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(hall.in_queue(), 2);
    assert_eq!(
        (ann.told_last().unwrap().0, bo.told_last().unwrap().0),
        (5, 0)
    );
    ann.waited_ms();
    bo.waited_ms();
    // Who is in it takes all of it out.
    bo.says(QueueRequest::Cancel);
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(bo.out(), (OutOfQueue::Cancelled, true));
    assert_eq!(ann.out(), (OutOfQueue::Cancelled, false));
    // Not while one of them is in a room.
    bo.session.quick_join().unwrap();
    hall.settle(&mut [ann, bo, cy]);
    ann.says(enqueue(6, "pairs"));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(
        (ann.told_last().unwrap().0, ann.out()),
        (6, (OutOfQueue::InRoom, false))
    );
}

#[test]
fn a_party_that_changes_while_it_waits_is_out_and_all_are_told_why() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    players.push(hall.guest(""));
    let [ann, bo, cy] = &mut three(&mut players);
    let code = ann.code();
    ann.says(enqueue(4, "pairs"));
    cy.says(enqueue(5, "duel"));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(hall.in_queue(), 3);
    cy.asks(join(6, &code));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(cy.out(), (OutOfQueue::Cancelled, true));
    for player in [&ann, &bo] {
        assert_eq!(player.out(), (OutOfQueue::PartyChanged, false));
    }
    assert_eq!(hall.in_queue(), 0);

    cy.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    ann.says(enqueue(7, "pairs"));
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(hall.in_queue(), 2);
    ann.asks(PartyRequest::Leave);
    hall.settle(&mut [ann, bo, cy]);
    assert_eq!(ann.out(), (OutOfQueue::PartyChanged, true));
    assert_eq!(bo.out(), (OutOfQueue::PartyChanged, false));
    assert_eq!((hall.in_queue(), bo.numbers()), (0, vec![2]));
}

#[test]
fn a_party_goes_into_the_room_of_its_match_together() {
    let mut hall = Hall::new(&awake());
    let (mut ours, mut theirs) = (hall.party(2), hall.party(2));
    let mut all: Vec<&mut Player> = ours.iter_mut().chain(&mut theirs).collect();
    all[0].says(enqueue(4, "pairs"));
    all[2].says(enqueue(5, "pairs"));
    hall.pass(1.0, &mut all);
    for player in &mut all {
        let offer = player.offer();
        player.says(QueueRequest::Answer {
            offer,
            accept: true,
        });
    }
    hall.settle(&mut all);
    let QueueState::Going { room, .. } = all[3].told_last().unwrap().1 else {
        panic!("{:?}", all[3].told_last());
    };
    for player in &mut all {
        player.session.join(room).unwrap();
    }
    hall.settle(&mut all);
    for player in &all {
        assert!(player.is_in_room(room));
        assert_eq!(player.out(), (OutOfQueue::Playing, false));
        assert_eq!(player.may_follow(), None, "each has come by itself");
    }
    let there = hall.server.room(room).unwrap();
    let matched = there.options().matched.clone().unwrap();
    let of_team = |player: &Player| matched.team_of(there.identity(player.seat().1).unwrap());
    assert_eq!(of_team(all[0]), of_team(all[1]));
    assert_ne!(of_team(all[0]), of_team(all[2]));
}

#[test]
fn a_server_that_stops_ends_its_parties() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let shared = hall.server.shared.clone();
    let game = &shared.games[0];
    let around = shared.party_around(game, hall.now);
    game.partying.tend(&around, true);
    let mut all: Vec<&mut Player> = players.iter_mut().collect();
    hall.settle(&mut all);
    assert!(all.iter().all(|player| player.is_out(OutOfParty::Stopped)));
    all[0].asks(PartyRequest::Create { nonce: 9 });
    hall.settle(&mut all);
    let why = OutOfParty::Stopped;
    assert_eq!(all[0].answer(9), PartyState::Out { why });
}

#[test]
fn who_is_erased_while_they_are_away_is_shown_to_no_party_any_more() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let who = hall.server.last_come().unwrap().identity.clone();
    // Who is here is asked for nothing.
    hall.server.shared.part_from_others(&who, hall.now);
    drop(players.pop());
    let mut leader = players.pop().unwrap();
    hall.settle(&mut [&mut leader]);
    let there: Vec<bool> = leader.members().iter().map(|of| of.connected).collect();
    assert_eq!(there, [true, false]);
    hall.server.shared.part_from_others(&who, hall.now);
    hall.settle(&mut [&mut leader]);
    assert_eq!(leader.members().len(), 1);
}
