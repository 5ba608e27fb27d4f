//! Clients whom WebSocket does not reach, as raw bytes on real sockets: what a request must say, in
//! which statuses it ends, and that limits hold as for a WebSocket. What becomes of messages is
//! tested in memory (`transport::http_stream`), that a game is played so in `client-web` and `bots`.

use std::time::Duration;

use tickwire::codec::{decode_server, encode_client};
use tickwire::protocol::{ClientMessage, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    PATIENCE, Response, Server, connect_from, exchange, exchange_raw, hello_as, read_head,
    read_to_end, serve, until,
};

/// The proxy that these servers trust.
const PROXY: &str = "127.0.0.9";

/// A request with a body.
fn post(path: &str, lines: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{lines}\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends a request over a connection that goes on; the answer.
async fn ask(stream: &mut TcpStream, request: &[u8]) -> Response {
    stream.write_all(request).await.unwrap();
    let mut head = read_head(stream).await;
    let length = head.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut body));
    read.await.unwrap().unwrap();
    head.body = String::from_utf8_lossy(&body).into_owned();
    head
}

/// An opened stream.
struct Key {
    id: String,
    secret: String,
}

impl Key {
    fn read(answer: &Response) -> Key {
        let field = |name: &str| {
            let (_, rest) = answer.body.split_once(&format!("\"{name}\":\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        Key {
            id: field("id"),
            secret: field("secret"),
        }
    }

    async fn open(stream: &mut TcpStream) -> Key {
        let answer = ask(stream, &post("/x", "", b"tickwire.2")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Key::read(&answer)
    }

    fn up(&self, number: u32, messages: &[&ClientMessage]) -> Vec<u8> {
        let mut body = self.secret.clone().into_bytes();
        body.extend(number.to_le_bytes());
        for message in messages {
            let message = encode_client(message);
            body.extend((message.len() as u32 * 256).to_le_bytes());
            body.extend(message);
        }
        post(&format!("/x/{}", self.id), "", &body)
    }

    fn down(&self, is_poll: bool, received: u32) -> Vec<u8> {
        let mut body = self.secret.clone().into_bytes();
        body.push(is_poll.into());
        body.extend(received.to_le_bytes());
        post(&format!("/x/{}/down", self.id), "", &body)
    }

    /// A streaming answer, behind its first sign of life.
    async fn stream(&self, server: &Server, received: u32) -> TcpStream {
        let mut stream = TcpStream::connect(server.public).await.unwrap();
        stream.write_all(&self.down(false, received)).await.unwrap();
        let head = read_head(&mut stream).await;
        assert_eq!(head.status, 200, "{head:?}");
        assert_eq!(read_frame(&mut stream).await, (2, Vec::new()));
        stream
    }
}

/// A frame's kind, and what is in it.
async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let read = async {
        let head = stream.read_u32_le().await.unwrap();
        let mut payload = vec![0; (head >> 8) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        (head as u8, payload)
    };
    tokio::time::timeout(PATIENCE, read).await.expect("a frame")
}

fn decode(message: &[u8]) -> ServerMessage {
    let decoded = decode_server(message).unwrap();
    decoded.expect("a message of this version")
}

fn is_welcome(message: &[u8]) -> bool {
    matches!(decode(message), ServerMessage::Welcome { .. })
}

const ANN: fn() -> ClientMessage = || hello_as("ann", "");

#[tokio::test]
async fn messages_go_both_ways_by_a_stream() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let mut down = key.stream(&server, 0).await;
    assert_eq!(ask(&mut up, &key.up(1, &[&ANN()])).await.status, 204);
    let (kind, message) = read_frame(&mut down).await;
    assert!(kind == 0 && is_welcome(&message));
    let nonce = 77;
    let ping = ClientMessage::Ping { nonce };
    assert_eq!(ask(&mut up, &key.up(2, &[&ping, &ping])).await.status, 204);
    // Again, since its answer may have been lost: it is not said twice.
    assert_eq!(ask(&mut up, &key.up(2, &[&ping, &ping])).await.status, 204);
    assert_eq!(ask(&mut up, &key.up(4, &[&ping])).await.status, 409);
    let last = ClientMessage::Ping { nonce: 78 };
    assert_eq!(ask(&mut up, &key.up(3, &[&last])).await.status, 204);
    let mut pongs = Vec::new();
    while pongs.last() != Some(&78) {
        let (_, message) = read_frame(&mut down).await;
        if let ServerMessage::Pong { nonce, .. } = decode(&message) {
            pongs.push(nonce);
        }
    }
    assert_eq!(pongs, [77, 77, 78]);
    for (figure, count) in [
        ("tickwire_clients_total{transport=\"http_stream\"}", 1.0),
        ("tickwire_clients_total{transport=\"websocket\"}", 0.0),
        ("tickwire_stream_answers_total{by=\"stream\"}", 1.0),
        ("tickwire_stream_batches_repeated_total", 1.0),
        (
            "tickwire_stream_requests_refused_total{reason=\"order\"}",
            1.0,
        ),
    ] {
        assert_eq!(server.figure(figure).await, count, "{figure}");
    }
}

/// Each poll's answer has a length, so that connections go on, for more requests than one that is no
/// stream's has.
#[tokio::test]
async fn messages_come_down_by_polls() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let mut down = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let (mut received, mut polls) = (0, 0);
    for number in 1..=110 {
        let message = match number {
            1 => ANN(),
            nonce => ClientMessage::Ping { nonce },
        };
        down.write_all(&key.down(true, received)).await.unwrap();
        let head = ask(&mut up, &key.up(number, &[&message])).await;
        assert_eq!((head.status, head.header("connection")), (204, None));
        let head = read_head(&mut down).await;
        assert_eq!((head.status, head.header("connection")), (200, None));
        assert_eq!(head.header("cache-control"), Some("no-store, no-transform"));
        assert_eq!(head.header("x-accel-buffering"), Some("no"));
        polls += 1;
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        let (kind, message) = read_frame(&mut down).await;
        assert_eq!((kind, 4 + message.len()), (0, length), "one message");
        received += 1;
        match decode(&message) {
            ServerMessage::Welcome { .. } => assert_eq!(number, 1),
            ServerMessage::Pong { nonce, .. } => assert_eq!(number, nonce),
            other => panic!("{other:?}"),
        }
    }
    let polled = "tickwire_stream_answers_total{by=\"poll\"}";
    assert_eq!(server.figure(polled).await, f64::from(polls));
}

/// Whoever asks last has the messages, wherever they ask from.
#[tokio::test]
async fn of_two_answers_the_later_one_wins() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let mut first = key.stream(&server, 0).await;
    let mut second = key.stream(&server, 0).await;
    assert_eq!(read_to_end(&mut first).await, b"", "it ends");
    ask(&mut up, &key.up(1, &[&ANN()])).await;
    assert!(is_welcome(&read_frame(&mut second).await.1));
    // Who has not what was sent is lost: they come back by another one.
    let mut third = key.stream(&server, 0).await;
    assert_eq!(read_to_end(&mut third).await, b"");
    until(async || server.figure("tickwire_sockets_open").await == 0.0).await;
    let ping = ClientMessage::Ping { nonce: 1 };
    assert_eq!(ask(&mut up, &key.up(2, &[&ping])).await.status, 404);
}

