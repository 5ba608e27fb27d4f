//! What the fuzz targets in `shared/fuzz` have of the server: built for them alone.

use crate::checkpoint::envelope;
use crate::config;
use crate::room::hostile;

/// See `directory::ownership::messages`, which the targets build by themselves.
pub const NODE_URL_BYTES_MAX: usize = config::NODE_URL_BYTES_MAX;
/// The same.
pub const PEER_ADDRESS_BYTES_MAX: usize = config::PEER_ADDRESS_BYTES_MAX;

/// Has a room made of a save's body.
///
/// # Panics
/// When something is found.
pub fn restore(input: &[u8]) {
    hostile::restore(input);
}

/// Has a checkpoint's body read.
///
/// # Panics
/// When something is found.
pub fn checkpoint(input: &[u8]) {
    envelope::hostile(input);
}
