//! Notices in the store: their order, what was seen of them, what was answered to who said them.

use super::cases::rows;
use super::{Running, answer, notice};
use crate::config::StorePlace;
use crate::store::notices::Numbered;
use crate::store::record::{Notice, Record, Seen};

/// All cases, each at a place of its own that `place` makes.
pub(super) async fn all(mut place: impl AsyncFnMut(&'static str) -> StorePlace) {
    they_are_read_in_the_order_in_which_they_were_stored(place("in_order").await).await;
    what_was_seen_goes_and_is_known(place("seen").await).await;
    an_answer_is_stored_with_its_notice(place("answered").await).await;
}

/// Numbers, players and texts of all there are, by pages.
pub(super) async fn told(running: &Running) -> Vec<(u64, String, String)> {
    let (mut told, mut last) = (Vec::new(), (0, String::new()));
    loop {
        let page = running.store.notices_after(last.0, &last.1).await.unwrap();
        let Some(newest) = page.last() else {
            return told;
        };
        last = (newest.number, newest.player.clone());
        let texts = page
            .into_iter()
            .map(|of: Numbered| (of.number, of.player, of.notice.text));
        told.extend(texts);
    }
}

async fn they_are_read_in_the_order_in_which_they_were_stored(place: StorePlace) {
    let (mut texts, mut number) = (Vec::new(), 0);
    // Processes one after the other, in less than a second: the last one of which finds no row.
    for process in 0..4 {
        let running = Running::start(place.clone()).await;
        for nth in 0..3 {
            number += 1;
            let text = format!("{process} {nth}");
            let stored = Notice {
                // The clock says nothing of their order.
                said_at_ms: crate::date::now_ms() - number,
                ..notice(&["user:bo"], &text)
            };
            let stored = running.store.put_acknowledged(Record::Notice(stored));
            stored.await.unwrap();
            texts.push((number, "user:bo".to_owned(), text));
        }
        assert_eq!(told(&running).await, texts);
        if process == 2 {
            running.store.put(seen("user:bo", "chess", number));
            texts.clear();
            assert_eq!(told_when_settled(&running).await, texts);
        }
        running.end();
    }
    // More than a page, of which one has the last place of a page and the first of the next.
    let running = Running::start(place).await;
    let players: Vec<String> = (0..333).map(|of| format!("user:{of:03}")).collect();
    let players: Vec<&str> = players.iter().map(String::as_str).collect();
    for text in ["one", "two", "three"] {
        running.store.put(Record::Notice(notice(&players, text)));
    }
    let all = told_when_settled(&running).await;
    assert_eq!(all.len(), 3 + 999);
    assert!(all.is_sorted_by(|a, b| (a.0, &a.1) < (b.0, &b.1)));
    let last = all.last().unwrap();
    assert_eq!((last.0, &*last.1, &*last.2), (15, "user:332", "three"));
}

async fn told_when_settled(running: &Running) -> Vec<(u64, String, String)> {
    assert!(running.store.settled().await);
    told(running).await
}

fn seen(player: &str, game: &str, number: u64) -> Record {
    Record::Seen(Seen {
        player: player.into(),
        game: game.into(),
        number,
        at_ms: crate::date::now_ms(),
    })
}

async fn what_was_seen_goes_and_is_known(place: StorePlace) {
    let running = Running::start(place).await;
    let of_go = Notice {
        game: "go".into(),
        ..notice(&["user:ann"], "go")
    };
    running.store.put(Record::Notice(of_go));
    for (players, text) in [
        (&["user:ann", "user:bo"][..], "both"),
        (&[""], "all"),
        (&["user:ann"], "later"),
    ] {
        running.store.put(Record::Notice(notice(players, text)));
    }
    for (player, number) in [("user:ann", 3), ("user:ann", 2), ("user:cy", 3)] {
        running.store.put(seen(player, "chess", number));
    }
    running.store.put(seen("user:ann", "go", 2));
    let left = told_when_settled(&running).await;
    let left: Vec<_> = left.iter().map(|of| (&*of.1, &*of.2)).collect();
    assert_eq!(
        left,
        [("user:bo", "both"), ("", "all"), ("user:ann", "later")]
    );
    let known = async |mark| {
        let known = running.store.seen_after(mark).await.unwrap().into_iter();
        let known = known.map(|(mark, seen)| (mark, seen.player, seen.game, seen.number));
        known.collect::<Vec<_>>()
    };
    let (ann, chess, go) = ("user:ann".to_owned(), "chess".to_owned(), "go".to_owned());
    let cy = (3, "user:cy".to_owned(), chess.clone(), 3);
    let all = [(1, ann.clone(), chess, 3), cy, (4, ann, go, 2)];
    assert_eq!(known(0).await, all);
    assert_eq!(known(3).await, all[2..]);
}

async fn an_answer_is_stored_with_its_notice(place: StorePlace) {
    let running = Running::start(place).await;
    let now = crate::date::now_ms();
    let with = |players: &[&str], answer| {
        Record::Notice(Notice {
            answer: Some(answer),
            ..notice(players, "x")
        })
    };
    running.store.put(with(&["user:ann"], answer("a", now)));
    running.store.put(with(&[], answer("b", now + 1)));
    running.store.put(Record::Answer(answer("c", now - 1)));
    running.store.put(Record::Answer(answer("old", now - 10)));
    assert!(running.store.settled().await);
    let stored = running.store.answers(now - 5).await.unwrap();
    let expected = [answer("c", now - 1), answer("a", now), answer("b", now + 1)];
    assert_eq!(stored, expected);
    assert_eq!(
        told(&running).await.len(),
        1,
        "nobody is told the other one"
    );
    // The same key a day later.
    let again = crate::store::record::Answer {
        body: "other".into(),
        taken: true,
        ..answer("a", now + 9)
    };
    running.store.put(Record::Answer(again.clone()));
    running.store.put(Record::Answer(answer("a", now)));
    let answers = "SELECT mark, body, taken FROM api_answers WHERE mark = 'a'";
    assert_eq!(rows(&running, answers).await, ["a other 1"]);
    assert_eq!(running.store.answers(now + 9).await, Ok(vec![again]));
}
