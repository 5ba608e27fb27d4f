//! Paths, methods and headers of the public port.

use std::io::Read;

use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    GOOD, exchange, exchange_raw, get, read_head, read_to_end, request, serve, until,
};

#[tokio::test]
async fn files_have_types_and_strict_headers() {
    let server = serve(|_| {});
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
        let sockets = format!("connect-src 'self' ws://{0} wss://{0};", server.public);
        for part in [
            "default-src 'self';",
            &sockets,
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

/// Safari takes a WebSocket for another origin's; peers' markup must not send anything elsewhere.
#[tokio::test]
async fn a_page_may_open_sockets_to_its_own_host_alone() {
    let server = serve(|_| {});
    let check = async |request: &str, part: &str| {
        let response = exchange(server.public, request.as_bytes()).await;
        assert_eq!(response.status, 200, "{request:?}");
        let policy = response.header("content-security-policy").unwrap();
        let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
        let sockets = parts.iter().filter(|of| of.starts_with("connect-src"));
        assert_eq!(sockets.collect::<Vec<_>>(), [&part], "{request:?}");
        assert_eq!(parts.len(), 7, "{policy}");
        // Plain connections say nothing about TLS.
        assert_eq!(response.header("strict-transport-security"), None);
    };
    let end = "Connection: close\r\n\r\n";
    check(
        &format!("GET / HTTP/1.1\r\nHost: Play.Example:8443\r\n{end}"),
        "connect-src 'self' ws://play.example:8443 wss://play.example:8443",
    )
    .await;
    check(
        &format!("GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n{end}"),
        "connect-src 'self' ws://b.example wss://b.example",
    )
    .await;
    check(
        &format!("GET / HTTP/1.1\r\nHost: [::1]:7777\r\n{end}"),
        "connect-src 'self' ws: wss:",
    )
    .await;
    check("GET / HTTP/1.0\r\n\r\n", "connect-src 'self'").await;
}

/// Where a redirect leads to a server of another name.
#[tokio::test]
async fn a_page_may_open_sockets_to_the_servers_that_are_named() {
    let server = serve(|config| {
        config.connect_origins = ["wss://B.example", "ws://127.0.0.1:7779"]
            .map(|text| text.parse().unwrap())
            .into();
    });
    for (request, own) in [
        (
            "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
            " ws://a.example wss://a.example",
        ),
        ("GET / HTTP/1.0\r\n\r\n", ""),
    ] {
        let response = exchange(server.public, request.as_bytes()).await;
        let policy = response.header("content-security-policy").unwrap();
        let named = "wss://b.example https://b.example ws://127.0.0.1:7779 http://127.0.0.1:7779";
        let sockets = format!("; connect-src 'self'{own} {named}; ");
        assert!(policy.contains(&sockets), "{policy}");
    }
    let ops = get(server.ops, "/healthz").await;
    let policy = ops.header("content-security-policy").unwrap();
    assert!(!policy.contains("b.example"), "{policy}");
}

/// RFC 9112 §3.2: a request that two parsers may take for two hosts' is nobody's.
#[tokio::test]
async fn a_request_names_its_host_once_and_well() {
    let server = serve(|_| {});
    for port in [server.public, server.ops] {
        for hosts in [
            "",
            "Host:\r\n",
            "Host: a\r\nHost: a\r\n",
            "Host: a\r\nHost: b\r\n",
            "Host: a, b\r\n",
            "Host: a b\r\n",
            "Host: a;script-src *\r\n",
            "Host: u@a\r\n",
            "Host: a/b\r\n",
            "Host: a:b\r\n",
            "Host: \u{E9}\r\n",
            "Host: [::1\r\n",
        ] {
            for lines in ["", GOOD] {
                let text = format!("GET /healthz HTTP/1.1\r\n{hosts}{lines}\r\n");
                // Behind it nothing is taken for a request.
                let two = format!("{text}GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
                let answer = exchange_raw(port, two.as_bytes()).await;
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
                assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{hosts:?}: {answer}");
            }
        }
    }
    let shake = format!("GET /ws HTTP/1.1\r\n{GOOD}\r\n");
    assert_eq!(exchange(server.public, shake.as_bytes()).await.status, 400);
    let post = b"POST /admin/players HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(exchange(server.ops, post).await.status, 400);
}

#[tokio::test]
async fn files_are_compressed_for_who_takes_that() {
    let server = serve(|_| {});
    let ask = async |method: &str, path: &str, lines: &str| {
        let text =
            format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n");
        let bytes = exchange_raw(server.public, text.as_bytes()).await;
        let at = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        (head, bytes[at..].to_vec())
    };
    let tag = |head: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix("etag: "));
        line.unwrap_or_else(|| panic!("{head}")).to_owned()
    };
    let takes = "Accept-Encoding: br, gzip;q=0.8\r\n";
    for path in ["/client/tickwire.js", "/big.js"] {
        let (plain_head, plain) = ask("GET", path, "").await;
        let (head, packed) = ask("GET", path, takes).await;
        for head in [&plain_head, &head] {
            assert!(head.contains("vary: accept-encoding\r\n"), "{head}");
        }
        assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
        assert!(!plain_head.contains("content-encoding"), "{plain_head}");
        assert!(packed.len() * 2 < plain.len(), "{path}: {}", packed.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..])
            .read_to_end(&mut unpacked)
            .unwrap();
        assert!(unpacked == plain, "{path}");
        assert_ne!(tag(&head), tag(&plain_head), "{path}");
        let (same, nothing) = ask("HEAD", path, takes).await;
        assert_eq!(same.replace("date", ""), head.replace("date", ""), "{path}");
        assert_eq!(nothing, b"");
        // Who holds one form is not told that it is the other.
        let held = format!("{takes}If-None-Match: {}\r\n", tag(&head));
        let (head, body) = ask("GET", path, &held).await;
        assert!(
            head.starts_with("HTTP/1.1 304 ") && body.is_empty(),
            "{head}"
        );
        assert!(head.contains("vary: accept-encoding\r\n"), "{head}");
        let held = format!("If-None-Match: {}\r\n", tag(&head));
        assert!(ask("GET", path, &held).await.0.starts_with("HTTP/1.1 200 "));
    }
    for (path, lines) in [
        ("/client/tickwire.js", "Accept-Encoding: gzip;q=0, *\r\n"),
        ("/client/tickwire.js", "Accept-Encoding: br\r\n"),
        ("/style.css", takes),
        ("/api/rooms", takes),
    ] {
        let (head, _) = ask("GET", path, lines).await;
        assert!(!head.contains("content-encoding"), "{path} {lines}: {head}");
    }
    let (head, _) = ask("GET", "/style.css", takes).await;
    assert!(!head.contains("vary"), "it has one form: {head}");
}

