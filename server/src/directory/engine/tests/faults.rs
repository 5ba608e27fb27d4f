//! What becomes of a node whose server goes, comes back empty, stands still, loses its scripts or
//! its rank, or is full.

use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire_harness::{PATIENCE, Redis};
use tokio::time::timeout;

use super::super::messages::{Command, Epoch, Incarnation, Reply};
use super::super::{COMMANDS_MAX, Event, Failure, Full, Put, redis};
use super::node::{Node, beat_of, checkpoint, config, event, key, operator, order, record};

const A: Incarnation = Incarnation(0xA);
const B: Incarnation = Incarnation(0xB);

#[tokio::test]
async fn a_server_that_was_killed_and_comes_back_empty_is_another_run() {
    let mut server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let epoch = node.create(1, A).await.unwrap();
    let rooms = [(RoomId(1), epoch)];
    node.beat(A, 1, &rooms).await;
    let kept = checkpoint(1, epoch, b"room");
    assert_eq!(keeper.put(vec![kept.clone()]).await, [Put::Stored]);

    server.kill();
    let (why, _) = node.disconnected().await;
    assert!(matches!(why, Failure::Away(_)), "{why:?}");
    let put = keeper.put(vec![kept.clone()]).await;
    assert!(
        matches!(put[..], [Put::Failed(Failure::Away(_))]),
        "{put:?}"
    );
    // It is for a connection that is gone, and never sent.
    node.send(Command::Fence { who: A, beat: 1 });

    server.restart();
    node.connected_again().await;
    let beat = node.beat(A, 2, &rooms).await;
    assert_eq!(beat.nodes, [(A, record(A, 2))]);
    assert!(beat.lost.is_empty());
    assert_eq!(stored(&keeper, kept.clone()).await, Put::Stored);
    assert_eq!(keeper.get(RoomId(1)).await, Ok(Some(kept)));
}

/// Tries until the connection for checkpoints is there again.
async fn stored(keeper: &super::super::Checkpoints, checkpoint: super::super::Checkpoint) -> Put {
    loop {
        match keeper.put(vec![checkpoint.clone()]).await.remove(0) {
            Put::Failed(Failure::Away(_)) => tokio::task::yield_now().await,
            put => return put,
        }
    }
}

