//! Settings as operators write them: command line, `TICKWIRE_*` variables, a TOML file, all three
//! made from what `settings` declares. `serve` calls [`read`] once; everything after it sees a
//! [`Config`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};

use super::error::ConfigError;
use super::settings::Config;
use super::table::{File, load};

/// What the command line asks for.
#[derive(Debug)]
pub enum Start {
    /// Serve with these settings.
    Run(Box<Config>),
    /// Print this (help or version) and end well.
    Print(String),
}

/// Authoritative multiplayer game-state server for browser games.
///
/// Settings come from flags, then TICKWIRE_* variables, then the file named by --config, then
/// the defaults. A list given in one place replaces that of the next. Files that settings name are
/// read before the server is reachable.
///
/// SIGTERM, SIGINT or SIGHUP stops the server: players are told when to come back, then it ends; a
/// second one ends it at once. A new certificate needs no signal.
///
/// It ends with 0 after such a stop, with 2 for settings, files or a game that can't be used, with
/// 70 when a part of it ended that must not (start it again), and with 1 for anything else, such as
/// a port that is taken.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    settings: Config,

    /// TOML file whose keys are the flags' names without the dashes in front
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Settings from the command line (its first item is the program's path), the environment and
/// the file that they name. Help and version name the program, or `game` where it has no name.
///
/// # Errors
/// One line: an unknown flag or key, a value that can't be, a file that can't be read.
pub fn read(
    game: &'static str,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Start, ConfigError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let program = args.first().and_then(|path| Path::new(path).file_stem());
    let name = program.map_or(game.to_owned(), |name| name.to_string_lossy().into_owned());
    let command = command().name(game).display_name(name);
    let path = match parsed(command.clone(), &args) {
        Ok((line, _)) => line.config,
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Start::Print(e.render().to_string()));
        }
        Err(e) => return Err(ConfigError::of(&e)),
    };
    let file = match path {
        Some(path) => load(&path)?,
        None => File::default(),
    };
    let config = resolve(command, &args, file)?;
    config.check()?;
    Ok(Start::Run(Box::new(config)))
}

fn parsed(command: Command, args: &[OsString]) -> clap::error::Result<(CommandLine, ArgMatches)> {
    let matches = command.try_get_matches_from(args)?;
    Ok((CommandLine::from_arg_matches(&matches)?, matches))
}

/// What is in the file are defaults to flags and variables.
fn resolve(command: Command, args: &[OsString], file: File) -> Result<Config, ConfigError> {
    let entries = &file.entries;
    let with_file = entries.iter().fold(command, |command, entry| {
        command.mut_arg(&entry.id, |arg| arg.default_values(&entry.values))
    });
    let (line, matches) = parsed(with_file, args).map_err(|e| ConfigError::of(&e))?;
    let mut config = line.settings;
    config.follow_tick_rate(|id| {
        let is_default = matches.value_source(id) == Some(ValueSource::DefaultValue);
        !is_default || entries.iter().any(|entry| entry.id == id)
    });
    config.games = file.games;
    Ok(config)
}

/// Names of `TICKWIRE_*` variables that are set and mean nothing, probably misspelled. Not an
/// error: Kubernetes makes such names for a service called `tickwire`.
pub fn unknown_variables() -> Vec<String> {
    unknown(std::env::vars_os().map(|(name, _)| name))
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let command = command();
    let known: Vec<_> = command
        .get_arguments()
        .filter_map(|a| a.get_env())
        .collect();
    let mut unknown: Vec<String> = names
        .filter(|name| !known.contains(&name.as_os_str()))
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("TICKWIRE_"))
        .collect();
    unknown.sort();
    unknown
}

/// All flags, each with its variable.
fn command() -> Command {
    CommandLine::command().mut_args(|arg| {
        let name = arg
            .get_long()
            .unwrap_or_default()
            .replace('-', "_")
            .to_uppercase();
        arg.env(format!("TICKWIRE_{name}"))
    })
}

#[cfg(test)]
mod tests;
