//! What players say to one another beyond their rooms, wherever they are and as they move; whom they
//! have blocked; and that a busy lobby delays no snapshot. Without a store; of a file it is
//! `crate::people`'s tests.

mod crowd;
mod party_talk;
mod typing;
mod watching;

use tickwire::protocol::people::{Line, Peer};
use tickwire::protocol::{PeopleNews, PeopleRequest, feature};

use super::*;

impl Player {
    /// Lines that it was told: channel and line.
    fn lines(&mut self) -> Vec<(String, Line)> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::Line { channel, line } => Some((channel, line)),
            _ => None,
        })
        .collect()
    }

    fn texts(&mut self) -> Vec<String> {
        self.lines()
            .into_iter()
            .map(|(_, line)| line.text)
            .collect()
    }

    fn said(&self) -> Vec<Result<u32, Refusal>> {
        let told = self.events.iter().filter_map(|event| match event {
            Event::Said { result, .. } => Some(*result),
            _ => None,
        });
        told.collect()
    }

    fn told_who(&mut self) -> Vec<Result<Peer, Refusal>> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::People(PeopleNews::Answer { result, .. }) => Some(result),
            _ => None,
        })
        .collect()
    }

    fn chat(&mut self) -> Vec<(u32, String)> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::Chat { line } => Some((line.id, line.text)),
            _ => None,
        })
        .collect()
    }

    fn snapshots_seen(&self) -> usize {
        let all = self.events.iter();
        all.filter(|event| matches!(event, Event::Snapshot { .. }))
            .count()
    }
}

impl Hall {
    /// Has somebody enter; by which handle others address them.
    fn enter(&mut self, player: &mut Player, lobby: bool) -> String {
        let enter = PeopleRequest::Enter { nonce: 1, lobby };
        player.session.people(enter).unwrap();
        self.settle(&mut [player]);
        let handle = player.events.iter().find_map(|event| match event {
            Event::People(PeopleNews::You { handle, .. }) => Some(handle.clone()),
            _ => None,
        });
        player.events.clear();
        handle.expect("it is in")
    }
}

#[test]
fn the_lobby_is_heard_by_all_who_want_it_wherever_they_are() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let own = hall.enter(&mut ann, true);
    hall.enter(&mut host, true);
    hall.enter(&mut bo, false);
    ann.session.say_in("lobby", 5, "  hello \n all").unwrap();
    hall.settle(&mut [&mut host, &mut ann, &mut bo]);
    assert_eq!(ann.said().len(), 1);
    for (player, is_own) in [(&mut ann, true), (&mut host, false)] {
        let told = player.lines();
        let [(channel, line)] = &told[..] else {
            panic!("{told:?}");
        };
        let told = (&**channel, &*line.text, &*line.from, line.own);
        assert_eq!(told, ("lobby", "hello all", &*own, is_own));
    }
    assert_eq!(bo.texts(), [""; 0]);
    // From a room, and to who has come into one meanwhile.
    ann.session.join(host.seat().0).unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    host.session.say_in("lobby", 6, "from a room").unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    assert_eq!((host.texts().len(), ann.texts().len()), (1, 1));
}

#[test]
fn who_is_in_the_room_can_be_written_to_and_answers() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let mut ann = hall.joiner(&mut host);
    hall.enter(&mut host, false);
    hall.enter(&mut ann, false);
    let player = host.seat().1;
    for player in [player, PlayerId(999)] {
        ann.session
            .people(PeopleRequest::Who { nonce: 3, player })
            .unwrap();
    }
    hall.settle(&mut [&mut host, &mut ann]);
    let answers = ann.told_who();
    let [Ok(peer), Err(Refusal::NoSuchPlayer)] = &answers[..] else {
        panic!("{answers:?}");
    };
    let to_host = format!("@{}", peer.handle);
    ann.session.say_in(&to_host, 1, "hi").unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    let (channel, line) = host.lines().remove(0);
    assert_eq!((line.text.as_str(), line.own), ("hi", false));
    assert_eq!(ann.lines()[0].0, to_host);
    host.session.leave().unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    host.session.say_in(&channel, 2, "from the lobby").unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    assert_eq!(ann.texts(), ["from the lobby"]);
    let who = PeopleRequest::Who { nonce: 3, player };
    host.events.clear();
    host.session.people(who).unwrap();
    hall.settle(&mut [&mut host]);
    assert_eq!(host.told_who(), [Err(Refusal::NotInRoom)]);
}

