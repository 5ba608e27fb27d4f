//! Crowds against a server in a process of its own, because memory, descriptors and CPU are a
//! process's. `make test-all` runs the large ones too, one at a time:
//!
//! `cargo test --release -p tickwire-server --test crowd -- --ignored --nocapture --test-threads 1`
#![allow(clippy::unwrap_used)]

mod burst;
mod clients;
mod memory;

use tickwire_harness::{Running, server};

/// A server with one worker and the arena, and `flags` besides.
fn start(flags: &[&str]) -> Running {
    Running::start(server(&["--workers", "1", "--seed", "1", "--log", "warn"]).args(flags))
}
