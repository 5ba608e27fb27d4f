//! By what players address one another: a text that is somebody's for good, and that says nothing of
//! who they are to the operator or of how they prove it. It is no secret and opens nothing: a keyed
//! hash of the identity, from which neither the identity nor a token can be had, nor whether a name
//! that somebody guesses is theirs. `people` gives handles out.

use std::fmt;

use aws_lc_rs::hmac::Tag;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tickwire::limits::HANDLE_CHARS;

use super::Identity;
use super::derived_key::{DerivedKey, digits};

/// Bytes of a handle, the first of an HMAC-SHA-256: of a thousand million players two have the same
/// one with a probability of 1 in 10^11, and nobody guesses one.
const HANDLE_BYTES: usize = HANDLE_CHARS / 4 * 3;
/// Bytes of the key of a channel of two, which is never told.
const CHANNEL_BYTES: usize = 16;
/// What the key is derived for, and what each hash begins with.
const DOMAIN: &[u8] = b"tickwire handle 1";
const DOMAIN_OF_TWO: &[u8] = b"tickwire channel of two 1";

/// A player's handle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Handle([u8; HANDLE_BYTES]);

impl Handle {
    /// From how it is shown; `None`: it can be nobody's.
    pub(crate) fn read(text: &str) -> Option<Handle> {
        let digits: &[u8; HANDLE_CHARS] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; HANDLE_BYTES];
        let read = URL_SAFE_NO_PAD.decode_slice(digits, &mut bytes).ok()?;
        (read == HANDLE_BYTES).then_some(Handle(bytes))
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What handles are made with. Clones are the same key.
#[derive(Clone, Debug)]
pub(crate) struct HandleKey(DerivedKey);

impl HandleKey {
    /// Derived from a secret.
    pub(crate) fn derive(secret: &[u8]) -> HandleKey {
        HandleKey(DerivedKey::new(secret, DOMAIN))
    }

    /// A player's.
    pub(crate) fn handle(&self, of: &Identity) -> Handle {
        let tag = self.tag(DOMAIN, &[of]);
        let mut bytes = [0; HANDLE_BYTES];
        bytes.copy_from_slice(&tag.as_ref()[..HANDLE_BYTES]);
        Handle(bytes)
    }

    /// The key by which what two players say to one another is stored: the same for both, and it
    /// names neither.
    pub(crate) fn channel_of_two(&self, one: &Identity, other: &Identity) -> String {
        let tag = self.tag(DOMAIN_OF_TWO, &[one.min(other), one.max(other)]);
        format!("two:{}", digits(&tag.as_ref()[..CHANNEL_BYTES]))
    }

    fn tag(&self, domain: &[u8], of: &[&Identity]) -> Tag {
        let mut mac = self.0.mac(domain);
        for identity in of {
            // Where one ends and the next begins is no question of what they are called.
            mac.update(&(identity.subject.len() as u64).to_le_bytes());
            mac.update(&[u8::from(identity.is_guest)]);
            mac.update(identity.subject.as_bytes());
        }
        mac.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(text: &str) -> Identity {
        Identity::read(text).unwrap()
    }

    #[test]
    fn it_is_one_persons_under_one_key_and_is_read_as_it_is_shown() {
        let key = HandleKey::derive(b"secret");
        let all = ["user:ann", "guest:ann", "user:an", "user:bo"].map(|of| key.handle(&who(of)));
        for (place, handle) in all.iter().enumerate() {
            assert!(!all[..place].contains(handle), "{handle}");
            let text = handle.to_string();
            assert_eq!(text.len(), HANDLE_CHARS);
            assert_eq!(Handle::read(&text), Some(*handle));
        }
        assert_eq!(key.handle(&who("user:ann")), all[0]);
        assert_ne!(HandleKey::derive(b"other").handle(&who("user:ann")), all[0]);
        for none in [
            "",
            "x",
            &"x".repeat(15),
            &"x".repeat(17),
            "xxxxxxxxxxxxxxx+",
            "xxxxxxxxxxxxxxxé",
        ] {
            assert_eq!(Handle::read(none), None, "{none}");
        }
        assert_eq!(Handle([0xfb; 12]).to_string(), "-_v7-_v7-_v7-_v7");
    }

    #[test]
    fn a_channel_is_that_of_its_two_whoever_speaks() {
        let key = HandleKey::derive(b"secret");
        let channel = |one, other| key.channel_of_two(&who(one), &who(other));
        let theirs = channel("user:ann", "user:bo");
        assert_eq!(channel("user:bo", "user:ann"), theirs);
        assert_ne!(channel("user:ann", "user:b"), theirs);
        assert_ne!(channel("user:annb", "user:o"), theirs);
        assert!(!theirs.contains("ann"), "{theirs}");
    }
}