#[test]
fn who_was_away_finds_what_was_said_and_what_was_out_is_said_once() {
    let mut hall = Hall::new(&awake());
    let (mut ann, mut bo) = (hall.guest(""), hall.guest(""));
    let (ann_is, bo_is) = (hall.enter(&mut ann, true), hall.enter(&mut bo, true));
    let to_bo = format!("@{bo_is}");
    let token = bo.token();
    drop(bo);
    hall.settle(&mut [&mut ann]);
    ann.session.say_in(&to_bo, 1, "one").unwrap();
    ann.session.say_in(&to_bo, 2, "two").unwrap();
    hall.settle(&mut [&mut ann]);
    ann.session.say_in(&to_bo, 2, "two").unwrap();
    hall.settle(&mut [&mut ann]);
    let said = ann.said();
    let [Ok(one), Ok(two), Ok(again)] = said[..] else {
        panic!("{said:?}");
    };
    assert_eq!((two, again), (one + 1, two));
    let mut bo = hall.guest(&token);
    let enter = PeopleRequest::Enter {
        nonce: 9,
        lobby: false,
    };
    bo.session.people(enter).unwrap();
    hall.settle(&mut [&mut bo]);
    bo.session.history_of(&format!("@{ann_is}"), 4, 0).unwrap();
    hall.settle(&mut [&mut bo]);
    let (mut unread, mut read) = (Vec::new(), Vec::new());
    for event in std::mem::take(&mut bo.events) {
        match event {
            Event::People(PeopleNews::You {
                handle, unread: of, ..
            }) => {
                assert_eq!(handle, bo_is, "it is theirs for good");
                unread = of;
            }
            Event::Past { nonce: 4, result } => {
                let lines = result.unwrap().lines.into_iter();
                read.extend(lines.map(|line| (line.id, line.text)));
            }
            _ => {}
        }
    }
    assert_eq!((&*unread[0].peer.handle, unread[0].newest), (&*ann_is, two));
    assert_eq!(read, [(one, "one".to_owned()), (two, "two".to_owned())]);
}

#[test]
fn who_says_too_much_is_refused_at_all_their_connections_together() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    let mut other = hall.guest(&ann.token());
    for nonce in 0..4 {
        ann.session.say_in("lobby", nonce, "a").unwrap();
        other.session.say_in("lobby", 10 + nonce, "b").unwrap();
    }
    hall.settle(&mut [&mut ann, &mut other]);
    let said = [ann.said(), other.said()].concat();
    assert_eq!(said.iter().filter(|said| said.is_ok()).count(), 5);
    assert_eq!(
        said.iter()
            .filter(|said| **said == Err(Refusal::TooOften))
            .count(),
        3
    );
}

/// More asked at once than is served at a time.
#[test]
fn who_waits_for_no_answer_is_refused() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    for nonce in 0..20 {
        let who = "x".repeat(16);
        let blocked = true;
        ann.session
            .people(PeopleRequest::Block {
                nonce,
                who,
                blocked,
            })
            .unwrap();
    }
    hall.step(&mut [&mut ann]);
    hall.settle(&mut [&mut ann]);
    let answers = ann.told_who();
    assert_eq!(answers.len(), 20);
    assert!(answers.contains(&Err(Refusal::TooOften)));
    assert!(answers.contains(&Err(Refusal::NoSuchPlayer)));
}

/// The window of the lobby is full all the time, the room's snapshots come as ever.
#[test]
fn a_busy_lobby_delays_no_snapshot_and_no_line_of_two() {
    let counts = [false, true].map(|is_busy| {
        let mut hall = Hall::new(&awake());
        let mut host = hall.host(false);
        let host_is = hall.enter(&mut host, true);
        let mut talkers: Vec<Player> = (0..30).map(|_| hall.guest("")).collect();
        let (mut snapshots, mut lines, mut numbers) = (0, 0, Vec::new());
        for tick in 0..300u32 {
            if is_busy && tick.is_multiple_of(30) {
                for talker in &mut talkers {
                    talker
                        .session
                        .say_in("lobby", tick, &"x".repeat(190))
                        .unwrap();
                }
            }
            if tick == 150 {
                talkers[0]
                    .session
                    .say_in(&format!("@{host_is}"), 999, "psst")
                    .unwrap();
            }
            let mut all: Vec<&mut Player> = talkers.iter_mut().collect();
            all.push(&mut host);
            hall.step(&mut all);
            snapshots += host.snapshots_seen();
            for (channel, line) in host.lines() {
                match channel.as_str() {
                    "lobby" => {
                        lines += 1;
                        numbers.push(line.id);
                    }
                    _ => assert!(tick < 160, "it waits for no other line: {tick}"),
                }
            }
        }
        assert!(numbers.is_sorted_by(|a, b| a < b));
        (snapshots, lines)
    });
    let [(quiet, 0), (snapshots, lines)] = counts else {
        panic!("{counts:?}");
    };
    assert_eq!(snapshots, quiet);
    // 4 KiB a second, and 8 KiB at once; 20 lines a second are said.
    assert!((100..=230).contains(&lines), "{lines}");
}

