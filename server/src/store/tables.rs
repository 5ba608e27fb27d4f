//! What the writer needs of a database: [`super::sqlite`] and [`super::postgres`] are that. Called
//! by one thread, which may wait.

use std::fmt;
use std::time::Duration;

use super::value::{NoSuchValue, Row, Statement};

/// Why a transaction came to nothing, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The database takes nothing now, or said nothing: the same may do later. Whether it was done
    /// is not known.
    Away(String),
    /// It does not take this, now or later.
    Refused(String),
}

/// A row is not what it should be, which it will be as little later.
impl From<NoSuchValue> for Failure {
    fn from(wrong: NoSuchValue) -> Failure {
        Failure::Refused(wrong.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Away(why) | Failure::Refused(why)) = self;
        f.write_str(why)
    }
}

/// What is to be done where these rows were read.
pub(super) type Decide<'a> = &'a dyn Fn(&[Row]) -> Result<Vec<Statement>, NoSuchValue>;

/// See the module's description.
pub(super) trait Tables: Send {
    /// What and where it is, for messages; without a password.
    fn name(&self) -> String;

    /// Does these in one transaction, which outlasts the machine's power; how many rows the last one
    /// changed. Where another machine does it, it gets so long.
    ///
    /// # Errors
    /// See [`Failure`].
    fn commit(&mut self, statements: &[Statement], within: Duration) -> Result<u64, Failure>;

    /// Reads, and does what `decide` says comes of that, in one transaction beside which nobody else
    /// decides; how many rows were read. Where another machine does it, it gets so long.
    ///
    /// # Errors
    /// See [`Failure`].
    fn decide(
        &mut self,
        select: &Statement,
        decide: Decide<'_>,
        within: Duration,
    ) -> Result<usize, Failure>;

    /// Sees to it that nothing of rows that were deleted or blanked is left in its files, where
    /// they are the program's own.
    ///
    /// # Errors
    /// See [`Failure`].
    fn scrub(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether there is hardly any room, so that only what matters most is to come. Asked before
    /// each batch.
    fn is_short(&mut self) -> bool {
        false
    }
}
