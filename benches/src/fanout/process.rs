//! The yardstick's processes: this program again, in another role, on a core of its own where there are
//! two and `taskset` is there; and what the system says that they cost.

use std::fs;
use std::io::{self, BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::available_parallelism;

use super::{ROLE, Role};
use crate::calm::{Spent, process_spent};

/// A process; killed when dropped.
pub(super) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
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
        let mut child = command
            .args(args)
            .env(ROLE, role.name())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let lines = BufReader::new(stdout).lines();
        Ok(Process { child, lines })
    }

    /// The rest of the next line that starts with `word`; others are passed over.
    pub(super) fn wait_for(&mut self, word: &str) -> io::Result<String> {
        for line in self.lines.by_ref() {
            if let Some(rest) = line?.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
        Err(io::Error::other(format!("a process ended before {word}")))
    }

    /// Where it listens.
    pub(super) fn address(&mut self) -> io::Result<SocketAddr> {
        self.wait_for("LISTENING")?
            .parse()
            .map_err(io::Error::other)
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time of all its threads so far.
    pub(super) fn cpu(&self) -> io::Result<Spent> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        process_spent(&stat).ok_or_else(|| io::Error::other("/proc/<pid>/stat is not as expected"))
    }

    /// Memory of its own that is in use, in KiB: neither files nor what the kernel holds.
    pub(super) fn memory_kib(&self) -> io::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| io::Error::other("/proc/<pid>/status is not as expected"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