#[test]
fn a_block_holds_in_the_room_from_the_next_line_on_and_for_who_joins() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let (mut ann, mut bo) = (hall.joiner(&mut host), hall.joiner(&mut host));
    let bo_is = hall.enter(&mut bo, true);
    let say = |hall: &mut Hall, who: &mut Player, text: &str, rest: &mut [&mut Player]| {
        who.session.chat(text).unwrap();
        let mut all: Vec<&mut Player> = rest.iter_mut().map(|of| &mut **of).collect();
        all.push(who);
        hall.settle(&mut all);
    };
    say(&mut hall, &mut bo, "before", &mut [&mut ann, &mut host]);
    assert_eq!(ann.chat(), [(1, "before".to_owned())]);
    let block = |blocked| PeopleRequest::Block {
        nonce: 3,
        who: bo_is.clone(),
        blocked,
    };
    ann.session.people(block(true)).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    assert!(ann.told_who()[0].is_ok());
    bo.session.typing().unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    let writes = |player: &Player| {
        player
            .events
            .iter()
            .any(|event| matches!(event, Event::Typing { .. }))
    };
    assert!(writes(&host) && !writes(&ann));
    host.events.clear();
    say(&mut hall, &mut bo, "psst", &mut [&mut ann, &mut host]);
    assert_eq!(ann.chat(), [(2, String::new())], "its number is told");
    assert_eq!(host.chat(), [(2, "psst".to_owned())]);
    // What is remembered is not shown to who comes back, nor read.
    ann.session.leave().unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    ann.session.join(host.seat().0).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    let chat = &ann.session.room().unwrap().chat;
    assert!(chat.iter().all(|line| line.text.is_empty()), "{chat:?}");
    ann.session.history(8, 0).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    let page = ann.events.iter().find_map(|event| match event {
        Event::Lines { nonce: 8, result } => Some(result.clone().unwrap().lines),
        _ => None,
    });
    assert_eq!(page, Some(Vec::new()));
    ann.session.people(block(false)).unwrap();
    hall.settle(&mut [&mut ann, &mut bo, &mut host]);
    ann.events.clear();
    say(&mut hall, &mut bo, "again", &mut [&mut ann, &mut host]);
    assert_eq!(ann.chat(), [(3, "again".to_owned())]);
}

#[test]
fn a_client_that_knows_of_no_people_is_told_nothing_and_still_spared() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let host_is = hall.enter(&mut host, false);
    let mut ann = hall.guest("");
    let block = PeopleRequest::Block {
        nonce: 3,
        who: host_is,
        blocked: true,
    };
    hall.enter(&mut ann, true);
    ann.session.people(block).unwrap();
    hall.settle(&mut [&mut ann]);
    let features = feature::ALL & !feature::PEOPLE;
    let mut old = hall.connect(Session::new("ann", &ann.token()).with_features(features));
    hall.settle(&mut [&mut old]);
    for channel in ["lobby", "room"] {
        old.session.say_in(channel, 5, "hi").unwrap();
    }
    hall.settle(&mut [&mut old]);
    assert_eq!(old.said(), [Err(Refusal::NotInRoom); 2]);
    old.session
        .people(PeopleRequest::Enter {
            nonce: 1,
            lobby: true,
        })
        .unwrap();
    old.session.join(host.seat().0).unwrap();
    hall.settle(&mut [&mut old, &mut host]);
    old.events.clear();
    old.session.say_in("lobby", 6, "hi").unwrap();
    host.session.chat("psst").unwrap();
    hall.settle(&mut [&mut old, &mut host, &mut ann]);
    assert_eq!(old.said(), [Err(Refusal::NoSuchRoom)]);
    assert_eq!(
        old.events
            .iter()
            .filter(|event| matches!(event, Event::People(_)))
            .count(),
        0
    );
    assert_eq!(old.chat(), [], "it would take a line without text for one");
}
