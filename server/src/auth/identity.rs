//! Who a player is to the operator and the game, beyond one connection.

use std::fmt;
use std::sync::Arc;

/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 128;

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

    /// From how it is shown, `guest:…` or `user:…`; `None` if it can't be anybody's.
    pub(crate) fn read(text: &str) -> Option<Identity> {
        let (is_guest, subject) = match text.split_once(':')? {
            ("guest", subject) => (true, subject),
            ("user", subject) => (false, subject),
            _ => return None,
        };
        is_subject(subject).then(|| Identity {
            subject: subject.into(),
            is_guest,
        })
    }
}

/// Whether a token may call somebody so.
pub(super) fn is_subject(text: &str) -> bool {
    let chars = text.chars().count();
    (1..=SUBJECT_CHARS_MAX).contains(&chars) && !text.chars().any(char::is_control)
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
