//! A real PostgreSQL server: on a free port of this machine, in a folder of its own, and gone with
//! the test. Debian's package will do. It does not run as root: where the test does, it runs as
//! `nobody`.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Process;
use crate::redis::free_port;

/// Somebody else may take a port between its choice and its use.
const PORTS_TRIED: usize = 8;
/// `nobody` and its group, as Debian numbers them.
const NOBODY: u32 = 65_534;

/// A server's process and its folder.
pub struct Postgres {
    process: Option<Process>,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl Postgres {
    /// Starts one with these settings (`name=value`) that believes who comes from this machine.
    pub fn start(settings: &[&str]) -> Postgres {
        Postgres::start_with(|_| settings.iter().map(|of| (*of).to_owned()).collect())
    }

    /// The same, with settings that depend on its folder, whose files are its own.
    pub fn start_with(settings: impl FnOnce(&Path) -> Vec<String>) -> Postgres {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tickwire-{}-postgres-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("temporary folders can be made");
        let settings = settings(&folder);
        let mut postgres = Postgres {
            process: None,
            folder,
            port: 0,
            settings,
        };
        postgres.own_folder();
        let made = postgres
            .command("initdb")
            .args(["--username=tickwire", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(postgres.folder.join("data"))
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb runs").success(), "initdb fails");
        for _ in 0..PORTS_TRIED {
            postgres.port = free_port();
            if postgres.launch().is_ok() {
                return postgres;
            }
        }
        panic!("PostgreSQL starts on none of {PORTS_TRIED} ports");
    }

    /// Gives what is in the folder to who runs the server.
    fn own_folder(&self) {
        if !is_root() {
            return;
        }
        let files = std::fs::read_dir(&self.folder).expect("it is there");
        let files = files.map(|file| file.expect("a readable folder").path());
        for path in files.chain([self.folder.clone()]) {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root gives files away");
        }
    }

    /// One of PostgreSQL's programs, as who may run it.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        // Whatever ends the tests, it ends with the thread that started it.
        command.args(["--pdeathsig", "INT"]);
        if is_root() {
            let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
            command.args([&user, &group, "--clear-groups"]);
        }
        command.arg("--").arg(program(name));
        command.current_dir(&self.folder).env_clear();
        command
    }

    fn launch(&mut self) -> std::io::Result<()> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.folder.join("data"));
        let port = format!("port={}", self.port);
        let sockets = format!("unix_socket_directories={}", self.folder.display());
        // What is synced in a test is nobody's.
        let usual = ["listen_addresses=127.0.0.1", "fsync=off", &port, &sockets];
        for setting in usual.iter().copied().map(OsStr::new).chain(
            self.settings
                .iter()
                .map(|setting| OsStr::new(setting.as_str())),
        ) {
            command.arg("-c").arg(setting);
        }
        // Its log is its stderr, which is read here.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$@\" 2>&1", "sh"]);
        shell
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(&self.folder)
            .env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            shell.env("PATH", path);
        }
        let mut process = Process::spawn(&mut shell)?;
        process.wait_for_part("ready to accept connections")?;
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

    /// A new database of this name: its URL.
    pub fn database(&self, name: &str) -> String {
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://tickwire@127.0.0.1:{}/{name}", self.port)
    }

    /// What SQL prints in a database, a row a line, with `|` between columns.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let port = self.port.to_string();
        let output = Command::new(program("psql"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "tickwire"])
            .args(["-v", "ON_ERROR_STOP=1", "-qtAX", "-d", database, "-c", sql])
            .output()
            .expect("psql runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Stops it at once, in order: whoever is connected is cut off.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("INT");
            process.end();
        }
    }

    /// Starts it again on its port, with all that it had.
    pub fn restart(&mut self) {
        self.stop();
        self.launch().expect("it starts where it was");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    let own = std::fs::metadata("/proc/self").expect("Linux says who one is");
    own.uid() == 0
}

/// One of its programs: below `POSTGRES_BIN`, where the system has it, or where Debian keeps it.
fn program(name: &str) -> PathBuf {
    let named = std::env::var_os("POSTGRES_BIN").map(PathBuf::from);
    let mut places: Vec<PathBuf> = named.into_iter().collect();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    places.extend(std::env::split_paths(&paths));
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    places.extend(versions.flatten().map(|version| version.path().join("bin")));
    let mut found = places.into_iter().map(|folder| folder.join(name));
    found.find(|path| path.is_file()).expect(
        "there is no PostgreSQL: `make postgres` installs Debian's, and POSTGRES_BIN is the folder \
        of another's programs",
    )
}
