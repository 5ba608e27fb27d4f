//! The engine of a run: a real `redis-server` that keeps everything in memory, and, where a failover
//! is among the faults, a replica of it. Driven by `cluster`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::process::Process;

/// For a server to answer behind its start.
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries whether it does.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// What it would write to and start with.
const DUMP: &str = "dump.rdb";

/// See the module's description.
pub(super) struct Engine {
    program: PathBuf,
    folder: PathBuf,
    /// The one that nodes are led to, and its replica.
    ports: [u16; 2],
    server: Option<Process>,
    replica: Option<Process>,
}

impl Engine {
    /// Starts it, empty.
    ///
    /// # Errors
    /// It does not start; why, in one line.
    pub(super) async fn start(
        program: &Path,
        folder: &Path,
        ports: [u16; 2],
        has_replica: bool,
    ) -> Result<Engine, String> {
        let mut engine = Engine {
            program: program.to_owned(),
            folder: folder.to_owned(),
            ports,
            server: None,
            replica: None,
        };
        engine.fill().await?;
        if has_replica {
            engine.follow().await?;
        }
        Ok(engine)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.ports[0]
    }

    /// SIGSTOP or SIGCONT.
    pub(super) fn signal(&mut self, signal: Signal) {
        if let Some(server) = &mut self.server {
            server.signal(signal);
        }
    }

    /// The same to the replica.
    pub(super) fn signal_replica(&mut self, signal: Signal) {
        if let Some(replica) = &mut self.replica {
            replica.signal(signal);
        }
    }

    /// As a power cut ends it. All is lost.
    pub(super) fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it on its port, empty.
    ///
    /// # Errors
    /// It does not start, or there is a file that it would start with.
    pub(super) async fn fill(&mut self) -> Result<(), String> {
        let dump = self.folder.join(DUMP);
        if dump.exists() {
            return Err(format!("{} was not deleted", dump.display()));
        }
        self.server = Some(self.launch(self.ports[0], &[]).await?);
        Ok(())
    }

    async fn follow(&mut self) -> Result<(), String> {
        let port = self.ports[0].to_string();
        let of = ["--replicaof", "127.0.0.1", &port];
        let replica = self.launch(self.ports[1], &of).await?;
        self.replica = Some(replica);
        Ok(())
    }

    /// The engine ends, its replica takes its place, and gets one of its own.
    ///
    /// # Errors
    /// There is no replica, or it does not do it.
    pub(super) async fn fail_over(&mut self) -> Result<(), String> {
        self.kill();
        self.signal_replica(Signal::SIGCONT);
        self.ports.swap(0, 1);
        self.server = self.replica.take();
        let answer = ask(self.ports[0], "REPLICAOF NO ONE\r\n").await;
        let answer = answer.map_err(|error| format!("the replica: {error}"))?;
        if !answer.starts_with("+OK") {
            return Err(format!("the replica says {answer:?}"));
        }
        self.follow().await
    }

    async fn launch(&self, port: u16, more: &[&str]) -> Result<Process, String> {
        let port_text = port.to_string();
        let folder = self.folder.to_string_lossy();
        let fixed = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port_text,
            "--dir",
            &folder,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dbfilename",
            DUMP,
            // What a replica got when it began to follow, it would start with if it were killed.
            "--rdb-del-sync-files",
            "yes",
        ];
        let args: Vec<String> = fixed.iter().chain(more).map(|arg| (*arg).into()).collect();
        let output = self.folder.join(format!("redis-{port}.log"));
        let mut server = Process::start(&self.program, &args, &output)
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        let ready = async {
            while server.ended().is_none() {
                let answer = ask(port, "PING\r\n").await;
                if answer.is_ok_and(|answer| answer.starts_with("+PONG")) {
                    return true;
                }
                sleep(TRY_EVERY).await;
            }
            false
        };
        match timeout(STARTS_WITHIN, ready).await {
            Ok(true) => Ok(server),
            _ => Err(format!("redis-server does not start: {}", output.display())),
        }
    }
}

/// A command of few words, and the line that answers it.
async fn ask(port: u16, command: &str) -> io::Result<String> {
    let asked = async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(command.as_bytes()).await?;
        let mut answer = [0; 128];
        let bytes = stream.read(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer[..bytes]).into_owned())
    };
    let answered = timeout(Duration::from_secs(2), asked).await;
    answered.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The program: by the flag, where the system has it, or where `make redis` puts it, beside the
/// folder of the nemesis' own program.
///
/// # Errors
/// It is in none of these places.
pub(super) fn program(given: Option<&Path>) -> Result<PathBuf, String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().unwrap_or_default();
    let target = own.ancestors().nth(2).map(|folder| folder.join("redis"));
    let folders = std::env::split_paths(&paths).chain(target);
    let mut places = folders.map(|folder| folder.join("redis-server"));
    let found = match given {
        Some(path) => Some(path.to_owned()).filter(|path| path.is_file()),
        None => places.find(|path| path.is_file()),
    };
    found.ok_or_else(|| {
        "there is no redis-server: `make redis` installs Debian's, --redis is the path of another"
            .to_owned()
    })
}
