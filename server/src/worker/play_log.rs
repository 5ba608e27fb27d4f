//! A record of each tick of a room, for who judges a cluster from outside: which owner ticked what,
//! and when (`tickwire-nemesis`). Off unless `--play-log` names a file. Workers append to it behind
//! a turn, each record in one write, so that a process that is killed leaves whole ones; nothing
//! reads it here.
//!
//! ```text
//! room u32 | epoch u64 | incarnation u64 | tick u32 | CLOCK_MONOTONIC in nanoseconds u64
//! ```
//! in 32 bytes, little-endian. Epoch 0: the cluster's tables don't have the room yet. A server that
//! is alone writes incarnation 0.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::time::{ClockId, clock_gettime};
use tickwire::ids::{RoomId, Tick};

use crate::directory::claims::Claim;

const RECORD_BYTES: usize = 32;
/// It names rooms, which may be private.
const MODE: u32 = 0o600;

/// See the module's description.
pub(crate) struct PlayLog {
    file: File,
    /// Records were lost, which is told once.
    is_failing: AtomicBool,
}

impl PlayLog {
    /// Appends to a file, which is made if it is not there.
    ///
    /// # Errors
    /// It can't be opened so.
    pub(crate) fn open(path: &Path) -> io::Result<PlayLog> {
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).mode(MODE).open(path)?;
        Ok(PlayLog {
            file,
            is_failing: AtomicBool::new(false),
        })
    }

    /// A room was ticked. What can't be written is lost: play goes on.
    pub(super) fn note(&self, room: RoomId, claim: Option<&Claim>, tick: Tick) {
        let epoch = claim.and_then(Claim::epoch).map_or(0, |epoch| epoch.0);
        let who = claim.map_or(0, |claim| claim.who().0);
        let record = record(room, epoch, who, tick, monotonic_ns());
        if let Err(error) = (&self.file).write_all(&record)
            && !self.is_failing.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "the play log loses records");
        }
    }
}

fn record(room: RoomId, epoch: u64, who: u64, tick: Tick, at_ns: u64) -> [u8; RECORD_BYTES] {
    let mut record = [0; RECORD_BYTES];
    record[..4].copy_from_slice(&room.0.to_le_bytes());
    record[4..12].copy_from_slice(&epoch.to_le_bytes());
    record[12..20].copy_from_slice(&who.to_le_bytes());
    record[20..24].copy_from_slice(&tick.0.to_le_bytes());
    record[24..].copy_from_slice(&at_ns.to_le_bytes());
    record
}

fn monotonic_ns() -> u64 {
    // Every system that this runs on has it.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
    now.map_or(0, |now| {
        now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_appended_whole_and_in_order() {
        let path = std::env::temp_dir().join(format!("tickwire-{}-play-log", std::process::id()));
        for tick in 1..=2 {
            PlayLog::open(&path)
                .unwrap()
                .note(RoomId(7), None, Tick(tick));
        }
        let written = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written.len(), 2 * RECORD_BYTES);
        let (first, second) = written.split_at(RECORD_BYTES);
        let at_ns = |record: &[u8]| u64::from_le_bytes(record[24..].try_into().unwrap());
        assert_eq!(first, record(RoomId(7), 0, 0, Tick(1), at_ns(first)));
        assert_eq!(second, record(RoomId(7), 0, 0, Tick(2), at_ns(second)));
        assert!(at_ns(first) > 0 && at_ns(first) <= at_ns(second));
    }

    #[test]
    fn a_record_has_its_numbers_in_their_places() {
        let who = 0x1112_1314_1516_1718;
        let record = record(RoomId(0x0102_0304), 0x2122_2324_2526_2728, who, Tick(9), 1);
        assert_eq!(record[..4], [4, 3, 2, 1]);
        assert_eq!((record[4], record[11]), (0x28, 0x21));
        assert_eq!((record[12], record[19]), (0x18, 0x11));
        assert_eq!((record[20], record[24]), (9, 1));
        assert_eq!(record.iter().filter(|byte| **byte == 0).count(), 10);
    }
}