#[tokio::test]
async fn while_a_server_stands_still_the_queue_is_bounded_and_of_beats_the_last_goes_out() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    node.beat(A, 1, &[]).await;
    server.stall();
    let mut sent = 1;
    // Its task takes a batch at most; then the queue fills.
    while node.engine.send(node.run, beat_of(A, sent + 1, &[])) != Err(Full) {
        sent += 1;
        tokio::task::yield_now().await;
    }
    assert!(sent as usize >= COMMANDS_MAX, "{sent}");
    server.go_on();
    let mut answered = 0;
    let mut last = 1;
    while last < sent {
        match event(&mut node.engine).await {
            Event::Replied { run, reply, .. } => {
                assert_eq!(run, node.run, "the connection lasts");
                let Reply::Beat { nodes, .. } = reply else {
                    panic!("{reply:?}")
                };
                assert!(nodes[0].1.beat > last);
                last = nodes[0].1.beat;
                answered += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(answered < 10, "{answered} beats of {sent} went out");
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_left() {
    let server = Redis::start(&[]);
    let url = format!("redis://127.0.0.1:{}", server.port());
    let mut config = config(&url);
    config.times.reply = Duration::from_secs(1);
    config.times.connect = Duration::from_secs(2);
    let mut node = Node::of(redis::start(config).await.unwrap()).await;
    let keeper = node.engine.checkpoints();
    assert_eq!(keeper.get(RoomId(1)).await, Ok(None));
    server.stall();
    node.send(beat_of(A, 1, &[]));
    assert_eq!(node.disconnected().await.0, Failure::Late);
    assert_eq!(keeper.get(RoomId(1)).await, Err(Failure::Late));
    server.go_on();
    node.connected_again().await;
    // Whether it did what was asked nobody knows; now it does.
    assert_eq!(node.beat(A, 2, &[]).await.nodes, [(A, record(A, 2))]);
}

#[tokio::test]
async fn a_server_whose_scripts_were_flushed_is_given_them_again() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let epoch = node.create(1, A).await.unwrap();
    let kept = checkpoint(1, epoch, b"room");
    assert_eq!(
        keeper.put(vec![kept.clone(); 3]).await,
        vec![Put::Stored; 3]
    );
    order(&server, &["SCRIPT", "FLUSH"]);
    assert_eq!(node.beat(A, 1, &[]).await.held, [(RoomId(1), epoch)]);
    order(&server, &["SCRIPT", "FLUSH"]);
    assert_eq!(keeper.put(vec![kept; 3]).await, vec![Put::Stored; 3]);
}

#[tokio::test]
async fn a_connection_that_an_operator_ends_is_made_again() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    for beat in 1..=3 {
        node.beat(A, beat, &[]).await;
        order(&server, &["CLIENT", "KILL", "TYPE", "normal"]);
        node.disconnected().await;
        node.connected_again().await;
    }
    assert_eq!(node.beat(A, 4, &[]).await.nodes, [(A, record(A, 4))]);
}

#[tokio::test]
async fn a_server_that_becomes_a_replica_is_left_until_it_is_none() {
    let (server, other) = (Redis::start(&[]), Redis::start(&[]));
    let mut node = Node::redis(&server).await;
    node.beat(A, 1, &[]).await;
    let port = other.port().to_string();
    order(&server, &["REPLICAOF", "127.0.0.1", &port]);
    node.send(beat_of(A, 2, &[]));
    let (why, before) = node.disconnected().await;
    assert!(matches!(why, Failure::Away(_)), "{why:?}");
    assert!(before.is_empty(), "{before:?}");
    order(&server, &["REPLICAOF", "NO", "ONE"]);
    node.connected_again().await;
    node.beat(A, 3, &[]).await;
}

/// Whatever is asked first of it, and though a replica answers what only reads.
#[tokio::test]
async fn checkpoints_leave_a_server_that_becomes_a_replica_until_it_is_none() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let epoch = node.create(1, A).await.unwrap();
    let kept = checkpoint(1, epoch, b"room");
    let connections = || match order(&server, &["INFO", "stats"]) {
        ::redis::Value::BulkString(text) => {
            let text = String::from_utf8(text).unwrap();
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("total_connections_received:"));
            line.unwrap().parse::<u32>().unwrap()
        }
        other => panic!("{other:?}"),
    };
    for ask in 0..3 {
        assert_eq!(stored(&keeper, kept.clone()).await, Put::Stored);
        // Of nobody: it keeps what it has.
        order(&server, &["REPLICAOF", "127.0.0.1", "1"]);
        let why = match ask {
            0 => match keeper.put(vec![kept.clone()]).await.remove(0) {
                Put::Failed(why) => why,
                put => panic!("{put:?}"),
            },
            1 => keeper.get(RoomId(1)).await.unwrap_err(),
            _ => keeper.owners(vec![RoomId(1)]).await.unwrap_err(),
        };
        assert!(matches!(why, Failure::Away(_)), "{ask}: {why:?}");
        order(&server, &["REPLICAOF", "NO", "ONE"]);
        let before = connections();
        assert_eq!(stored(&keeper, kept.clone()).await, Put::Stored);
        // One is this question's.
        assert!(connections() > before + 1, "{ask}: it is another one");
    }
}

/// A sentinel would name another by then.
#[tokio::test]
async fn a_master_that_is_cut_off_from_its_replicas_is_asked_for_anew() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    node.beat(A, 1, &[]).await;
    let run = node.run;
    order(&server, &["CONFIG", "SET", "min-replicas-to-write", "1"]);
    let mut refused = 0;
    let why = loop {
        node.send(beat_of(A, 2 + refused, &[]));
        match event(&mut node.engine).await {
            Event::Failed {
                why: Failure::Refused(_),
                ..
            } => refused += 1,
            Event::Disconnected { why, .. } => break why,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(&why, Failure::Away(why) if why.contains("NOREPLICAS")));
    assert_eq!(refused, 5, "and the sixth");
    order(&server, &["CONFIG", "SET", "min-replicas-to-write", "0"]);
    node.connected_again().await;
    assert!(node.run > run);
    node.beat(A, 9, &[]).await;
}

/// The task that held it has failed, and its node goes on with its rooms.
#[tokio::test]
async fn an_engine_that_takes_the_place_of_another_is_another_run() {
    let server = Redis::start(&[]);
    let config = config(&format!("redis://127.0.0.1:{}", server.port()));
    let first = Node::of(redis::start(config.clone()).await.unwrap()).await;
    let mut second = Node::of(redis::start(config).await.unwrap()).await;
    assert!(second.run > first.run);
    drop(first);
    second.beat(A, 1, &[]).await;
}

