//! The key by which guests, and whoever has a seat, are known again after a restart: where the
//! operator names none it lies with what else is kept of them, their rooms or their places on boards
//! and what they said. Where nothing is kept, or several servers keep it together in a database, a
//! server has one of its own until it ends.

use std::path::{Path, PathBuf};

use crate::auth::Entropy;
use crate::checkpoint::folder::{self, Folder};
use crate::config::{Config, ConfigError};
use crate::store::Store;

/// The file's name in the folder of rooms, and what follows the name of the store's file.
const NAME: &str = "guest-key";
/// Its bytes, which are written in hexadecimal.
const BYTES: usize = 32;

/// Names the key's file in the settings, unless they do; it is made where there is none yet.
///
/// # Errors
/// One line: it can't be read or written in the folder of rooms. Beside the store it is done
/// without, with a warning: the operator did not ask for it.
pub(super) fn settle(
    config: &mut Config,
    rooms: Option<&Folder>,
    store: &Store,
    entropy: &Entropy,
) -> Result<(), ConfigError> {
    if config.guest_key_file.is_some() || config.cluster_key_file.is_some() {
        return Ok(());
    }
    let make = || new_key(entropy);
    config.guest_key_file = match (rooms, store.file()) {
        (Some(rooms), _) => Some(rooms.secret(NAME, make)?),
        (None, Some(store)) => beside(store, make),
        (None, None) => None,
    };
    Ok(())
}

fn beside(store: &Path, make: impl FnOnce() -> Result<Vec<u8>, ConfigError>) -> Option<PathBuf> {
    let mut path = store.as_os_str().to_owned();
    path.push(format!(".{NAME}"));
    let made = folder::secret(path.into(), make);
    made.inspect_err(|error| tracing::warn!("guests are others after a restart: {error}"))
        .ok()
}

fn new_key(entropy: &Entropy) -> Result<Vec<u8>, ConfigError> {
    let key = entropy.bytes::<BYTES>();
    let key = key.map_err(|e| ConfigError::new(format!("no random numbers: {e}")))?;
    let digits = key.iter().map(|byte| format!("{byte:02x}"));
    Ok(digits.chain(["\n".to_owned()]).collect::<String>().into())
}
