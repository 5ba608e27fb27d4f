//! What players of several nodes say to one another, and how they hear it: as of one server.

use tickwire::protocol::people::Peer;
use tickwire::protocol::{PeerAt, PeopleNews, PeopleRequest};

use super::*;

impl Player {
    fn lines(&mut self) -> Vec<(u32, String)> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.filter_map(|event| match event {
            Event::Line { line, .. } => Some((line.id, line.text)),
            _ => None,
        })
        .collect()
    }

    fn texts(&mut self) -> Vec<String> {
        self.lines().into_iter().map(|(_, text)| text).collect()
    }

    fn said(&self) -> Vec<Result<u32, Refusal>> {
        let told = self.told.iter().filter_map(|event| match event {
            Event::Said { result, .. } => Some(*result),
            _ => None,
        });
        told.collect()
    }

    fn told_who(&mut self) -> Vec<Result<Peer, Refusal>> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.filter_map(|event| match event {
            Event::People(PeopleNews::Answer { result, .. }) => Some(result),
            _ => None,
        })
        .collect()
    }
}

impl Land {
    /// Somebody in the lobby of a node who hears what is said, and their handle.
    fn hearer(&mut self, node: usize, lobby: bool) -> (Player, String) {
        let mut player = self.guest(node);
        let enter = PeopleRequest::Enter { nonce: 1, lobby };
        player.session.people(enter).unwrap();
        self.settle(&mut [&mut player]);
        let handle = player.told.iter().find_map(|event| match event {
            Event::People(PeopleNews::You { handle, .. }) => Some(handle.clone()),
            _ => None,
        });
        player.told.clear();
        (player, handle.expect("it is in"))
    }

    /// Of the home, which is the first: in the order in which they came their numbers rise.
    fn lines_sent_on(&self) -> u32 {
        let text = self.metrics[0].render();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("tickwire_lending_lines_total "));
        line.expect("it is counted").parse().unwrap()
    }
}

#[test]
fn a_lobby_is_one_for_all_nodes_and_those_without_hearers_are_told_nothing() {
    let mut land = Land::new("one-lobby", 4);
    let (mut ann, ann_is) = land.hearer(1, true);
    let (mut bo, _) = land.hearer(2, true);
    let (mut cy, _) = land.hearer(2, true);
    let (mut dee, _) = land.hearer(3, false);
    let mut all = [&mut ann, &mut bo, &mut cy, &mut dee];
    all[0].session.say_in("lobby", 1, "hello").unwrap();
    land.settle(&mut all);
    all[1].session.say_in("lobby", 2, "hi").unwrap();
    land.settle(&mut all);
    // To Ann's node and Bo's, each once a line though two hear it at the second, and to Bo what is his
    // own.
    assert_eq!(land.lines_sent_on(), 5);
    let heard = ann.lines();
    let texts: Vec<&str> = heard.iter().map(|(_, text)| &**text).collect();
    assert_eq!(texts, ["hello", "hi"]);
    assert_eq!((bo.lines(), cy.lines()), (heard.clone(), heard));
    assert_eq!(dee.texts(), [""; 0]);
    // From a room at another node, which makes no difference.
    let mut host = land.host(3, &NewRoom::default());
    let enter = PeopleRequest::Enter {
        nonce: 1,
        lobby: true,
    };
    host.session.people(enter).unwrap();
    land.settle(&mut [&mut host]);
    host.session.say_in("lobby", 3, "from a room").unwrap();
    land.settle(&mut [&mut ann, &mut host]);
    assert_eq!(ann.texts(), ["from a room"]);
    assert!(!ann_is.is_empty());
}

