//! The proxy between real sockets: every byte arrives once and in order over any link, ends and
//! breaks are passed on, and a swarm plays over it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Parser;
use indicatif::ProgressBar;
use tickwire::conditioner::Conditions;
use tickwire_arena::Arena;
use tickwire_bots::flags::Flags;
use tickwire_bots::proxy::Proxy;
use tickwire_bots::swarm;
use tickwire_harness::Server;
use tickwire_server::Site;
use tickwire_server::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

/// Longest that a run of this file may take.
const BOUND: Duration = Duration::from_secs(60);
const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A proxy before `to`, where it listens.
async fn proxy(to: SocketAddr, conditions: Conditions) -> SocketAddr {
    let proxy = Proxy::bind(FREE, &to.to_string(), conditions, 1)
        .await
        .expect("a free port");
    let address = proxy.address().expect("a bound port");
    tokio::spawn(proxy.serve(|error| eprintln!("refused: {error}")));
    address
}

/// Sends back what comes, then the end.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(FREE).await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.into_split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn every_byte_arrives_once_and_in_order() {
    let conditions = Conditions {
        latency_us: 5_000,
        jitter_us: 20_000,
        stall_every_us: 100_000,
        stall_us: 50_000,
        bytes_per_s: 4_000_000,
    };
    let address = proxy(echo().await, conditions).await;
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (mut read, mut write) = stream.into_split();
    // Far more than a link holds, so that it is full for a time.
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
    let writing = async {
        for part in sent.chunks(7_001) {
            write.write_all(part).await.expect("it takes what comes");
        }
        write.shutdown().await.expect("its end too");
    };
    let mut got = Vec::new();
    let reading = read.read_to_end(&mut got);
    let ((), read) = timeout(BOUND, async { tokio::join!(writing, reading) })
        .await
        .expect("in time");
    read.expect("the end is passed on");
    assert!(got == sent, "{} bytes of {}", got.len(), sent.len());
}

#[tokio::test]
async fn nothing_is_faster_than_the_latency() {
    let conditions = Conditions {
        latency_us: 40_000,
        ..Conditions::default()
    };
    let address = proxy(echo().await, conditions).await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    for _ in 0..5 {
        let start = Instant::now();
        stream.write_all(b"ping").await.expect("it listens");
        let mut pong = [0; 4];
        let read = timeout(BOUND, stream.read_exact(&mut pong)).await;
        read.expect("in time").expect("an answer");
        assert!(start.elapsed() >= Duration::from_millis(80));
    }
}

#[tokio::test]
async fn a_server_that_is_gone_breaks_the_connection() {
    let gone = TcpListener::bind(FREE).await.expect("a free port");
    let to = gone.local_addr().expect("a bound port");
    drop(gone);
    let address = proxy(to, Conditions::default()).await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let read = timeout(BOUND, stream.read(&mut [0; 1])).await;
    assert!(matches!(read.expect("in time"), Ok(0) | Err(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swarm_plays_over_it() {
    let config = Config {
        seed: Some(11),
        ..Config::default()
    };
    let server = Server::start::<Arena>(config, Site::new());
    let conditions = Conditions {
        latency_us: 30_000,
        jitter_us: 15_000,
        stall_every_us: 1_000_000,
        stall_us: 200_000,
        ..Conditions::default()
    };
    let address = proxy(server.public, conditions).await;
    let line = format!(
        "bots --url ws://{address}/ws --bots 6 --ramp 100ms --duration 3s --max-gap-p99-ms 60000"
    );
    let flags = Flags::try_parse_from(line.split(' ')).expect("good flags");
    let report = timeout(BOUND, swarm::run(flags, &ProgressBar::hidden())).await;
    let report = report.expect("in time").expect("the server is there");
    assert!(report.passed(), "{report}");
    assert_eq!((report.bots_connected, report.desyncs), (6, 0));
    let latency_ms = report.latency_ms.p50.expect("inputs were answered");
    assert!(latency_ms >= 60.0, "{latency_ms}");
    server.close().await;
}
