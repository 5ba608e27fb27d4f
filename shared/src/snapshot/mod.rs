//! The snapshot codec: images of a layer, deltas between them, their bits and checksums.
//! Who holds which layer on which baseline is the server's `replication`.

pub mod activity;
pub mod bit_coder;
pub mod checksum;
pub mod column_set;
mod columns;
pub mod complete;
pub mod delta;
pub mod fields;
pub mod image;
pub mod layout;
pub mod predictor;
pub mod range_coder;
mod rows;
pub mod symbols;
pub mod training;

use std::fmt;

/// Why bytes are not a body, or not one for the baseline that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bits end too early.
    Truncated,
    /// Bits are left over, or the padding is not zero.
    Trailing,
    /// A number is out of its range.
    OutOfRange,
    /// A layer that the schema does not have.
    UnknownLayer,
    /// A keyframe with columns that are not its layer's.
    OtherColumns,
    /// A body that was coded by other tables than those held.
    OtherTables,
    /// An entity that is to move in from a layer where it is not held, or that is there already.
    NotHeld,
    /// A layer is closed that is not held.
    NotOpen,
    /// The body is against another baseline than the one held.
    WrongBaseline,
    /// A layer has two bodies in one snapshot.
    Twice,
    /// A text is not UTF-8.
    NotText,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DecodeError::Truncated => "snapshot ends too early",
            DecodeError::Trailing => "bits after the snapshot",
            DecodeError::OutOfRange => "number out of range in a snapshot",
            DecodeError::UnknownLayer => "unknown layer",
            DecodeError::OtherColumns => "a keyframe with another layer's columns",
            DecodeError::OtherTables => "snapshot coded by other tables",
            DecodeError::NotHeld => "an entity moves in that is not held elsewhere",
            DecodeError::NotOpen => "a layer is closed that is not held",
            DecodeError::WrongBaseline => "snapshot against a baseline that is not held",
            DecodeError::Twice => "a layer comes twice in a snapshot",
            DecodeError::NotText => "a text is not UTF-8",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Signed to unsigned, small magnitudes first: 0, -1, 1, -2 …
pub(crate) fn zigzag(n: i32) -> u32 {
    ((n << 1) ^ (n >> 31)) as u32
}

/// Inverse of [`zigzag`].
pub(crate) fn unzigzag(z: u32) -> i32 {
    ((z >> 1) as i32) ^ -((z & 1) as i32)
}
