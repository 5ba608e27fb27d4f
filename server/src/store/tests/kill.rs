//! A process that is killed while it writes: the file opens, no line that it was told is stored is
//! lost, and none is there twice. The process is this test's program again, with the test below
//! that writes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::{Folder, Running, line};
use crate::config::StorePlace;

const PLACE: &str = "TICKWIRE_TEST_STORE";
/// Lines that are on their way at once.
const AT_ONCE: u64 = 300;

/// Writes lines and says which are stored, until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is what the other tests kill"]
async fn writes_until_it_is_killed() {
    let Some(place) = std::env::var_os(PLACE) else {
        return;
    };
    let running = Running::start(StorePlace::File(place.into())).await;
    let first = running.store.newest_message("a").await.unwrap() + 1;
    let mut written = std::collections::VecDeque::new();
    for sequence in first.. {
        written.push_back((
            sequence,
            running.store.put_acknowledged(line("a", sequence)),
        ));
        while written.len() as u64 >= AT_ONCE
            && let Some((sequence, written)) = written.pop_front()
        {
            written.await.unwrap();
            writeln!(std::io::stderr(), "stored {sequence}").unwrap();
        }
    }
}

/// Kills one after so many lines that it said are stored; the last of them.
fn killed_after(folder: &Folder, lines: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::tests::kill::writes_until_it_is_killed", "--exact"])
        .args(["--ignored", "--nocapture"])
        .env(PLACE, folder.file())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut stored = Vec::new();
    while (stored.len() as u64) < lines {
        let line = said.next().expect("it lives").unwrap();
        stored.extend(
            line.strip_prefix("stored ")
                .map(|of| of.parse::<u64>().unwrap()),
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it heard of it.
    for line in said.map_while(Result::ok) {
        stored.extend(
            line.strip_prefix("stored ")
                .and_then(|of| of.parse::<u64>().ok()),
        );
    }
    *stored.last().unwrap()
}

async fn killed(times: u64) {
    let folder = Folder::new();
    for time in 0..times {
        // From in the midst of a batch to several later.
        let last = killed_after(&folder, 1 + time * 397 % 1100);
        let running = Running::start(folder.place()).await;
        let newest = running.store.newest_message("a").await.unwrap();
        assert!(
            newest >= last,
            "line {last} was stored, the newest is {newest}"
        );
        let (mut next, mut after) = (1, 0);
        loop {
            let page = running.store.messages_after("a", after).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.sequence;
            for line in &page {
                assert_eq!(line.sequence, next, "each once, in order, without a gap");
                next += 1;
            }
        }
        assert_eq!(next, newest + 1);
        running.end();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_kill() {
    killed(3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes"]
async fn what_was_acknowledged_outlives_two_hundred_kills() {
    killed(200).await;
}
