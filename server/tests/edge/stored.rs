//! What a server keeps in its store, as players and operators see it: chat, who was here, bans; what
//! an operator reads and erases of a person; a file that can't be had.

use std::path::PathBuf;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tickwire::protocol::CloseCode;
use tickwire::protocol::server_message::Refusal;
use tickwire_harness::{Postgres, Running, server as program};
use tickwire_server::config::Config;
use tickwire_server::config::StorePlace;

use crate::admin::{admin, order, start};
use crate::player::Player;
use crate::support::{File, Server, get, until};

const ANN: &str = "127.0.0.5";
pub(crate) const KEY: &str = "a-secret-of-thirty-two-bytes-or-more";

/// A folder of the test's own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("tickwire.db")
    }

    pub(crate) fn place(&self) -> StorePlace {
        StorePlace::File(self.file())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn with_store(folder: &Folder, key: &File) -> Server {
    start(|config| store(config, folder, key))
}

/// A store, and users by [`token`].
pub(crate) fn store(config: &mut Config, folder: &Folder, key: &File) {
    config.store = Some(folder.place());
    config.auth_key_file = Some(key.path().into());
    (config.auth_issuer, config.auth_audience) = ("us".into(), "them".into());
}

pub(crate) fn token(subject: &str) -> String {
    let claims = json!({"sub": subject, "iss": "us", "aud": "them", "exp": 4_000_000_000u64});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

pub(crate) async fn kept(server: &Server, player: &str) -> Value {
    let path = format!("/admin/export?player={player}");
    let answer = admin(server, "GET", &path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn a_person_is_exported_and_erased() {
    let (folder, key) = (Folder::new("person"), File::new("key", KEY));
    let server = with_store(&folder, &key);
    let (mut ann, _) = Player::play(server.public, ANN, &token("ann")).await;
    assert_eq!(ann.chat().await, None);
    let stored = kept(&server, "user%3Aann").await;
    assert_eq!(stored["player"], "user:ann");
    let said = &stored["stored"]["messages"];
    assert_eq!(
        (&said[0]["sequence"], &said[0]["name"]),
        (&json!(1), &json!("ann"))
    );
    assert_eq!(stored["stored"]["players"][0]["name"], "ann");
    order(&server, "mute", json!({"player": "user:ann", "for": "1h"})).await;
    drop(ann);
    // Another process, which has it all, and the mute in force.
    server.close().await;
    let server = with_store(&folder, &key);
    let (mut ann, _) = Player::play(server.public, ANN, &token("ann")).await;
    assert!(ann.chat().await.is_some());
    let stored = kept(&server, "user%3Aann").await;
    assert_eq!(&stored["stored"]["messages"], said);
    assert_eq!(stored["stored"]["sanctions"][0]["kind"], "mute");
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    assert_eq!(erased.body.trim(), r#"{"erased":"user:ann"}"#);
    assert_eq!(ann.chat().await, None, "the mute is gone");
    drop(ann);
    let mutes = admin(&server, "GET", "/admin/mutes", "").await;
    assert_eq!(mutes.body.trim(), "[]");
    let stored = kept(&server, "user%3Aann").await;
    let said = stored["stored"]["messages"].as_array().unwrap();
    assert_eq!(said.len(), 1, "what is said afterwards is stored again");
    for (method, path, body, status) in [
        ("GET", "/admin/export", "", 400),
        ("GET", "/admin/export?player=ann", "", 400),
        ("POST", "/admin/export?player=user%3Aann", "", 405),
        ("GET", "/admin/erase", "", 405),
        ("POST", "/admin/erase", r#"{"player": "ann"}"#, 400),
        ("POST", "/admin/erase", r#"{"address": "10.0.0.7"}"#, 400),
    ] {
        let answer = admin(&server, method, path, body).await;
        assert_eq!(
            answer.status, status,
            "{method} {path} {body}: {}",
            answer.body
        );
    }
}

/// By who came later and never heard it, of the file; and nothing of who was erased.
#[tokio::test]
async fn what_was_said_is_read_by_those_in_the_room() {
    let (folder, key) = (Folder::new("read"), File::new("key", KEY));
    let server = with_store(&folder, &key);
    let (mut ann, _) = Player::play(server.public, ANN, &token("ann")).await;
    assert_eq!(ann.chat().await, None);
    assert!(kept(&server, "user%3Aann").await["stored"]["messages"][0].is_object());
    let (mut bo, _) = Player::play(server.public, "127.0.0.6", &token("bo")).await;
    let read = async |player: &mut Player| {
        let page = player.history().await;
        assert_eq!((page.more, page.next), (false, 0));
        let lines = page.lines.into_iter();
        let lines = lines.map(|line| (line.id, line.own, line.name));
        lines.collect::<Vec<_>>()
    };
    let said = |own| vec![(1, own, "ann".to_owned())];
    assert_eq!(read(&mut bo).await, said(false));
    assert_eq!(read(&mut ann).await, said(true));
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    assert_eq!(erased.status, 200);
    assert_eq!(read(&mut bo).await, []);
}

#[tokio::test]
async fn without_a_store_an_operator_is_told_so() {
    let server = start(|_| {});
    let read = admin(&server, "GET", "/admin/export?player=user:ann", "").await;
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    for answer in [read, erased] {
        assert_eq!(
            (answer.status, answer.body.contains("--store")),
            (409, true)
        );
    }
}

/// Bans are where they were ordered, without a file of their own.
#[tokio::test]
async fn bans_outlast_the_process_in_the_store() {
    let (folder, key) = (Folder::new("bans"), File::new("key", KEY));
    let first = with_store(&folder, &key);
    let ban = json!({"player": "user:ann", "for": "1h", "reason": "\"quoted\"\n"});
    assert_eq!(order(&first, "ban", ban).await["saved"], true);
    let short = json!({"player": "user:bo", "for": "1h"});
    order(&first, "ban", short).await;
    order(&first, "unban", json!({"player": "user:bo"})).await;
    let kept = admin(&first, "GET", "/admin/bans", "").await.body;
    first.close().await;
    let second = with_store(&folder, &key);
    assert_eq!(admin(&second, "GET", "/admin/bans", "").await.body, kept);
    assert!(
        kept.contains("user:ann") && !kept.contains("user:bo"),
        "{kept}"
    );
}

/// The program without a word about it: a file where it runs; none where that can't be, and what an
/// operator named ends the start.
#[test]
fn a_server_stores_where_it_runs_or_says_why_not() {
    let folder = Folder::new("usual");
    let usual = |at: &PathBuf| {
        let mut command = program(&[]);
        command.env_remove("TICKWIRE_STORE").current_dir(at);
        Running::start(&mut command)
    };
    let first = usual(&folder.0);
    assert!(folder.0.join("tickwire.db").is_file());
    let second = usual(&folder.0);
    assert!(
        second.log().contains("another server has it"),
        "{}",
        second.log()
    );
    second.stop();
    first.stop();
    let place = folder.0.join("nowhere/tickwire.db");
    let output = program(&["--store", place.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("store ") && said.trim().lines().count() == 1,
        "{said}"
    );
}

/// Degraded is no reason to send players elsewhere: play goes on.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_database_goes_away_the_server_stays_ready() {
    let mut postgres = Postgres::start(&[]);
    let place = postgres.database("away").parse().unwrap();
    let server = start(|config| config.store = Some(place));
    let (mut ann, _) = Player::play(server.public, ANN, "").await;
    assert_eq!(get(server.ops, "/readyz").await.body, "ready\n");
    postgres.stop();
    assert_eq!(ann.chat().await, None);
    until(async || {
        let ready = get(server.ops, "/readyz").await;
        ready.status == 200 && ready.body.starts_with("ready, store degraded: ")
    })
    .await;
    assert_eq!(ann.chat().await, None);
    let mute = json!({"address": "10.0.0.7", "for": "1h"});
    assert_eq!(
        order(&server, "mute", mute).await["saved"],
        false,
        "not yet"
    );
    postgres.restart();
    until(async || get(server.ops, "/readyz").await.body == "ready\n").await;
    until(async || {
        let sql =
            "SELECT (SELECT COUNT(*) FROM messages) || ' ' || (SELECT COUNT(*) FROM sanctions)";
        postgres.run("away", sql).trim() == "2 1"
    })
    .await;
}

/// Two servers that write one database: who is banned at one has to go from the other as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_holds_at_every_server_of_a_database() {
    let postgres = Postgres::start(&[]);
    let place: StorePlace = postgres.database("orders").parse().unwrap();
    let server = || start(|config| config.store = Some(place.clone()));
    let (one, other) = (server(), server());
    let (mut ann, _) = Player::play(other.public, ANN, "").await;
    let (mut bo, _) = Player::play(other.public, "127.0.0.6", "").await;
    let ban = json!({"address": ANN, "for": "1h"});
    assert_eq!(order(&one, "ban", ban).await["saved"], true);
    ann.closed(CloseCode::Banned).await;
    // One that was ordered there since stands beside it, at both.
    let mute = json!({"address": "127.0.0.6", "for": "1h"});
    order(&other, "mute", mute).await;
    let muted = async |server: &Server| {
        let players = admin(server, "GET", "/admin/mutes", "").await.body;
        players.contains("127.0.0.6")
    };
    until(async || muted(&one).await && muted(&other).await).await;
    assert_eq!(bo.chat().await, Some(Refusal::Muted));
    order(&one, "unban", json!({ "address": ANN })).await;
    until(async || admin(&other, "GET", "/admin/bans", "").await.body == "[]").await;
    let (mut ann, _) = Player::play(other.public, ANN, "").await;
    assert_eq!(ann.chat().await, None);
}
