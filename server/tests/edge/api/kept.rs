//! What programs say, and what they are answered, outlasts the process: the program itself, killed
//! and started again on one file; and a database that goes away and is back.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tickwire::protocol::{ClientMessage, ServerMessage};
use tickwire_harness::{Postgres, Running, server as program};

use super::{ALL, events, keys, refused, seen, start};
use crate::admin::admin;
use crate::player::Player;
use crate::stored::{Folder, KEY, store, token};
use crate::support::{File, Response, exchange, until};

const ANN: &str = "127.0.0.5";

/// The program, with a store, users, and a port for programs.
struct Home {
    folder: Folder,
    keys: File,
    key: File,
}

impl Home {
    fn new(name: &str) -> Home {
        Home {
            folder: Folder::new(name),
            keys: keys(),
            key: File::new("key", KEY),
        }
    }

    fn start(&self) -> Running {
        let file = self.folder.file();
        let flags = [
            ["--store", file.to_str().unwrap()],
            ["--api-listen", "127.0.0.1:0"],
            ["--api-keys-file", self.keys.path()],
            ["--auth-key-file", self.key.path()],
            ["--auth-issuer", "us"],
            ["--auth-audience", "them"],
        ];
        Running::start(&mut program(&flags.concat()))
    }

    /// Another process, after this one was killed without a word.
    fn killed(&self, running: Running) -> Running {
        running.process.signal("KILL");
        assert_eq!(running.process.end().1, None);
        self.start()
    }

    /// Waits until a `SELECT` of a number gives this one.
    async fn until(&self, sql: &str, number: i64) {
        let file = rusqlite::Connection::open(self.folder.file()).unwrap();
        until(async || file.query_row(sql, [], |row| row.get(0)) == Ok(number)).await;
    }
}

async fn post(running: &Running, key: &str, body: &Value) -> Response {
    let line = format!("Idempotency-Key: {key}\r\n");
    let request = events::request(ALL, &line, &body.to_string());
    exchange(running.api(), request.as_bytes()).await
}

