//! What `fanout-yardstick` measures: the CPU that a snapshot costs the whole server, beside a bare
//! event-driven loop that sends as many bytes as often and counts what it reads. Each runs in a
//! process of its own, the clients of both in a third. `bin/fanout_yardstick.rs` calls it.
//!
//! - `bare`: the loop that the server is compared with.
//! - `load`: the clients, cheap and polling; `join` is how they come into their rooms, `wire` their
//!   frames.
//! - `process`: how the processes are started, pinned and accounted for.
//! - `contest`: pairs of runs, and the ramp; `run` is what came of one.

pub mod bare;
mod contest;
mod join;
pub mod load;
mod process;
mod report;
mod run;
mod wire;

pub use contest::Contest;
pub use process::Role;
pub use report::{RATIO_MAX, Report, Row};
pub use run::Step;

/// Clients of a room.
pub const ROOM: usize = 50;
/// Ticks, snapshots and inputs a second.
pub const RATE: u64 = 20;
