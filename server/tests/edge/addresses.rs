//! Limits by address, on real sockets from several addresses of this machine. A server that
//! trusts a proxy limits loopback addresses like any other; `addresses` and `forwarded` have the
//! rules.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{
    GOOD, Server, connect_from, hello, read_head, read_message, read_to_end, until,
};

/// The proxy that these servers trust.
const PROXY: &str = "127.0.0.9";

async fn connect(server: &Server, from: &str) -> TcpStream {
    connect_from(from, server.public).await
}

/// The status of a handshake over `stream` with one more header line.
async fn shake(stream: &mut TcpStream, line: &str) -> u16 {
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}{line}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    read_head(stream).await.status
}

/// The same on a connection of its own, which is kept.
async fn open(server: &Server, from: &str, forwarded_for: &str) -> (TcpStream, u16) {
    let mut stream = connect(server, from).await;
    let line = match forwarded_for {
        "" => String::new(),
        list => format!("X-Forwarded-For: {list}\r\n"),
    };
    let status = shake(&mut stream, &line).await;
    (stream, status)
}

#[tokio::test]
async fn one_address_is_held_and_the_others_are_not() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 3;
    });
    let mut held = Vec::new();
    for _ in 0..3 {
        let (stream, status) = open(&server, "127.0.0.2", "").await;
        assert_eq!(status, 101);
        held.push(stream);
    }
    let mut beyond = connect(&server, "127.0.0.2").await;
    assert_eq!(read_to_end(&mut beyond).await, b"");
    assert_eq!(open(&server, "127.0.0.3", "").await.1, 101);
    let hits = "tickwire_address_limits_hit_total{limit=\"connections\"}";
    assert_eq!(server.figure(hits).await, 1.0);
    // A place comes back with its connection, which the server hears of in its own time.
    held.pop();
    until(async || {
        let mut stream = connect(&server, "127.0.0.2").await;
        let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
        stream.write_all(head.as_bytes()).await.is_ok() && stream.readable().await.is_ok() && {
            let mut first = [0; 12];
            stream.try_read(&mut first).is_ok_and(|size| size == 12)
        }
    })
    .await;
}

#[tokio::test]
async fn connecting_fast_is_held_too() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.connects_per_second = 1;
    });
    let flood = async {
        loop {
            let mut stream = connect(&server, "127.0.0.2").await;
            let hits = "tickwire_address_limits_hit_total{limit=\"connects\"}";
            if server.figure(hits).await > 0.0 {
                return read_to_end(&mut stream).await;
            }
        }
    };
    // The operator's port is asked from another address, and has limits of its own.
    let answer = tokio::time::timeout(crate::support::PATIENCE, flood).await;
    assert_eq!(answer.unwrap(), b"");
    assert_eq!(open(&server, "127.0.0.3", "").await.1, 101);
}

#[tokio::test]
async fn forwarded_addresses_count_if_a_trusted_proxy_says_so() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 2;
    });
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(open(&server, PROXY, "198.51.100.7").await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
    assert_eq!(open(&server, PROXY, "198.51.100.7").await.1, 429);
    assert_eq!(open(&server, PROXY, "1.2.3.4, 198.51.100.7").await.1, 429);
    assert_eq!(open(&server, PROXY, "198.51.100.8").await.1, 101);
    let refused = "tickwire_handshakes_refused_total{reason=\"address\"}";
    assert_eq!(server.figure(refused).await, 2.0);
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let server = Server::start(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 2;
    });
    let mut held = Vec::new();
    for host in 0..2 {
        let claimed = format!("198.51.100.{host}");
        held.push(open(&server, "127.0.0.2", &claimed).await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
    let mut beyond = connect(&server, "127.0.0.2").await;
    assert_eq!(read_to_end(&mut beyond).await, b"");
    assert_eq!(open(&server, PROXY, "198.51.100.1").await.1, 101);
}

#[tokio::test]
async fn without_a_proxy_this_machine_is_free() {
    let server = Server::start(|config| config.max_connections_per_address = 1);
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(open(&server, "127.0.0.1", "198.51.100.7").await);
    }
    assert!(held.iter().all(|(_, status)| *status == 101));
}

#[tokio::test]
async fn who_says_nothing_takes_one_of_few_places() {
    let server = Server::start(|config| {
        config.max_ungreeted = 2;
        config.hello_timeout = crate::support::PATIENCE * 2;
    });
    let (mut first, _) = open(&server, "127.0.0.1", "").await;
    let (_second, status) = open(&server, "127.0.0.1", "").await;
    assert_eq!(status, 101);
    assert_eq!(open(&server, "127.0.0.1", "").await.1, 503);
    let refused = "tickwire_handshakes_refused_total{reason=\"ungreeted\"}";
    assert_eq!(server.figure(refused).await, 1.0);
    first.write_all(&hello("ann")).await.unwrap();
    read_message(&mut first).await;
    assert_eq!(open(&server, "127.0.0.1", "").await.1, 101);
}
