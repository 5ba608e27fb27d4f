//! The operator's proof towards the administration of a running server: a secret in the header of
//! each request. Its hash alone is kept, and hashes are compared in constant time, so that neither
//! a dump of the memory nor the time of an answer says anything about it.

use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};

use super::secret_file::secret;
use crate::config::ConfigError;

/// What is kept of the token.
pub(crate) struct AdminToken(Digest);

impl AdminToken {
    /// From the file that the setting names.
    ///
    /// # Errors
    /// One line: it can't be read, is too short to be safe, or can't stand in a header.
    pub(crate) fn read(path: &Path) -> Result<AdminToken, ConfigError> {
        let setting = "admin-token-file";
        let token = secret(path, setting)?;
        if !token.iter().all(u8::is_ascii_graphic) {
            let shown = path.display();
            return Err(ConfigError::new(format!(
                "{setting} {shown} has characters that a header can't carry: letters, digits and signs only"
            )));
        }
        Ok(AdminToken(digest(&SHA256, &token)))
    }

    /// Whether somebody brings it.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        let presented = digest(&SHA256, presented);
        verify_slices_are_equal(presented.as_ref(), self.0.as_ref()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<AdminToken, String> {
        let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let token = AdminToken::read(&path).map_err(|e| e.to_string());
        std::fs::remove_file(path).unwrap();
        token
    }

    #[test]
    fn one_token_is_right_and_weak_ones_end_the_start() {
        let token = b"0123456789abcdef0123456789abcdef\n";
        let read_token = read("admin", token).unwrap();
        assert!(read_token.is(&token[..32]));
        for wrong in [&token[..31], &token[..], b"", &token[1..]] {
            assert!(!read_token.is(wrong));
        }
        let short = read("admin-short", &token[..31]).err().unwrap();
        assert!(short.contains("needs 32"), "{short}");
        let spaced = read("admin-spaced", &[b"two words".as_slice(), token].concat());
        let spaced = spaced.err().unwrap();
        assert!(
            spaced.contains("header") && !spaced.contains("words"),
            "{spaced}"
        );
    }
}
