//! The port of the operator's programs as they and strangers meet it: keys, rates, what is answered.
//! That the document says the same as the server is `document`'s.

mod board;
mod document;
mod events;
mod history;
mod kept;
pub(crate) mod results;
mod stream;

use std::time::Duration;

use serde_json::{Value, json};
use tickwire_server::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    File, Response, Server, connect_from, exchange, exchange_raw, read_head, read_to_end, serve,
    until,
};
use crate::{admin, games};

/// Keys in these tests: for everything; for rooms and nothing else, for players and nothing else;
/// for everything of the game `calm`; for everything, but seldom.
pub(crate) const ALL: &str = "a-program-of-the-operator-0123456789";
const ROOMS: &str = "a-program-that-sees-rooms-0123456789";
const PLAYERS: &str = "a-program-that-sees-players-01234567";
const CALM: &str = "a-program-of-another-game-0123456789";
const SELDOM: &str = "a-program-that-asks-seldom-012345678";

/// What `printf %s KEY | sha256sum` says of each.
const SHA: [&str; 5] = [
    "299476b0da3fdbc909e2767e7109647824b085a63bbf2039840a28c7ecc0b6c2",
    "634d43cce297ba69b0de2bb1c87db61cd6ac2c25565f10d12036410cefae9924",
    "bb24666336d6e9f6301399fe7691e71e8e00f6a790ae6dbeb9e6e3eff9c37885",
    "0165d1f2ac698260856798d2d5cce1e0c8e86519e70d2403711b6079b2e798a3",
    "81882c6e051ffc1299d49408da5667e35d5322dec4d958548dd2288f1e713af0",
];

/// A file with those keys, by their hashes.
pub(crate) fn keys() -> File {
    File::new("keys.toml", &KEYS.map(written).concat())
}

/// Name, hash and what the file says besides.
const KEYS: [(&str, &str, &str); 4] = [
    ("all", SHA[0], "per_second = 10000\nburst = 10000"),
    ("rooms", SHA[1], "scopes = ['rooms:read']"),
    ("seldom", SHA[2], "per_second = 1\nburst = 2"),
    ("players", SHA[3], "scopes = ['presence:read']"),
];

/// Without scopes of its own a key has all.
fn written((name, sha256, rest): (&str, &str, &str)) -> String {
    let scopes = match rest.contains("scopes") {
        true => "",
        false => {
            "scopes = ['rooms:read', 'presence:read', 'results:read', 'chat:read', 'events:write']\n"
        }
    };
    format!("[[key]]\nname = '{name}'\nsha256 = '{sha256}'\n{scopes}{rest}\n")
}

/// The programs' port of a server of the games `still` and `calm`.
pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Server {
    let calm = written(("calm", SHA[4], "games = ['calm']"));
    let file = File::new("keys.toml", &(keys().text() + &calm));
    let token = File::new("admin-token", admin::TOKEN);
    let server = games::both(|config| {
        config.admin_token_file = Some(token.path().into());
        config.api_listen = Some("127.0.0.1:0".parse().unwrap());
        config.api_keys_file = Some(file.path().into());
        change(config);
    });
    server.with_file(file).with_file(token)
}

/// The last one who came, as the operator sees them.
async fn newest_line(server: &Server) -> Value {
    let known = admin::admin(server, "GET", "/admin/players", "").await;
    let known: Value = serde_json::from_str(&known.body).unwrap();
    known[0].clone()
}

/// Who that is: the server made the name up.
async fn newest_in_lobby(server: &Server) -> String {
    newest_line(server).await["player"].as_str().unwrap().into()
}

/// The same of somebody in a room, and the room.
pub(crate) async fn newest(server: &Server) -> (String, Value) {
    let newest = newest_line(server).await;
    assert!(newest["room"].is_u64(), "{newest}");
    (
        newest["player"].as_str().unwrap().into(),
        newest["room"].clone(),
    )
}

