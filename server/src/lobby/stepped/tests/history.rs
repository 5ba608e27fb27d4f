//! Who reads what was said: in the room and nowhere else, as often as they may, and at no snapshot's
//! cost. Without a store; of a file it is `crate::history`'s tests.

use tickwire::protocol::feature;
use tickwire::protocol::server_message::Page;

use super::*;

impl Player {
    /// Takes what it was told of what it asked for.
    fn pages(&mut self) -> Vec<(u32, Result<Page, Refusal>)> {
        let told = std::mem::take(&mut self.events).into_iter();
        told.filter_map(|event| match event {
            Event::Lines { nonce, result } => Some((nonce, result)),
            _ => None,
        })
        .collect()
    }
}

fn texts(page: &Page) -> Vec<(&str, bool)> {
    let lines = page.lines.iter();
    lines.map(|line| (&*line.text, line.own)).collect()
}

#[test]
fn who_is_in_the_room_reads_it_and_who_left_does_not() {
    let mut hall = Hall::new(&awake());
    let mut host = hall.host(false);
    host.session.chat("hello").unwrap();
    let mut ann = hall.joiner(&mut host);
    ann.session.chat("hi").unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    ann.events.clear();
    ann.session.history(5, 0).unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    let told = ann.pages();
    let [(5, Ok(page))] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(texts(page), [("hello", false), ("hi", true)]);
    assert_eq!(page.next, 0, "without a store that is all there is");
    let now = crate::date::Date::now().0;
    let age = |line: &tickwire::protocol::server_message::PastLine| now - u64::from(line.at);
    assert!(page.lines.iter().all(|line| age(line) < 60));
    ann.session.leave().unwrap();
    hall.settle(&mut [&mut host, &mut ann]);
    ann.events.clear();
    let history = ClientMessage::History {
        channel: "room".to_owned(),
        nonce: 6,
        before: 0,
    };
    ann.way.send(encode_client(&history));
    hall.settle(&mut [&mut host, &mut ann]);
    assert_eq!(ann.pages(), [(6, Err(Refusal::NotInRoom))]);
}

/// Ten at once, then one a second, each once the one before was taken; snapshots come as ever.
#[test]
fn who_reads_without_end_is_held_and_misses_no_snapshot() {
    let counts = [false, true].map(|reads| {
        let mut hall = Hall::new(&awake());
        let mut host = hall.host(false);
        for _ in 0..40 {
            host.session.chat(&"x".repeat(190)).unwrap();
            (0..30).for_each(|_| hall.step(&mut [&mut host]));
        }
        host.events.clear();
        let (mut snapshots, mut pages, mut bytes) = (0, 0, 0);
        for nonce in 0..300 {
            if reads {
                host.session.history(nonce, 0).unwrap();
            }
            hall.step(&mut [&mut host]);
            let all = host.events.iter();
            snapshots += all
                .filter(|event| matches!(event, Event::Snapshot { .. }))
                .count();
            for (_, result) in host.pages() {
                let Ok(page) = result else {
                    assert_eq!(result, Err(Refusal::TooOften));
                    continue;
                };
                pages += usize::from(!page.more);
                bytes += page.lines.iter().map(|line| line.text.len()).sum::<usize>();
            }
        }
        (snapshots, pages, bytes)
    });
    let [(quiet, 0, 0), (snapshots, pages, bytes)] = counts else {
        panic!("{counts:?}");
    };
    assert_eq!(snapshots, quiet);
    // 4 KiB a second, and 8 KiB at once.
    assert!((6..=9).contains(&pages), "{pages}");
    assert!(bytes < 12 * 4096, "{bytes}");
}

#[test]
fn nobody_is_told_who_did_not_ask() {
    let mut hall = Hall::new(&awake());
    let features = feature::ALL & !feature::LINES;
    let mut old = hall.connect(Session::new("somebody", "").with_features(features));
    hall.settle(&mut [&mut old]);
    old.session.quick_join().unwrap();
    hall.settle(&mut [&mut old]);
    old.session.chat("hello").unwrap();
    hall.settle(&mut [&mut old]);
    assert!(old.session.room().is_some());
    assert_eq!(old.pages(), []);
}
