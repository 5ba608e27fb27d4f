//! What rooms cost a server, by its own process's time:
//! `cargo test --locked -p tickwire-server --lib engine::tests::cost -- --ignored --nocapture`

use tickwire::ids::RoomId;
use tickwire_harness::Redis;

use super::super::messages::{Epoch, Incarnation};
use super::super::{Checkpoint, Put};
use super::node::{Node, checkpoint, operator};

const ROOMS: u32 = 1000;
/// What a room of 320 entities takes.
const BYTES: usize = 20_000;
const ROUNDS: u32 = 10;
/// Of one core, for 1,000 rooms a second.
const SHARE_MAX: f64 = 0.12;

/// Seconds of CPU that a server's main thread took, user and kernel.
fn cpu(server: &Redis) -> f64 {
    let info: String = ::redis::cmd("INFO")
        .arg("cpu")
        .query(&mut operator(server))
        .unwrap();
    let of = |name: &str| -> f64 {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.expect("it counts").trim().parse().expect("a number")
    };
    of("used_cpu_sys_main_thread:") + of("used_cpu_user_main_thread:")
}

#[tokio::test]
#[ignore = "measures; the bar is for a quiet machine"]
async fn a_thousand_checkpoints_a_second_and_two_beats() {
    let server = Redis::start(&[]);
    let mut node = Node::redis(&server).await;
    let keeper = node.engine.checkpoints();
    let me = Incarnation(1);
    let rooms: Vec<_> = (0..ROOMS).map(|room| (RoomId(room), Epoch(1))).collect();
    node.beat(me, 1, &rooms).await;
    // Bytes that no two rooms have alike.
    let batch = |round: u32| -> Vec<Checkpoint> {
        let blob = |room: u32| (0..BYTES as u32).map(move |at| (at * room + round) as u8);
        let of = |room| checkpoint(room, Epoch(1), &blob(room).collect::<Vec<u8>>());
        (0..ROOMS).map(of).collect()
    };
    keeper.put(batch(0)).await;
    let batches: Vec<_> = (1..=ROUNDS).map(batch).collect();
    let before = cpu(&server);
    for batch in batches {
        let put = keeper.put(batch).await;
        assert!(put.iter().all(|put| *put == Put::Stored));
    }
    let checkpoints = (cpu(&server) - before) / f64::from(ROUNDS);
    let before = cpu(&server);
    for beat in 2..2 + 2 * u64::from(ROUNDS) {
        node.beat(me, beat, &rooms).await;
    }
    let beats = (cpu(&server) - before) / f64::from(ROUNDS);
    println!(
        "{ROOMS} checkpoints of {BYTES} bytes a second: {:.1} % of a core, {:.0} us each\n\
        a node's two beats with {ROOMS} rooms: {:.2} % of a core",
        checkpoints * 100.0,
        checkpoints * 1e6 / f64::from(ROOMS),
        beats * 100.0,
    );
    assert!(checkpoints <= SHARE_MAX, "{checkpoints}");
}
