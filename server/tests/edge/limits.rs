//! Peers that send slowly, nothing at all, or too many connections. Time-outs are set short, and
//! only that they come is tested, not when.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, get, read_to_end, serve, until};

fn impatient() -> Server {
    serve(|config| config.header_timeout = Duration::from_millis(50))
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = impatient();
    for port in [server.public, server.ops] {
        let mut stream = TcpStream::connect(port).await.unwrap();
        assert_eq!(read_to_end(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn a_half_sent_head_is_closed() {
    let server = impatient();
    for port in [server.public, server.ops] {
        let mut stream = TcpStream::connect(port).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            .await
            .unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{answer:?}");
    }
}

/// Each byte comes in time, but the head as a whole does not.
#[tokio::test]
async fn a_dripping_head_is_closed() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    let drip = async {
        while stream.write_all(b"G").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::support::PATIENCE, drip)
        .await
        .expect("the server closes");
}

#[tokio::test]
async fn idle_connections_end_after_their_request() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.ends_with(b"\r\n\r\nok\n"), "{answer:?}");
    until(async || server.figure("tickwire_connections_open").await == 0.0).await;
}

/// Beyond the limit the oldest connection goes for each that comes; places come back.
#[tokio::test]
async fn connections_are_bounded() {
    let server = serve(|config| {
        config.max_connections = 8;
        config.header_timeout = Duration::from_secs(600);
    });
    let mut held = Vec::new();
    for _ in 0..8 + 20 {
        held.push(TcpStream::connect(server.public).await.unwrap());
    }
    let sent_away = "tickwire_sockets_sent_away_total{limit=\"connections\"}";
    until(async || server.figure(sent_away).await == 20.0).await;
    for gone in &mut held[..20] {
        assert_eq!(read_to_end(gone).await, b"");
    }
    until(async || server.figure("tickwire_connections_open").await == 8.0).await;
    assert_eq!(get(server.public, "/healthz").await.status, 200);
    drop(held);
    until(async || server.figure("tickwire_connections_open").await == 0.0).await;
}
