//! What the system says that a process uses.

use std::time::Duration;

/// `USER_HZ`, which Linux has fixed for every architecture that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory of a process that is its own, in bytes: without the pages of its program, which
/// come as code is first run.
pub fn own_bytes(process: u32) -> usize {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(path).expect("the process is there");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.expect("Linux says the memory") * 1024
}

/// Processor time of all threads of a process.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// In the program.
    pub user: Duration,
    /// In the kernel, for it.
    pub system: Duration,
}

impl Cpu {
    /// So far.
    pub fn of(process: u32) -> Cpu {
        let path = format!("/proc/{process}/stat");
        let stat = std::fs::read_to_string(path).expect("the process is there");
        // Behind the name, which may hold anything: utime and stime are the 14th and 15th.
        let (_, behind) = stat.rsplit_once(')').expect("Linux names the process");
        let mut fields = behind.split_whitespace().skip(11);
        let mut time = || {
            let ticks = fields.next().and_then(|ticks| ticks.parse().ok());
            Duration::from_secs_f64(ticks.unwrap_or(0.0) / TICKS_PER_SECOND)
        };
        Cpu {
            user: time(),
            system: time(),
        }
    }

    /// What was used since `before`.
    pub fn since(self, before: Cpu) -> Cpu {
        Cpu {
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}
