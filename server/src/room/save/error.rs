//! Why a room can't be taken out of its process, or put back.

use std::fmt;

use tickwire::codec::{SAVE_BYTES_MAX, SavedError};

/// The format of saved rooms: rises when what follows a save's header changes.
pub(super) const FORMAT: u16 = 7;

/// Why a room can't be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveError {
    /// The game holds a component or resource that it does not declare with
    /// [`crate::game::Schema::saved`] or [`crate::game::Schema::unsaved`], beside those named here.
    Undeclared(String),
    /// An entity has no components, or a resource was taken out of the world for good.
    Bare,
    /// Of components that entities have together, which are named here, one is kept in a sparse
    /// set.
    Sparse(String),
    /// The world has data that is bound to a thread.
    NonSend,
    /// A value that serde refused to write, and why.
    Value(&'static str, SavedError),
    /// [`crate::game::Game::save`] refused.
    Game(String),
    /// Its entities were reused more often than could be made up for.
    Old,
    /// It has so many archetypes, more than are made again.
    Archetypes(usize),
    /// It has so many bytes, more than [`SAVE_BYTES_MAX`].
    TooBig(usize),
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SaveError::Undeclared(names) => write!(
                f,
                "the game has a component or resource, beside [{names}], that it declares neither as `saved` nor as `unsaved`"
            ),
            SaveError::Bare => f.write_str("an entity has no components, or a resource is gone"),
            SaveError::Sparse(names) => write!(f, "one of [{names}] is kept in a sparse set"),
            SaveError::NonSend => f.write_str("the game's world has data that is not Send"),
            SaveError::Value(name, error) => write!(f, "{name}: {error}"),
            SaveError::Game(error) => write!(f, "the game: {error}"),
            SaveError::Old => f.write_str("its entities were reused too often"),
            SaveError::Archetypes(count) => {
                write!(f, "its entities have {count} sets of components")
            }
            SaveError::TooBig(bytes) => {
                write!(f, "{bytes} bytes, more than {SAVE_BYTES_MAX}")
            }
        }
    }
}

impl std::error::Error for SaveError {}

/// Why a room can't be made of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// It is no room.
    Foreign,
    /// It is of this format, which is newer than what this server reads, or no longer read.
    Format(u16),
    /// Something of it is missing or was changed.
    Damaged,
    /// It is of another game, or of another version of this one.
    OtherGame,
    /// What it says can't be: it was made up, or the game is not what it was.
    Unsound(&'static str),
    /// [`crate::game::Game::load`] refused.
    Game(String),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Foreign => f.write_str("this is no saved room"),
            RestoreError::Format(format) => {
                write!(f, "format {format} of saved rooms, not {FORMAT}")
            }
            RestoreError::Damaged => f.write_str("the saved room is cut off or damaged"),
            RestoreError::OtherGame => {
                f.write_str("the room is of another game, or another version of this one")
            }
            RestoreError::Unsound(why) => write!(f, "the saved room can't be: {why}"),
            RestoreError::Game(error) => write!(f, "the game: {error}"),
        }
    }
}

impl std::error::Error for RestoreError {}
