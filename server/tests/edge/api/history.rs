//! What was said, as programs read it: of a room that is there, page by page, and by whom.

use serde_json::{Value, json};

use super::{ALL, CALM, ROOMS, ask, newest, refused, seen, start};
use crate::admin::admin;
use crate::games;
use crate::stored::{Folder, KEY, store, token};
use crate::support::{File, until};

/// So many lines of a channel, in the file of a server that has tables there.
pub(super) fn fill(folder: &Folder, channel: &str, lines: u32) {
    let mut file = rusqlite::Connection::open(folder.file()).unwrap();
    let filling = file.transaction().unwrap();
    for sequence in 1..=lines {
        let line =
            "INSERT INTO messages VALUES (?1, ?2, 4000000000000, 'user:ann', '<b>', ?2, NULL)";
        filling.execute(line, (channel, sequence)).unwrap();
    }
    filling.commit().unwrap();
}

fn numbers(page: &Value) -> Vec<u64> {
    let lines = page["lines"].as_array().unwrap().iter();
    lines
        .map(|line| line["sequence"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn what_was_said_in_a_room_is_read_by_its_number_and_its_key() {
    let (folder, key) = (Folder::new("said"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    let mut ann = games::host_as(&server, "calm", "one", &token("ann")).await;
    let (_, room) = newest(&server).await;
    assert_eq!(ann.chat().await, None);
    let of_room = format!("/api/v1/history?room={room}");
    // Stored a moment after it was said, and the room after it was opened.
    until(async || ask(&server, "GET", &of_room, ALL).await.status == 200).await;
    until(async || seen(&server, &of_room).await["lines"][0].is_object()).await;
    let page = seen(&server, &of_room).await;
    let line = &page["lines"][0];
    assert_eq!(
        (&line["sequence"], &line["player"], &page["next"]),
        (&json!(1), &json!("user:ann"), &Value::Null)
    );
    let of_key = format!(
        "/api/v1/history?channel={}",
        page["channel"].as_str().unwrap()
    );
    assert_eq!(seen(&server, &of_key).await, page);
    // By who is for its game; another one's room, and what is of no room, is not theirs.
    assert_eq!(ask(&server, "GET", &of_key, CALM).await.status, 200);
    let _bo = games::host_as(&server, "still", "two", &token("bo")).await;
    let (_, other) = newest(&server).await;
    let of_other = format!("/api/v1/history?room={other}");
    until(async || ask(&server, "GET", &of_other, ALL).await.status == 200).await;
    for target in [&*of_other, "/api/v1/history?channel=lobby"] {
        refused(
            &ask(&server, "GET", target, CALM).await,
            403,
            "this channel",
        );
    }
    refused(&ask(&server, "GET", &of_key, ROOMS).await, 403, "chat:read");
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let page = seen(&server, &of_key).await;
    let line = &page["lines"][0];
    let left = (&line["player"], &line["name"], &line["text"]);
    assert_eq!(left, (&Value::Null, &json!(""), &json!("")));
}

#[tokio::test]
async fn it_is_read_in_pages_from_its_end() {
    let (folder, key) = (Folder::new("lines"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    seen(&server, "/api/v1/history?channel=said").await;
    fill(&folder, "said", 120);
    fill(&folder, "other", 5);
    let (mut all, mut sizes, mut before) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = seen(&server, &format!("/api/v1/history?channel=said{before}")).await;
        let page_numbers = numbers(&page);
        sizes.push(page_numbers.len());
        all.splice(0..0, page_numbers);
        match page["next"].as_u64() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(sizes, [50, 50, 20]);
    assert!(all.into_iter().eq(1..=120));
    let few = seen(&server, "/api/v1/history?channel=said&limit=3&before=10").await;
    assert_eq!((numbers(&few), &few["next"]), (vec![7, 8, 9], &json!(7)));
    let line = json!({
        "sequence": 7, "said_at": 4_000_000_000_000u64, "player": "user:ann", "name": "<b>", "text": "7",
    });
    assert_eq!(few["lines"][0], line);
    let whole = seen(&server, "/api/v1/history?channel=other&limit=5").await;
    assert_eq!((numbers(&whole).len(), &whole["next"]), (5, &Value::Null));
    let none = seen(&server, "/api/v1/history?channel=nothing").await;
    assert_eq!(
        none,
        json!({"channel": "nothing", "lines": [], "next": null})
    );
    let long = format!("channel={}", "x".repeat(201));
    for (query, status, words) in [
        ("", 400, "either"),
        ("channel=a&room=1", 400, "either"),
        ("channel=", 400, "1 to 200"),
        (&long, 400, "1 to 200"),
        ("channel=a&limit=51", 400, "1 to 50"),
        ("channel=a&before=-1", 400, "sequence"),
        ("channel=a&before=%2B1", 400, "sequence"),
        ("channel=a&before=", 400, "sequence"),
        ("room=x", 400, "whole number"),
        ("room=0", 404, "no room"),
    ] {
        let answer = ask(&server, "GET", &format!("/api/v1/history?{query}"), ALL).await;
        refused(&answer, status, words);
    }
}

#[tokio::test]
async fn without_a_store_nothing_that_was_said_is_read() {
    let server = start(|_| {});
    for query in ["channel=a", "room=1"] {
        let answer = ask(&server, "GET", &format!("/api/v1/history?{query}"), ALL).await;
        refused(&answer, 404, "--store");
    }
}
