//! Boards and matches as programs read them: what games report, page by page.

use serde_json::{Value, json};
use tickwire::ids::RoomId;
use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::JoinAs;

use super::{ALL, CALM, ask, events, newest, refused, seen, start};
use crate::admin::admin;
use crate::games;
use crate::player::Player;
use crate::stored::{Folder, KEY, store, token};
use crate::support::{File, Server, until};

/// Players of a game and season, each with a match, in the file of a server that runs: the last one
/// has the most points.
pub(super) async fn fill(server: &Server, folder: &Folder, game: &str, season: &str, players: u32) {
    // With its answer there are tables.
    seen(server, &format!("/api/v1/boards?game={game}")).await;
    let mut file = rusqlite::Connection::open(folder.file()).unwrap();
    let filling = file.transaction().unwrap();
    for number in 0..players {
        let (player, room) = (format!("user:{number:03}"), format!("{game}-{season}"));
        let done = [
            filling.execute(
                "INSERT INTO players VALUES (?1, ?2, 0, 0, '') ON CONFLICT DO NOTHING",
                (&player, format!("<b>{number}")),
            ),
            filling.execute(
                "INSERT INTO scores VALUES (?1, ?2, ?3, ?4, 0)",
                (game, season, &player, number / 2),
            ),
            filling.execute(
                "INSERT INTO ratings VALUES (?1, ?2, 20.5, 7.25, 3, 0) ON CONFLICT DO NOTHING",
                (game, &player),
            ),
            filling.execute(
                "INSERT INTO matches VALUES (?1, 0, ?2, ?3, ?4, ?2, 1)",
                (&room, number, game, season),
            ),
            filling.execute(
                "INSERT INTO match_players VALUES (?1, 0, ?2, 0, ?3, 'n', 0, 1, -5, 1)",
                (&room, number, &player),
            ),
        ];
        done.into_iter().for_each(|done| _ = done.unwrap());
    }
    filling.commit().unwrap();
}

/// Somebody else in the room.
pub(super) async fn join(server: &Server, room: &Value, token: &str) -> Player {
    let mut player = Player::of_game(server.public, "calm").await;
    player.welcome(token).await;
    let room = RoomId(room.as_u64().unwrap() as u32);
    let who = JoinAs::default();
    player.say(&ClientMessage::JoinRoom { room, who }).await;
    player.seat().await;
    player
}

