//! What a yardstick leaves behind besides its table: files, and an exit status.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

/// Writes figures as JSON.
///
/// # Errors
/// The file's, with its path.
pub fn write_json(path: &Path, figures: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string_pretty(figures)?;
    write(path, &(json + "\n"))
}

/// Writes a text.
///
/// # Errors
/// The file's, with its path.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// The exit status of a program that is done, or failed: whether all bars hold.
pub fn exit_code(program: &str, done: Result<bool, impl Display>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}
