//! What `fanout-yardstick` measures: the CPU that a snapshot costs the whole server, beside a bare
//! event-driven loop that sends as many bytes as often and counts what it reads. Each runs in a process
//! of its own, the clients of both in a third. `bin/fanout_yardstick.rs` calls it.
//!
//! - `bare`: the loop that the server is compared with.
//! - `load`: the clients, cheap and polling; `join` is how they come into their rooms, `wire` their frames.
//! - `process`: how the processes are started, pinned and accounted for.
//! - `contest`: pairs of runs, and the ramp.

pub mod bare;
mod contest;
mod join;
pub mod load;
mod process;
mod report;
mod wire;

pub use contest::{Contest, Step};
pub use report::{RATIO_MAX, Report, Row};

/// Which of its processes an execution of the yardstick is, by the variable [`ROLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that was called: it starts the others.
    Judge,
    /// The server with the arena; its command line is the server's.
    Server,
    /// The bare loop.
    Bare,
    /// The clients.
    Load,
}

/// Names the role of a process that the yardstick starts.
pub const ROLE: &str = "FANOUT_YARDSTICK_ROLE";

impl Role {
    /// The role of this process.
    pub fn of_this_process() -> Role {
        match std::env::var(ROLE).as_deref() {
            Ok("server") => Role::Server,
            Ok("bare") => Role::Bare,
            Ok("load") => Role::Load,
            _ => Role::Judge,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Role::Judge => "judge",
            Role::Server => "server",
            Role::Bare => "bare",
            Role::Load => "load",
        }
    }
}

/// Clients of a room.
pub const ROOM: usize = 50;
/// Ticks, snapshots and inputs a second.
pub const RATE: u64 = 20;
