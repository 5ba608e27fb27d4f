//! Why settings can't be used. Made here and by what reads the files that settings name.

use std::{fmt, io};

/// One line for a person: the setting, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// As an error of the system's: what was told can't be.
pub(crate) fn invalid(why: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_string())
}

impl ConfigError {
    /// clap explains over several lines; the first ones, up to the usage, say what is wrong.
    pub(super) fn of(error: &clap::Error) -> ConfigError {
        let text = error.render().to_string();
        let told: Vec<&str> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
            .filter(|line| !line.is_empty())
            .collect();
        ConfigError::new(told.join("; ").trim_start_matches("error: "))
    }
}
