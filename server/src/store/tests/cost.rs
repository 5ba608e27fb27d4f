//! What the store carries, and what a page costs: measured, by hand. `TICKWIRE_STORE_COST` names
//! another place than a file in the system's temporary folder; `--release` is meant.

use std::time::{Duration, Instant};

use super::{Folder, Running, line};
use crate::config::StorePlace;

const A_SECOND: u64 = 20_000;

fn place(folder: &Folder) -> StorePlace {
    match std::env::var("TICKWIRE_STORE_COST") {
        Ok(place) => place.parse().unwrap(),
        Err(_) => folder.place(),
    }
}

/// As chat of a full server: a line every 50 us, for ten seconds, and what became of them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn twenty_thousand_lines_a_second() {
    let folder = Folder::new();
    let running = Running::start(place(&folder)).await;
    let first = running.store.newest_message("a").await.unwrap();
    let (start, mut put) = (Instant::now(), 0);
    let mut slowest = Duration::ZERO;
    while start.elapsed() < Duration::from_secs(10) {
        let due = (start.elapsed().as_secs_f64() * A_SECOND as f64) as u64;
        while put < due {
            put += 1;
            let before = Instant::now();
            running.store.put(line("a", first + put));
            slowest = slowest.max(before.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(running.store.settled().await);
    let newest = running.store.newest_message("a").await.unwrap();
    let text = running.metrics.render();
    let lost = text
        .lines()
        .find(|line| line.starts_with("tickwire_store_records_lost_total{kind=\"chat\"}"));
    println!(
        "{put} lines in {:.2?}, slowest put {slowest:.2?}",
        start.elapsed()
    );
    println!("{}", lost.unwrap_or_default());
    assert_eq!(newest, first + put, "none was lost");
}

/// A page of the newest, and one from the middle, of a channel of a million lines, in CPU time of
/// the process.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn a_page_of_a_million_lines() {
    let folder = Folder::new();
    let running = Running::start(place(&folder)).await;
    let first = running.store.newest_message("a").await.unwrap();
    for sequence in first + 1..=1_000_000 {
        running.store.put(line("a", sequence));
        if sequence % 4000 == 0 {
            assert!(running.store.settled().await);
        }
    }
    assert!(running.store.settled().await);
    for (what, before) in [
        ("newest", None),
        ("middle", Some(500_000)),
        ("first", Some(51)),
    ] {
        let (pages, start) = (5000, cpu_ms(&running));
        for _ in 0..pages {
            let page = running.store.messages_before("a", before).await.unwrap();
            assert_eq!(page.len(), 50);
        }
        let each = (cpu_ms(&running) - start) / f64::from(pages);
        println!("{what}: {each:.3} ms of CPU a page");
    }
}

/// CPU time of the process.
fn cpu_ms(running: &Running) -> f64 {
    let text = running.metrics.render();
    let mut lines = text.lines();
    let seconds = lines.find_map(|line| line.strip_prefix("tickwire_cpu_seconds "));
    seconds.unwrap().parse::<f64>().unwrap() * 1000.0
}
