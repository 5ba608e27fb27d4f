//! Who a player is to the operator and the game, beyond one connection.

use std::fmt;
use std::sync::Arc;

/// An identity that a token proved. Comparing two says whether they are the same person.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// What the token calls them, its `sub`: 1 to 128 characters. A guest's is random.
    pub subject: Arc<str>,
    /// Whether the server made it up, because nobody vouched for them.
    pub is_guest: bool,
}

impl Identity {
    /// A guest without a name of their own: players of rooms in tests.
    pub fn nobody() -> Identity {
        Identity {
            subject: "".into(),
            is_guest: true,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_guest { "guest" } else { "user" };
        write!(f, "{kind}:{}", self.subject)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
