//! Starts servers for tests and benches, and is what tests that meet a server's ports would write
//! anew each: a process of the real program ([`Running`]), a server of any game within the test's
//! own process ([`Server`]), frames, files, what a process uses. Not for programs: what fails here
//! panics, as a test should, and names why.
//!
//! Ports are free ones of this machine. Nothing sleeps until a server may be there: it says when it
//! is.

pub mod file;
pub mod frames;
pub mod inside;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod usage;

use std::time::Duration;

pub use file::File;
pub use inside::{Server, figure};
pub use postgres::Postgres;
pub use process::{Process, Running, binary, server};
pub use redis::Redis;

/// Longest that anything here may take; only a fault makes it matter.
pub const PATIENCE: Duration = Duration::from_secs(20);
