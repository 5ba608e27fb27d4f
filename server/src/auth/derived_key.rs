//! A key that is made of a secret of the server's, which signs other things too: one for each purpose,
//! so that no MAC that is made for one is taken for another's. Whoever has the secret has them all.
//! Seats' tokens, handles and the marks of boards have one each; those of a cluster, which go to other
//! nodes, are `cluster_keys`'.

use std::fmt;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, sign};

/// See the module's description. Clones are the same key.
#[derive(Clone)]
pub(super) struct DerivedKey(Key);

/// It belongs into no log.
impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(..)")
    }
}

impl DerivedKey {
    /// That of a purpose. What is written here for one stays, for what was made with it is kept.
    pub(super) fn new(secret: &[u8], purpose: &[u8]) -> DerivedKey {
        let derived = sign(&Key::new(HMAC_SHA256, secret), purpose);
        DerivedKey(Key::new(HMAC_SHA256, derived.as_ref()))
    }

    /// A MAC that begins with what it is for.
    pub(super) fn mac(&self, domain: &[u8]) -> Context {
        let mut mac = Context::with_key(&self.0);
        mac.update(domain);
        mac
    }
}

/// Bytes as small hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another implementation (Python's `hmac`): what was stored by it is found.
    #[test]
    fn a_purpose_has_a_key_of_its_own_and_the_same_for_good() {
        let tag = |secret: &[u8], purpose: &[u8]| {
            let mac = DerivedKey::new(secret, purpose).mac(b"for ");
            digits(mac.sign().as_ref())
        };
        assert_eq!(
            tag(b"secret", b"purpose 1"),
            "47726f9df192eceb2837625a0882da518ee29052bac1acffd07495bfd1601e48"
        );
        assert_ne!(tag(b"secret", b"purpose 1"), tag(b"secret", b"purpose 2"));
        assert_ne!(tag(b"secret", b"purpose 1"), tag(b"other", b"purpose 1"));
        let shown = format!("{:?}", DerivedKey::new(b"secret", b"purpose 1"));
        assert_eq!(shown, "(..)");
    }
}