#[test]
fn two_write_to_one_another_at_whatever_nodes_and_who_is_blocked_is_not_heard() {
    let mut land = Land::new("two", 3);
    let (mut ann, ann_is) = land.hearer(1, true);
    let (mut bo, bo_is) = land.hearer(2, true);
    let (to_ann, to_bo) = (format!("@{ann_is}"), format!("@{bo_is}"));
    ann.session.say_in(&to_bo, 1, "psst").unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(ann.said().len(), 1);
    assert!(ann.said()[0].is_ok());
    assert_eq!(
        (ann.texts(), bo.texts()),
        (vec!["psst".into()], vec!["psst".into()])
    );
    ann.session.say_in(&to_bo, 1, "psst").unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    assert!(ann.said()[0].is_ok());
    assert_eq!(bo.texts(), [""; 0], "it was said already");
    ann.told.clear();
    let block = |blocked| PeopleRequest::Block {
        nonce: 2,
        who: ann_is.clone(),
        blocked,
    };
    bo.session.people(block(true)).unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    assert!(bo.told_who()[0].is_ok());
    ann.session.say_in(&to_bo, 3, "still there?").unwrap();
    ann.session.say_in("lobby", 4, "anybody?").unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(bo.texts(), ["", ""], "only that there was something");
    bo.session.people(block(false)).unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    bo.told.clear();
    ann.told.clear();
    bo.session.say_in(&to_ann, 5, "yes").unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    assert_eq!(ann.texts(), ["yes"]);
}

/// Whoever was met in a room can be written to from any node.
#[test]
fn who_was_in_the_room_is_known_to_the_home() {
    let mut land = Land::new("met", 3);
    let mut host = land.host(1, &NewRoom::default());
    let mut ann = land.guest(1);
    ann.session.join(host.room()).unwrap();
    land.settle(&mut [&mut host, &mut ann]);
    let player = host.seat().1;
    let who = PeopleRequest::Who { nonce: 3, player };
    ann.session.people(who).unwrap();
    land.settle(&mut [&mut host, &mut ann]);
    let answers = ann.told_who();
    let [Ok(peer)] = &answers[..] else {
        panic!("{answers:?}");
    };
    let enter = PeopleRequest::Enter {
        nonce: 1,
        lobby: false,
    };
    host.session.people(enter).unwrap();
    land.settle(&mut [&mut host, &mut ann]);
    host.told.clear();
    let to_host = format!("@{}", peer.handle);
    ann.session.say_in(&to_host, 1, "hi").unwrap();
    land.settle(&mut [&mut host, &mut ann]);
    assert!(ann.said()[0].is_ok(), "{:?}", ann.said());
    assert_eq!(host.texts(), ["hi"]);
}