#[tokio::test]
async fn a_goodbye_ends_it() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let mut down = key.stream(&server, 0).await;
    ask(&mut up, &key.up(1, &[&ANN()])).await;
    read_frame(&mut down).await;
    let goodbye = [key.secret.as_bytes(), &[2, 0, 0, 0, 1, 2, 0, 0, 0xE8, 3]].concat();
    let path = format!("/x/{}", key.id);
    assert_eq!(ask(&mut up, &post(&path, "", &goodbye)).await.status, 204);
    read_to_end(&mut down).await;
    let closed = "tickwire_sockets_closed_total{code=\"1000\"}";
    until(async || server.figure(closed).await == 1.0).await;
}

/// Nothing tells a wrong secret from a number that nobody has.
#[tokio::test]
async fn a_guess_finds_nothing() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let mut told = Vec::new();
    for (id, secret) in [
        (&*key.id, "0".repeat(32)),
        ("0123456789abcdef", key.secret.clone()),
        ("../../etc/passwd", key.secret.clone()),
        ("0", key.secret.clone()),
    ] {
        let guess = Key {
            id: id.to_owned(),
            secret,
        };
        for request in [
            guess.up(1, &[&ANN()]),
            guess.down(false, 0),
            guess.down(true, 0),
        ] {
            let answer = ask(&mut up, &request).await;
            assert_eq!(answer.status, 404, "{id}");
            told.push(answer.body);
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(ask(&mut up, &key.up(1, &[&ANN()])).await.status, 204);
    let unknown = "tickwire_stream_requests_refused_total{reason=\"unknown\"}";
    assert_eq!(server.figure(unknown).await, 12.0);
}

/// What two parsers could take for two things is taken for none.
#[tokio::test]
async fn bodies_whose_end_is_in_doubt_are_refused() {
    let server = serve(|_| {});
    let body = "tickwire.2";
    for (lines, status) in [
        ("Content-Length: 10\r\nContent-Length: 11", 400),
        ("Content-Length: 10, 11", 400),
        ("Content-Length: +10", 400),
        ("Content-Length: 0x0a", 400),
        ("Content-Length: 10\r\nTransfer-Encoding: chunked", 411),
        ("Transfer-Encoding: chunked\r\nContent-Length: 10", 411),
        ("Transfer-Encoding: chunked", 411),
        ("Transfer-Encoding: chunked, identity", 400),
        ("Transfer-Encoding: xchunked", 400),
        ("Content-Length: 10\r\n folded: yes", 400),
        ("X: 1\r\n 2\r\nContent-Length: 10", 400),
        ("Content-Length : 10", 400),
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let answered = exchange_raw(server.public, text.as_bytes()).await;
        let answered = String::from_utf8_lossy(&answered);
        assert!(
            answered.starts_with(&format!("HTTP/1.1 {status} ")),
            "{lines}: {answered}"
        );
        assert_eq!(
            answered.matches("HTTP/1.1").count(),
            1,
            "{lines}: {answered}"
        );
    }
    assert_eq!(server.figure("tickwire_sockets_opened_total").await, 0.0);
}

#[tokio::test]
async fn bodies_are_bounded_in_bytes_and_time() {
    let server = serve(|config| {
        config.stall_timeout = Duration::from_millis(300);
        config.tick_rate = 30;
    });
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    let status = async |request: &[u8]| exchange(server.public, request).await.status;
    // Not a byte of it is read.
    let announced = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n";
    assert_eq!(status(announced.as_bytes()).await, 413);
    assert_eq!(status(&post("/x/0123", "", &[0; 20_000])).await, 413);
    for path in [
        "/x",
        &format!("/x/{}", key.id),
        &format!("/x/{}/down", key.id),
    ] {
        let trickles = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\ntick");
        assert_eq!(status(trickles.as_bytes()).await, 408, "{path}");
    }
    let malformed = "tickwire_stream_requests_refused_total{reason=\"malformed\"}";
    assert_eq!(server.figure(malformed).await, 5.0);
}

#[tokio::test]
async fn what_is_no_request_of_a_stream_is_told_so() {
    let server = serve(|_| {});
    let key = Key {
        id: "0123456789abcdef".into(),
        secret: "0".repeat(32),
    };
    let check = async |request: Vec<u8>, status: u16| {
        let mut stream = TcpStream::connect(server.public).await.unwrap();
        let answer = ask(&mut stream, &request).await;
        assert_eq!(
            answer.status,
            status,
            "{}",
            String::from_utf8_lossy(&request)
        );
    };
    check(post("/x", "", b""), 409).await;
    check(post("/x", "", b"tickwire.1"), 409).await;
    check(post("/x/0123456789abcdef", "", b"short"), 400).await;
    check(post("/x/0123456789abcdef/down", "", b"short"), 400).await;
    check(key.up(1, &[]), 404).await;
    check(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), 405).await;
    check(
        b"GET /x/0123456789abcdef/down HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        405,
    )
    .await;
    check(post("/api/x/y", "", b""), 405).await;
    check(post("/api/rooms", "", b"x"), 400).await;
}

