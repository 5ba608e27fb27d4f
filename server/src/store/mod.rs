//! What outlasts the process, in whole documents: read at the start, replaced at once or not at
//! all. What a document says is its owner's business (`moderation::kept`). [`files`] keeps each in
//! a file of its own; another kind is a new file here.

pub(crate) mod files;

use std::io;

use crate::config::ConfigError;

/// A place for one document.
pub(crate) trait Store: Send + Sync {
    /// The operator's word for it and where it is, for messages.
    fn name(&self) -> String;

    /// The document, `None` if there is none yet.
    ///
    /// # Errors
    /// One line: it can't be read.
    fn read(&self) -> Result<Option<Vec<u8>>, ConfigError>;

    /// Puts this in its place. May block on a disk: not for an async task or a worker.
    ///
    /// # Errors
    /// The system's; the old document is whole then.
    fn replace(&self, document: &[u8]) -> io::Result<()>;
}