#[tokio::test]
async fn what_changes_hands_is_on_a_replica_before_its_answer_and_a_stalled_one_holds_nobody() {
    let server = Redis::start(&[]);
    let port = server.port().to_string();
    let mut replica = Redis::start(&["--replicaof", "127.0.0.1", &port]);
    replica.wait_for("Finished with success");
    let url = format!("redis://127.0.0.1:{}", server.port());
    let config = config(&url);
    let metrics = config.metrics.clone();
    // What it counts where a replica was too slow, as on a busy machine.
    let late = || -> usize {
        let text = metrics.render();
        let figure = "tickwire_engine_errors_total{kind=\"unreplicated\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(figure));
        line.expect("it is counted").parse().expect("a number")
    };
    // It counts once it has said that it is there.
    let is_seen = || match order(&server, &["ROLE"]) {
        ::redis::Value::Array(role) => {
            matches!(&role[2], ::redis::Value::Array(of) if !of.is_empty())
        }
        other => panic!("{other:?}"),
    };
    let seen = async {
        while !is_seen() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, seen).await.expect("it is there in time");
    let mut node = Node::of(redis::start(config).await.unwrap()).await;
    let mut there = operator(&replica);
    let mut missing = 0;
    for room in 1..=20 {
        let epoch = node.create(room, A).await.unwrap();
        let mut command = ::redis::cmd("HGET");
        command.arg(key("r")).arg(room);
        let record: Option<String> = command.query(&mut there).unwrap();
        match record {
            Some(record) => assert_eq!(record, format!("1|{}|{:016x}", epoch.0, A.0)),
            None => missing += 1,
        }
    }
    assert!(
        missing <= late(),
        "{missing} were answered before a replica had them"
    );
    let before = late();
    replica.stall();
    let epoch = node.create(21, A).await.expect("it is made all the same");
    assert_eq!(late(), before + 1);
    replica.go_on();
    let rooms = [(RoomId(21), epoch)];
    assert_eq!(node.beat(A, 1, &rooms).await.held.len(), 20);
}

#[tokio::test]
async fn a_server_that_is_full_refuses_checkpoints_and_keeps_leases() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let epoch = node.create(1, A).await.unwrap();
    node.beat(A, 1, &[(RoomId(1), epoch)]).await;
    node.beat(B, 1, &[]).await;
    order(&server, &["CONFIG", "SET", "maxmemory", "1"]);
    node.beat(A, 2, &[(RoomId(1), epoch)]).await;
    let put = keeper.put(vec![checkpoint(1, epoch, b"room")]).await;
    match &put[..] {
        [Put::Failed(Failure::Refused(why))] => assert!(why.contains("OOM"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(node.fence(A, 2).await);
    assert!(node.adopt(1, epoch, A, B).await.is_some());
}

#[tokio::test]
async fn an_engine_that_is_dropped_leaves_its_server() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    node.beat(A, 1, &[]).await;
    let keeper = node.engine.checkpoints();
    assert_eq!(keeper.get(RoomId(1)).await, Ok(None));
    let clients = || {
        let info: String = ::redis::cmd("INFO")
            .arg("clients")
            .query(&mut operator(&server))
            .unwrap();
        info.contains("connected_clients:1\r\n")
    };
    assert!(!clients(), "two are the node's");
    drop((node, keeper));
    let left = async {
        while !clients() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, left).await.expect("it left");
}

/// By what the server counts, so it is the same on every machine.
#[tokio::test]
async fn a_beat_costs_the_same_however_many_rooms_others_have() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let mine: Vec<_> = (0..100).map(|room| (RoomId(room), Epoch(1))).collect();
    node.beat(A, 1, &mine).await;
    let cost = async |node: &mut Node, beat: u64| {
        order(&server, &["CONFIG", "RESETSTAT"]);
        node.beat(A, beat, &mine).await;
        calls(&server)
    };
    let alone = cost(&mut node, 2).await;
    let theirs: Vec<_> = (1000..11_000)
        .map(|room| (RoomId(room), Epoch(1)))
        .collect();
    node.beat(B, 1, &theirs).await;
    let beside = cost(&mut node, 3).await;
    assert!(alone > 0 && beside == alone, "{alone} and {beside} calls");
}

/// Commands that a server ran since its figures were set to zero, but for `INFO` and `CONFIG`.
fn calls(server: &Redis) -> u64 {
    let info: String = ::redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut operator(server))
        .unwrap();
    let of = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let is_counted = !["info", "client", "config", "select"]
            .iter()
            .any(|of| name.starts_with(of));
        let (calls, _) = rest.split_once(',')?;
        is_counted.then(|| calls.parse::<u64>().ok()).flatten()
    };
    info.lines().filter_map(of).sum()
}
