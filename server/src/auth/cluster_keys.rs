//! The keys of a cluster, all made of the one secret that its nodes have (`--cluster-key-file`): one
//! for each purpose, so that nothing that is signed for one is taken for another, and who learns one
//! knows no other. HKDF-SHA-256 (RFC 5869). Nodes of other builds must come to the same keys: what
//! is written here for a purpose stays, and a purpose that changes its meaning gets another text.

use std::fmt;
use std::path::Path;

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};

use super::secret_file::secret;
use crate::config::ConfigError;

/// What all of it is for: the same secret in another program gives other keys.
const SALT: &[u8] = b"tickwire cluster 1";

/// See the module's description.
#[derive(Clone)]
pub(crate) struct ClusterKeys {
    /// For what nodes say to each other (`cluster::link`).
    pub(crate) link: [u8; 32],
    /// For [`Tickets`](super::Tickets).
    pub(crate) tickets: [u8; 32],
    /// The key of the server's own for [`Tokens`](super::Tokens): guests and seats are the same at
    /// all nodes.
    pub(crate) tokens: [u8; 32],
    /// For the marks that stand for players' networks.
    pub(crate) networks: [u8; 32],
    /// What the cluster is known by in its engine: no secret, and nothing is signed with it.
    pub(crate) mark: [u8; 16],
}

/// They belong into no log.
impl fmt::Debug for ClusterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKeys(..)")
    }
}

impl ClusterKeys {
    /// Those of the secret in a file.
    ///
    /// # Errors
    /// One line: the file can't be read, or has less than 32 bytes.
    pub(crate) fn read(path: &Path) -> Result<ClusterKeys, ConfigError> {
        Ok(ClusterKeys::derive(&secret(path, "cluster-key-file")?))
    }

    /// Those of a secret of 32 bytes or more.
    pub(crate) fn derive(secret: &[u8]) -> ClusterKeys {
        let of = Salt::new(HKDF_SHA256, SALT).extract(secret);
        let mut mark = [0; 16];
        mark.copy_from_slice(&key(&of, b"mark")[..16]);
        ClusterKeys {
            link: key(&of, b"links"),
            tickets: key(&of, b"tickets"),
            tokens: key(&of, b"tokens"),
            networks: key(&of, b"networks"),
            mark,
        }
    }
}

/// The key for a purpose.
fn key(of: &Prk, purpose: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let purposes = [purpose];
    let filled = of
        .expand(&purposes, HKDF_SHA256)
        .and_then(|made| made.fill(&mut key));
    filled.expect("a key is as long as what SHA-256 gives");
    key
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn digits(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Computed by another implementation (RFC 5869 in Python, over `hashlib` and `hmac`).
    #[test]
    fn nodes_of_all_builds_come_to_the_same_keys() {
        let keys = ClusterKeys::derive(b"0123456789abcdef0123456789abcdef");
        let check = |key: &[u8], is: &str| assert_eq!(digits(key), is);
        check(
            &keys.link,
            "39eea483e24f48e0e06c13f349ef06de5747a7cdfc630e6f20a0594129224dbb",
        );
        check(
            &keys.tickets,
            "2ed11a8cea58afcb8089ba12b2ec559a64afcd671a8cc1161b5e00b7b91f8084",
        );
        check(
            &keys.tokens,
            "4abe9c00f149bf70269b301215676656ab121d5695f8eec23cc8b4299073d536",
        );
        check(
            &keys.networks,
            "0d235491da86a78323ebb74e6884366306996eb354c3a0cb583982632a67dafa",
        );
        check(&keys.mark, "ca4e6941ea11c65fa4bc2950f21bd6a1");
    }

    #[test]
    fn no_purpose_has_the_key_of_another_and_no_secret_that_of_another() {
        let secrets = [[1_u8; 32].as_slice(), &[2; 32], &[1; 33]];
        let all: Vec<Vec<u8>> = secrets
            .iter()
            .flat_map(|secret| {
                let keys = ClusterKeys::derive(secret);
                let long = [keys.link, keys.tickets, keys.tokens, keys.networks];
                let starts = long.map(|key| key[..16].to_vec());
                starts.into_iter().chain([keys.mark.to_vec()])
            })
            .collect();
        let different: BTreeSet<&Vec<u8>> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all.len(), 15);
    }

    #[test]
    fn a_log_has_none_of_them() {
        let shown = format!("{:?}", ClusterKeys::derive(&[7; 32]));
        assert_eq!(shown, "ClusterKeys(..)");
    }
}
