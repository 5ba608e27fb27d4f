//! A real `redis-server`, or a sentinel: on a free port of this machine, in a folder of its own,
//! and gone with the test. Debian's package will do.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Process;

/// Somebody else may take a port between its choice and its use.
const PORTS_TRIED: usize = 8;

/// A server's process and its folder.
pub struct Redis {
    process: Option<Process>,
    folder: PathBuf,
    port: u16,
    flags: Vec<String>,
}

impl Redis {
    /// Starts one that keeps everything in memory alone, with these flags: `--requirepass`, `word`.
    pub fn start(flags: &[&str]) -> Redis {
        Redis::start_with(|_, _| flags.iter().map(|flag| (*flag).to_owned()).collect())
    }

    /// The same, with flags that depend on its folder and its port. The folder is there.
    pub fn start_with(flags: impl Fn(&Path, u16) -> Vec<String>) -> Redis {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-redis-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("temporary folders can be made");
        let mut redis = Redis {
            process: None,
            folder,
            port: 0,
            flags: Vec::new(),
        };
        for _ in 0..PORTS_TRIED {
            redis.port = free_port();
            redis.flags = flags(&redis.folder, redis.port);
            if redis.launch().is_ok() {
                return redis;
            }
        }
        panic!(
            "redis-server starts on none of {PORTS_TRIED} ports, flags {:?}",
            redis.flags
        );
    }

    fn launch(&mut self) -> std::io::Result<()> {
        // Whatever ends the tests, it ends with the thread that started it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program());
        let is_sentinel = self.flags.iter().any(|flag| flag == "--sentinel");
        if is_sentinel {
            // It writes into its file what it learns.
            let file = self.folder.join("sentinel.conf");
            command.arg(file).arg("--sentinel");
        }
        command
            .args(["--bind", "127.0.0.1", "--dir"])
            .arg(&self.folder);
        // With TLS the plain port is off.
        if !self.flags.iter().any(|flag| flag == "--tls-port") {
            command.arg("--port").arg(self.port.to_string());
        }
        if !is_sentinel {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        command.args(self.flags.iter().filter(|flag| *flag != "--sentinel"));
        let mut process = Process::spawn(&mut command)?;
        let ready = if is_sentinel {
            "+monitor"
        } else {
            "Ready to accept connections"
        };
        process.wait_for_part(ready)?;
        self.process = Some(process);
        Ok(())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process, while it runs.
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// Waits until its log has a line with this in it.
    pub fn wait_for(&mut self, part: &str) {
        let process = self.process.as_mut().expect("it runs");
        process.wait_for_part(part).expect("it says so");
    }

    /// Ends it as a power cut does. Its port is free and its folder stays.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port, empty but for what it kept in its folder.
    pub fn restart(&mut self) {
        self.kill();
        self.launch().expect("it starts where it was");
    }

    /// Holds it still: its kernel takes connections and bytes, and it does nothing.
    pub fn stall(&self) {
        self.process().signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.process().signal("CONT");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.process = None;
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The server's program, by `REDIS_SERVER`, where the system has it, or where `make redis` puts it.
pub fn program() -> PathBuf {
    let made = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/redis/redis-server"
    );
    let named = std::env::var_os("REDIS_SERVER").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut places = named.into_iter().collect::<Vec<_>>();
    places.extend(std::env::split_paths(&paths).map(|folder| folder.join("redis-server")));
    places.push(PathBuf::from(made));
    let found = places.into_iter().find(|path| path.is_file());
    found.expect(
        "there is no redis-server: `make redis` installs Debian's, and REDIS_SERVER is the path \
        of another",
    )
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}
