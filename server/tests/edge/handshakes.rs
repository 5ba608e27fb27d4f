//! Which requests become a WebSocket. The rules themselves are tested beside their code; here,
//! that they are asked, in what statuses they end, and that they are counted.

use tickwire::protocol::{ClientMessage, CloseCode, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    GOOD, Response, Server, hello, read_head, read_message, read_to_end, request, say, serve, until,
};

/// Sends a handshake with `lines` and returns the connection with the response's head.
async fn shake(server: &Server, lines: &str) -> (TcpStream, Response) {
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    let text = format!("GET /ws HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", server.public);
    stream.write_all(text.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    (stream, head)
}

#[tokio::test]
async fn a_good_one_switches_protocols() {
    let server = serve(|_| {});
    let (_stream, head) = shake(&server, GOOD).await;
    assert_eq!(head.status, 101);
    assert_eq!(head.header("upgrade"), Some("websocket"));
    assert_eq!(head.header("connection"), Some("Upgrade"));
    assert_eq!(
        head.header("sec-websocket-accept"),
        Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    assert_eq!(head.header("sec-websocket-protocol"), Some("tickwire.2"));
    assert_eq!(head.header("sec-websocket-extensions"), None);
    assert_eq!(head.header("content-length"), None);
}

/// A client need not wait for the answer before it says hello.
#[tokio::test]
async fn what_comes_with_the_handshake_is_kept() {
    let server = serve(|_| {});
    let mut stream = TcpStream::connect(server.public).await.unwrap();
    let head = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{GOOD}\r\n");
    let together = [head.as_bytes(), &hello("ann")].concat();
    stream.write_all(&together).await.unwrap();
    assert_eq!(read_head(&mut stream).await.status, 101);
    let welcome = read_message(&mut stream).await;
    assert_eq!(welcome[0], Kind::Control as u8);
    assert_eq!(welcome[1], 0, "the first variant is Welcome");
}

/// A page of another version: a browser shows it a close code, but no HTTP status.
#[tokio::test]
async fn another_version_is_told_so_by_a_close_code() {
    let server = serve(|_| {});
    for version in ["tickwire.1", "tickwire.3"] {
        let offer = GOOD.replace("tickwire.2", version);
        let (mut stream, head) = shake(&server, &offer).await;
        assert_eq!(head.status, 101, "{version}");
        assert_eq!(head.header("sec-websocket-protocol"), Some(version));
        let close = read_message(&mut stream).await;
        let code = u16::from_be_bytes([close[0], close[1]]);
        assert_eq!(code, CloseCode::Version.number(), "{version}");
    }
}

#[tokio::test]
async fn bad_ones_are_refused_and_counted() {
    let server = serve(|_| {});
    let check = async |from: &str, to: &str, status: u16| {
        assert!(GOOD.contains(from));
        let (_stream, head) = shake(&server, &GOOD.replace(from, to)).await;
        assert_eq!(head.status, status, "{to:?} for {from:?}");
        head
    };
    check("Connection: Upgrade\r\n", "", 400).await;
    check("Upgrade: websocket\r\n", "", 400).await;
    check("websocket\r\n", "h2c\r\n", 400).await;
    check("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400).await;
    let old = check("Version: 13", "Version: 8", 426).await;
    assert_eq!(old.header("sec-websocket-version"), Some("13"));
    check("tickwire.2", "another.2", 400).await;
    check("Sec-WebSocket-Protocol: tickwire.2\r\n", "", 400).await;
    let figure = async |reason: &str| {
        let name = format!("tickwire_handshakes_refused_total{{reason=\"{reason}\"}}");
        server.figure(&name).await
    };
    assert_eq!(figure("malformed").await, 4.0);
    assert_eq!(figure("version").await, 1.0);
    assert_eq!(figure("subprotocol").await, 2.0);
    assert_eq!(figure("origin").await, 0.0);
    let post = request(
        server.public,
        "POST",
        "/ws",
        GOOD.split_once("\r\n").unwrap().1,
    )
    .await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn pages_of_other_hosts_are_refused() {
    let server = serve(|_| {});
    let own = format!("http://{}", server.public);
    let check = async |origin: &str, status: u16| {
        let (_stream, head) = shake(&server, &format!("{GOOD}Origin: {origin}\r\n")).await;
        assert_eq!(head.status, status, "{origin}");
    };
    check(&own, 101).await;
    check(&own.to_uppercase(), 101).await;
    check(&format!("{own}.evil.example"), 403).await;
    check("http://127.0.0.1", 403).await;
    check("https://evil.example", 403).await;
    check("null", 403).await;
    let (_stream, twice) = shake(
        &server,
        &format!("{GOOD}Origin: {own}\r\nOrigin: {own}\r\n"),
    )
    .await;
    assert_eq!(twice.status, 403);
    assert_eq!(
        server
            .figure("tickwire_handshakes_refused_total{reason=\"origin\"}")
            .await,
        5.0
    );
}

/// Proxies and programs write the port that goes without saying into `Host`; browsers leave it out
/// of `Origin`.
#[tokio::test]
async fn origin_and_host_are_compared_by_what_they_mean() {
    let server = serve(|_| {});
    let check = async |host: &str, origin: &str, status: u16| {
        let mut stream = TcpStream::connect(server.public).await.unwrap();
        let text = format!("GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{GOOD}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        assert_eq!(head.status, status, "{origin} at {host}");
    };
    check("play.example:443", "https://play.example", 101).await;
    check("play.example", "https://play.example", 101).await;
    check("Play.Example:80", "http://play.example", 101).await;
    check("play.example.", "https://play.example", 101).await;
    check("[0:0:0:0:0:0:0:1]:7777", "http://[::1]:7777", 101).await;
    check("play.example:443", "http://play.example", 403).await;
    check("play.example:8443", "https://play.example", 403).await;
    check("play.example", "https://play.example.evil", 403).await;
    check("play.example", "https://user@play.example", 403).await;
}

#[tokio::test]
async fn a_list_of_origins_is_exact() {
    let server = serve(|config| {
        config.allowed_origins = ["https://good.com", "http://localhost:3000"]
            .map(|origin| origin.parse().unwrap())
            .into();
    });
    let own = format!("http://{}", server.public);
    let check = async |origin: &str, status: u16| {
        let lines = if origin.is_empty() {
            String::new()
        } else {
            format!("Origin: {origin}\r\n")
        };
        let (_stream, head) = shake(&server, &format!("{GOOD}{lines}")).await;
        assert_eq!(head.status, status, "{origin:?}");
    };
    check("https://good.com", 101).await;
    check("http://localhost:3000", 101).await;
    check("https://good.com.evil", 403).await;
    check("https://Good.com:443", 101).await;
    check("capacitor://localhost", 403).await;
    check("http://good.com", 403).await;
    check("null", 403).await;
    check(&own, 403).await;
    check("", 403).await;
}

#[tokio::test]
async fn apps_and_programs_come_in_where_the_list_says_so() {
    let server = serve(|config| {
        config.allowed_origins = ["capacitor://localhost", "null", "none"]
            .map(|origin| origin.parse().unwrap())
            .into();
    });
    let own = format!("Origin: http://{}\r\n", server.public);
    for (lines, status) in [
        ("Origin: capacitor://localhost\r\n", 101),
        ("Origin: null\r\n", 101),
        ("", 101),
        ("Origin: none\r\n", 403),
        ("Origin: \r\n", 403),
        ("Origin: null\r\nOrigin: null\r\n", 403),
        (&own, 403),
    ] {
        let (_stream, head) = shake(&server, &format!("{GOOD}{lines}")).await;
        assert_eq!(head.status, status, "{lines:?}");
    }
}

/// A socket beyond the limit is told so by the one thing that a page can see, when nobody is there
/// without a seat.
#[tokio::test]
async fn a_full_server_says_so_by_close_code() {
    let server = serve(|config| config.max_connections = 1);
    let (mut first, head) = shake(&server, GOOD).await;
    assert_eq!(head.status, 101);
    first.write_all(&hello("ann")).await.unwrap();
    first
        .write_all(&say(&ClientMessage::quick_join()))
        .await
        .unwrap();
    until(async || server.figure("tickwire_players").await == 1.0).await;
    let (mut second, head) = shake(&server, GOOD).await;
    assert_eq!(head.status, 101);
    let mut frame = [0; 4];
    second.read_exact(&mut frame).await.unwrap();
    assert_eq!(
        (frame[0], u16::from_be_bytes([frame[2], frame[3]])),
        (0x88, 4005)
    );
    let reason = read_to_end(&mut second).await;
    assert_eq!(reason.len() + 2, usize::from(frame[1]));
    assert_eq!(
        server.figure("tickwire_connections_refused_total").await,
        1.0
    );
}
