//! The hand-packed messages: input and ack from a client, the head and sections of a snapshot
//! from the server. What is inside a layer's body is `snapshot::delta`'s.

use std::fmt;

use super::Kind;
use crate::ids::Tick;

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// They end too early.
    Truncated,
    /// Bytes are left over.
    Trailing,
    /// The first byte is no kind, or not the one asked for.
    UnknownKind,
    /// A section is of no known kind.
    UnknownSection,
    /// A varint that does not fit 32 bits or is longer than need be.
    BadVarint,
    /// A bit of a snapshot's head is set that means nothing.
    UnknownFlag,
    /// Longer than [`crate::limits::SERVER_MESSAGE_BYTES_MAX`].
    TooLong,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FrameError::Truncated => "message ends too early",
            FrameError::Trailing => "bytes after the message",
            FrameError::UnknownKind => "unknown message kind",
            FrameError::UnknownSection => "unknown section kind",
            FrameError::BadVarint => "varint out of range",
            FrameError::UnknownFlag => "unknown flag in a snapshot",
            FrameError::TooLong => "message too long",
        })
    }
}

impl std::error::Error for FrameError {}

/// Bytes of an input before its fields.
pub const INPUT_HEAD_BYTES: usize = 11;

/// What comes before an input's fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputHead {
    /// The tick it is for.
    pub tick: Tick,
    /// The newest snapshot applied, 0 for none.
    pub ack: Tick,
    /// How far behind `ack` the player saw the others, in 1/64 ticks; below 0 ahead of it, as it is
    /// when snapshots are late.
    pub view_lag: i16,
}

impl InputHead {
    /// Appends kind and head.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Kind::State as u8);
        out.extend_from_slice(&self.tick.0.to_le_bytes());
        out.extend_from_slice(&self.ack.0.to_le_bytes());
        out.extend_from_slice(&self.view_lag.to_le_bytes());
    }

    /// Reads kind and head; the rest are the fields.
    pub fn decode(bytes: &[u8]) -> Result<(InputHead, &[u8]), FrameError> {
        let (head, fields) = split(bytes, INPUT_HEAD_BYTES)?;
        if head[0] != Kind::State as u8 {
            return Err(FrameError::UnknownKind);
        }
        let head = InputHead {
            tick: Tick(u32_at(head, 1)),
            ack: Tick(u32_at(head, 5)),
            view_lag: i16::from_le_bytes([head[9], head[10]]),
        };
        Ok((head, fields))
    }
}

/// An acknowledgement alone: the newest snapshot applied.
pub fn encode_ack(ack: Tick, out: &mut Vec<u8>) {
    out.push(Kind::Ack as u8);
    out.extend_from_slice(&ack.0.to_le_bytes());
}

/// Reads an acknowledgement.
pub fn decode_ack(bytes: &[u8]) -> Result<Tick, FrameError> {
    let (ack, rest) = split(bytes, 5)?;
    if ack[0] != Kind::Ack as u8 {
        return Err(FrameError::UnknownKind);
    }
    if !rest.is_empty() {
        return Err(FrameError::Trailing);
    }
    Ok(Tick(u32_at(ack, 1)))
}

/// Bytes of a snapshot before its sections.
pub const SNAPSHOT_HEAD_BYTES: usize = 11;

/// The part of a snapshot that is the client's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The tick that it shows.
    pub tick: Tick,
    /// The newest tick whose input came in time and was taken, 0 for none.
    pub input_tick: Tick,
    /// Whether this tick's input was missing and replaced.
    pub substituted: bool,
    /// Newest tick for which an input has arrived, less `tick`, in ticks; -128 for none yet.
    pub slack: i8,
}

impl SnapshotHead {
    /// Appends kind and head.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(Kind::State as u8);
        out.extend_from_slice(&self.tick.0.to_le_bytes());
        out.extend_from_slice(&self.input_tick.0.to_le_bytes());
        out.push(u8::from(self.substituted));
        out.push(self.slack as u8);
    }

    /// Reads kind and head; the rest are the sections.
    pub fn decode(bytes: &[u8]) -> Result<(SnapshotHead, Sections<'_>), FrameError> {
        let (head, rest) = split(bytes, SNAPSHOT_HEAD_BYTES)?;
        if head[0] != Kind::State as u8 {
            return Err(FrameError::UnknownKind);
        }
        if head[9] > 1 {
            return Err(FrameError::UnknownFlag);
        }
        let head = SnapshotHead {
            tick: Tick(u32_at(head, 1)),
            input_tick: Tick(u32_at(head, 5)),
            substituted: head[9] == 1,
            slack: head[10] as i8,
        };
        Ok((head, Sections { rest }))
    }
}

/// What a section of a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SectionKind {
    /// A layer's body, `snapshot::delta`.
    Layer = 1,
    /// Events, oldest first.
    Events = 2,
}

/// Appends a section: kind, length as a varint, bytes.
pub fn push_section(kind: SectionKind, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind as u8);
    push_varint(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}

/// The sections of a snapshot, in order; an error ends it.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<(SectionKind, &'a [u8]), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, rest) = self.rest.split_first()?;
        self.rest = &[];
        let kind = match kind {
            1 => SectionKind::Layer,
            2 => SectionKind::Events,
            _ => return Some(Err(FrameError::UnknownSection)),
        };
        let section = take_varint(rest).and_then(|(length, rest)| split(rest, length as usize));
        Some(section.map(|(bytes, rest)| {
            self.rest = rest;
            (kind, bytes)
        }))
    }
}

/// Appends an unsigned LEB128 number, 1 to 5 bytes.
pub fn push_varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads an unsigned LEB128 number in its shortest form; the rest follows it.
pub fn take_varint(bytes: &[u8]) -> Result<(u32, &[u8]), FrameError> {
    let mut value: u64 = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            let longer = byte == 0 && index > 0;
            let value = u32::try_from(value).map_err(|_| FrameError::BadVarint)?;
            return if longer {
                Err(FrameError::BadVarint)
            } else {
                Ok((value, &bytes[index + 1..]))
            };
        }
    }
    Err(if bytes.len() < 5 {
        FrameError::Truncated
    } else {
        FrameError::BadVarint
    })
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), FrameError> {
    bytes.split_at_checked(at).ok_or(FrameError::Truncated)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