/// Returns when a player is connected no more.
async fn until_away(server: &Server, player: &str) {
    let target = format!("/api/v1/presence?player={player}");
    until(async || seen(server, &target).await["players"][0]["online"] == false).await;
}

/// A request whose connection ends with it.
pub(crate) fn text(method: &str, target: &str, key: &str, body: &str) -> String {
    let length = match body.len() {
        0 => String::new(),
        length => format!("Content-Length: {length}\r\nContent-Type: application/json\r\n"),
    };
    format!(
        "{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Authorization: Bearer {key}\r\n{length}\r\n{body}"
    )
}

async fn ask(server: &Server, method: &str, target: &str, key: &str) -> Response {
    exchange(
        server.api.unwrap(),
        text(method, target, key, "").as_bytes(),
    )
    .await
}

/// What is answered to who may see it.
pub(crate) async fn seen(server: &Server, target: &str) -> Value {
    let answer = ask(server, "GET", target, ALL).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

/// That a request was refused with this status and a problem document that has these words.
fn refused(answer: &Response, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let media_type = answer.header("content-type");
    assert_eq!(media_type, Some("application/problem+json"), "{status}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(words) && !detail.contains('\n'),
        "{words}: {problem}"
    );
}

#[tokio::test]
async fn without_keys_there_is_no_port() {
    let at = || Some("127.0.0.1:0".parse().unwrap());
    let unusable = File::new("keys.toml", "[[key]]\nname = 'a'\n");
    for (keys, word) in [
        (None, "api-keys-file"),
        (Some("/nonexistent"), "can't be read"),
        (Some(unusable.path()), "sha256"),
    ] {
        let server = serve(|config| {
            config.api_listen = at();
            config.api_keys_file = keys.map(Into::into);
        });
        let error = server.failure().await.to_string();
        assert!(error.contains(word) && !error.contains('\n'), "{error}");
    }
    assert_eq!(serve(|_| {}).api, None);
}

#[tokio::test]
async fn nobody_comes_in_without_a_key() {
    let server = start(|_| {});
    let none = exchange(
        server.api.unwrap(),
        b"GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    let none = none.await;
    refused(&none, 401, "Authorization: Bearer");
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    for key in [
        "",
        "x",
        &ALL[1..],
        &format!("{ALL}x"),
        &ALL.to_uppercase(),
        SHA[0],
    ] {
        refused(&ask(&server, "GET", "/api/v1/rooms", key).await, 401, "key");
    }
    // Nothing is learnt of what there is, either.
    refused(
        &ask(&server, "GET", "/api/v1/nothing", "x").await,
        401,
        "key",
    );
    let unauthorised = "tickwire_api_answers_total{outcome=\"unauthorised\"}";
    assert_eq!(server.figure(unauthorised).await, 8.0);
    assert_eq!(
        server
            .figure("tickwire_api_requests_total{route=\"none\"}")
            .await,
        1.0
    );
    // The operator's token opens nothing here, the keys nothing there or on the public port.
    refused(
        &ask(&server, "GET", "/api/v1/rooms", admin::TOKEN).await,
        401,
        "key",
    );
    let admin = text("GET", "/admin/players", ALL, "");
    assert_eq!(exchange(server.ops, admin.as_bytes()).await.status, 401);
    let public = text("GET", "/api/v1/rooms", ALL, "");
    assert_eq!(exchange(server.public, public.as_bytes()).await.status, 404);
}

#[tokio::test]
async fn who_guesses_waits_and_another_address_does_not() {
    let server = start(|_| {});
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(ask(&server, "GET", "/api/v1/rooms", "guess").await.status);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[11], 429);
    let right = ask(&server, "GET", "/api/v1/rooms", ALL).await;
    refused(&right, 429, "wrong keys");
    assert!(right.header("retry-after").is_some());
    let mut elsewhere = connect_from("127.0.0.8", server.api.unwrap()).await;
    let head = text("GET", "/api/v1/rooms", ALL, "");
    elsewhere.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut elsewhere).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn a_key_opens_what_it_is_for_as_often_as_it_may() {
    let server = start(|_| {});
    let presence = "/api/v1/presence?player=user:ann";
    assert_eq!(
        ask(&server, "GET", "/api/v1/rooms", ROOMS).await.status,
        200
    );
    refused(
        &ask(&server, "GET", presence, ROOMS).await,
        403,
        "presence:read",
    );
    let another = ask(&server, "GET", "/api/v1/rooms?game=still", CALM).await;
    refused(&another, 403, "this game");
    let own = ask(&server, "GET", "/api/v1/rooms?game=calm", CALM).await;
    assert_eq!(own.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask(&server, "GET", "/api/v1/rooms", SELDOM).await);
    }
    assert_eq!((statuses[0].status, statuses[1].status), (200, 200));
    refused(&statuses[2], 429, "more often");
    assert_eq!(statuses[2].header("retry-after"), Some("1"));
    let others = ask(&server, "GET", "/api/v1/rooms", ROOMS).await;
    assert_eq!(others.status, 200, "another key goes on");
}

