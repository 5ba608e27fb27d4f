//! A program that the nemesis starts, stops, kills: it ends with the nemesis, whatever ends that.
//! Used by `cluster`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// See the module's description. Killed when dropped.
pub(super) struct Process(Child);

impl Process {
    /// Starts a program whose output goes to a file. Its end is the end of the thread that calls
    /// this: the main one. No setting of the caller's reaches it, and
    /// a server stores nothing.
    ///
    /// # Errors
    /// There is no such program, or no `setpriv`, or the system gives none.
    pub(super) fn start(program: &Path, args: &[String], output: &Path) -> io::Result<Process> {
        let output = File::options().create(true).append(true).open(output)?;
        let mut command = Command::new("setpriv");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TICKWIRE_") {
                command.env_remove(name);
            }
        }
        let child = command
            .env("TICKWIRE_STORE", "none")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Process(child))
    }

    /// Sends a signal. To one that has ended nothing is sent.
    pub(super) fn signal(&mut self, signal: Signal) {
        if let (Ok(None), Ok(id)) = (self.0.try_wait(), i32::try_from(self.0.id())) {
            // It can't be gone: who has not been waited for has a number still.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }

    /// How it ended; `None`: it runs.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// SIGKILL, also of one that is stopped, until it is gone.
    pub(super) fn kill(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
