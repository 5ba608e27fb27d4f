//! Who is in the lobby, as those are told who asked: a list that follows it, once a second.

use std::collections::BTreeSet;

use super::*;

impl Player {
    /// Follows what it is told: who is there now, how many there are, and how often it was told.
    fn follows(&mut self, known: &mut BTreeSet<String>) -> (Option<u32>, usize) {
        let (mut count, mut times) = (None, 0);
        for event in std::mem::take(&mut self.events) {
            if let Event::Lobby(news) = event {
                times += 1;
                count = Some(news.count);
                for gone in &news.gone {
                    assert!(known.remove(gone), "it was told before");
                }
                known.extend(news.here.into_iter().map(|peer| peer.handle));
            }
        }
        (count, times)
    }
}

#[test]
fn who_comes_goes_and_returns_from_a_room_is_seen_by_who_asked() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let (ann_is, bo_is) = (hall.enter(&mut ann, true), hall.enter(&mut bo, true));
    let mut known = BTreeSet::new();
    ann.session.watch(&["lobby".to_owned()]).unwrap();
    hall.pass(1.5, &mut [&mut ann, &mut bo, &mut host]);
    assert_eq!(ann.follows(&mut known).0, Some(2));
    assert_eq!(known, [ann_is.clone(), bo_is.clone()].into());
    assert_eq!(bo.follows(&mut BTreeSet::new()).1, 0, "he did not ask");
    // Whoever is shown can be written to.
    ann.session.say_in(&format!("@{bo_is}"), 1, "hi").unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    assert!(ann.said()[0].is_ok());
    bo.session.join(host.seat().0).unwrap();
    hall.pass(1.5, &mut [&mut ann, &mut bo, &mut host]);
    assert_eq!(ann.follows(&mut known), (Some(1), 1));
    assert_eq!(known, [ann_is.clone()].into());
    // However often somebody comes and goes.
    for _ in 0..15 {
        let mut cy = hall.guest("");
        hall.step(&mut [&mut ann, &mut cy, &mut bo, &mut host]);
        drop(cy);
    }
    let (_, times) = ann.follows(&mut known);
    assert!(times <= 8, "{times} times in some five seconds");
    bo.session.leave().unwrap();
    hall.pass(1.5, &mut [&mut ann, &mut bo, &mut host]);
    ann.follows(&mut known);
    assert_eq!(known, [ann_is, bo_is].into());
    ann.session.watch(&[]).unwrap();
    hall.pass(1.5, &mut [&mut ann, &mut bo, &mut host]);
    assert_eq!(ann.follows(&mut known).0, Some(0));
    assert!(known.is_empty());
    drop(bo);
    hall.pass(1.5, &mut [&mut ann, &mut host]);
    assert_eq!(ann.follows(&mut known).1, 0);
}

#[test]
fn who_blocked_the_watcher_is_neither_shown_nor_counted() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let (ann_is, bo_is) = (hall.enter(&mut ann, true), hall.enter(&mut bo, true));
    let mut known = BTreeSet::new();
    ann.session.watch(&["lobby".to_owned()]).unwrap();
    hall.pass(1.5, &mut [&mut ann, &mut bo]);
    ann.follows(&mut known);
    for blocked in [true, false] {
        let block = PeopleRequest::Block {
            nonce: 3,
            who: ann_is.clone(),
            blocked,
        };
        bo.session.people(block).unwrap();
        hall.pass(1.5, &mut [&mut ann, &mut bo]);
        let (count, _) = ann.follows(&mut known);
        assert_eq!(count, Some(if blocked { 1 } else { 2 }));
        assert_eq!(known.contains(&bo_is), !blocked);
    }
}

#[test]
fn of_many_a_hundred_are_shown_and_all_are_counted() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    hall.enter(&mut ann, true);
    let mut others: Vec<Player> = (0..130).map(|_| hall.guest("")).collect();
    let mut known = BTreeSet::new();
    ann.session.watch(&["lobby".to_owned()]).unwrap();
    hall.pass(1.5, &mut [&mut ann]);
    assert_eq!(ann.follows(&mut known).0, Some(131));
    assert_eq!(known.len(), 100);
    others.truncate(20);
    hall.pass(1.5, &mut [&mut ann]);
    assert_eq!(ann.follows(&mut known).0, Some(21));
    assert_eq!(known.len(), 21);
}