#[tokio::test]
async fn rooms_are_shown_by_game_and_in_pages() {
    let server = start(|_| {});
    let mut hosts = Vec::new();
    for (game, room) in [
        ("still", "one"),
        ("still", "two"),
        ("still", "three"),
        ("calm", "four"),
    ] {
        hosts.push(games::host(&server, game, room).await);
    }
    let all = seen(&server, "/api/v1/rooms").await;
    let (rooms, next) = (all["rooms"].as_array().unwrap(), &all["next"]);
    let ids: Vec<u64> = rooms
        .iter()
        .map(|room| room["id"].as_u64().unwrap())
        .collect();
    assert!(ids.is_sorted() && ids.len() == 4 && next.is_null(), "{all}");
    let (mut paged, mut target) = (Vec::new(), "/api/v1/rooms?limit=3".to_owned());
    for (count, is_last) in [(3, false), (1, true)] {
        let page = seen(&server, &target).await;
        let rooms = page["rooms"].as_array().unwrap();
        assert_eq!(
            (rooms.len(), page["next"].is_null()),
            (count, is_last),
            "{page}"
        );
        paged.extend(rooms.iter().map(|room| room["id"].as_u64().unwrap()));
        target = format!("/api/v1/rooms?limit=3&after={}", page["next"]);
    }
    assert_eq!(paged, ids);
    let calm = seen(&server, "/api/v1/rooms?game=calm").await;
    assert_eq!(calm["rooms"].as_array().unwrap().len(), 1, "{calm}");
    let room = &calm["rooms"][0];
    assert_eq!(
        (&room["name"], &room["players"], &room["game"]),
        (&json!("four"), &json!(1), &json!("calm"))
    );
    let restricted = ask(&server, "GET", "/api/v1/rooms", CALM).await;
    let restricted: Value = serde_json::from_str(&restricted.body).unwrap();
    assert_eq!(restricted, calm, "of the games of a key alone");
}

