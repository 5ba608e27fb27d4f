//! A disk that is full, and has room again: a small file system of the test's own, which only root
//! can have.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use tickwire_harness::PATIENCE;
use tokio::time::timeout;

use super::{Folder, Running, line, result};
use crate::store::record::{Block, Record};

/// A folder on a file system of so many MiB.
struct Disk(Folder);

impl Disk {
    /// `None`: the system has none to give.
    fn new(mebibytes: u32) -> Option<Disk> {
        let folder = Folder::new();
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&folder.0)
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Disk(folder))
    }

    /// Takes all that is free.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.0.join("filler")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        // What is left is less than a page.
        while file.write_all(&[0]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it needs a file system of its own, and waits for it to have room again"]
async fn on_a_full_disk_results_and_deletes_go_on() {
    let Some(disk) = Disk::new(64) else {
        println!("not tested: only root can have a small file system");
        return;
    };
    let running = Running::start(disk.0.place()).await;
    let store = &running.store;
    store.put_acknowledged(line("a", 1)).await.unwrap();
    let block = |at_ms| {
        Record::Block(Block {
            player: "user:ann".into(),
            blocked: "user:bo".into(),
            at_ms,
        })
    };
    store.put_acknowledged(block(Some(1))).await.unwrap();
    disk.fill();
    // What has no room tells that there is none; results go on in what is given up for them.
    let mut round = 0;
    let full = async {
        while store
            .degraded(Instant::now())
            .is_none_or(|why| why != "the disk is full")
        {
            round += 1;
            let won = Record::Result(result("1-a", round, &[("user:ann", 1)]));
            store.put_acknowledged(won).await.unwrap();
        }
    };
    timeout(PATIENCE, full)
        .await
        .expect("it is told, and results are stored");
    let mut said = store.put_acknowledged(line("a", 2));
    for _ in 0..20 {
        round += 1;
        let won = Record::Result(result("1-a", round, &[("user:ann", 1)]));
        let stored = timeout(PATIENCE, store.put_acknowledged(won)).await;
        stored.expect("results are stored").unwrap();
    }
    assert!(said.try_recv().is_err(), "chat waits");
    assert_eq!(store.newest_message("a").await, Ok(1), "and can be read");
    timeout(PATIENCE, store.erase("user:bo"))
        .await
        .expect("deletes go on")
        .unwrap();
    disk.free();
    timeout(PATIENCE, said)
        .await
        .expect("there is room again")
        .unwrap();
    assert_eq!(store.degraded(Instant::now()), None);
    let kept = store.export("user:ann").await.unwrap();
    assert_eq!(kept["matches"].as_array().unwrap().len() as u64, round);
    assert_eq!(kept["blocks"].as_array().unwrap().len(), 0);
}
