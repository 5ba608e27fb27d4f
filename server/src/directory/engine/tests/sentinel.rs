//! A master that is killed, a replica, and a sentinel that makes it the master.

use std::time::Duration;

use tickwire::ids::RoomId;
use tickwire_harness::Redis;

use super::super::messages::Incarnation;
use super::super::redis;
use super::node::{Node, config};

const A: Incarnation = Incarnation(0xA);

fn sentinel(master: u16) -> Redis {
    Redis::start_with(|folder, _| {
        // One that waits half a second, and asks nobody else.
        let text = format!(
            "sentinel monitor main 127.0.0.1 {master} 1\n\
            sentinel down-after-milliseconds main 500\n\
            sentinel failover-timeout main 2000\n"
        );
        std::fs::write(folder.join("sentinel.conf"), text).unwrap();
        vec!["--sentinel".to_owned()]
    })
}

#[tokio::test]
async fn a_failover_is_another_run_and_loses_nothing_that_was_answered() {
    let mut master = Redis::start(&[]);
    let port = master.port().to_string();
    let mut replica = Redis::start(&["--replicaof", "127.0.0.1", &port]);
    replica.wait_for("Finished with success");
    let mut sentinel = sentinel(master.port());
    sentinel.wait_for("+slave ");
    // The first does not answer.
    let nobody = Redis::start(&[]);
    let (gone, asked) = (nobody.port(), sentinel.port());
    drop(nobody);
    let url = format!("redis+sentinel://127.0.0.1:{gone},127.0.0.1:{asked}/main");
    let mut node = Node::of(redis::start(config(&url)).await.unwrap()).await;
    let epoch = node.create(1, A).await.unwrap();

    master.kill();
    node.disconnected().await;
    node.connected_again().await;
    // The replica's process, and what was on it before the answer.
    assert_eq!(node.beat(A, 1, &[]).await.held, [(RoomId(1), epoch)]);
    assert!(node.create(2, A).await.unwrap() > epoch);
    drop(replica);
}

#[tokio::test]
async fn what_a_sentinel_does_not_know_ends_the_start() {
    let master = Redis::start(&[]);
    let sentinel = sentinel(master.port());
    let url = format!("redis+sentinel://127.0.0.1:{}/other", sentinel.port());
    let error = redis::start(config(&url)).await.err().unwrap().to_string();
    assert!(error.contains("knows no master other"), "{error}");
    // A server that is none, and a sentinel that is taken for a server.
    let url = format!("redis+sentinel://127.0.0.1:{}/main", master.port());
    let mut config = config(&url);
    config.times.start = Duration::from_millis(300);
    let error = redis::start(config).await.err().unwrap().to_string();
    assert!(error.contains("ERR"), "{error}");
    let url = format!("redis://127.0.0.1:{}", sentinel.port());
    let error = redis::start(super::node::config(&url))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.starts_with("cluster-url: "), "{error}");
}
