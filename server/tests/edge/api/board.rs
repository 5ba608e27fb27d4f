//! The board that pages show: what games report, for everybody, and where each stands for
//! themself. On the public port; what programs read of the same is `results`'.

use serde_json::{Value, json};

use super::results::{BOARD, fill, join, over};
use super::{newest, seen, start};
use crate::games;
use crate::stored::{Folder, KEY, store, token};
use crate::support::{File, Response, Server, get, request, until};

const SEASON: &str = "/g/calm/api/board?season=s";
const OWN: &str = "/g/calm/api/board/own?season=s";

/// What pages are shown, once it was read.
async fn shown(server: &Server, path: &str) -> Response {
    until(async || get(server.public, path).await.status != 503).await;
    let answer = get(server.public, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer
}

fn read(answer: &Response) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

async fn own(server: &Server, path: &str, token: &str) -> Response {
    let line = format!("Authorization: Bearer {token}\r\n");
    request(server.public, "GET", path, &line).await
}

#[tokio::test]
async fn guests_are_on_the_board_and_find_themselves() {
    let folder = Folder::new("guests");
    let server = start(|config| config.store = Some(folder.place()));
    let ann = games::host_as(&server, "calm", "one", "").await;
    let (_, room) = newest(&server).await;
    let bo = join(&server, &room, "").await;
    over(&server, &room, 7).await;
    until(async || seen(&server, BOARD).await["board"][1].is_object()).await;
    let answer = shown(&server, SEASON).await;
    assert!(!answer.body.contains("guest:"), "{}", answer.body);
    let board = read(&answer);
    let rows = board["board"].as_array().unwrap();
    assert_eq!((board["stored"] == true, rows.len()), (true, 2), "{board}");
    for row in rows {
        let told = (&row["place"], &row["name"], &row["value"], &row["guest"]);
        assert_eq!(told, (&json!(1), &json!("ann"), &json!(7), &json!(true)));
    }
    // Each finds another row.
    let mut marks = Vec::new();
    for token in [&ann.who, &bo.who] {
        let answer = own(&server, OWN, token).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let of = read(&answer)["own"].clone();
        assert!(rows.contains(&of), "{of} of {board}");
        marks.push(of["mark"].clone());
    }
    assert_ne!(marks[0], marks[1]);
    let other = own(&server, "/api/board/own?game=calm", &ann.who).await;
    assert_eq!(read(&other), json!({"own": null}), "another season");
    let tag = answer.header("etag").unwrap();
    let line = format!("If-None-Match: {tag}\r\n");
    let same = request(server.public, "GET", SEASON, &line).await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let who = ann.who.clone();
    drop((ann, bo));
    server.close().await;

    // Another process knows them by the same token.
    let server = start(|config| config.store = Some(folder.place()));
    let again = read(&own(&server, OWN, &who).await);
    assert_eq!(again["own"]["mark"], marks[0]);
    assert_eq!(read(&shown(&server, SEASON).await), board);
}

#[tokio::test]
async fn the_first_hundred_are_shown_by_name() {
    let (folder, key) = (Folder::new("hundred"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    fill(&server, &folder, "calm", "2", 250).await;
    let answer = shown(&server, "/api/board?game=calm&season=2").await;
    assert!(answer.body.contains(r#""<b>249""#), "{}", answer.body);
    for hidden in ["user:", "rating"] {
        assert!(!answer.body.contains(hidden), "{hidden}");
    }
    let board = read(&answer);
    let rows = board["board"].as_array().unwrap();
    assert_eq!(rows.len(), 100);
    for (number, row) in (0..).zip(rows) {
        assert_eq!(row["place"], number / 2 * 2 + 1);
        assert_eq!(
            (&row["value"], &row["guest"]),
            (&json!(124 - number / 2), &json!(false))
        );
    }
    // Who is far below them finds their place by their own token, and by no other one.
    let mut ann = crate::player::Player::of_game(server.public, "calm").await;
    ann.welcome(&token("001")).await;
    let path = "/g/calm/api/board/own?season=2";
    let of = read(&own(&server, path, &ann.who).await)["own"].clone();
    assert_eq!((&of["place"], &of["value"]), (&json!(249), &json!(0)));
    for wrong in ["", "x", &token("001"), &ann.who[1..]] {
        let answer = own(&server, path, wrong).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(get(server.public, path).await.status, 401);
}

#[tokio::test]
async fn without_a_store_there_is_an_empty_board_that_says_so() {
    let server = start(|_| {});
    let board = read(&shown(&server, "/g/calm/api/board").await);
    let expected = json!({"game": "calm", "season": "", "stored": false, "board": []});
    assert_eq!(board, expected);
    let ann = games::host_as(&server, "calm", "one", "").await;
    assert_eq!(
        read(&own(&server, OWN, &ann.who).await),
        json!({"own": null})
    );
}

#[tokio::test]
async fn what_is_no_board_is_refused() {
    let server = start(|_| {});
    let long = format!("/g/calm/api/board?season={}", "x".repeat(33));
    for (path, status, words) in [
        ("/api/board", 400, "of which game"),
        ("/api/board?game=chess", 404, "no such game"),
        ("/api/board?game=calm&game=calm", 400, "is there twice"),
        ("/api/board?games=calm", 400, "game, season alone"),
        ("/g/calm/api/board?game=calm", 400, "season alone"),
        ("/g/calm/api/board?season=%", 400, "percent-encoded"),
        ("/g/calm/api/board?season=%0a", 400, "no season"),
        (&*long, 400, "no season"),
        ("/g/chess/api/board", 404, "nothing here"),
        ("/api/board/", 404, "nothing here"),
        ("/api/board/own", 400, "of which game"),
    ] {
        let answer = get(server.public, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    let posted = request(server.public, "POST", "/g/calm/api/board", "").await;
    assert_eq!(posted.status, 405);
}
