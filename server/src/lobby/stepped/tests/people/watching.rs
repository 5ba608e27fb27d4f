//! Who watches others is told where they are, each change once, and nothing that is not theirs to
//! know.

use std::collections::BTreeMap;

use tickwire::protocol::{PeerAt, PeerPresence};

use super::*;

/// For somebody to be away for good, and then some.
const AWAY_STEPS: usize = 100;

fn lobby() -> PeerAt {
    let game = "still".to_owned();
    PeerAt::Lobby { game }
}

fn in_room(room: Option<RoomId>) -> PeerAt {
    let game = "still".to_owned();
    PeerAt::Room { game, room }
}

impl Player {
    fn watch(&mut self, handles: &[&str]) {
        let handles: Vec<String> = handles.iter().map(|&handle| handle.to_owned()).collect();
        self.session.watch(&handles).unwrap();
    }

    /// What it was told of those whom it watches, in order.
    fn presences(&mut self) -> Vec<PeerPresence> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::Presence { peers } => Some(peers),
            _ => None,
        })
        .flatten()
        .collect()
    }

    /// Where they are of whom it was told.
    fn places(&mut self) -> Vec<PeerAt> {
        let told = self.presences().into_iter();
        told.map(|of| of.at).collect()
    }
}

#[test]
fn who_is_watched_is_seen_to_come_to_move_and_to_go() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.host(false), hall.guest(""));
    let ann_is = hall.enter(&mut ann, false);
    let room = ann.seat().0;
    bo.watch(&[&ann_is, &"x".repeat(16), "no handle"]);
    hall.settle(&mut [&mut ann, &mut bo]);
    let told: BTreeMap<String, PeerAt> = bo
        .presences()
        .into_iter()
        .map(|of| (of.handle, of.at))
        .collect();
    let nobody = ("x".repeat(16), PeerAt::Offline);
    let expected = [(ann_is.clone(), in_room(Some(room))), nobody];
    assert_eq!(told, expected.into());
    ann.session.leave().unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), [lobby()]);
    // A number that lists do not show is nobody's to know.
    let den = NewRoom {
        private: true,
        ..NewRoom::default()
    };
    ann.session.create(&den).unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), [in_room(None)]);
    // From a room one hears of it, too.
    bo.session.quick_join().unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    let token = ann.token();
    drop(ann);
    (0..80).for_each(|_| hall.step(&mut [&mut bo]));
    assert_eq!(bo.places(), [], "they may be back in a moment");
    (0..AWAY_STEPS).for_each(|_| hall.step(&mut [&mut bo]));
    assert_eq!(bo.places(), [PeerAt::Offline]);
    let mut ann = hall.guest(&token);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), [lobby()]);
    bo.watch(&[]);
    hall.settle(&mut [&mut ann, &mut bo]);
    ann.session.quick_join().unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), []);
}

#[test]
fn who_connects_again_and_again_is_nothing_to_tell() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let ann_is = hall.enter(&mut ann, false);
    bo.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), [lobby()]);
    let token = ann.token();
    drop(ann);
    for _ in 0..10 {
        (0..60).for_each(|_| hall.step(&mut [&mut bo]));
        drop(hall.guest(&token));
    }
    assert_eq!(bo.places(), []);
    (0..AWAY_STEPS).for_each(|_| hall.step(&mut [&mut bo]));
    assert_eq!(bo.places(), [PeerAt::Offline]);
}

#[test]
fn who_blocked_the_watcher_looks_as_if_they_went() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo, mut cy) = (hall.guest(""), hall.guest(""), hall.guest(""));
    let ann_is = hall.enter(&mut ann, true);
    hall.enter(&mut bo, true);
    // By what somebody says they are known.
    bo.session.say_in("lobby", 1, "hi").unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    let (_, line) = ann.lines().remove(0);
    bo.events.clear();
    bo.watch(&[&ann_is]);
    cy.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!((bo.places(), cy.places()), (vec![lobby()], vec![lobby()]));
    let block = |blocked| PeopleRequest::Block {
        nonce: 1,
        who: line.from.clone(),
        blocked,
    };
    ann.session.people(block(true)).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    ann.session.quick_join().unwrap();
    (0..AWAY_STEPS).for_each(|_| hall.step(&mut [&mut ann, &mut bo, &mut cy]));
    let room = Some(ann.seat().0);
    assert_eq!(bo.places(), [PeerAt::Offline]);
    assert_eq!(cy.places(), [in_room(room)]);
    // Also to who asks anew.
    bo.watch(&[]);
    hall.settle(&mut [&mut bo]);
    bo.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(bo.places(), [PeerAt::Offline]);
    ann.session.people(block(false)).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!((bo.places(), cy.places()), (vec![in_room(room)], vec![]));
}

/// Whatever they do meanwhile, of each the newest alone is told.
#[test]
fn who_does_not_listen_is_told_how_it_stands_then() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let ann_is = hall.enter(&mut ann, false);
    bo.session.quick_join().unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    bo.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), [lobby()]);
    for _ in 0..3 {
        ann.session.quick_join().unwrap();
        hall.settle(&mut [&mut ann]);
        ann.session.leave().unwrap();
        hall.settle(&mut [&mut ann]);
    }
    ann.session.quick_join().unwrap();
    hall.settle(&mut [&mut ann]);
    hall.settle(&mut [&mut ann, &mut bo]);
    let told = bo.places();
    assert_eq!(told.last(), Some(&in_room(Some(ann.seat().0))));
    assert!(told.len() <= 7, "{told:?}");
}

/// Who says that they understand nothing of it is told nothing.
#[test]
fn who_lacks_the_feature_watches_nobody() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    let ann_is = hall.enter(&mut ann, false);
    let features = feature::ALL & !feature::WATCH;
    let mut bo = hall.connect(Session::new("somebody", "").with_features(features));
    hall.settle(&mut [&mut ann, &mut bo]);
    bo.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), []);
    bo.session.quick_join().unwrap();
    hall.settle(&mut [&mut ann, &mut bo]);
    bo.watch(&[&ann_is]);
    hall.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.places(), []);
    assert!(bo.session.room().is_some(), "and breaks nothing");
}
