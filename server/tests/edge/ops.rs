//! The operator's port, and how a stop shows on both.

use tickwire::protocol::ClientMessage;
use tickwire::protocol::client_message::NewRoom;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{GOOD, PATIENCE, get, hello, read_head, read_message, request, say, serve};

#[tokio::test]
async fn figures_health_and_readiness() {
    let server = serve(|_| {});
    let metrics = get(server.ops, "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert_eq!(
        metrics.header("content-type"),
        Some("text/plain; version=0.0.4")
    );
    assert!(
        metrics.body.contains("# HELP tickwire_ticks_total "),
        "{}",
        metrics.body
    );
    assert_eq!(get(server.ops, "/healthz").await.body, "ok\n");
    assert_eq!(get(server.ops, "/readyz").await.body, "ready\n");
}

#[tokio::test]
async fn nothing_else_is_there() {
    let server = serve(|_| {});
    for path in ["/", "/ws", "/api/rooms", "/client/tickwire.js"] {
        assert_eq!(get(server.ops, path).await.status, 404, "{path}");
    }
    assert_eq!(
        request(server.ops, "POST", "/metrics", "").await.status,
        405
    );
}

#[tokio::test]
async fn figures_count_what_happens() {
    let server = serve(|_| {});
    for _ in 0..3 {
        get(server.public, "/").await;
    }
    assert_eq!(
        server.figure("tickwire_connections_accepted_total").await,
        3.0
    );
    assert_eq!(server.figure("tickwire_http_requests_total").await, 3.0);
    assert_eq!(server.figure("tickwire_sockets_opened_total").await, 0.0);
}

#[tokio::test]
async fn a_stop_closes_the_public_port() {
    let server = serve(|_| {});
    let public = server.public;
    let mut idle = TcpStream::connect(public).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(read_head(&mut idle).await.status, 200);
    let stopped = tokio::time::timeout(PATIENCE, server.stop()).await;
    stopped.expect("it stops in time").unwrap().unwrap();
    assert!(TcpStream::connect(public).await.is_err());
}

/// Players are told first and let go; meanwhile the operator's port says that nobody should be
/// sent here.
#[tokio::test]
async fn a_stop_tells_players_and_waits_for_them() {
    let server = serve(|config| config.stop_deadline = PATIENCE);
    let ops = server.ops;
    let mut player = TcpStream::connect(server.public).await.unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    let together = [head.as_bytes(), &hello("ann")].concat();
    player.write_all(&together).await.unwrap();
    assert_eq!(read_head(&mut player).await.status, 101);
    let welcome = read_message(&mut player).await;
    assert_eq!(welcome[..2], [1, 0]);

    let stopped = server.stop();
    let stopping = read_message(&mut player).await;
    assert_eq!(stopping[..2], [1, 10], "Stopping comes first");
    let close = read_message(&mut player).await;
    assert_eq!(close[..2], 1012_u16.to_be_bytes());
    assert_eq!(get(ops, "/readyz").await.status, 503);
    assert_eq!(get(ops, "/healthz").await.status, 200);
    drop(player);
    let stopped = tokio::time::timeout(PATIENCE / 2, stopped).await;
    stopped
        .expect("nobody is left to wait for")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn rooms_show_how_each_client_fares() {
    let server = serve(|_| {});
    assert_eq!(get(server.ops, "/rooms").await.body, "[]");
    let mut player = TcpStream::connect(server.public).await.unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    let join = say(&ClientMessage::CreateRoom(NewRoom {
        name: "<den>".into(),
        private: true,
        seats: 3,
        kicks: false,
        ..NewRoom::default()
    }));
    let together = [head.as_bytes(), &hello("\"ann\""), &join].concat();
    player.write_all(&together).await.unwrap();
    assert_eq!(read_head(&mut player).await.status, 101);
    let mut snapshots = 0;
    while snapshots < 2 {
        snapshots += u32::from(read_message(&mut player).await[0] == 2);
    }
    let rooms = get(server.ops, "/rooms").await;
    assert_eq!(rooms.header("content-type"), Some("application/json"));
    let rooms: serde_json::Value = serde_json::from_str(&rooms.body).unwrap();
    assert_eq!(rooms[0]["name"], "<den>", "private rooms too");
    assert_eq!(
        (&rooms[0]["players"], &rooms[0]["seats"]),
        (&1.into(), &3.into())
    );

    let room = get(server.ops, &format!("/rooms/{}", rooms[0]["id"])).await;
    let room: serde_json::Value = serde_json::from_str(&room.body).unwrap();
    assert!(room["tick"].as_u64() >= Some(2), "{room}");
    assert_eq!(
        (&room["tick_rate"], &room["snapshot_every"]),
        (&30.into(), &1.into())
    );
    let client = &room["clients"][0];
    assert_eq!(client["name"], "\"ann\"");
    assert_eq!(
        (&client["tier"], &client["in_flight"]),
        (&1.into(), &8.into())
    );
    assert!(client["unacked"].as_u64() >= Some(2), "{client}");
    assert!(client["round_trip_ms"].is_null() && client["blocked_ms"].is_null());

    for path in ["/rooms/", "/rooms/999", "/rooms/-1", "/rooms/x"] {
        assert_eq!(get(server.ops, path).await.status, 404, "{path}");
    }
}
