//! Paths, methods and headers of the public port.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, exchange, exchange_raw, get, read_head, request};

#[tokio::test]
async fn files_have_types_and_strict_headers() {
    let server = Server::start(|_| {});
    let check = async |path: &str, media_type: &str, start: &str| {
        let response = get(server.public, path).await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("content-type"), Some(media_type), "{path}");
        assert!(
            response.body.starts_with(start),
            "{path}: {}",
            response.body
        );
        let length = response.body.len().to_string();
        assert_eq!(
            response.header("content-length"),
            Some(length.as_str()),
            "{path}"
        );
        assert_eq!(response.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(
            response.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            response.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        let policy = response.header("content-security-policy").unwrap();
        for part in [
            "default-src 'self';",
            "connect-src 'self' ws: wss:;",
            "img-src 'self' data:;",
            "style-src 'self';",
            "base-uri 'none';",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    };
    check("/", "text/html; charset=utf-8", "<!doctype html>").await;
    check("/?room=1", "text/html; charset=utf-8", "<!doctype html>").await;
    check("/index.html", "text/html; charset=utf-8", "<!doctype html>").await;
    check("/style.css", "text/css; charset=utf-8", "body").await;
    check("/main.js", "text/javascript; charset=utf-8", "import").await;
    check("/logo.svg", "image/svg+xml", "<svg").await;
    check("/big.js", "text/javascript; charset=utf-8", "////").await;
}

#[tokio::test]
async fn a_file_that_is_held_is_not_sent_again() {
    let server = Server::start(|_| {});
    let tag = get(server.public, "/main.js")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let check = async |held: &str, status: u16| {
        let headers = format!("If-None-Match: {held}\r\n");
        let response = request(server.public, "GET", "/main.js", &headers).await;
        assert_eq!(response.status, status, "{held}");
        assert_eq!(response.body.is_empty(), status == 304, "{held}");
        assert_eq!(response.header("etag"), Some(tag.as_str()), "{held}");
    };
    check(&tag, 304).await;
    check(&format!("W/{tag}"), 304).await;
    check(&format!("\"other\", {tag}"), 304).await;
    check("*", 304).await;
    check("\"other\"", 200).await;
    check(tag.trim_matches('"'), 200).await;
    let style = get(server.public, "/style.css").await;
    assert_ne!(style.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::start(|_| {});
    for path in ["/", "/main.js", "/healthz", "/api/rooms", "/nothing"] {
        let (head, get) = (
            request(server.public, "HEAD", path, "").await,
            get(server.public, path).await,
        );
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(
            head.header("content-length"),
            get.header("content-length"),
            "{path}"
        );
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
        assert_eq!(head.body, "", "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let server = Server::start(|_| {});
    for path in [
        "/nothing",
        "/client",
        "/client/",
        "/client/../Cargo.toml",
        "/../../etc/passwd",
        "/%2e%2e/Cargo.toml",
        "//index.html",
        "/index.html/",
        "/metrics",
        "/readyz",
        "/api",
        "/ws/",
    ] {
        assert_eq!(get(server.public, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let server = Server::start(|_| {});
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE",
    ] {
        let response = request(server.public, method, "/", "").await;
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), Some("GET, HEAD"), "{method}");
    }
    assert_eq!(request(server.public, "HEAD", "/ws", "").await.status, 405);
}

#[tokio::test]
async fn rooms_are_listed_as_json() {
    let server = Server::start(|_| {});
    let response = get(server.public, "/api/rooms").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.body, "[]");
    assert_eq!(get(server.public, "/healthz").await.body, "ok\n");
}

/// Bodies, and heads that two parsers may read differently: the connection ends, so that nothing
/// behind them is taken for a request.
#[tokio::test]
async fn what_could_smuggle_is_refused() {
    let server = Server::start(|_| {});
    let second = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for lines in [
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 1e3\r\n",
        "Transfer-Encoding: identity\r\n",
        "Header: a\r\n folded\r\n",
        "Head er: a\r\n",
        "Header : a\r\n",
        "Header: a\0b\r\n",
        "no colon\r\n",
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n0\r\n\r\n{second}");
        let answer = exchange_raw(server.public, text.as_bytes()).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lines:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{lines:?}: {answer}");
    }
}

#[tokio::test]
async fn garbage_is_answered_or_dropped() {
    let server = Server::start(|_| {});
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let answer = exchange_raw(server.public, bytes).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{bytes:?}");
    }
    let huge = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    assert_eq!(exchange(server.public, huge.as_bytes()).await.status, 431);
    let many = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "A: b\r\n".repeat(100)
    );
    assert_eq!(exchange(server.public, many.as_bytes()).await.status, 431);
    assert_eq!(get(server.public, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_connection_serves_many_requests_but_not_for_ever() {
    let server = Server::start(|_| {});
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    for number in 1..=100 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        let head = read_head(&mut stream).await;
        assert_eq!(head.status, 200);
        assert_eq!(
            head.header("connection"),
            (number == 100).then_some("close"),
            "{number}"
        );
        stream.read_exact(&mut [0; 3]).await.unwrap();
    }
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    let old = exchange(server.public, b"GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!((old.status, old.body.as_str()), (200, "ok\n"));
}
