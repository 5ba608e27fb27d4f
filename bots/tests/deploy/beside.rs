//! The script beside a node of a fleet: what it tells of a real server, to whoever listens in the
//! place of Agones' SDK server (its REST API, by its documentation).

use std::path::Path;
use std::time::Instant;

use tickwire_harness::{PATIENCE, Process, Running, server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::swarm_at;

/// Method and path of the next request, and its body.
async fn next(listener: &TcpListener) -> (String, String) {
    let (stream, _) = listener.accept().await.expect("somebody comes");
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.expect("a request");
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("its head");
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("its body");
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).await.expect("it waits");
    let asked = first.rsplit_once(' ').expect("it is HTTP").0.to_owned();
    (asked, String::from_utf8(body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs curl: see `make test-all`"]
async fn agones_is_told_what_the_node_says() {
    let node = Running::start(&mut server(&[]));
    let sdk = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = sdk.local_addr().expect("a bound port").port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/agones/beside.sh");
    let mut command = std::process::Command::new("sh");
    command.arg(script);
    command.env("OPS_PORT", node.ops().port().to_string());
    command.env("AGONES_SDK_HTTP_PORT", port.to_string());
    let beside = Process::spawn(&mut command).expect("a shell");
    let (mut ready, mut healthy, mut rooms) = (0, 0, None);
    let report = tokio::spawn(swarm_at(node.public, "--rooms 3 --duration 1s".to_owned()));
    let end = Instant::now() + PATIENCE;
    while rooms != Some(3) || healthy < 2 {
        assert!(Instant::now() < end, "{ready} {healthy} {rooms:?}");
        let (asked, body) = next(&sdk).await;
        match asked.as_str() {
            "POST /ready" => ready += 1,
            "POST /health" => healthy += 1,
            "PATCH /v1beta1/counters/rooms" => {
                let count = body
                    .strip_prefix("{\"count\": \"")
                    .and_then(|of| of.strip_suffix("\"}"));
                rooms = Some(count.expect("a count").parse().expect("a number"));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(ready, 1);
    assert!(report.await.expect("it ends").passed());
    beside.signal("TERM");
    assert_eq!(beside.end().1, Some(0));
    node.stop();
}
