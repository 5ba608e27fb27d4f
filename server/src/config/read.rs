//! Settings as operators write them: command line, `TICKWIRE_*` variables, a TOML file, all three
//! made from what `settings` declares. `serve` calls [`read`] once; everything after it sees a
//! [`Config`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::file::read_file;
use super::settings::Config;

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

/// A setting in the file.
struct Entry {
    /// Clap's name for it.
    id: String,
    values: Vec<String>,
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
        Err(e) => return Err(one_line(&e)),
    };
    let file = match path {
        Some(path) => load(&path)?,
        None => Vec::new(),
    };
    let config = resolve(command, &args, &file)?;
    config.check()?;
    Ok(Start::Run(Box::new(config)))
}

fn parsed(command: Command, args: &[OsString]) -> clap::error::Result<(CommandLine, ArgMatches)> {
    let matches = command.try_get_matches_from(args)?;
    Ok((CommandLine::from_arg_matches(&matches)?, matches))
}

/// What is in the file are defaults to flags and variables.
fn resolve(command: Command, args: &[OsString], file: &[Entry]) -> Result<Config, ConfigError> {
    let with_file = file.iter().fold(command, |command, entry| {
        command.mut_arg(&entry.id, |arg| arg.default_values(&entry.values))
    });
    let (line, matches) = parsed(with_file, args).map_err(|e| one_line(&e))?;
    let mut config = line.settings;
    config.follow_tick_rate(|id| {
        let is_default = matches.value_source(id) == Some(ValueSource::DefaultValue);
        !is_default || file.iter().any(|entry| entry.id == id)
    });
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

fn load(path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let text = read_file(path, "config")?;
    let shown = path.display();
    let text = String::from_utf8(text)
        .map_err(|e| ConfigError::new(format!("config {shown} can't be read: {e}")))?;
    parse(&text).map_err(|e| ConfigError::new(format!("config {shown}{e}")))
}

/// Each entry is checked as its flag is. The error starts with the line's number where there is
/// one.
fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let line = |at: usize| format!(", line {}", text[..at].matches('\n').count() + 1);
    let table = DeTable::parse(text).map_err(|e| {
        let line = e.span().map_or(String::new(), |span| line(span.start));
        format!("{line}: {}", e.message().replace('\n', " "))
    })?;
    let command = Config::augment_args(
        Command::new("")
            .no_binary_name(true)
            .disable_help_flag(true),
    );
    let entry = |key: &str, value: &DeValue<'_>| {
        let mut settings = command.get_arguments();
        let Some(setting) = settings.find(|arg| arg.get_long() == Some(key)) else {
            let known = command.get_arguments().filter_map(|arg| arg.get_long());
            let known: Vec<&str> = known.collect();
            return Err(format!(
                "{key} is none of the settings {}",
                known.join(", ")
            ));
        };
        let is_list = matches!(setting.get_action(), ArgAction::Append);
        let values = values(value, is_list);
        let values =
            values.ok_or_else(|| format!("{key} can't be of type {}", value.type_str()))?;
        let flags = values.iter().map(|value| format!("--{key}={value}"));
        let checked = command.clone().try_get_matches_from(flags);
        checked.map_err(|e| one_line(&e).to_string())?;
        let id = setting.get_id().to_string();
        Ok(Entry { id, values })
    };
    let entries = table.get_ref().iter().map(|(key, value)| {
        let entry = entry(key.get_ref(), value.get_ref());
        entry.map_err(|why| format!("{}: {why}", line(key.span().start)))
    });
    entries.collect()
}

/// As a flag's values would be written; `None` for what no flag takes.
fn values(value: &DeValue<'_>, is_list: bool) -> Option<Vec<String>> {
    let one = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => {
            let number = i128::from_str_radix(number.as_str(), number.radix());
            number.ok()?.to_string()
        }
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(is) => is.to_string(),
        DeValue::Array(items) if is_list => {
            let items = items.iter().map(|item| values(item.get_ref(), false));
            return Some(items.collect::<Option<Vec<_>>>()?.concat());
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => return None,
    };
    Some(vec![one])
}

/// clap explains over several lines; the first ones, up to the usage, say what is wrong.
fn one_line(error: &clap::Error) -> ConfigError {
    let text = error.render().to_string();
    let told: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty())
        .collect();
    ConfigError::new(told.join("; ").trim_start_matches("error: "))
}

#[cfg(test)]
mod tests;
