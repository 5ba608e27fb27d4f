//! What the processes of the yardstick go by: which of them each is, how large a room is, and how
//! often it ticks.

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

    pub(super) fn name(self) -> &'static str {
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
