//! The TOML file that `--config` names: its keys are the flags' names, and each value is checked as
//! its flag's would be; what a game has of its own stands in a table of its name. `read` puts flags
//! and variables over it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use clap::{ArgAction, Args, Command, FromArgMatches};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::file::read_file;
use super::games::GameSettings;
use super::settings::Config;

/// A key, and where it stands.
type Key<'a> = Spanned<Cow<'a, str>>;

/// The key of the table of games.
const GAMES: &str = "games";

/// What the file says.
#[derive(Default)]
pub(super) struct File {
    pub(super) entries: Vec<Entry>,
    pub(super) games: BTreeMap<String, GameSettings>,
}

/// A setting in the file.
pub(super) struct Entry {
    /// Clap's name for it.
    pub(super) id: String,
    key: String,
    pub(super) values: Vec<String>,
}

impl Entry {
    /// As it would be on a command line.
    fn flags(&self) -> impl Iterator<Item = String> {
        let values = self.values.iter();
        values.map(|value| format!("--{}={value}", self.key))
    }
}

/// What the file says.
///
/// # Errors
/// One line: it can't be read, or has what no setting takes.
pub(super) fn load(path: &Path) -> Result<File, ConfigError> {
    let text = read_file(path, "config")?;
    let shown = path.display();
    let text = String::from_utf8(text)
        .map_err(|e| ConfigError::new(format!("config {shown} can't be read: {e}")))?;
    parse(&text).map_err(|e| ConfigError::new(format!("config {shown}{e}")))
}

/// Each entry is checked as its flag is. The error starts with the line's number where there is
/// one.
pub(super) fn parse(text: &str) -> Result<File, String> {
    let line = |at: usize| format!(", line {}", text[..at].matches('\n').count() + 1);
    let table = DeTable::parse(text).map_err(|e| {
        let line = e.span().map_or(String::new(), |span| line(span.start));
        format!("{line}: {}", e.message().replace('\n', " "))
    })?;
    let command = flags();
    let at = |key: &Key, why: String| format!("{}: {why}", line(key.span().start));
    let mut file = File::default();
    for (key, value) in table.get_ref() {
        if key.get_ref() != GAMES {
            let entry = entry(&command, key.get_ref(), value.get_ref());
            file.entries.push(entry.map_err(|why| at(key, why))?);
            continue;
        }
        for (name, own) in inner(GAMES, value).map_err(|why| at(key, why))? {
            let path = format!("{GAMES}.{}", name.get_ref());
            let own = inner(&path, own).map_err(|why| at(name, why))?;
            let own = own.iter().map(|(key, value)| {
                let entry = own_entry(&command, key.get_ref(), value.get_ref());
                entry.map_err(|why| at(key, why))
            });
            let own: Vec<Entry> = own.collect::<Result<_, _>>()?;
            let own = game_settings(&command, &own).map_err(|why| at(name, why))?;
            file.games.insert(name.get_ref().to_string(), own);
        }
    }
    Ok(file)
}

/// What is in a table.
fn inner<'a>(path: &str, value: &'a Spanned<DeValue<'a>>) -> Result<&'a DeTable<'a>, String> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        other => Err(format!("{path} can't be of type {}", other.type_str())),
    }
}

/// The flags as they are checked one by one.
fn flags() -> Command {
    Config::augment_args(
        Command::new("")
            .no_binary_name(true)
            .disable_help_flag(true),
    )
}

fn entry(command: &Command, key: &str, value: &DeValue<'_>) -> Result<Entry, String> {
    let mut settings = command.get_arguments();
    let Some(setting) = settings.find(|arg| arg.get_long() == Some(key)) else {
        let known = command.get_arguments().filter_map(|arg| arg.get_long());
        let known: Vec<&str> = known.chain([GAMES]).collect();
        return Err(format!(
            "{key} is none of the settings {}",
            known.join(", ")
        ));
    };
    let is_list = matches!(setting.get_action(), ArgAction::Append);
    let values = values(value, is_list);
    let values = values.ok_or_else(|| format!("{key} can't be of type {}", value.type_str()))?;
    let entry = Entry {
        id: setting.get_id().to_string(),
        key: key.to_owned(),
        values,
    };
    let checked = command.clone().try_get_matches_from(entry.flags());
    checked.map_err(|e| ConfigError::of(&e).to_string())?;
    Ok(entry)
}

/// The same of what a game may have of its own.
fn own_entry(command: &Command, key: &str, value: &DeValue<'_>) -> Result<Entry, String> {
    let known = own_keys();
    if !known.iter().any(|known| known == key) {
        let known = known.join(", ");
        return Err(format!(
            "{key} is none of the settings that a game may have of its own: {known}"
        ));
    }
    entry(command, key, value)
}

/// Keys below `[games.NAME]`.
pub(super) fn own_keys() -> Vec<String> {
    let names = GameSettings::NAMES.iter();
    names.map(|name| name.replace('_', "-")).collect()
}

fn game_settings(command: &Command, entries: &[Entry]) -> Result<GameSettings, String> {
    let flags = entries.iter().flat_map(Entry::flags);
    let matches = command.clone().try_get_matches_from(flags);
    let config = matches.and_then(|matches| Config::from_arg_matches(&matches));
    let config = config.map_err(|e| ConfigError::of(&e).to_string())?;
    let is_given = |name: &str| entries.iter().any(|entry| entry.id == name);
    Ok(GameSettings::of(&config, is_given))
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
