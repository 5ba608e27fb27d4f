//! `--play-log`: what the program appends to it, and a file that it can't append to.

use std::fs;

use tickwire_harness::{File, Running, server};

use crate::player::Player;
use crate::support::until;

const RECORD_BYTES: usize = 32;

#[tokio::test]
async fn each_tick_of_a_room_is_a_record() {
    let log = File::missing("play-log");
    let running = Running::start(&mut server(&["--play-log", log.path()]));
    let read = || -> Vec<u8> { fs::read(log.path()).unwrap() };
    assert!(read().is_empty(), "nobody plays");
    let _player = Player::play(running.public, "127.0.0.1", "").await;
    until(async || read().len() >= 5 * RECORD_BYTES).await;
    running.stop();
    let records = read();
    assert!(records.len().is_multiple_of(RECORD_BYTES));
    let records: Vec<&[u8]> = records.chunks(RECORD_BYTES).collect();
    for pair in records.windows(2) {
        let number = |record: &[u8], at: usize, bytes: usize| {
            let field = record[at..at + bytes].iter().rev();
            field.fold(0u64, |n, byte| n << 8 | u64::from(*byte))
        };
        let tick = |record: &[u8]| number(record, 20, 4);
        assert_eq!(tick(pair[1]), tick(pair[0]) + 1);
        assert!(number(pair[0], 24, 8) < number(pair[1], 24, 8), "time");
        assert_eq!(pair[0][..20], pair[1][..20], "room, epoch, incarnation");
        assert!(
            pair[0][4..20].iter().all(|byte| *byte == 0),
            "a server that is alone owns all"
        );
    }
}

#[test]
fn a_file_that_can_not_be_appended_to_ends_the_start() {
    let output = server(&["--play-log", "/dev/null/log"])
        .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("error: play-log /dev/null/log: "), "{told}");
}