#[tokio::test]
async fn players_are_where_they_are() {
    let server = start(|_| {});
    let ann = games::host(&server, "still", "ann's").await;
    let (name, room) = newest(&server).await;
    let target = format!("/api/v1/presence?player={name}&player=user:bo");
    let answer = seen(&server, &target).await;
    let expected = json!({"players": [
        {"player": name, "online": true, "connections": [{"game": "still", "room": room}]},
        {"player": "user:bo", "online": false, "connections": []},
    ]});
    assert_eq!(answer, expected);
    let calm = ask(
        &server,
        "GET",
        &format!("/api/v1/presence?player={name}"),
        CALM,
    )
    .await;
    let calm: Value = serde_json::from_str(&calm.body).unwrap();
    assert_eq!(
        calm["players"][0]["online"], false,
        "not in a game of this key's"
    );
    drop(ann);
    until_away(&server, &name).await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let server = start(|config| config.header_timeout = Duration::from_millis(300));
    let many = "player=user:a&".repeat(101);
    for (method, target, status, words) in [
        ("GET", "/api/v1/nothing", 404, "nothing is there"),
        ("GET", "/", 404, "nothing is there"),
        ("POST", "/api/v1/rooms", 405, "GET, HEAD"),
        ("DELETE", "/api/v1/presence", 405, "GET, HEAD"),
        ("OPTIONS", "/api/v1/openapi.json", 405, "GET, HEAD"),
        ("GET", "/api/v1/rooms?game=chess", 404, "no such game"),
        (
            "GET",
            "/api/v1/rooms?games=still",
            400,
            "game, after, limit",
        ),
        ("GET", "/api/v1/rooms?limit=0", 400, "1 to 100"),
        ("GET", "/api/v1/rooms?limit=101", 400, "1 to 100"),
        (
            "GET",
            "/api/v1/rooms?after=4294967296",
            400,
            "0 to 4294967295",
        ),
        ("GET", "/api/v1/rooms?after=1&after=2", 400, "twice"),
        ("GET", "/api/v1/rooms?game=%ff", 400, "UTF-8"),
        ("GET", "/api/v1/presence", 400, "1 to 100"),
        ("GET", "/api/v1/presence?player=ann", 400, "user:"),
        ("GET", &format!("/api/v1/presence?{many}"), 400, "1 to 100"),
    ] {
        let answer = ask(&server, method, target, ALL).await;
        refused(&answer, status, words);
        if status == 405 {
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    let port = server.api.unwrap();
    let body = text("GET", "/api/v1/rooms", ALL, "{}");
    refused(&exchange(port, body.as_bytes()).await, 400, "no body");
    let no_host = format!("GET /api/v1/rooms HTTP/1.1\r\nAuthorization: Bearer {ALL}\r\n\r\n");
    refused(&exchange(port, no_host.as_bytes()).await, 400, "host");
    let head = ask(&server, "HEAD", "/api/v1/rooms", ALL).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(
        exchange_raw(port, b"GET /api/v1/rooms HTT").await,
        b"",
        "half a head is closed"
    );
}

/// A program asks again on the connection that it has; what follows a body that nobody read is not
/// taken for a request.
#[tokio::test]
async fn a_connection_goes_on_until_something_is_refused() {
    let server = start(|_| {});
    let port = server.api.unwrap();
    let mut stream = connect_from("127.0.0.1", port).await;
    let head =
        format!("GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ALL}\r\n\r\n");
    for _ in 0..3 {
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert_eq!((answer.status, answer.header("connection")), (200, None));
        let length = answer.header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
    }
    let outer = format!(
        "GET /api/v1/rooms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ALL}\r\nContent-Length: {}\r\n\r\n{head}",
        head.len()
    );
    stream.write_all(outer.as_bytes()).await.unwrap();
    let answers = read_to_end(&mut stream).await;
    let answers = String::from_utf8_lossy(&answers);
    assert!(answers.starts_with("HTTP/1.1 400"), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1").count(), 1, "{answers}");
}

#[tokio::test]
async fn keys_are_read_again_when_their_file_changes() {
    let file = keys();
    let server = serve(|config| {
        config.api_listen = Some("127.0.0.1:0".parse().unwrap());
        config.api_keys_file = Some(file.path().into());
    });
    let asked = async |key: &str| ask(&server, "GET", "/api/v1/rooms", key).await.status;
    assert_eq!((asked(ROOMS).await, asked(ALL).await), (200, 200));
    // A half-written one takes nothing away.
    std::fs::write(file.path(), "[[key]]\nname").unwrap();
    let text = keys().text().replace(SHA[1], &"0".repeat(64));
    std::fs::write(file.path(), text).unwrap();
    until(async || asked(ROOMS).await != 200).await;
    assert_eq!(asked(ALL).await, 200, "the others are as they were");
}
