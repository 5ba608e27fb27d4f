//! A node of two, processes of the real program on a real Redis, is stopped while bots play in its
//! rooms: they go on in their seats at the other one, over connections that were opened before
//! their rooms stood still.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use clap::Parser;
use indicatif::ProgressBar;
use tickwire_bots::flags::Flags;
use tickwire_bots::swarm;
use tickwire_harness::inside::{figure, metrics};
use tickwire_harness::{File, Redis, Running, server};

/// Longest that this may take.
const BOUND: Duration = Duration::from_secs(90);
const BOTS: u64 = 12;

/// A node's process, and where it says how it is.
struct Node {
    running: Running,
    ops: SocketAddr,
}

impl Node {
    fn start(redis: &Redis, key: &File) -> Node {
        // Free now, and nobody else's until the node has them.
        let probes = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let [public, peers] = probes.map(|probe| probe.and_then(|probe| probe.local_addr()));
        let (public, peers) = (public.expect("a free port"), peers.expect("a free port"));
        let (listen, peers) = (public.to_string(), peers.to_string());
        let engine = format!("redis://127.0.0.1:{}", redis.port());
        let url = format!("ws://{public}/ws");
        let mut command = server(&[
            "--listen",
            &listen,
            "--peer-listen",
            &peers,
            "--workers",
            "1",
        ]);
        command.args(["--cluster-url", &engine, "--cluster-key-file", key.path()]);
        let running = Running::start(command.args(["--node-url", &url]));
        let ops = running.ops();
        Node { running, ops }
    }

    async fn figure(&self, name: &str) -> f64 {
        figure(&metrics(self.ops).await, name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_plays_in_a_room_that_leaves_goes_on_over_a_connection_that_was_opened_before() {
    let redis = Redis::start(&[]);
    let key = File::new("cluster-key", "a key that both nodes of this test have");
    let [leaves, stays] = [(); 2].map(|()| Node::start(&redis, &key));
    let urls = [&leaves, &stays].map(|node| format!("ws://{}/ws", node.running.public));
    // Rooms are given to who has been known for 6 s.
    let line = format!(
        "bots --url {} --bots {BOTS} --rooms 4 --ramp 200ms --duration 15s --max-gap-p99-ms 60000 --return-within 15s",
        urls.join(",")
    );
    let flags = Flags::try_parse_from(line.split_whitespace()).expect("good flags");
    let bar = ProgressBar::hidden();
    let play = tokio::time::timeout(BOUND, swarm::run(flags, &bar));
    let drain = async {
        let mut players = 0.0;
        while players < BOTS as f64 {
            players =
                leaves.figure("tickwire_players").await + stays.figure("tickwire_players").await;
        }
        let players = leaves.figure("tickwire_players").await;
        leaves.running.process.signal("TERM");
        players as u64
    };
    let (report, players) = tokio::join!(play, drain);
    let report = report.expect("a run is bounded").expect("nodes are there");
    assert!(players > 0 && report.passed(), "{players}: {report}");
    assert_eq!((report.moves, report.drops), (players, 0), "{report}");
    assert_eq!((report.seats_lost, report.strayed), (0, 0), "{report}");
    assert_eq!(report.lost_play_ms.max, Some(0.0), "{report}");
    // All were told; a connection is no later than four seconds.
    assert_eq!(
        (report.prepared, report.prepared_used),
        (players, players),
        "{report}"
    );
}
