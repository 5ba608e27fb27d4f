//! Who a node is: what stays the same over its incarnations, and the next one's number.

use std::time::{Duration, Instant};

use crate::auth::Entropy;
use crate::config::ConfigError;
use crate::directory::ownership::messages::Incarnation;
use crate::directory::ownership::{Ownership, Timing};

/// See the module's description.
pub(super) struct Name {
    /// When its own time began.
    pub(super) began: Instant,
    /// Where its peers reach it.
    pub(super) node: String,
    /// Where clients do.
    pub(super) url: String,
    pub(super) timing: Timing,
    /// Rooms that it may have at once.
    pub(super) rooms_max: usize,
}

impl Name {
    /// The ownership of an incarnation that begins.
    pub(super) fn ownership(&self, now: Duration, me: Incarnation) -> Ownership {
        let (node, url) = (self.node.clone(), self.url.clone());
        let own = Ownership::new(now, me, node, url, self.timing, me.0);
        own.with_places(self.rooms_max)
    }
}

/// A number that no other incarnation has.
pub(super) fn incarnation(entropy: &Entropy) -> Result<Incarnation, ConfigError> {
    let number = entropy.bytes();
    let number = number.map_err(|e| ConfigError::new(format!("no random numbers: {e}")))?;
    Ok(Incarnation(u64::from_le_bytes(number)))
}
