//! What programs say to players: whom it reaches, that what is refused reaches nobody, and that what
//! is sent twice is said once.

use std::time::Duration;

use serde_json::{Value, json};
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::NoticeEvent;
use tokio::io::AsyncWriteExt;

use super::{ALL, CALM, PLAYERS, newest, newest_in_lobby, refused, seen, start, until_away};
use crate::games;
use crate::player::Player;
use crate::support::{Response, Server, connect_from, exchange, read_to_end, until};

/// A request that says something, with further header lines.
pub(super) fn request(key: &str, lines: &str, body: &str) -> String {
    format!(
        "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n{lines}\r\n{body}",
        body.len()
    )
}

pub(super) async fn post(server: &Server, key: &str, lines: &str, body: &str) -> Response {
    exchange(server.api.unwrap(), request(key, lines, body).as_bytes()).await
}

/// Says something that is for now, and whom it reached.
async fn say(server: &Server, body: Value) -> (u64, u64) {
    reached(&post(server, ALL, "", &body.to_string()).await)
}

fn reached(answer: &Response) -> (u64, u64) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let count = |name: &str| answer[name].as_u64().unwrap();
    (count("reached_now"), count("later"))
}

/// The next thing that a player is told.
async fn told(player: &mut Player) -> (String, Option<NoticeEvent>) {
    player
        .wait(|message| match message {
            ServerMessage::Notice { text, event, .. } => Some((text, event)),
            _ => None,
        })
        .await
}

async fn text_told(player: &mut Player) -> String {
    told(player).await.0
}

/// An alarm of the game `calm`.
fn alarm(level: i32) -> Value {
    json!({"name": "alarm", "game": "calm", "fields": {"level": level, "where": "north"}})
}

#[tokio::test]
async fn an_event_reaches_those_whom_it_is_for() {
    let server = start(|_| {});
    let mut ann = games::host(&server, "still", "one").await;
    let (name, room) = newest(&server).await;
    let mut bo = games::host(&server, "calm", "two").await;
    let (_, other_room) = newest(&server).await;
    let mut cy = games::enter(&server, "calm").await;

    let text = |to: Value, text: &str| json!({"to": to, "text": text, "class": "now"});
    assert_eq!(say(&server, text(json!("everybody"), "all")).await, (3, 0));
    assert_eq!(
        say(&server, text(json!({"game": "calm"}), "calm")).await,
        (2, 0)
    );
    assert_eq!(
        say(&server, text(json!({"room": other_room}), "room")).await,
        (1, 0)
    );
    assert_eq!(
        say(&server, text(json!({"player": name}), "player")).await,
        (1, 0)
    );
    assert_eq!(
        say(&server, text(json!({"player": "user:dee"}), "away")).await,
        (0, 0)
    );
    let event = json!({"to": "everybody", "event": alarm(7), "class": "now"});
    assert_eq!(say(&server, event).await, (2, 0), "those of its game");
    assert_eq!(
        say(&server, text(json!({"room": room}), "  the \u{202e}end ")).await,
        (1, 0)
    );

    for expected in ["all", "player", "the end"] {
        assert_eq!(text_told(&mut ann).await, expected);
    }
    for player in [&mut bo, &mut cy] {
        assert_eq!(text_told(player).await, "all");
        assert_eq!(text_told(player).await, "calm");
    }
    assert_eq!(text_told(&mut bo).await, "room");
    for player in [&mut bo, &mut cy] {
        let (text, event) = told(player).await;
        let event = event.expect("an event");
        assert_eq!((text.as_str(), event.event), ("", 0));
        // Seven is 17 steps above -10, in five bits.
        assert_eq!(event.fields[0] & 0b1_1111, 17);
    }
}

