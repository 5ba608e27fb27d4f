//! The hand-packed messages: input and ack from a client, the head and sections of a snapshot
//! from the server. What is inside a layer's body is `snapshot::delta`'s.

use std::fmt;

use super::Kind;
use crate::ids::{LayerId, Tick};

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// They end too early.
    Truncated,
    /// Bytes are left over.
    Trailing,
    /// The first byte is no kind, or not the one asked for.
    UnknownKind,
    /// A section is of no known kind, and of none that is passed over.
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

/// Bytes of a snapshot before its sections, where nothing else is in its head.
pub const SNAPSHOT_HEAD_BYTES: usize = 11;

/// Flag of a snapshot's head: this tick's input was replaced.
const SUBSTITUTED: u8 = 1;
/// Flags of those to come: behind the head each has a varint length and so many bytes, which are
/// passed over by who does not know them. The flags between mean nothing.
const RESERVED_FLAGS: u8 = 0xF0;

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
        out.push(if self.substituted { SUBSTITUTED } else { 0 });
        out.push(self.slack as u8);
    }

    /// Reads kind and head; the rest are the sections.
    pub fn decode(bytes: &[u8]) -> Result<(SnapshotHead, Sections<'_>), FrameError> {
        let (head, mut rest) = split(bytes, SNAPSHOT_HEAD_BYTES)?;
        if head[0] != Kind::State as u8 {
            return Err(FrameError::UnknownKind);
        }
        if head[9] & !(SUBSTITUTED | RESERVED_FLAGS) != 0 {
            return Err(FrameError::UnknownFlag);
        }
        for _ in 0..(head[9] & RESERVED_FLAGS).count_ones() {
            (_, rest) = take_sized(rest)?;
        }
        let head = SnapshotHead {
            tick: Tick(u32_at(head, 1)),
            input_tick: Tick(u32_at(head, 5)),
            substituted: head[9] & SUBSTITUTED != 0,
            slack: head[10] as i8,
        };
        Ok((head, Sections { rest }))
    }
}

/// What a section of a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// The body of a layer, `snapshot::delta`; the kind is its number.
    Layer(LayerId),
    /// Events, oldest first.
    Events,
    /// Numbers of the layers that are held no longer, a byte each.
    Closed,
}

/// Kinds of sections that are no layers.
const EVENTS: u8 = 124;
const CLOSED: u8 = 125;
/// From here on sections are passed over by who does not know what is in them.
const RESERVED: u8 = 128;

impl SectionKind {
    /// Its byte.
    ///
    /// # Panics
    /// Beyond the last layer: nobody is given a number like that.
    pub fn byte(self) -> u8 {
        match self {
            SectionKind::Layer(layer) => {
                assert!(layer <= LayerId::LAST, "layer {layer}");
                layer.0 as u8
            }
            SectionKind::Events => EVENTS,
            SectionKind::Closed => CLOSED,
        }
    }

    /// `None` for one that is passed over.
    fn from_byte(byte: u8) -> Result<Option<SectionKind>, FrameError> {
        match byte {
            EVENTS => Ok(Some(SectionKind::Events)),
            CLOSED => Ok(Some(SectionKind::Closed)),
            RESERVED.. => Ok(None),
            _ if u16::from(byte) <= LayerId::LAST.0 => {
                Ok(Some(SectionKind::Layer(LayerId(byte.into()))))
            }
            _ => Err(FrameError::UnknownSection),
        }
    }
}

/// Appends a section: kind, length as a varint, bytes.
pub fn push_section(kind: SectionKind, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind.byte());
    push_sized(bytes, out);
}

/// Appends a length as a varint and so many bytes: what follows a section's kind.
pub fn push_sized(bytes: &[u8], out: &mut Vec<u8>) {
    push_varint(bytes.len() as u32, out);
    out.extend_from_slice(bytes);
}

/// The sections of a snapshot that this version knows, in order; an error ends it.
#[derive(Clone, Copy, Debug)]
pub struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<(SectionKind, &'a [u8]), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (&kind, rest) = std::mem::take(&mut self.rest).split_first()?;
            let section = SectionKind::from_byte(kind).and_then(|kind| {
                let (bytes, rest) = take_sized(rest)?;
                self.rest = rest;
                Ok(kind.map(|kind| (kind, bytes)))
            });
            if let Some(section) = section.transpose() {
                return Some(section);
            }
        }
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

/// Reads a varint length and so many bytes; the rest follows them.
fn take_sized(bytes: &[u8]) -> Result<(&[u8], &[u8]), FrameError> {
    let (length, rest) = take_varint(bytes)?;
    split(rest, length as usize)
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), FrameError> {
    bytes.split_at_checked(at).ok_or(FrameError::Truncated)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
