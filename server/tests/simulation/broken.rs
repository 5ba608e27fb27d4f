//! What a broken invariant is called, and where it broke.

use std::fmt;

/// The invariants that are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// A client's image is the server's world at that tick, for each layer that it holds.
    Image,
    /// A handle names one thing for ever, and a thing has one handle.
    Handles,
    /// What was said arrives once, in order, and at those who were meant.
    Messages,
    /// A private value is with those who may know it.
    Privacy,
    /// What waits, is in flight or is encoded stays within its limits.
    Limits,
    /// Both ends keep to the protocol.
    Protocol,
    /// A seat is its player's for as long as it is held, and held only for who knows of it.
    Seats,
    /// A process that is killed loses a second of its rooms at most.
    Restart,
    /// Who reads again holds the current tick soon, and nobody is closed without a reason.
    Liveness,
}

/// A broken invariant.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) check: Check,
    pub(crate) what: String,
}

impl Broken {
    pub(crate) fn new(check: Check, what: impl Into<String>) -> Broken {
        Broken {
            check,
            what: what.into(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.check, self.what)
    }
}
