//! The fuzz targets' way into `shared/tests/codec/hostile`, where they are written: the same code
//! replays the kept corpus in an ordinary test. Called by `fuzz_targets`.

// What only the tests call.
#![allow(dead_code)]

/// What `engine` needs of the server's settings.
mod config {
    pub(crate) use tickwire_server::fuzzing::{NODE_URL_BYTES_MAX, PEER_ADDRESS_BYTES_MAX};
}
mod engine;
#[path = "../../tests/codec/groups.rs"]
mod groups;
#[path = "../../tests/codec/history.rs"]
mod history;
#[path = "../../tests/codec/hostile/mod.rs"]
mod hostile;
mod link;

/// Runs one input through a target.
///
/// # Panics
/// When the target finds something, or is none.
pub fn run(target: &str, bytes: &[u8]) {
    hostile::run(target, bytes);
}

/// Runs one input through what reads a cluster's engine.
///
/// # Panics
/// When it finds something.
pub fn run_engine(bytes: &[u8]) {
    engine::run(bytes);
}

/// Runs one input through what reads a cluster's other nodes.
///
/// # Panics
/// When it finds something.
pub fn run_link(bytes: &[u8]) {
    link::run(bytes);
}
