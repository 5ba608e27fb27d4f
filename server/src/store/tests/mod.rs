//! The store on both databases: the same [`cases`], and what each has of its own. State machines
//! first, with nothing behind them.

mod cases;
mod cost;
mod counted;
mod full;
mod kill;
mod migrated;
mod notices;
mod on_postgres;
mod on_sqlite;
mod outbox;
mod queued;
mod retained;
mod written;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::record::{Answer, MatchPlayer, MatchResult, Message, Notice, Record};
use super::{Opened, Store, open};
use crate::config::{Config, StorePlace};
use crate::metrics::Metrics;
use crate::vitals::Vitals;

/// A time that is never long ago, in milliseconds.
const FAR_MS: u64 = 4_000_000_000_000;

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-store-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("tickwire.db")
    }

    fn place(&self) -> StorePlace {
        StorePlace::File(self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store whose writer runs; [`Running::end`] waits for it.
struct Running {
    store: Store,
    metrics: Arc<Metrics>,
    writing: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    async fn start(place: StorePlace) -> Running {
        Running::start_with(place, |_| {}).await
    }

    async fn start_with(place: StorePlace, change: impl FnOnce(&mut Config)) -> Running {
        let mut config = Config {
            store: Some(place),
            ..Config::default()
        };
        change(&mut config);
        let metrics = Arc::new(Metrics::new().unwrap());
        let Opened { store, writer } = open(&config, &metrics).await.unwrap();
        let writing = writer.map(|writer| writer.start(&Vitals::default()).unwrap());
        Running {
            store,
            metrics,
            writing,
        }
    }

    /// Ends it in order.
    fn end(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.store.finish();
        if let Some(writing) = self.writing.take() {
            writing.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.finish();
    }
}

async fn failure(place: StorePlace) -> std::io::Error {
    let config = Config {
        store: Some(place),
        ..Config::default()
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    open(&config, &metrics)
        .await
        .err()
        .expect("it can't be used")
}

fn message(channel: &str, sequence: u64, player: &str, text: &str) -> Message {
    Message {
        channel: channel.into(),
        sequence,
        said_at_ms: FAR_MS + sequence,
        player: player.into(),
        name: player.trim_start_matches("user:").to_uppercase(),
        text: text.into(),
        nonce: None,
    }
}

fn line(channel: &str, sequence: u64) -> Record {
    Record::Message(message(channel, sequence, "user:ann", "hello"))
}

fn result(room: &str, round: u64, players: &[(&str, i64)]) -> MatchResult {
    let players = players.iter().zip(1..).map(|((player, score), place)| {
        let name = player.trim_start_matches("user:").to_uppercase();
        MatchPlayer {
            player: (*player).into(),
            name,
            team: place,
            place,
            score: *score,
            left: false,
        }
    });
    MatchResult {
        room: room.into(),
        epoch: 0,
        round,
        game: "chess".into(),
        season: "1".into(),
        ended_at_ms: 5_000,
        players: players.collect(),
    }
}

/// One whose id is its text: the same text is the same notice.
fn notice(players: &[&str], text: &str) -> Notice {
    Notice {
        id: format!("{players:?} {text}"),
        players: players.iter().map(|player| (*player).into()).collect(),
        game: String::new(),
        text: text.into(),
        event: String::new(),
        fields: String::new(),
        said_at_ms: crate::date::now_ms(),
        expires_ms: u64::MAX,
        answer: None,
    }
}

fn answer(mark: &str, at_ms: u64) -> Answer {
    Answer {
        mark: mark.into(),
        body: "body".into(),
        reached_now: 1,
        later: 2,
        taken: false,
        at_ms,
    }
}