/// What is answered to what is taken.
async fn said(running: &Running, key: &str, body: &Value) -> String {
    let answer = post(running, key, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn to_ann(text: &str) -> Value {
    json!({"to": {"player": "user:ann"}, "text": text, "class": "durable"})
}

async fn ann(running: &Running) -> Player {
    Player::enter(running.public, ANN, &token("ann")).await
}

/// The next notice: its number and its text.
async fn told(player: &mut Player) -> (u32, String) {
    let told = |message| match message {
        ServerMessage::Notice { number, text, .. } => Some((number, text)),
        _ => None,
    };
    player.wait(told).await
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let home = Home::new("killed");
    let mut running = home.start();
    let all = json!({"to": "everybody", "text": "all", "class": "durable"});
    let now = json!({"to": {"player": "user:ann"}, "text": "now", "class": "now"});
    let away = r#"{"reached_now":0,"later":1,"taken":false}"#;
    assert_eq!(said(&running, "one", &to_ann("one")).await, away);
    let of_all = said(&running, "all", &all).await;
    let of_now = said(&running, "now", &now).await;
    home.until("SELECT COUNT(*) FROM api_answers", 3).await;
    running = home.killed(running);
    // The same again is answered as before, and not said again.
    assert_eq!(said(&running, "one", &to_ann("one")).await, away);
    assert_eq!(said(&running, "all", &all).await, of_all);
    assert_eq!(said(&running, "now", &now).await, of_now);
    let other = post(&running, "one", &to_ann("other")).await;
    refused(&other, 422, "another body");
    // Each process says one, in less than a second, and is killed when that is answered.
    for text in ["two", "three", "four"] {
        assert_eq!(said(&running, text, &to_ann(text)).await, away);
        running = home.killed(running);
    }
    let mut player = ann(&running).await;
    let mut last = 0;
    for text in ["one", "all", "two", "three", "four"] {
        let (number, told) = told(&mut player).await;
        assert_eq!(told, text);
        assert!(number > last, "{number} behind {last}");
        last = number;
        if text == "two" {
            player.say(&ClientMessage::NoticesSeen { number }).await;
        }
    }
    // What she has seen is known, too.
    home.until("SELECT COUNT(*) FROM notices WHERE player <> ''", 2)
        .await;
    drop(player);
    running = home.killed(running);
    let mut player = ann(&running).await;
    assert_eq!(told(&mut player).await.1, "three");
    let (number, text) = told(&mut player).await;
    assert_eq!((number, &*text), (last, "four"), "the numbers are the same");
    player.say(&ClientMessage::NoticesSeen { number }).await;
    home.until("SELECT COUNT(*) FROM notices WHERE player <> ''", 0)
        .await;
    running.stop();
    // Nothing of hers is left, and numbers rise on.
    running = home.start();
    said(&running, "five", &to_ann("five")).await;
    let mut player = ann(&running).await;
    let (number, text) = told(&mut player).await;
    assert_eq!(&*text, "five");
    assert!(number > last, "{number} behind {last}");
    let mut bo = Player::enter(running.public, "127.0.0.6", &token("bo")).await;
    assert_eq!(told(&mut bo).await.1, "all");
    running.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_does_not_take_is_refused_and_may_be_sent_again() {
    let mut postgres = Postgres::start(&[]);
    let place: tickwire_server::config::StorePlace = postgres.database("notices").parse().unwrap();
    let (folder, key) = (Folder::new("unused"), File::new("key", KEY));
    let server = start(|config| {
        store(config, &folder, &key);
        config.store = Some(place);
    });
    let send = async |key: &str, body: &Value| {
        let line = format!("Idempotency-Key: {key}\r\n");
        events::post(&server, ALL, &line, &body.to_string()).await
    };
    assert_eq!(send("one", &to_ann("one")).await.status, 200);
    postgres.stop();
    // At first it is seen by its taking long.
    let asked = AtomicU32::new(0);
    until(async || {
        let answer = send("two", &to_ann("two")).await;
        assert!(matches!(answer.status, 409 | 503), "{}", answer.body);
        assert!(answer.header("retry-after").is_some());
        let fresh = asked.fetch_add(1, Ordering::Relaxed).to_string();
        let fresh = send(&fresh, &to_ann("never")).await;
        fresh.status == 503 && fresh.body.contains("it can't be stored now")
    })
    .await;
    // For now is for now.
    let now = json!({"to": "everybody", "text": "now", "class": "now"});
    assert_eq!(send("now", &now).await.status, 200);
    postgres.restart();
    until(async || send("two", &to_ann("two")).await.status == 200).await;
    let mut ann = Player::of_game(server.public, "calm").await;
    ann.welcome(&token("ann")).await;
    send("end", &to_ann("end")).await;
    let mut texts = Vec::new();
    while texts.last().is_none_or(|last| last != "end") {
        texts.push(told(&mut ann).await.1);
    }
    texts.retain(|text| text != "never");
    assert_eq!(texts, ["one", "two", "end"]);
}

#[tokio::test]
async fn a_persons_notices_are_exported_and_erased() {
    let (folder, key) = (Folder::new("notices"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    let line = |key: &str| format!("Idempotency-Key: {key}\r\n");
    let body = to_ann("a secret of hers").to_string();
    let answer = events::post(&server, ALL, &line("a"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let target = "/admin/export?player=user%3Aann";
    let export = admin(&server, "GET", target, "").await.body;
    let export: Value = serde_json::from_str(&export).unwrap();
    assert_eq!(export["stored"]["notices"][0]["text"], "a secret of hers");
    until(async || server.figure("tickwire_notices_kept").await == 1.0).await;
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    assert_eq!(server.figure("tickwire_notices_kept").await, 0.0);
    let export = admin(&server, "GET", target, "").await.body;
    assert!(!export.contains("secret"), "{export}");
    let answer = events::post(&server, ALL, &line("b"), &to_ann("later").to_string()).await;
    assert_eq!(answer.status, 200);
    let mut ann = Player::of_game(server.public, "calm").await;
    ann.welcome(&token("ann")).await;
    assert_eq!(told(&mut ann).await.1, "later");
    let away = seen(&server, "/api/v1/presence?player=user:ann").await;
    assert_eq!(away["players"][0]["online"], true);
}
