//! What is kept of a room: its save, and before it what the directory knows of it and the room does
//! not, with a format number and a checksum of all. Bytes in, bytes out; nothing that is read is
//! trusted.

use std::fmt;

use flate2::Crc;
use serde::{Deserialize, Serialize};
use tickwire::codec::{SAVE_BYTES_MAX, append_saved, take_saved};
use tickwire::ids::RoomId;

use crate::date::Date;
use crate::directory::Kept;

/// What it begins with.
const MAGIC: [u8; 4] = *b"TWCP";
/// Rises when what follows the checksum changes; a save has a number of its own.
const FORMAT: u16 = 1;
/// Magic, format and checksum.
const FIXED_BYTES: usize = 10;
/// Bytes before the save at most: 64 who are kept out, with the longest names of users.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a checkpoint at most.
pub(crate) const CHECKPOINT_BYTES_MAX: u64 = (HEAD_BYTES_MAX + SAVE_BYTES_MAX) as u64;

/// What comes before a save.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The game's name.
    pub(crate) game: String,
    pub(crate) room: RoomId,
    /// Seconds since 1970.
    saved_at: u64,
    pub(crate) kept: Kept,
}

/// Why bytes are no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Something else.
    Foreign,
    /// Of this format.
    Format(u16),
    /// Something of it is missing or was changed.
    Torn,
    /// More than is read.
    TooBig,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Foreign => f.write_str("it is no checkpoint"),
            Unreadable::Format(format) => {
                write!(f, "format {format} of checkpoints, not {FORMAT}")
            }
            Unreadable::Torn => f.write_str("it is cut off or damaged"),
            Unreadable::TooBig => write!(f, "it has more than {CHECKPOINT_BYTES_MAX} bytes"),
        }
    }
}

/// Puts into `out` what comes before a room's save.
pub(crate) fn seal(
    game: &str,
    room: RoomId,
    kept: &Kept,
    now: Date,
    save: &[u8],
    out: &mut Vec<u8>,
) {
    out.clear();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    let head = Head {
        game: game.to_owned(),
        room,
        saved_at: now.0,
        kept: kept.clone(),
    };
    append_saved(&head, out).expect("it holds only what can be written");
    let sum = sum([&out[FIXED_BYTES..], save]);
    out[FIXED_BYTES - 4..FIXED_BYTES].copy_from_slice(&sum.to_le_bytes());
}

/// What a checkpoint says at `now`, and the save.
pub(crate) fn open(bytes: &[u8], now: Date) -> Result<(Head, &[u8]), Unreadable> {
    let magic = bytes.split_first_chunk::<4>();
    let (_, rest) = magic
        .filter(|(magic, _)| **magic == MAGIC)
        .ok_or(Unreadable::Foreign)?;
    let (format, rest) = rest.split_first_chunk().ok_or(Unreadable::Torn)?;
    let format = u16::from_le_bytes(*format);
    if format != FORMAT {
        return Err(Unreadable::Format(format));
    }
    if bytes.len() as u64 > CHECKPOINT_BYTES_MAX {
        return Err(Unreadable::TooBig);
    }
    let (told, mut rest) = rest.split_first_chunk().ok_or(Unreadable::Torn)?;
    if u32::from_le_bytes(*told) != sum([rest, &[]]) {
        return Err(Unreadable::Torn);
    }
    // No more is set aside for it than it may have.
    let mut front = &rest[..rest.len().min(HEAD_BYTES_MAX)];
    let length = front.len();
    let mut head: Head = take_saved(&mut front).map_err(|_| Unreadable::Torn)?;
    rest = &rest[length - front.len()..];
    let since = now.seconds_after(Date(head.saved_at));
    head.kept.pass(since);
    Ok((head, rest))
}

/// Tells damage by chance, not by will.
fn sum(parts: [&[u8]; 2]) -> u32 {
    let mut crc = Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

/// Has a checkpoint read that was made up, behind a header that is right: what is read is what is
/// written again. For the fuzz target `checkpoint`, and for the test that runs again what it found.
///
/// # Panics
/// When something is found.
#[cfg(any(test, fuzzing))]
pub(crate) fn hostile(input: &[u8]) {
    let now = Date(1_000_000);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&sum([input, &[]]).to_le_bytes());
    bytes.extend_from_slice(input);
    let Ok((mut head, save)) = open(&bytes, now) else {
        return;
    };
    let mut again = Vec::new();
    seal(&head.game, head.room, &head.kept, now, save, &mut again);
    again.extend_from_slice(save);
    head.saved_at = now.0;
    assert_eq!(open(&again, now), Ok((head, save)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Date = Date(1_000_000);

    fn sealed() -> Vec<u8> {
        sealed_of(&Kept::default())
    }

    fn sealed_of(kept: &Kept) -> Vec<u8> {
        let mut bytes = Vec::new();
        seal("chess", RoomId(7), kept, NOW, b"a save", &mut bytes);
        bytes.extend_from_slice(b"a save");
        bytes
    }

    #[test]
    fn the_kept_corpus_finds_nothing() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/fuzz/corpus/checkpoint"
        );
        for (name, bytes) in [
            ("alone", sealed()),
            ("kept_out", sealed_of(&Kept::sample())),
        ] {
            let path = std::path::Path::new(folder).join(name);
            let bytes = &bytes[FIXED_BYTES..];
            if std::env::var_os("TICKWIRE_BLESS").is_some() {
                std::fs::create_dir_all(folder).unwrap();
                std::fs::write(&path, bytes).unwrap();
            }
            let kept = std::fs::read(&path).unwrap_or_default();
            assert!(kept == bytes, "{name}: TICKWIRE_BLESS=1 writes it anew");
        }
        for file in std::fs::read_dir(folder).unwrap() {
            hostile(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn what_comes_before_a_save_is_no_longer_than_it_may_be() {
        let mut bytes = Vec::new();
        let kept = Kept::default();
        let name = "x".repeat(HEAD_BYTES_MAX);
        seal(&name, RoomId(7), &kept, NOW, b"a save", &mut bytes);
        bytes.extend_from_slice(b"a save");
        assert_eq!(open(&bytes, NOW), Err(Unreadable::Torn));
    }

    #[test]
    fn what_was_sealed_is_read_again() {
        let bytes = sealed();
        let (head, save) = open(&bytes, NOW).unwrap();
        assert_eq!((&*head.game, head.room), ("chess", RoomId(7)));
        assert_eq!(save, b"a save");
    }

    #[test]
    fn what_is_cut_changed_newer_or_something_else_is_told_apart() {
        let bytes = sealed();
        assert_eq!(open(b"", NOW), Err(Unreadable::Foreign));
        assert_eq!(open(b"#!/bin/sh", NOW), Err(Unreadable::Foreign));
        for length in 4..bytes.len() {
            assert_eq!(
                open(&bytes[..length], NOW),
                Err(Unreadable::Torn),
                "{length}"
            );
        }
        for at in FIXED_BYTES - 4..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed, NOW), Err(Unreadable::Torn), "{at}");
        }
        let mut newer = bytes.clone();
        newer[4] = 2;
        assert_eq!(open(&newer, NOW), Err(Unreadable::Format(2)));
        let mut longer = bytes;
        longer.resize(CHECKPOINT_BYTES_MAX as usize + 1, 0);
        assert_eq!(open(&longer, NOW), Err(Unreadable::TooBig));
    }
}
