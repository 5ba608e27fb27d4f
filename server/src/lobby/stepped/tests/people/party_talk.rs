//! A party's channel: its members alone say, read and hear something there, as long as they are.

use tickwire::protocol::PartyRequest;

use super::super::party::join;
use super::*;

impl Player {
    /// The channel that it was told last to be its party's.
    fn talk(&self) -> Option<String> {
        let told = self.events.iter().rev();
        let mut told = told.filter_map(|event| match event {
            Event::People(PeopleNews::Party { channel }) => Some(channel.clone()),
            _ => None,
        });
        told.next()
    }

    fn page(&mut self, nonce: u32) -> Result<Vec<String>, Refusal> {
        let told = std::mem::take(&mut self.events).into_iter();
        let mut told = told.filter_map(|event| match event {
            Event::Past { nonce: of, result } if of == nonce => {
                Some(result.map(|page| page.lines.into_iter().map(|line| line.text).collect()))
            }
            _ => None,
        });
        told.next().expect("a page")
    }
}

/// Has them all hear; the party's channel.
fn talking(hall: &mut Hall, players: &mut [Player]) -> String {
    let talks: Vec<_> = players.iter().map(Player::talk).collect();
    let talk = talks[0].clone().expect("it is told where it talks");
    assert!(talk.len() == 17 && talk.starts_with('&'), "{talk}");
    assert!(talks.iter().all(|of| of.as_ref() == Some(&talk)));
    for player in players {
        hall.enter(player, false);
    }
    talk
}

#[test]
fn members_alone_hear_and_read_what_is_said_in_a_party() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let code = players[0].code();
    let talk = talking(&mut hall, &mut players);
    let [ann, bo] = &mut players[..] else {
        panic!("two")
    };
    let mut cy = hall.guest("");
    hall.enter(&mut cy, true);
    ann.session.say_in(&talk, 1, "hello").unwrap();
    ann.session.say_in(&talk, 1, "hello").unwrap();
    hall.settle(&mut [ann, bo, &mut cy]);
    let said = ann.said();
    assert!(said[0].is_ok() && said[0] == said[1], "once: {said:?}");
    assert_eq!((ann.texts(), cy.texts().len()), (vec!["hello".into()], 0));
    let heard = bo.lines();
    assert_eq!((&heard[0].0, &*heard[0].1.text), (&talk, "hello"));
    // Whoever knows its name, and is not in it.
    cy.session.say_in(&talk, 2, "psst").unwrap();
    cy.session.history_of(&talk, 3, 0).unwrap();
    cy.types(&talk);
    hall.settle(&mut [ann, bo, &mut cy]);
    assert_eq!(cy.said(), [Err(Refusal::NotInRoom)]);
    assert_eq!(cy.page(3), Err(Refusal::NotInRoom));
    assert_eq!((ann.texts(), bo.writers()), (vec![], vec![]));
    // Who comes later reads what was said, also in a room, and is heard from there.
    cy.asks(join(4, &code));
    hall.settle(&mut [ann, bo, &mut cy]);
    assert_eq!(cy.talk().as_ref(), Some(&talk));
    cy.session.quick_join().unwrap();
    hall.settle(&mut [ann, bo, &mut cy]);
    cy.session.history_of(&talk, 5, 0).unwrap();
    hall.pass(2.0, &mut [ann, bo, &mut cy]);
    bo.events.clear();
    cy.types(&talk);
    hall.settle(&mut [ann, bo, &mut cy]);
    assert_eq!(cy.page(5), Ok(vec!["hello".to_owned()]));
    assert_eq!(bo.writers().len(), 1);
    cy.session.say_in(&talk, 6, "me too").unwrap();
    hall.settle(&mut [ann, bo, &mut cy]);
    assert_eq!(bo.texts(), ["me too"]);
    assert!(
        hall.metrics
            .render()
            .contains("tickwire_lines_total{channel=\"party\"} 2")
    );
}

