//! The administration as strangers and operators meet it: tokens, methods, bodies, what is shown.
//! What orders do to players is `moderation`.

use std::net::SocketAddr;

use serde_json::Value;
use tickwire_server::config::Config;
use tokio::io::AsyncWriteExt;

use crate::player::Player;
use crate::support::{
    File, Response, Server, connect_from, exchange, read_to_end, request, serve, until,
};

/// The operator's token in these tests.
pub(crate) const TOKEN: &str = "operators-0123456789-0123456789-token";

/// A server with an administration. The token is read at the start.
pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Server {
    static FILES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = FILES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let file = File::new(&format!("admin-token-{number}"), &format!("{TOKEN}\n"));
    let server = serve(|config| {
        config.admin_token_file = Some(file.path().into());
        change(config);
    });
    server.with_file(file)
}

/// A request with the token.
pub(crate) async fn admin(server: &Server, method: &str, path: &str, body: &str) -> Response {
    with_token(server.ops, method, path, TOKEN, body).await
}

/// An order that is carried out, and what came of it.
pub(crate) async fn order(server: &Server, action: &str, body: Value) -> Value {
    let answer = admin(
        server,
        "POST",
        &format!("/admin/{action}"),
        &body.to_string(),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn with_token(
    ops: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> Response {
    exchange(ops, text(method, path, token, body).as_bytes()).await
}

fn text(method: &str, path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn without_a_token_in_the_settings_there_is_none() {
    let server = serve(|_| {});
    for (method, path) in [("GET", "/admin/players"), ("POST", "/admin/kick")] {
        let answer = with_token(server.ops, method, path, "", "{}").await;
        assert_eq!(answer.status, 404);
        assert!(
            answer.body.contains("--admin-token-file"),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn the_public_port_has_no_administration() {
    let server = start(|_| {});
    let get = with_token(server.public, "GET", "/admin/players", TOKEN, "").await;
    assert_eq!(get.status, 404);
    let post = with_token(server.public, "POST", "/admin/kick", TOKEN, "{}").await;
    assert_eq!(post.status, 400, "no body is taken there");
}

#[tokio::test]
async fn nobody_comes_in_without_the_token() {
    let server = start(|_| {});
    let none = request(server.ops, "GET", "/admin/players", "").await;
    assert_eq!(none.status, 401);
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    for token in [
        "",
        "x",
        &TOKEN[1..],
        &format!("{TOKEN}x"),
        &TOKEN.to_uppercase(),
    ] {
        let wrong = with_token(server.ops, "GET", "/admin/players", token, "").await;
        assert_eq!(wrong.status, 401, "{token}");
    }
    let basic = format!("Authorization: Basic {TOKEN}\r\n");
    let basic = request(server.ops, "GET", "/admin/players", &basic).await;
    assert_eq!(basic.status, 401);
    let refused = "tickwire_admin_requests_refused_total{reason=\"token\"}";
    assert_eq!(server.figure(refused).await, 7.0);
    assert_eq!(admin(&server, "GET", "/admin/players", "").await.body, "[]");
}

#[tokio::test]
async fn who_guesses_waits_and_another_address_does_not() {
    let server = start(|_| {});
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let guess = with_token(server.ops, "POST", "/admin/kick", "guess", "{}").await;
        statuses.push(guess.status);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[11], 429);
    let right = admin(&server, "GET", "/admin/bans", "").await;
    assert_eq!(right.status, 429, "also the right one, from there");
    assert!(right.header("retry-after").is_some());
    let mut elsewhere = connect_from("127.0.0.8", server.ops).await;
    let head = text("GET", "/admin/bans", TOKEN, "");
    elsewhere.write_all(head.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut elsewhere).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    assert!(
        server
            .figure("tickwire_admin_requests_refused_total{reason=\"limited\"}")
            .await
            >= 2.0
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_said() {
    let server = start(|config| config.header_timeout = std::time::Duration::from_millis(300));
    let check = async |method: &str, path: &str, body: &str, status: u16, word: &str| {
        let answer = admin(&server, method, path, body).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert!(answer.body.contains(word), "{path} {body}: {}", answer.body);
        assert_eq!(answer.body.matches('\n').count(), 1, "{}", answer.body);
    };
    let ann = r#"{"player": "user:ann"}"#;
    check("POST", "/admin/kick", "", 400, "body").await;
    check(
        "POST",
        "/admin/kick",
        r#"{"player": "user:ann", "why": 1}"#,
        400,
        "why",
    )
    .await;
    check("POST", "/admin/ban", ann, 400, "needs for").await;
    check("POST", "/admin/unban", ann, 404, "in force").await;
    check("POST", "/admin/unmute", ann, 404, "in force").await;
    check("POST", "/admin/pardon", ann, 404, "nothing here").await;
    check("GET", "/admin/", "", 404, "nothing here").await;
    check("GET", "/admin/kick", "", 405, "POST").await;
    check("DELETE", "/admin/bans", ann, 405, "GET").await;
    let long = format!(
        r#"{{"player": "user:ann", "reason": "{}"}}"#,
        "x".repeat(5000)
    );
    check("POST", "/admin/kick", &long, 413, "4096").await;
    let unsized_body = format!(
        "POST /admin/kick HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\
         Transfer-Encoding: chunked\r\n\r\n1388\r\n{}\r\n0\r\n\r\n",
        "x".repeat(5000)
    );
    assert_eq!(
        exchange(server.ops, unsized_body.as_bytes()).await.status,
        413
    );
    let head = text("POST", "/admin/kick", TOKEN, ann);
    let half = exchange(server.ops, &head.as_bytes()[..head.len() - 5]).await;
    assert_eq!(half.status, 408, "it never comes whole");
    let elsewhere = request(server.ops, "POST", "/metrics", "Content-Length: 0\r\n").await;
    assert_eq!(elsewhere.status, 405, "nothing else there takes an order");
    let refused = "tickwire_admin_requests_refused_total{reason=\"request\"}";
    assert_eq!(server.figure(refused).await, 11.0);
}

/// What follows a body on its connection is not taken for a request.
#[tokio::test]
async fn a_connection_with_a_body_ends() {
    let server = start(|_| {});
    let hidden = text("GET", "/admin/bans", TOKEN, "");
    let outer = text("POST", "/admin/kick", TOKEN, r#"{"player": "user:ann"}"#);
    let answer = exchange(server.ops, (outer + &hidden).as_bytes()).await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
    assert!(!answer.body.contains("HTTP/1.1"), "{}", answer.body);
}

#[tokio::test]
async fn operators_see_who_is_connected_and_who_was() {
    let server = start(|_| {});
    let (player, seat) = Player::play(server.public, "127.0.0.5", "").await;
    // A seat's token begins with its room.
    let room = u32::from_str_radix(&seat[..8], 16).unwrap();
    let lobby = Player::enter(server.public, "127.0.0.6", "").await;
    let players = async || -> Vec<Value> {
        let answer = admin(&server, "GET", "/admin/players", "").await;
        serde_json::from_str(&answer.body).unwrap()
    };
    let both = players().await;
    let addresses: Vec<&Value> = both.iter().map(|line| &line["address"]).collect();
    assert_eq!(addresses, ["127.0.0.6", "127.0.0.5"], "the latest first");
    assert!(
        both[0]["room"].is_null() && both[1]["room"] == room,
        "{both:?}"
    );
    assert!(both[1]["player"].as_str().unwrap().starts_with("guest:"));
    assert_eq!(
        (&both[1]["name"], &both[1]["game"], &both[1]["muted_s"]),
        (&"ann".into(), &"still".into(), &0.into())
    );
    drop((player, lobby));
    until(async || {
        let lines = players().await;
        lines.len() == 2 && lines.iter().all(|line| line["gone_s"].is_u64())
    })
    .await;
}

#[tokio::test]
async fn weak_tokens_and_broken_files_end_the_start() {
    let short = File::new("admin-short", "password\n");
    let broken = File::new("bans-broken", "{\"bans\": [");
    let nowhere = "/nonexistent";
    for (word, token, bans) in [
        ("needs 32", Some(short.path()), None),
        ("can't be read", Some(nowhere), None),
        ("broken", None, Some(broken.path())),
    ] {
        let server = serve(|config| {
            config.admin_token_file = token.map(Into::into);
            config.bans_file = bans.map(Into::into);
        });
        let error = server.failure().await.to_string();
        assert!(error.contains(word) && !error.contains('\n'), "{error}");
    }
}