/// The game ends a round of a room.
pub(crate) async fn over(server: &Server, room: &Value, round: u32) {
    let event = json!({"name": "over", "game": "calm", "fields": {"round": round, "season": "s"}});
    let body = json!({"to": {"room": room}, "class": "now", "event": event}).to_string();
    let answer = events::post(server, ALL, "", &body).await;
    assert!(answer.body.contains(r#""taken":true"#), "{}", answer.body);
}

pub(super) const BOARD: &str = "/api/v1/boards?game=calm&season=s";
const MATCHES: &str = "/api/v1/matches?game=calm";

#[tokio::test]
async fn what_a_game_reports_is_on_the_board_and_in_matches() {
    let (folder, key) = (Folder::new("reported"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    let ann = games::host_as(&server, "calm", "one", &token("ann")).await;
    let (_, room) = newest(&server).await;
    let bo = join(&server, &room, &token("bo")).await;
    let cy = join(&server, &room, "").await;
    over(&server, &room, 7).await;
    until(async || seen(&server, BOARD).await["board"][1].is_object()).await;
    let board = seen(&server, BOARD).await;
    let rows = board["board"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "guests are on no board: {board}");
    for (row, player) in rows.iter().zip(["user:ann", "user:bo"]) {
        let told = (&row["place"], &row["player"], &row["name"], &row["value"]);
        let expected = (&json!(1), &json!(player), &json!("ann"), &json!(7));
        assert_eq!(told, expected);
        assert_eq!(row["rating"]["played"], 1);
    }
    // Who came first in the room came first.
    let mean = |row: &Value| row["rating"]["mean"].as_f64().unwrap();
    assert!(mean(&rows[0]) > 25.0 && mean(&rows[1]) < 25.0, "{board}");
    let played = seen(&server, MATCHES).await;
    let of = &played["matches"][0];
    assert_eq!((&of["round"], &of["season"]), (&json!(7), &json!("s")));
    let players = of["players"].as_array().unwrap();
    let places: Vec<u64> = players
        .iter()
        .map(|of| of["place"].as_u64().unwrap())
        .collect();
    assert!(players.len() == 3 && places.is_sorted(), "{of}");
    assert!(players[2]["player"].as_str().unwrap().starts_with("guest:"));

    // Said again, and then the next one, until a tick has it alone.
    over(&server, &room, 7).await;
    drop(cy);
    until(async || {
        over(&server, &room, 8).await;
        let matches = seen(&server, MATCHES).await;
        matches["matches"].as_array().unwrap().len() == 2
    })
    .await;
    until(async || seen(&server, BOARD).await["board"][0]["rating"]["played"] == 2).await;
    let of_bo = seen(&server, &format!("{MATCHES}&player=user:bo&limit=1")).await;
    assert_eq!(of_bo["matches"][0]["round"], 8);
    drop((ann, bo));
    server.close().await;

    // Another process has it, and who is erased is nobody.
    let server = start(|config| store(config, &folder, &key));
    let erased = admin(&server, "POST", "/admin/erase", r#"{"player": "user:ann"}"#).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let board = seen(&server, BOARD).await;
    let rows = board["board"].as_array().unwrap();
    let gone = rows.iter().find(|row| row["player"].is_null()).unwrap();
    assert_eq!((&gone["value"], &gone["name"]), (&json!(8), &json!("")));
    assert!(gone["rating"].is_null() && rows.len() == 2);
    let played = seen(&server, MATCHES).await;
    assert!(played["matches"][0]["players"][0]["player"].is_null());
    assert!(!played.to_string().contains("user:ann"));
    assert!(!board.to_string().contains("user:ann"));
}

/// All rows by `next`, and the sizes of the pages.
async fn pages(server: &Server, target: &str, rows: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut all, mut sizes, mut after) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = seen(server, &format!("{target}{after}")).await;
        let rows = page[rows].as_array().unwrap();
        sizes.push(rows.len());
        all.extend(rows.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (all, sizes),
        }
    }
}

#[tokio::test]
async fn boards_and_matches_are_read_in_pages() {
    let (folder, key) = (Folder::new("paged"), File::new("key", KEY));
    let server = start(|config| store(config, &folder, &key));
    fill(&server, &folder, "still", "", 250).await;
    fill(&server, &folder, "still", "2", 3).await;
    fill(&server, &folder, "calm", "", 2).await;
    let (board, sizes) = pages(&server, "/api/v1/boards?game=still", "board").await;
    assert_eq!(sizes, [100, 100, 50]);
    for (number, row) in (0..).zip(&board) {
        // By points, and of two who tie the one whose name comes first.
        let player = format!("user:{:03}", 249 - (number ^ 1));
        assert_eq!(row["player"], player);
        assert_eq!(row["place"], number / 2 * 2 + 1);
    }
    let (by_seven, sizes) = pages(&server, "/api/v1/boards?game=still&limit=7", "board").await;
    assert_eq!((by_seven == board, sizes.len()), (true, 36));
    let around = "/api/v1/boards?game=still&limit=5&around=user:";
    for (player, from, rows) in [("100", 146, 5), ("248", 0, 5), ("001", 247, 3)] {
        let page = seen(&server, &format!("{around}{player}")).await;
        assert_eq!(page["board"], json!(board[from..from + rows]), "{player}");
        let next = page["next"].as_str();
        assert_eq!(next.is_none(), player == "001");
        let after = format!("/api/v1/boards?game=still&after={}", next.unwrap_or("0.x"));
        let after = seen(&server, &after).await;
        let expected = board.get(from + rows).unwrap_or(&Value::Null);
        assert_eq!(&after["board"][0], expected);
    }
    let nobody = seen(&server, &format!("{around}x")).await;
    assert_eq!(nobody, json!({"board": [], "next": null}));
    let season = seen(&server, "/api/v1/boards?game=still&season=2&limit=1").await;
    assert_eq!(season["board"][0]["player"], "user:002");

    let (matches, sizes) = pages(&server, "/api/v1/matches?game=still", "matches").await;
    assert_eq!((matches.len(), sizes.len()), (253, 13));
    let of_one = seen(&server, "/api/v1/matches?game=still&player=user:001").await;
    assert_eq!(of_one["matches"].as_array().unwrap().len(), 2);
    let player = json!({
        "player": "user:001", "name": "n", "team": 0, "place": 1, "score": -5, "left": true,
    });
    assert_eq!(of_one["matches"][0]["players"], json!([player]));

    let restricted = ask(&server, "GET", "/api/v1/matches?game=calm", CALM).await;
    assert_eq!(restricted.status, 200);
    for (target, key, status, words) in [
        ("boards", ALL, 400, "is needed"),
        ("boards?game=chess", ALL, 404, "no such game"),
        ("boards?game=still", CALM, 403, "this game"),
        ("boards?game=still&limit=101", ALL, 400, "1 to 100"),
        ("boards?game=still&after=x", ALL, 400, "next"),
        ("boards?game=still&after=x.y", ALL, 400, "next"),
        ("boards?game=still&around=ann", ALL, 400, "user:"),
        (
            "boards?game=still&around=user:a&after=1.a",
            ALL,
            400,
            "beside",
        ),
        ("matches", ALL, 400, "is needed"),
        ("matches?game=still", CALM, 403, "this game"),
        ("matches?game=still&limit=21", ALL, 400, "1 to 20"),
        ("matches?game=still&after=1.2", ALL, 400, "next"),
        ("matches?game=still&player=ann", ALL, 400, "user:"),
    ] {
        let answer = ask(&server, "GET", &format!("/api/v1/{target}"), key).await;
        refused(&answer, status, words);
    }
}

#[tokio::test]
async fn without_a_store_there_is_nothing_to_read() {
    let server = start(|_| {});
    for target in ["boards", "matches"] {
        let answer = ask(&server, "GET", &format!("/api/v1/{target}?game=still"), ALL).await;
        refused(&answer, 404, "--store");
    }
}