#[test]
fn who_is_sent_away_or_goes_elsewhere_is_told_and_hears_no_more() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(3);
    let talk = talking(&mut hall, &mut players);
    let mut others = hall.party(1);
    let other = talking(&mut hall, &mut others);
    assert_ne!(talk, other);
    let (code, dee) = {
        others[0].asks(PartyRequest::Look);
        hall.settle(&mut [&mut others[0]]);
        (others[0].code(), &mut others[0])
    };
    let [ann, bo, cy] = &mut players[..] else {
        panic!("three")
    };
    ann.asks(PartyRequest::Kick { member: 2 });
    cy.asks(join(9, &code));
    hall.settle(&mut [ann, bo, cy, dee]);
    assert_eq!(
        (bo.talk(), cy.talk()),
        (Some(String::new()), Some(other.clone()))
    );
    assert_eq!(
        ann.talk(),
        None,
        "a party of another code talks where it did"
    );
    ann.session.say_in(&talk, 1, "gone?").unwrap();
    for gone in [&mut *bo, &mut *cy] {
        gone.session.history_of(&talk, 3, 0).unwrap();
    }
    hall.settle(&mut [ann, bo, cy, dee]);
    assert!(ann.said()[0].is_ok());
    assert_eq!(bo.page(3), Err(Refusal::NotInRoom));
    assert_eq!(cy.page(3), Err(Refusal::NotInRoom));
    cy.session.say_in(&other, 4, "hi").unwrap();
    hall.settle(&mut [ann, bo, cy, dee]);
    assert_eq!(
        (dee.texts().len(), ann.texts().len()),
        (1, 1),
        "each their own"
    );
}

/// A connection that is cut keeps its place, and finds what was said meanwhile.
#[test]
fn who_comes_back_reads_what_they_missed_and_a_client_of_before_is_told_nothing() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let talk = talking(&mut hall, &mut players);
    let bo = players.pop().unwrap();
    let mut ann = players.pop().unwrap();
    let token = bo.token();
    drop(bo);
    hall.settle(&mut [&mut ann]);
    ann.session.say_in(&talk, 1, "where are you?").unwrap();
    hall.settle(&mut [&mut ann]);
    let mut bo = hall.guest(&token);
    assert_eq!(bo.talk(), Some(talk.clone()));
    bo.session.history_of(&talk, 3, 0).unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.page(3), Ok(vec!["where are you?".to_owned()]));
    let features = feature::ALL & !feature::TALKS;
    let mut old = hall.connect(Session::new("bo", &token).with_features(features));
    hall.settle(&mut [&mut old]);
    assert_eq!(old.talk(), None);
    hall.enter(&mut old, true);
    ann.session.say_in(&talk, 2, "there").unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut old]);
    assert_eq!(old.texts().len(), 0);
}

#[test]
fn who_is_muted_or_blocked_is_not_heard_there_either() {
    let mut hall = Hall::new(&awake());
    let mut players = hall.party(2);
    let talk = talking(&mut hall, &mut players);
    let [ann, bo] = &mut players[..] else {
        panic!("two")
    };
    let ann_is = hall.enter(ann, false);
    let block = PeopleRequest::Block {
        nonce: 3,
        who: ann_is,
        blocked: true,
    };
    bo.session.people(block).unwrap();
    hall.settle(&mut [ann, bo]);
    ann.types(&talk);
    ann.session.say_in(&talk, 1, "hello").unwrap();
    hall.settle(&mut [ann, bo]);
    assert_eq!(bo.texts(), [""], "only that there was something");
    let theirs = hall.server.shared.moderation.presence().all(|_| true);
    let until = crate::date::Date(u64::MAX);
    theirs.iter().for_each(|online| online.mute(Some(until)));
    hall.pass(3.0, &mut [ann, bo]);
    bo.types(&talk);
    bo.session.say_in(&talk, 2, "hello").unwrap();
    hall.settle(&mut [ann, bo]);
    assert_eq!(bo.said(), [Err(Refusal::Muted)]);
    assert_eq!(ann.writers(), []);
}