/// Who has nothing more to ask closes its way out and waits for the answer.
#[tokio::test]
async fn who_closes_half_gets_the_answer() {
    let server = serve(|_| {});
    for port in [server.public, server.ops] {
        for path in ["/healthz", "/rooms/7"] {
            let mut stream = TcpStream::connect(port).await.unwrap();
            let text = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            stream.write_all(text.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let answer = read_to_end(&mut stream).await;
            assert!(answer.starts_with(b"HTTP/1.1 "), "{path}: {answer:?}");
        }
    }
    // A large one, which does not fit the kernel's buffers, too.
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    let text = b"GET /big.js HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(text).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(read_to_end(&mut stream).await.len() > 4 << 20);
}

/// More requests at once than a connection serves: those that are answered are answered whole, the
/// last one says that it is, and what was sent behind it resets nothing.
#[tokio::test]
async fn pipelined_requests_end_in_order() {
    let server = serve(|_| {});
    let file = "GET /client/tickwire.js HTTP/1.1\r\nHost: a\r\n";
    let once = format!("{file}Connection: close\r\n\r\n");
    let whole = exchange(server.public, once.as_bytes()).await;
    // Longer than what is read ahead, so that the last ones are still in the kernel.
    let long = format!("{file}Cookie: {}\r\n\r\n", "a".repeat(1000));
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    stream.write_all(long.repeat(150).as_bytes()).await.unwrap();
    // The server is done with it before anything is read.
    until(async || {
        server.figure("tickwire_connections_accepted_total").await == 2.0
            && server.figure("tickwire_connections_open").await == 0.0
    })
    .await;
    for number in 1..=100 {
        let head = read_head(&mut stream).await;
        assert_eq!(head.status, 200);
        let last = (number == 100).then_some("close");
        assert_eq!(head.header("connection"), last, "{number}");
        let mut body = vec![0; whole.body.len()];
        stream.read_exact(&mut body).await.unwrap();
        assert_eq!(body, whole.body.as_bytes(), "{number}");
    }
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "and no reset");
}

#[tokio::test]
async fn a_file_that_is_held_is_not_sent_again() {
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
    let server = serve(|_| {});
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
