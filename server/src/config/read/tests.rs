//! Flags, variables and file as `read` takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::config::table::{own_keys, parse};
use crate::config::{AllowedOrigin, GameSettings};

fn config(args: &[&str], file: &str) -> Result<Config, String> {
    let args = [&["tickwire-server"], args].concat();
    let args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
    resolve(command(), &args, parse(file)?).map_err(|e| e.to_string())
}

fn refused(args: &[&str], file: &str) -> String {
    config(args, file).unwrap_err()
}

#[test]
fn flag_before_file_before_default() {
    let file = "tick-rate = 60\nnpcs = 3\nhello-timeout = '250ms'\ntls-cert = 'a'";
    let expected = Config {
        tick_rate: 60,
        // Follows the tick rate unless it is given.
        snapshot_rate: 60,
        npcs: 4,
        hello_timeout: Duration::from_millis(250),
        tls_cert: Some("a".into()),
        log_json: true,
        ..Config::default()
    };
    assert_eq!(config(&["--npcs", "4", "--log-json"], file), Ok(expected));
    let given = config(&["--tick-rate", "120"], "messages-per-second = 150").unwrap();
    assert_eq!((given.snapshot_rate, given.messages_per_second), (120, 150));
    let given = config(&["--tick-rate", "120", "--snapshot-rate=30"], "").unwrap();
    assert_eq!((given.snapshot_rate, given.messages_per_second), (30, 240));
}

#[test]
fn help_and_version_name_the_program() {
    let print = |args: &[&str]| match read("cards", args.iter().map(OsString::from)) {
        Ok(Start::Print(text)) => text,
        other => panic!("{other:?}"),
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        print(&["/opt/my-game", "--version"]),
        format!("my-game {version}\n")
    );
    assert_eq!(print(&["", "--version"]), format!("cards {version}\n"));
    let help = print(&["/opt/my-game", "--help"]);
    assert!(help.contains("Usage: my-game "), "{help}");
    assert!(!help.contains("tickwire-server "), "{help}");
}

#[test]
fn lists_repeat_or_take_commas() {
    let args = [
        "--allowed-origin",
        "http://a,http://b",
        "--allowed-origin",
        "http://c",
    ];
    let origins = |texts: &[&str]| -> Vec<AllowedOrigin> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let in_file = "allowed-origin = ['http://d', 'http://e,http://f']";
    let flags = config(&args, in_file).unwrap();
    let expected = origins(&["http://a", "http://b", "http://c"]);
    assert_eq!(flags.allowed_origins, expected);
    let file = config(&[], in_file).unwrap();
    let expected = origins(&["http://d", "http://e", "http://f"]);
    assert_eq!(file.allowed_origins, expected);
    let none = config(&[], "allowed-origin = []").unwrap();
    assert_eq!(none.allowed_origins, []);
}

#[test]
fn what_is_no_origin_is_named() {
    for wrong in [
        "*",
        "play.example",
        "https://play.example/",
        "https://*.example",
    ] {
        let error = refused(&["--allowed-origin", wrong], "");
        assert!(
            error.contains(wrong) && error.contains("allowed-origin"),
            "{error}"
        );
        let error = refused(&[], &format!("allowed-origin = ['{wrong}']"));
        assert!(error.contains(wrong), "{error}");
    }
}

