//! Secrets that the operator keeps in files. On a command line every process of the machine could
//! read them.

use std::path::Path;

use crate::config::{ConfigError, read_file};

/// Bytes of a secret at least: as many as SHA-256 gives. Shorter ones can be guessed.
pub(super) const SECRET_BYTES_MIN: usize = 32;

/// A secret, without the line break that editors put at a file's end. `setting` names the file to a
/// person.
///
/// # Errors
/// One line: the file can't be read, or has fewer than [`SECRET_BYTES_MIN`] bytes.
pub(super) fn secret(path: &Path, setting: &str) -> Result<Vec<u8>, ConfigError> {
    long_enough(read_file(path, setting)?, path, setting)
}

/// The secret in a file's bytes, as [`secret`].
///
/// # Errors
/// One line: they are too few.
pub(super) fn long_enough(
    mut bytes: Vec<u8>,
    path: &Path,
    setting: &str,
) -> Result<Vec<u8>, ConfigError> {
    bytes.truncate(bytes.trim_ascii_end().len());
    if bytes.len() < SECRET_BYTES_MIN {
        return Err(ConfigError::new(format!(
            "{setting} {} has {} bytes, a secret needs {SECRET_BYTES_MIN}",
            path.display(),
            bytes.len()
        )));
    }
    Ok(bytes)
}
