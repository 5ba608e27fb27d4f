//! A program as an operator starts it: a process of its own, on free ports of this machine, its log
//! kept in a file.

use std::io::{self, BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::file::File;

/// A program of the workspace, built with the profile of the program that asks: cargo tells a test
/// where its own package's programs are, and the server's is the arena's.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a program has a file");
    // Tests lie in `deps`, a folder below the programs.
    let mut above = own.ancestors().skip(1);
    let folder = above.find(|folder| !folder.ends_with("deps"));
    let path = folder.expect("a file lies in a folder").join(name);
    assert!(
        path.exists(),
        "no {}: build it by `cargo build --workspace --bins`, with `--release` for a test of that profile",
        path.display()
    );
    path
}

/// The server with the arena and these flags, not yet started. It has no setting from who runs the
/// tests, and stores nothing unless a flag says where.
pub fn server(args: &[&str]) -> Command {
    let mut command = Command::new(binary("tickwire-server"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TICKWIRE_") {
            command.env_remove(name);
        }
    }
    command.env("TICKWIRE_STORE", "none");
    command.args(args).stdin(Stdio::null());
    command
}

/// A process whose output is read line by line; killed when dropped.
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// There is no such program, or the system has no process to give.
    pub fn spawn(command: &mut Command) -> io::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let lines = BufReader::new(stdout).lines();
        Ok(Process { child, lines })
    }

    /// The rest of the next line that starts with `word`; others are passed over.
    ///
    /// # Errors
    /// It ended before.
    pub fn wait_for(&mut self, word: &str) -> io::Result<String> {
        for line in self.lines.by_ref() {
            if let Some(rest) = line?.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
        Err(io::Error::other(format!("a process ended before {word}")))
    }

    /// The next line that has `part` in it; others are passed over.
    ///
    /// # Errors
    /// It ended before.
    pub fn wait_for_part(&mut self, part: &str) -> io::Result<String> {
        for line in self.lines.by_ref() {
            let line = line?;
            if line.contains(part) {
                return Ok(line);
            }
        }
        Err(io::Error::other(format!("a process ended before {part}")))
    }

    /// Where it listens, when it does.
    ///
    /// # Errors
    /// It ended before, or says something else.
    pub fn address(&mut self) -> io::Result<SocketAddr> {
        let address = self.wait_for("LISTENING ")?;
        address.parse().map_err(io::Error::other)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, as `kill` names it: `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.id().to_string())
            .status();
        assert!(kill.expect("`kill` is there").success(), "{name}");
    }

    /// Waits for its end: what else it printed, and the status, `None` after a signal that it did
    /// not catch.
    pub fn end(mut self) -> (String, Option<i32>) {
        let rest: Vec<String> = self
            .lines
            .by_ref()
            .map(|line| line.expect("text"))
            .collect();
        let status = self.child.wait().expect("a child is waited for once");
        (rest.join("\n"), status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server's process that listens.
pub struct Running {
    /// Its process.
    pub process: Process,
    /// The public port.
    pub public: SocketAddr,
    log: File,
}

impl Running {
    /// Starts `command`, see [`server`], on free ports, and waits until it listens.
    pub fn start(command: &mut Command) -> Running {
        let log = File::new("log", "");
        let stderr = std::fs::File::create(log.path()).expect("a file for the log");
        Running::launch(command.stderr(stderr), log)
    }

    /// The same with a stderr that is somebody else's; [`Running::log`] stays empty.
    pub fn start_to(command: &mut Command, stderr: Stdio) -> Running {
        Running::launch(command.stderr(stderr), File::new("log", ""))
    }

    fn launch(command: &mut Command, log: File) -> Running {
        for flag in ["--listen", "--ops-listen"] {
            if !command.get_args().any(|arg| arg == flag) {
                command.args([flag, "127.0.0.1:0"]);
            }
        }
        let mut process = Process::spawn(command).expect("the server's program starts");
        let address = process.address();
        let public = address.unwrap_or_else(|error| panic!("{error}: {}", log.text()));
        Running {
            process,
            public,
            log,
        }
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The operator's port, as the log names it: at the level `info` or beyond, not as JSON of
    /// one's own.
    pub fn ops(&self) -> SocketAddr {
        self.port("ops")
    }

    /// That of the operator's programs, in the same way.
    pub fn api(&self) -> SocketAddr {
        self.port("api")
    }

    fn port(&self, name: &str) -> SocketAddr {
        let log = self.log();
        let line = log.lines().find(|line| line.contains("listening"));
        let (_, port) = line
            .and_then(|line| line.split_once(name))
            .unwrap_or_else(|| panic!("no port in {log:?}"));
        let port = port.trim_start_matches(['=', ':', '"']);
        let is_address = |c: char| c == '.' || c == ':' || c.is_ascii_digit();
        let end = port.find(|c| !is_address(c)).unwrap_or(port.len());
        port[..end]
            .parse()
            .unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// The status of a GET on the public port, `None` if the connection was closed without one.
    pub fn status(&self, path: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(self.public).expect("it listens");
        let text = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.get(9..12)?.parse().ok()
    }

    /// Stops it by SIGTERM, in order: its whole log.
    pub fn stop(self) -> String {
        self.process.signal("TERM");
        let (_, status) = self.process.end();
        let log = self.log.text();
        assert_eq!(status, Some(0), "{log}");
        log
    }
}