/// Every setting has a flag, a variable, a key, help and a row in `docs/settings.md`, and its
/// default means the same wherever it is written.
#[test]
fn every_setting_is_everywhere() {
    let mut rows = String::new();
    for arg in command().get_arguments() {
        let name = arg.get_long().expect("every setting has a long flag");
        let variable = format!("TICKWIRE_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(arg.get_env(), Some(variable.as_ref()), "{name}");
        let help = arg.get_help().expect("every setting has help").to_string();
        let (help, told) = help.split_once(" [default: ").unwrap_or((&help, ""));
        let defaults = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy());
        let default = defaults.collect::<Vec<_>>().join(",");
        let told = match arg.is_hide_default_value_set() || default.is_empty() {
            true => told.trim_end_matches(']').to_owned(),
            false => format!("`{default}`"),
        };
        rows += &format!("| `--{name}` | `{variable}` | {told} | {help} |\n");
        if name == "config" || arg.get_default_values().is_empty() {
            continue;
        }
        let usual = Ok(Config::default());
        assert_eq!(
            config(&[&format!("--{name}={default}")], ""),
            usual,
            "{name}"
        );
        assert_eq!(
            config(&[], &format!("{name} = '{default}'")),
            usual,
            "{name}"
        );
        if default.parse::<u64>().is_ok() || default.parse::<bool>().is_ok() {
            assert_eq!(config(&[], &format!("{name} = {default}")), usual, "{name}");
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md");
    let page = std::fs::read_to_string(path).unwrap_or_default();
    let own: Vec<String> = own_keys().iter().map(|key| format!("`{key}`")).collect();
    let own = own.join(", ");
    assert!(page.contains(&own), "docs/settings.md must name {own}");
    assert!(
        page.ends_with(&rows),
        "docs/settings.md must end with\n{rows}"
    );
}

#[test]
fn errors_are_one_line_and_say_where() {
    let check = |error: String, words: &[&str]| {
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!error.contains('\n'), "{error}");
    };
    check(
        refused(&["--tick-rat", "3"], ""),
        &["--tick-rat", "--tick-rate"],
    );
    check(
        refused(&["--tick-rate", "fast"], ""),
        &["--tick-rate", "fast"],
    );
    check(refused(&["--listen", "here"], ""), &["--listen", "here"]);
    check(refused(&["--stop-deadline", "5"], ""), &["250ms"]);
    check(refused(&["stray"], ""), &["stray"]);
    check(refused(&["--npcs"], ""), &["--npcs"]);
    let file = |text: &str, words: &[&str]| check(refused(&[], text), words);
    file(
        "npcs = 1\ntick_rate = 3",
        &[", line 2: tick_rate", "tick-rate"],
    );
    file("npcs = 'many'", &[", line 1: ", "npcs", "many"]);
    file("npcs = [3]", &[", line 1: npcs", "array"]);
    file(
        "\nallowed-origin = [['http://a']]",
        &[", line 2: ", "array"],
    );
    file("[listen]\nport = 1", &[", line 1: listen", "table"]);
    file("tick-rate = 30.5", &[", line 1: ", "tick-rate", "30.5"]);
    file("config = 'other.toml'", &["config"]);
    file("npcs = ", &[", line 1"]);
    file(
        "[games.chess]\nnpcs = 1\nlisten = '127.0.0.1:1'",
        &[", line 3: listen", "a game may have", "max-rooms"],
    );
    file(
        "[games.chess]\ntick_rate = 3",
        &[", line 2: tick_rate", "tick-rate"],
    );
    file(
        "[games.chess]\ntick-rate = 'fast'",
        &[", line 2: ", "tick-rate", "fast"],
    );
    file("[games]\nnpcs = 1", &[", line 2: games.npcs", "integer"]);
    file("games = 2", &[", line 1: games", "integer"]);
}

/// Neither by what is wrong with the URL, wherever it is written, nor by the help, nor by the
/// settings themselves.
#[test]
fn the_engines_password_is_told_nobody() {
    let wrong = "redis://user:secret@redis:70000";
    let errors = [
        refused(&["--cluster-url", wrong], ""),
        refused(&[&format!("--cluster-url={wrong}")], ""),
        refused(&[], &format!("npcs = 1\ncluster-url = '{wrong}'")),
    ];
    for error in &errors {
        let told = "cluster-url: a host is NAME";
        assert!(error.contains(told) && !error.contains('\n'), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    assert!(errors[2].starts_with(", line 2: "), "{}", errors[2]);
    let command = command();
    let mut url = command
        .get_arguments()
        .filter(|arg| arg.get_id() == "cluster_url");
    assert!(url.all(|arg| arg.is_hide_env_values_set()), "the help");
    let config = config(&["--cluster-url", "redis://user:secret@redis"], "").unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    assert!(
        config
            .check()
            .is_err_and(|why| !why.to_string().contains("secret"))
    );
}

#[test]
fn a_game_may_have_settings_of_its_own() {
    let file = "npcs = 5\n[games.chess]\ntick-rate = 10\nidle-after = '0s'\n[games.go]\n";
    let config = config(&["--tick-rate", "60"], file).unwrap();
    assert_eq!((config.tick_rate, config.npcs), (60, 5));
    let chess = GameSettings {
        tick_rate: Some(10),
        idle_after: Some(Duration::ZERO),
        ..GameSettings::default()
    };
    let games = [("chess", chess), ("go", GameSettings::default())];
    let games = games.map(|(name, own)| (name.to_owned(), own));
    assert_eq!(config.games, BTreeMap::from(games));
}

#[test]
fn misspelled_variables_are_found() {
    let names = [
        "PATH",
        "TICKWIRE_LISTEN",
        "TICKWIRE_TICKRATE",
        "TICKWIRE_LOG_JSON",
    ];
    assert_eq!(
        unknown(names.into_iter().map(OsString::from)),
        ["TICKWIRE_TICKRATE"]
    );
}
