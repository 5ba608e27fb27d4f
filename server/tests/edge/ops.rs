//! The operator's port, and how a stop shows on both.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Server, get, read_head, request};

#[tokio::test]
async fn figures_health_and_readiness() {
    let server = Server::start(|_| {});
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
    let server = Server::start(|_| {});
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
    let server = Server::start(|_| {});
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
    let server = Server::start(|_| {});
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