/// A page elsewhere that may connect asks without a preflight, and reads the answer.
#[tokio::test]
async fn pages_of_other_origins_are_let_in_as_for_a_websocket() {
    let server = serve(|config| {
        config.allowed_origins = vec!["https://good.example".parse().unwrap()];
    });
    let open = async |origin: &str| {
        let mut stream = TcpStream::connect(server.public).await.unwrap();
        ask(&mut stream, &post("/x", origin, b"tickwire.2")).await
    };
    let good = open("Origin: https://good.example\r\n").await;
    assert_eq!(good.status, 200);
    let allowed = good.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://good.example"));
    assert_eq!(good.header("vary"), Some("origin"));
    for wrong in ["", "Origin: https://evil.example\r\n", "Origin: null\r\n"] {
        let answer = open(wrong).await;
        assert_eq!(answer.status, 403, "{wrong}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    // Each of its requests is asked again.
    let key = Key::read(&good);
    let mut elsewhere = TcpStream::connect(server.public).await.unwrap();
    let stolen = ask(&mut elsewhere, &key.up(1, &[&ANN()])).await;
    assert_eq!(stolen.status, 403);
    let refused = "tickwire_stream_requests_refused_total{reason=\"origin\"}";
    assert_eq!(server.figure(refused).await, 4.0);
}

/// Who opens many and says nothing pushes out its own.
#[tokio::test]
async fn a_flood_of_opens_is_held_as_sockets_are() {
    let server = serve(|config| {
        config.max_ungreeted = 4;
        config.hello_timeout = Duration::from_secs(60);
    });
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..20 {
        keys.push(Key::open(&mut up).await);
    }
    until(async || server.figure("tickwire_sockets_open").await == 4.0).await;
    assert_eq!(server.figure("tickwire_sockets_ungreeted").await, 4.0);
    assert_eq!(ask(&mut up, &keys[0].up(1, &[&ANN()])).await.status, 404);
    let last = &keys[19];
    assert_eq!(ask(&mut up, &last.up(1, &[&ANN()])).await.status, 204);
}

/// Nobody receives on it: its client is as gone as one whose socket closed.
#[tokio::test]
async fn requests_without_an_answer_to_read_come_to_an_end() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let key = Key::open(&mut up).await;
    assert_eq!(ask(&mut up, &key.up(1, &[&ANN()])).await.status, 204);
    let lost = "tickwire_sockets_closed_total{code=\"none\"}";
    until(async || server.figure(lost).await == 1.0).await;
    let answer = exchange(server.public, &key.up(2, &[])).await;
    assert_eq!(answer.status, 404);
}

/// The same who asks for messages and never says hello.
#[tokio::test]
async fn answers_without_a_hello_come_to_an_end() {
    let server = serve(|config| config.hello_timeout = Duration::from_millis(250));
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let mut down = Key::open(&mut up).await.stream(&server, 0).await;
    let (kind, close) = read_frame(&mut down).await;
    assert_eq!((kind, &close[..2]), (1, &4004_u16.to_le_bytes()[..]));
    assert_eq!(read_to_end(&mut down).await, b"");
}

#[tokio::test]
async fn one_address_is_held() {
    let server = serve(|config| {
        config.trusted_proxies = vec![PROXY.parse().unwrap()];
        config.max_connections_per_address = 3;
    });
    let mut proxy = connect_from(PROXY, server.public).await;
    let mut status = async |client: &str| {
        let lines = format!("X-Forwarded-For: {client}\r\n");
        ask(&mut proxy, &post("/x", &lines, b"tickwire.2"))
            .await
            .status
    };
    for expected in [200, 200, 200, 429] {
        assert_eq!(status("192.0.2.1").await, expected);
    }
    assert_eq!(status("192.0.2.2").await, 200);
}

#[tokio::test]
async fn a_stop_is_told() {
    let server = serve(|_| {});
    let mut up = TcpStream::connect(server.public).await.unwrap();
    let mut polled = TcpStream::connect(server.public).await.unwrap();
    let (key, other) = (Key::open(&mut up).await, Key::open(&mut up).await);
    let mut down = key.stream(&server, 0).await;
    polled.write_all(&other.down(true, 0)).await.unwrap();
    let polls = "tickwire_stream_answers_total{by=\"poll\"}";
    until(async || server.figure(polls).await == 1.0).await;
    let stopped = server.stop();
    let head = read_head(&mut polled).await;
    assert_eq!(head.status, 200);
    for stream in [&mut down, &mut polled] {
        let stopping = decode(&read_frame(stream).await.1);
        assert!(matches!(stopping, ServerMessage::Stopping { .. }));
        let (kind, close) = read_frame(stream).await;
        assert_eq!((kind, &close[..2]), (1, &1012_u16.to_le_bytes()[..]));
    }
    drop((up, down, polled));
    stopped.await.unwrap().unwrap();
}