/// The home is gone while lines are said: they are said at the next one, and what was heard and who
/// is blocked holds there.
#[test]
fn another_home_goes_on() {
    let mut land = Land::new("next", 3);
    let (mut ann, ann_is) = land.hearer(1, true);
    let (mut bo, _) = land.hearer(2, true);
    let (mut cy, _) = land.hearer(2, true);
    let block = PeopleRequest::Block {
        nonce: 2,
        who: ann_is,
        blocked: true,
    };
    // Known to the home alone once it has answered; it says so to its own node.
    ann.session.say_in("lobby", 1, "one").unwrap();
    land.settle(&mut [&mut ann, &mut bo, &mut cy]);
    cy.session.people(block).unwrap();
    land.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(bo.texts(), ["one"]);
    cy.told.clear();
    ann.told.clear();
    land.neighbours.hear(0, false);
    ann.session.say_in("lobby", 2, "two").unwrap();
    (0..3).for_each(|_| land.step(&mut [&mut ann, &mut bo, &mut cy]));
    assert!(ann.said().is_empty(), "nobody answers");
    // It is known to be gone with the next beat.
    (0..6).for_each(|_| land.settle(&mut [&mut ann, &mut bo, &mut cy]));
    assert_eq!(ann.said().len(), 1);
    assert!(ann.said()[0].is_ok());
    assert_eq!(
        (ann.texts(), bo.texts()),
        (vec!["two".into()], vec!["two".into()])
    );
    assert_eq!(cy.texts(), [""], "she is blocked there, too");
    bo.session.say_in("lobby", 3, "three").unwrap();
    land.settle(&mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(
        (ann.texts(), cy.texts()),
        (vec!["three".into()], vec!["three".into()])
    );
}

/// Friends of other nodes, as of one's own, also when another node looks after it.
#[test]
fn who_is_watched_may_be_anywhere_and_so_may_who_watches() {
    let mut land = Land::new("watched", 4);
    let (mut ann, ann_is) = land.hearer(1, false);
    let mut bo = land.guest(2);
    let told = |bo: &mut Player| -> Vec<PeerAt> {
        let told = std::mem::take(&mut bo.told).into_iter();
        let peers = told.filter_map(|event| match event {
            Event::Presence { peers } => Some(peers),
            _ => None,
        });
        peers.flatten().map(|peer| peer.at).collect()
    };
    bo.session.watch(std::slice::from_ref(&ann_is)).unwrap();
    land.settle(&mut [&mut ann, &mut bo]);
    let lobby = told(&mut bo);
    assert!(matches!(lobby[..], [PeerAt::Lobby { .. }]), "{lobby:?}");
    let mut host = land.host(3, &named("den"));
    let room = host.room();
    ann.session.join(room).unwrap();
    (0..2).for_each(|_| land.settle(&mut [&mut ann, &mut bo, &mut host]));
    let at = told(&mut bo).pop();
    assert!(
        matches!(at, Some(PeerAt::Room { room: Some(of), .. }) if of == room),
        "{at:?}"
    );
    // The home ends: the next one looks after it.
    land.neighbours.hear(0, false);
    (0..6).for_each(|_| land.settle(&mut [&mut ann, &mut bo, &mut host]));
    told(&mut bo);
    ann.session.leave().unwrap();
    (0..2).for_each(|_| land.settle(&mut [&mut ann, &mut bo, &mut host]));
    let at = told(&mut bo);
    assert!(matches!(at[..], [PeerAt::Lobby { .. }]), "{at:?}");
}

/// As at one server, and at the next home as at the one before.
#[test]
fn who_is_in_the_lobby_is_of_all_nodes_and_follows_to_another_home() {
    let mut land = Land::new("crowd", 3);
    let (mut ann, ann_is) = land.hearer(1, true);
    let (mut bo, bo_is) = land.hearer(2, true);
    let mut known = std::collections::BTreeSet::new();
    let mut follow = |player: &mut Player| {
        let mut count = None;
        for event in std::mem::take(&mut player.told) {
            if let Event::Lobby(news) = event {
                count = Some(news.count);
                news.gone.iter().for_each(|gone| _ = known.remove(gone));
                known.extend(news.here.into_iter().map(|peer| peer.handle));
            }
        }
        (count, known.clone())
    };
    ann.session.watch(&["lobby".to_owned()]).unwrap();
    let wait = Duration::from_secs(2);
    land.pass(wait, &mut [&mut ann, &mut bo]);
    let both = [ann_is.clone(), bo_is.clone()];
    assert_eq!(follow(&mut ann), (Some(2), both.clone().into()));
    let (mut cy, cy_is) = land.hearer(2, false);
    land.pass(wait, &mut [&mut ann, &mut bo, &mut cy]);
    let all = [ann_is.clone(), bo_is.clone(), cy_is.clone()];
    assert_eq!(follow(&mut ann), (Some(3), all.into()));
    land.neighbours.hear(0, false);
    (0..6).for_each(|_| land.settle(&mut [&mut ann, &mut bo, &mut cy]));
    // Goes while the next one is the home.
    let block = PeopleRequest::Block {
        nonce: 2,
        who: ann_is.clone(),
        blocked: true,
    };
    cy.session.people(block).unwrap();
    land.pass(wait, &mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(follow(&mut ann), (Some(2), both.into()));
    bo.session.quick_join().unwrap();
    land.pass(wait, &mut [&mut ann, &mut bo, &mut cy]);
    assert_eq!(follow(&mut ann), (Some(1), [ann_is].into()));
    assert!(cy_is != bo_is);
}
