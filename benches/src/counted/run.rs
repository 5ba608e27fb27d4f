//! One run under callgrind: this program again, in the role of what is counted, with caches of a
//! stated size and an environment that is the same everywhere. Called by `bin/counted.rs`.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::dumps::{self, Counts};
use super::requests;
use super::stages::{self, Load};

/// Set for the process that plays.
const ROLE: &str = "TICKWIRE_COUNTED_PLAYS";
/// What the process that plays writes before each load.
const COUNTED: &str = "COUNTED ";

/// Simulated caches, of bytes, ways and bytes a line: what a server's core of today has. Without
/// them callgrind takes the host's.
pub const CACHES: [(&str, &str); 3] = [
    ("--I1", "32768,8,64"),
    ("--D1", "49152,12,64"),
    ("--LL", "1310720,20,64"),
];

/// Keeps the C library to copies and fills that every processor of the architecture has, so that
/// the host's is not counted.
const TUNABLES: &str =
    "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load";

/// A stage that was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Over what.
    pub load: Load,
    /// What it took.
    pub totals: Counts,
}

/// Whether this process is the one that plays.
pub fn is_counted() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Plays all stages, for whoever counts, and says over what.
///
/// # Errors
/// Nobody counts.
pub fn play() -> io::Result<()> {
    if !requests::is_simulated() {
        return Err(io::Error::other("is not run by callgrind"));
    }
    stages::play(|load| {
        let load = serde_json::to_string(load).expect("a load is plain");
        println!("{COUNTED}{load}");
    });
    Ok(())
}

/// Runs `valgrind` on a process that plays.
///
/// # Errors
/// It is not there, or what it left is not what it should be.
pub fn count(valgrind: &str) -> io::Result<Vec<Counted>> {
    let folder = Folder::new()?;
    let mut command = Command::new(valgrind);
    command
        .args(["--tool=callgrind", "--cache-sim=yes"])
        .args(["--instr-atstart=no", "--collect-atstart=no"])
        .arg(format!("--callgrind-out-file={}/of", folder.0.display()))
        .args(CACHES.map(|(which, geometry)| format!("{which}={geometry}")))
        .arg(std::env::current_exe()?)
        .stdin(Stdio::null());
    // The environment lies on the stack, above everything that is counted.
    let kept = ["PATH", "LD_LIBRARY_PATH", "VALGRIND_LIB"];
    let kept = kept.map(|name| std::env::var_os(name).map(|value| (name, value)));
    command
        .env_clear()
        .envs(kept.into_iter().flatten())
        .env(ROLE, "1")
        .env("GLIBC_TUNABLES", TUNABLES);
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other(format!("there is no {valgrind}")),
        _ => error,
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{valgrind} failed: {said}")));
    }
    let dumps = dumps::read(&folder.0)?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .filter_map(|line| line.strip_prefix(COUNTED))
        .map(|line| {
            let load: Load = serde_json::from_str(line)?;
            let totals = dumps.get(&load.name()).copied();
            let totals = totals.filter(|totals| totals.instructions > 0.0);
            let missing = || io::Error::other(format!("nothing was counted of {}", load.name()));
            let totals = totals.ok_or_else(missing)?;
            Ok(Counted { load, totals })
        })
        .collect()
}

/// What callgrind writes into; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        let name = format!("tickwire-counted-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is the system's to clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}
