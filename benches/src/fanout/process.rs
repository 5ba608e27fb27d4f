//! The yardstick's processes: this program again, in another role, on a core of its own where there
//! are two and `taskset` is there; and what the system says that they cost.

use std::env;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};
use tickwire_harness::Process;

use super::load::Orders;
use crate::calm::{Cores, Spent, process_spent};

/// Cores of whichever server runs, and of the clients.
const SERVER_CORE: usize = 0;
/// See [`SERVER_CORE`].
const LOAD_CORE: usize = 1;

/// Says in JSON which [`Role`] a process has that the yardstick starts.
const ROLE: &str = "FANOUT_YARDSTICK_ROLE";

/// What a process is there for that the yardstick starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Role {
    /// The server with the arena; its command line is the server's.
    Server,
    /// The bare loop.
    Bare {
        /// Clients that come.
        clients: usize,
        /// Bytes of its messages, one after the other.
        sizes: Vec<usize>,
    },
    /// The clients.
    Load(Orders),
}

impl Role {
    /// The role of this process; `None` for the one that was called, which starts the others.
    ///
    /// # Errors
    /// It has another role than there is.
    pub fn of_this_process() -> io::Result<Option<Role>> {
        let role = env::var(ROLE).ok();
        Ok(role.map(|role| serde_json::from_str(&role)).transpose()?)
    }
}

/// Starts this program in a role, on its core if it can be pinned.
pub(super) fn start(role: &Role, args: &[String]) -> io::Result<Process> {
    let program = env::current_exe()?;
    let core = match role {
        Role::Server | Role::Bare { .. } => SERVER_CORE,
        Role::Load(_) => LOAD_CORE,
    };
    let mut command = if can_pin() {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string()).arg(program);
        command
    } else {
        Command::new(program)
    };
    let role = serde_json::to_string(role)?;
    Process::spawn(command.args(args).env(ROLE, role))
}

/// Processor time of all threads of a process so far.
pub(super) fn cpu(process: &Process) -> io::Result<Spent> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
    process_spent(&stat).ok_or_else(|| io::Error::other("/proc/<pid>/stat is not as expected"))
}

/// Memory of a process' own that is in use, in KiB: neither files nor what the kernel holds.
pub(super) fn memory_kib(process: &Process) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("/proc/<pid>/status is not as expected"))
}

/// The cores that the processes are on.
pub(super) fn cores() -> Cores {
    if can_pin() {
        Cores::These(vec![SERVER_CORE, LOAD_CORE])
    } else {
        Cores::All
    }
}

/// Whether server and clients get a core each.
pub(super) fn can_pin() -> bool {
    let cores = available_parallelism().map_or(1, usize::from);
    let taskset = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    cores > 1 && taskset.is_ok_and(|status| status.success())
}
