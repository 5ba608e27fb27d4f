//! The yardstick's processes: this program again, in another role, on a core of its own where there
//! are two and `taskset` is there; and what the system says that they cost.

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;

use tickwire_harness::Process;

use super::setup::{ROLE, Role};
use crate::calm::{Spent, process_spent};

/// Starts this program in a role, on core `core` if it can be pinned.
pub(super) fn start(role: Role, core: usize, args: &[String]) -> io::Result<Process> {
    let program = std::env::current_exe()?;
    let mut command = if can_pin() {
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string()).arg(program);
        command
    } else {
        Command::new(program)
    };
    Process::spawn(command.args(args).env(ROLE, role.name()))
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
