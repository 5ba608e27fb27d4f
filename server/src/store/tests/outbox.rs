//! What is still to be told to the web hook: written with what it is of, once, and taken by one
//! server at a time.

use super::{FAR_MS, Running, line, message, result};
use crate::config::{Config, StorePlace, WebhookKind};
use crate::store::outbox::{Due, Key, Kind};
use crate::store::record::Record;

/// All cases, each at a place of its own that `place` makes.
pub(super) async fn all(mut place: impl AsyncFnMut(&'static str) -> StorePlace) {
    what_is_stored_is_to_be_told_once(place("outbox").await).await;
    one_has_it_at_a_time(place("held").await).await;
}

fn wants(kinds: &[WebhookKind]) -> impl FnOnce(&mut Config) {
    let kinds = kinds.to_vec();
    move |config| {
        config.webhook_url = "http://127.0.0.1:1/".parse().ok();
        config.webhook_kinds = kinds;
    }
}

async fn due(running: &Running, kind: Kind) -> Vec<Due> {
    assert!(running.store.settled().await);
    running.store.outbox(kind, FAR_MS, 100).await.unwrap()
}

fn key(kind: Kind, channel: &str, number: u64) -> Key {
    Key {
        kind,
        channel: channel.into(),
        number,
    }
}

fn keys(due: &[Due]) -> Vec<(&str, u64)> {
    let keys = due.iter().map(|of| (&*of.key.channel, of.key.number));
    keys.collect()
}

async fn what_is_stored_is_to_be_told_once(place: StorePlace) {
    let both = [WebhookKind::Results, WebhookKind::Chat];
    let running = Running::start_with(place.clone(), wants(&both)).await;
    let won = |round| Record::Result(result("1-a", round, &[("user:ann", 1)]));
    for _ in 0..2 {
        running.store.put(line("a", 1));
        running.store.put(line("a", 2));
        running.store.put(won(1));
        assert!(running.store.settled().await);
    }
    assert_eq!(keys(&due(&running, Kind::Chat).await), [("a", 1), ("a", 2)]);
    assert_eq!(keys(&due(&running, Kind::Result).await), [("1-a", 1)]);
    let (first, second) = (key(Kind::Chat, "a", 1), key(Kind::Chat, "a", 2));
    let told = [
        (first, None),
        (second, Some(FAR_MS)),
        (key(Kind::Result, "1-a", 1), None),
    ];
    running.store.told(&told).await.unwrap();
    // What was told is not told again, also where it is said again.
    running.store.put(line("a", 1));
    running.store.put(won(1));
    let mut other = result("1-a", 1, &[("user:bo", 1)]);
    other.epoch = 9;
    running.store.put(Record::Result(other));
    let left = due(&running, Kind::Chat).await;
    assert_eq!((keys(&left), left[0].tries), (vec![("a", 2)], 1));
    assert!(due(&running, Kind::Result).await.is_empty());
    let now = crate::date::now_ms();
    let soon = running.store.outbox(Kind::Chat, now, 100).await;
    assert_eq!(soon, Ok(Vec::new()), "it is not due yet");
    let (game, of) = running.store.match_of("1-a", 1).await.unwrap().unwrap();
    assert_eq!((&*game, of.round, of.players.len()), ("chess", 1, 1));
    assert_eq!(running.store.match_of("1-a", 2).await, Ok(None));
    running.end();
    // Another process is told nothing of chat any more.
    let running = Running::start_with(place, wants(&both[..1])).await;
    running
        .store
        .put(Record::Message(message("a", 3, "user:ann", "x")));
    running.store.put(won(2));
    assert_eq!(due(&running, Kind::Chat).await.len(), 1);
    assert_eq!(keys(&due(&running, Kind::Result).await), [("1-a", 2)]);
}

async fn one_has_it_at_a_time(place: StorePlace) {
    let running = Running::start(place).await;
    let hold = async |until, now, mine| running.store.hold_outbox(until, now, mine).await;
    assert_eq!(hold(200, 100, 0).await, Ok(true));
    assert_eq!(hold(300, 150, 0).await, Ok(false), "another one has it");
    assert_eq!(hold(250, 150, 200).await, Ok(true), "who has it goes on");
    assert_eq!(hold(400, 251, 0).await, Ok(true), "its time is over");
    assert_eq!(hold(400, 251, 250).await, Ok(false));
}
