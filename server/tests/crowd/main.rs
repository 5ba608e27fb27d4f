//! Crowds against a server in a process of its own, because memory, descriptors and CPU are a
//! process's. By hand, one at a time:
//!
//! `cargo test --release -p tickwire-server --test crowd -- --ignored --nocapture --test-threads 1`
#![allow(clippy::unwrap_used)]

mod burst;
mod clients;
mod memory;
mod process;
