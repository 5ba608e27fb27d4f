//! What a file has of its own: one server has it, its readers, its bytes, a disk that is full.

use std::time::Instant;

use super::{Folder, Running, cases, failure, line, message};
use crate::config::StorePlace;
use crate::metrics::Metrics;
use crate::store::record::Record;
use crate::store::value::Statement;
use crate::store::{ReadError, open};

#[tokio::test(flavor = "multi_thread")]
async fn all_cases() {
    let mut folders = Vec::new();
    cases::all(async |_| {
        folders.push(Folder::new());
        folders[folders.len() - 1].place()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_one_servers() {
    let folder = Folder::new();
    let running = Running::start(folder.place()).await;
    let error = failure(folder.place()).await;
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let shown = folder.file();
    let shown = format!(
        "store {} can't be used: another server has it",
        shown.display()
    );
    assert_eq!(error.to_string(), shown);
    running.end();
    Running::start(folder.place()).await.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_tables_is_told_in_one_line() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "x".repeat(4096)).unwrap();
    let there = failure(folder.place()).await.to_string();
    assert!(
        there.contains("not a database") && !there.contains('\n'),
        "{there}"
    );
    for nowhere in ["nowhere/tickwire.db", "."] {
        let error = failure(StorePlace::File(folder.0.join(nowhere))).await;
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_place_there_is_no_store_and_nothing_fails() {
    let config = crate::config::Config::default();
    let metrics = std::sync::Arc::new(Metrics::new().unwrap());
    let opened = open(&config, &metrics).await.unwrap();
    assert!(opened.writer.is_none() && !opened.store.is_there());
    opened.store.put(line("a", 1));
    assert!(opened.store.put_acknowledged(line("a", 1)).await.is_err());
    let read = opened.store.messages_before("a", None).await;
    assert_eq!(read, Err(ReadError::NoStore));
    assert_eq!(opened.store.degraded(Instant::now()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_files_are_the_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::new();
    let running = Running::start(folder.place()).await;
    running.store.put_acknowledged(line("a", 1)).await.unwrap();
    assert_eq!(running.store.newest_message("a").await, Ok(1));
    let mut names = Vec::new();
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().mode() & 0o777;
        let name = file.file_name().into_string().unwrap();
        assert_eq!(mode, 0o600, "{name}");
        names.push(name);
    }
    names.sort();
    let all = ["", "-shm", "-wal", ".ballast", ".lock"].map(|of| format!("tickwire.db{of}"));
    assert_eq!(names, all);
}

/// As the operator's page says it is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_while_the_server_runs() {
    let (folder, backup) = (Folder::new(), Folder::new());
    let running = Running::start(folder.place()).await;
    running.store.put_acknowledged(line("a", 1)).await.unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    let copy = format!("VACUUM INTO '{}'", backup.file().display());
    other.execute_batch(&copy).unwrap();
    running.store.put_acknowledged(line("a", 2)).await.unwrap();
    let copied = Running::start(backup.place()).await;
    assert_eq!(copied.store.newest_message("a").await, Ok(1));
    assert_eq!(running.store.newest_message("a").await, Ok(2));
}

/// A read that takes too long ends, and its connection is good for the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_bounded_in_time() {
    let folder = Folder::new();
    let running = Running::start(folder.place()).await;
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT MAX(i) FROM n";
    let read = || running.store.read(Statement::new(endless, []));
    let late = Err(ReadError::Late);
    let four = tokio::join!(read(), read(), read(), read());
    assert_eq!(four, (late.clone(), late.clone(), late.clone(), late));
    assert_eq!(running.store.newest_message("a").await, Ok(0));
}

/// Searched for byte by byte in all files: the tables, the journal, whatever else lies there.
#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_who_is_erased_is_in_any_file() {
    let folder = Folder::new();
    let running = Running::start(folder.place()).await;
    let mut random = 1u64;
    // Enough for pages to split and rows to move, in an order that makes them.
    for number in 0..6000u64 {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let who = if random >> 62 == 0 {
            "user:erasable-person"
        } else {
            "user:bo"
        };
        let channel = format!("channel-{}", random >> 58);
        let text = format!(
            "{} {number}",
            if who == "user:bo" {
                "hello"
            } else {
                "words-erasable"
            }
        );
        let sequence = number ^ (random >> 40 & 0x3f);
        let mut line = message(&channel, sequence, who, &text);
        line.said_at_ms = crate::date::now_ms();
        line.nonce = Some(number);
        running.store.put(Record::Message(line));
        if number % 2000 == 1999 {
            assert!(running.store.settled().await);
        }
    }
    assert!(found(&folder, "erasable"), "the search finds what is there");
    running.store.erase("user:erasable-person").await.unwrap();
    assert!(!found(&folder, "erasable"));
    let left = "SELECT COUNT(*) FROM messages WHERE text = ''";
    let left = running.store.read(Statement::new(left, [])).await.unwrap();
    assert!(left[0].count(0).unwrap() > 1000);
    running.end();
    assert!(!found(&folder, "erasable"));
}

/// Whether any file there has this in it, in any case of letters.
fn found(folder: &Folder, word: &str) -> bool {
    let files = std::fs::read_dir(&folder.0).unwrap();
    files.into_iter().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let bytes = bytes.to_ascii_lowercase();
        bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    })
}
