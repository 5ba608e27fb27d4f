//! Why a recording can't be had: of motion here, of images in `image_tape`.

use std::fmt;

/// Why a recording can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TapeError {
    /// The file can't be read; why, in the system's words.
    Unreadable(String),
    /// The bytes are not a recording.
    Broken,
}

impl fmt::Display for TapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TapeError::Unreadable(why) => write!(f, "recording can't be read: {why}"),
            TapeError::Broken => f.write_str("not a recording"),
        }
    }
}

impl std::error::Error for TapeError {}
