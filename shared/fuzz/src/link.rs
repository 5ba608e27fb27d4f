//! The way into what the server reads of a cluster's other nodes: the files themselves, so that
//! fuzzing builds no server.

#[path = "../../../server/src/cluster/link/tests/decoded.rs"]
mod decoded;
#[path = "../../../server/src/cluster/link/wire.rs"]
mod wire;

/// Runs one input.
pub(crate) fn run(bytes: &[u8]) {
    decoded::run(bytes);
}
