//! Notices to connections wherever they are, and as they move: each comes once, within a tick, and
//! delays no snapshot.

use crate::date::Date;
use crate::notices::{Class, Notice, Reached, To};

use super::*;

const KEPT: Class = Class::Durable {
    ttl: Duration::from_secs(60),
};

impl Hall {
    fn publish(&self, text: &str, class: Class) -> Reached {
        let notice = Notice {
            text: text.to_owned(),
            event: None,
            class,
        };
        let notices = &self.server.shared.notices;
        let published = notices.publish(&To::Everybody, &notice, Date::now());
        published.unwrap()
    }
}

impl Player {
    /// Takes what it was told: numbers and texts.
    fn told(&mut self) -> Vec<(u32, String)> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::Notice { number, text, .. } => Some((number, text)),
            _ => None,
        })
        .collect()
    }

    fn snapshots(&self) -> usize {
        let snapshots = self.events.iter();
        snapshots
            .filter(|event| matches!(event, Event::Snapshot { .. }))
            .count()
    }
}

#[test]
fn it_is_told_within_a_tick_in_the_lobby_and_in_a_room_by_who_plays_and_who_looks_on() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let mut guest = hall.guest("");
    let mut watcher = hall.guest("");
    let who = tickwire::protocol::client_message::JoinAs {
        spectator: true,
        ..Default::default()
    };
    watcher.session.join_as(host.seat().0, &who).unwrap();
    hall.settle(&mut [&mut host, &mut watcher]);
    for class in [Class::NowOnly, KEPT] {
        assert_eq!(hall.publish("supper", class), Reached { now: 3, later: 0 });
        hall.step(&mut [&mut host, &mut guest, &mut watcher]);
        for player in [&mut host, &mut guest, &mut watcher] {
            let told = player.told();
            assert_eq!(told.len(), 1, "{class:?}");
            assert_eq!(&*told[0].1, "supper");
        }
    }
}

/// Of a room that dozes only every third slot has a turn, of one that ticks once a second the next
/// may be far.
#[test]
fn it_waits_for_no_turn_that_is_far() {
    for (tick_rate, idle) in [(30, 1), (1, 0)] {
        for offset in 0..3 {
            let mut hall = Hall::new(&Config {
                idle_after: Duration::from_secs(idle),
                tick_rate,
                ..awake()
            });
            let mut ann = hall.guest("");
            ann.session.quick_join().unwrap();
            (0..150 + offset).for_each(|_| hall.step(&mut [&mut ann]));
            assert!(ann.session.room().is_some());
            ann.events.clear();
            hall.publish("supper", KEPT);
            // A tick at 30 a second, and the one in which it came.
            (0..2).for_each(|_| hall.step(&mut [&mut ann]));
            assert_eq!(ann.told().len(), 1, "{tick_rate} Hz, offset {offset}");
        }
    }
}

/// To and fro between lobby and room, with one more whenever anything may have moved.
#[test]
fn each_comes_once_and_in_order_however_its_connection_moves_meanwhile() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    let (room, _) = host.seat();
    let mut ann = hall.guest("");
    let (mut published, mut moves, mut told) = (0, 0, Vec::new());
    let is_move = |event: &Event| matches!(event, Event::Joined | Event::Left { .. });
    for round in 0..40 {
        // Both ways in every phase of what is said.
        match ann.session.state() {
            tickwire::session::State::Lobby => ann.session.join(room).unwrap(),
            _ if round % 3 > 0 => {
                // She may be leaving already.
                let _ = ann.session.leave();
            }
            _ => {}
        }
        for _ in 0..=round % 4 {
            published += 1;
            let class = [KEPT, Class::NowOnly][published % 2];
            hall.publish(&published.to_string(), class);
            hall.step(&mut [&mut host, &mut ann]);
            moves += ann.events.iter().filter(|event| is_move(event)).count();
            let more = ann.told();
            if let Some((last, _)) = more.iter().rev().find(|(number, _)| *number > 0) {
                ann.session.notices_seen(*last).unwrap();
            }
            told.extend(more);
        }
    }
    (0..10).for_each(|_| hall.step(&mut [&mut host, &mut ann]));
    told.extend(ann.told());
    let texts: Vec<usize> = told.iter().map(|(_, text)| text.parse().unwrap()).collect();
    assert_eq!(texts, (1..=published).collect::<Vec<_>>());
    assert!(moves > 10, "{moves}");
}

#[test]
fn what_was_not_seen_comes_again_on_the_next_connection_and_what_was_seen_does_not() {
    let mut hall = Hall::new(&awake());
    let mut ann = hall.guest("");
    hall.publish("one", KEPT);
    hall.publish("two", KEPT);
    hall.settle(&mut [&mut ann]);
    let told = ann.told();
    ann.session.notices_seen(told[0].0).unwrap();
    hall.settle(&mut [&mut ann]);
    let mut again = hall.guest(&ann.token());
    assert_eq!(again.told(), told[1..]);
    again.session.notices_seen(told[1].0).unwrap();
    hall.settle(&mut [&mut again]);
    assert_eq!(hall.guest(&ann.token()).told(), []);
}

/// More than a connection takes: those of numbers come all, the others as far as there is room.
#[test]
fn a_flood_of_them_delays_no_snapshot() {
    let flooded = [false, true].map(|is_flooded| {
        let mut hall = Hall::new(&awake());
        let mut ann = hall.host(false);
        ann.events.clear();
        let (mut snapshots, mut told) = (0, Vec::new());
        for step in 0..90 {
            if is_flooded {
                for _ in 0..8 {
                    hall.publish(&"x".repeat(200), Class::NowOnly);
                }
                if step % 3 == 0 {
                    hall.publish(&step.to_string(), KEPT);
                }
            }
            hall.step(&mut [&mut ann]);
            snapshots += ann.snapshots();
            told.extend(ann.told());
        }
        let kept = told.iter().filter(|(number, _)| *number > 0).count();
        (snapshots, told.len() - kept, kept)
    });
    let [(quiet, 0, 0), (snapshots, told, kept)] = flooded else {
        panic!("{flooded:?}");
    };
    assert_eq!(snapshots, quiet);
    // Twice the chat of three seconds, and what may come at once.
    assert!((60..100).contains(&told), "{told}");
    assert!(kept > 10, "{kept}");
}

#[test]
fn who_does_not_know_of_notices_is_not_sent_one() {
    use tickwire::protocol::feature;
    let mut hall = Hall::new(&awake());
    let features = feature::ALL & !feature::NOTICES;
    let old = Session::new("somebody", "").with_features(features);
    let mut old = hall.connect(old);
    hall.settle(&mut [&mut old]);
    assert_eq!(hall.publish("one", Class::NowOnly), Reached::default());
    assert_eq!(hall.publish("two", KEPT), Reached { now: 0, later: 1 });
    hall.settle(&mut [&mut old]);
    assert_eq!(old.told(), []);
    let mut page = hall.guest(&old.token());
    assert_eq!(page.told(), [(1, "two".to_owned())]);
}