#[tokio::test]
async fn what_is_refused_reaches_nobody() {
    let server = start(|config| config.header_timeout = Duration::from_millis(300));
    let mut ann = games::enter(&server, "calm").await;
    let good = json!({"to": "everybody", "text": "x", "class": "now"}).to_string();
    let check = async |body: &str, status: u16, words: &str| {
        refused(&post(&server, ALL, "", body).await, status, words);
    };
    let with = |name: &str, value: Value| {
        let mut body: Value = serde_json::from_str(&good).unwrap();
        body[name] = value;
        body.to_string()
    };
    // What is no JSON, or none of an event.
    check("", 400, "EOF").await;
    check(&good[1..], 422, "invalid type").await;
    check(&(good.clone() + "{}"), 400, "trailing").await;
    check(&good.replace("now", "later"), 422, "durable").await;
    check(&with("text", json!("x".repeat(201))), 422, "200").await;
    check(&with("text", json!("\u{200b}")), 422, "200").await;
    check(&with("to", json!({"room": 1})), 422, "no such room").await;
    check(&with("to", json!({"game": "chess"})), 422, "no such game").await;
    let deep = format!(r#"{{"to": {}"#, "[".repeat(15_000));
    check(&deep, 422, "everybody").await;
    // What is none of the game's.
    let event = |event: Value| with("event", event);
    check(&event(json!({"name": "alarm"})), 422, "several games").await;
    check(
        &event(json!({"name": "alarm", "game": "chess"})),
        422,
        "no such game",
    )
    .await;
    check(
        &event(json!({"name": "alert", "game": "calm"})),
        422,
        "alert",
    )
    .await;
    check(&event(alarm(11)), 422, "level").await;
    let mut more = alarm(1);
    more["fields"]["loud"] = json!(true);
    check(&event(more), 422, "loud").await;
    let mut fewer = alarm(1);
    fewer["fields"].as_object_mut().unwrap().remove("where");
    check(&event(fewer), 422, "where").await;
    let twice = event(alarm(1)).replace(r#""level":1"#, r#""level":1,"level":2"#);
    check(&twice, 422, "duplicate").await;
    let elsewhere = json!({"to": {"game": "still"}, "event": alarm(1), "class": "now"});
    check(&elsewhere.to_string(), 422, "another game").await;
    // Who may not.
    refused(
        &post(&server, PLAYERS, "", &good).await,
        403,
        "events:write",
    );
    refused(
        &post(&server, CALM, "", &good).await,
        403,
        "some games alone",
    );
    let still = json!({"to": {"game": "still"}, "text": "x", "class": "now"});
    refused(
        &post(&server, CALM, "", &still.to_string()).await,
        403,
        "this game",
    );
    let player = json!({"to": {"player": "user:dee"}, "text": "x", "class": "now"});
    refused(
        &post(&server, CALM, "", &player.to_string()).await,
        403,
        "some games alone",
    );
    refused(&post(&server, "no-key", "", &good).await, 401, "key");
    // How it is sent.
    let durable = json!({"to": "everybody", "text": "x", "class": "durable"}).to_string();
    refused(&post(&server, ALL, "", &durable).await, 400, "durable");
    for key in ["", "with space", &"x".repeat(65), "a\r\nIdempotency-Key: b"] {
        let line = format!("Idempotency-Key: {key}\r\n");
        refused(&post(&server, ALL, &line, &durable).await, 400, "1 to 64");
    }
    let long = with("text", json!("x".repeat(16 * 1024)));
    refused(&post(&server, ALL, "", &long).await, 413, "16384");
    let port = server.api.unwrap();
    let head = request(ALL, "", &good);
    for other in [
        "text/plain",
        "application/jsonp",
        "multipart/form-data; boundary=application/json",
    ] {
        let head = head.replace("application/json; charset=utf-8", other);
        refused(
            &exchange(port, head.as_bytes()).await,
            415,
            "application/json",
        );
    }
    let packed = post(&server, ALL, "Content-Encoding: gzip\r\n", &good).await;
    refused(&packed, 415, "Content-Encoding");
    let chunked = head.replace(
        &format!("Content-Length: {}", good.len()),
        "Transfer-Encoding: chunked",
    );
    let chunked = chunked.replace(&good, &format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len()));
    refused(&exchange(port, chunked.as_bytes()).await, 413, "16384");
    let half = exchange(port, &head.as_bytes()[..head.len() - 5]).await;
    refused(&half, 408, "too slow");
    let mut cut = connect_from("127.0.0.1", port).await;
    cut.write_all(&head.as_bytes()[..head.len() - 5])
        .await
        .unwrap();
    cut.shutdown().await.unwrap();
    assert!(!read_to_end(&mut cut).await.starts_with(b"HTTP/1.1 200"));

    assert_eq!(
        say(
            &server,
            json!({"to": "everybody", "text": "the end", "class": "now"})
        )
        .await,
        (1, 0)
    );
    assert_eq!(text_told(&mut ann).await, "the end", "and nothing before");
}

#[tokio::test]
async fn what_is_sent_twice_is_said_once() {
    let server = start(|_| {});
    let mut ann = games::enter(&server, "still").await;
    let body =
        |text: &str| json!({"to": "everybody", "text": text, "class": "durable"}).to_string();
    let key = |key: &str| format!("Idempotency-Key: {key}\r\n");
    let first = post(&server, ALL, &key("a"), &body("one")).await;
    let again = post(&server, ALL, &key("a"), &body("one")).await;
    assert_eq!((reached(&first), reached(&again)), ((1, 0), (1, 0)));
    let other = post(&server, ALL, &key("a"), &body("two")).await;
    refused(&other, 422, "another body");
    // What was refused was not done, and may be mended.
    refused(&post(&server, ALL, &key("b"), &body("")).await, 422, "200");
    assert_eq!(
        reached(&post(&server, ALL, &key("b"), &body("two")).await),
        (1, 0)
    );
    for expected in ["one", "two"] {
        assert_eq!(text_told(&mut ann).await, expected);
    }
    let now = json!({"to": "everybody", "text": "three", "class": "now"}).to_string();
    for _ in 0..2 {
        post(&server, ALL, &key("c"), &now).await;
    }
    assert_eq!(
        say(
            &server,
            json!({"to": "everybody", "text": "four", "class": "now"})
        )
        .await,
        (1, 0)
    );
    for expected in ["three", "four"] {
        assert_eq!(
            text_told(&mut ann).await,
            expected,
            "without what is durable as well"
        );
    }
}

#[tokio::test]
async fn who_is_away_gets_it_when_they_come() {
    let server = start(|_| {});
    let ann = games::enter(&server, "still").await;
    let (who, token) = (newest_in_lobby(&server).await, ann.who.clone());
    drop(ann);
    until_away(&server, &who).await;
    let body = |number: usize| {
        let text = format!("number {number}");
        json!({"to": {"player": who}, "text": text, "class": "durable", "ttl_s": 60}).to_string()
    };
    let mut waiting = 0;
    let full = loop {
        let line = format!("Idempotency-Key: {waiting}\r\n");
        let answer = post(&server, ALL, &line, &body(waiting)).await;
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(reached(&answer), (0, 1));
        waiting += 1;
    };
    refused(&full, 409, "wait for the player");
    assert!(waiting > 1);
    let mut ann = Player::enter(server.public, "127.0.0.1", &token).await;
    for number in 0..waiting {
        assert_eq!(text_told(&mut ann).await, format!("number {number}"));
    }
}

/// What a game asks for comes to it, and to no player.
#[tokio::test]
async fn a_game_takes_what_it_asks_for() {
    let server = start(|_| {});
    let _host = games::host(&server, "calm", "one").await;
    let (_, room) = newest(&server).await;
    // In the lobby: a member who acknowledges nothing is sent nothing more.
    let mut ann = games::enter(&server, "calm").await;
    let raise = |to: Value| {
        let event = json!({"name": "raise", "fields": {"to": to}});
        json!({"to": {"room": room}, "event": event, "class": "now"})
    };
    let check = async |body: &Value, status: u16, words: &str| {
        refused(
            &post(&server, ALL, "", &body.to_string()).await,
            status,
            words,
        );
    };
    check(&raise(json!(8)), 422, "the game refuses it: too high").await;
    check(&raise(json!(11)), 422, "to").await;
    for (name, value) in [("text", json!("x")), ("class", json!("durable"))] {
        let mut body = raise(json!(3));
        body[name] = value;
        let answer = post(&server, ALL, "Idempotency-Key: a\r\n", &body.to_string()).await;
        refused(&answer, 422, "the room's own");
    }
    let key = "Idempotency-Key: b\r\n";
    for _ in 0..2 {
        let answer = post(&server, ALL, key, &raise(json!(3)).to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer, json!({"reached_now": 0, "later": 0, "taken": true}));
    }
    until(async || {
        let rooms = seen(&server, "/api/v1/rooms?game=calm").await;
        rooms["rooms"][0]["metadata"]["level"] == 3
    })
    .await;
    let mut elsewhere = raise(json!(3));
    elsewhere["to"] = json!({"game": "calm"});
    check(&elsewhere, 422, "raise").await;
    assert_eq!(
        say(
            &server,
            json!({"to": "everybody", "text": "the end", "class": "now"})
        )
        .await,
        (2, 0)
    );
    assert_eq!(text_told(&mut ann).await, "the end", "and nothing before");
}
