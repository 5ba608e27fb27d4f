//! Flags, variables and file as `flags` reads them.

use super::*;

fn flags(args: &[&str]) -> Result<Flags, String> {
    let args = [&["tickwire-server"], args].concat();
    let matches = Flags::command().try_get_matches_from(args);
    let flags = matches.and_then(|matches| Flags::from_arg_matches(&matches));
    flags.map_err(|e| one_line(&e).to_string())
}

#[test]
fn flag_before_file_before_default() {
    let file = parse("tick-rate = 60\nnpcs = 3\nhello-timeout = '250ms'").unwrap();
    let config = resolve(flags(&["--npcs", "4", "--log-json"]).unwrap(), file);
    let expected = Config {
        tick_rate: 60,
        // Follows the tick rate unless it is given.
        snapshot_rate: 60,
        npcs: 4,
        hello_timeout: std::time::Duration::from_millis(250),
        log_json: true,
        ..Config::default()
    };
    assert_eq!(config, expected);
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
    let config = resolve(flags(&args).unwrap(), Flags::default());
    let origin = |text: &str| text.parse::<AllowedOrigin>().unwrap();
    assert_eq!(
        config.allowed_origins,
        [origin("http://a"), origin("http://b"), origin("http://c")]
    );
    let file = parse("allowed-origin = ['http://d']").unwrap();
    assert_eq!(
        resolve(Flags::default(), file).allowed_origins,
        [origin("http://d")]
    );
}

#[test]
fn what_is_no_origin_is_named() {
    for wrong in [
        "*",
        "play.example",
        "https://play.example/",
        "https://*.example",
    ] {
        let error = flags(&["--allowed-origin", wrong]).unwrap_err().to_string();
        assert!(
            error.contains(wrong) && error.contains("allowed-origin"),
            "{error}"
        );
        let error = parse(&format!("allowed-origin = ['{wrong}']"))
            .err()
            .unwrap();
        assert!(error.contains(wrong), "{error}");
    }
}

/// Every flag with its default, so that the help can't lie and no setting lacks an
/// environment variable or a place in the file.
#[test]
fn help_names_the_defaults() {
    let mut shown = 0;
    for arg in Flags::command().get_arguments() {
        let name = arg.get_long().expect("every setting has a long flag");
        let variable = format!("TICKWIRE_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(arg.get_env(), Some(variable.as_ref()), "{name}");
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let Some((_, default)) = help.split_once("[default: ") else {
            continue;
        };
        let default = default.trim_end_matches(']');
        if default.contains(' ') {
            continue;
        }
        let given = resolve(
            flags(&[&format!("--{name}"), default]).unwrap(),
            Flags::default(),
        );
        assert_eq!(given, Config::default(), "--{name} {default}");
        let quoted = if default.parse::<u64>().is_ok() || default.parse::<bool>().is_ok() {
            ""
        } else {
            "'"
        };
        let file = parse(&format!("{name} = {quoted}{default}{quoted}")).unwrap();
        assert_eq!(
            resolve(Flags::default(), file),
            Config::default(),
            "{name} in a file"
        );
        shown += 1;
    }
    assert!(shown >= 14, "only {shown} defaults shown");
}

#[test]
fn errors_are_one_line_and_say_where() {
    let check = |error: String, words: &[&str]| {
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!error.contains('\n'), "{error}");
    };
    check(
        flags(&["--tick-rat", "3"]).unwrap_err(),
        &["--tick-rat", "--tick-rate"],
    );
    check(
        flags(&["--tick-rate", "fast"]).unwrap_err(),
        &["--tick-rate", "fast"],
    );
    check(
        flags(&["--listen", "here"]).unwrap_err(),
        &["--listen", "here"],
    );
    check(flags(&["--stop-deadline", "5"]).unwrap_err(), &["250ms"]);
    check(flags(&["stray"]).unwrap_err(), &["stray"]);
    check(flags(&["--npcs"]).unwrap_err(), &["--npcs"]);
    check(
        parse("npcs = 1\ntick_rate = 3").unwrap_err(),
        &[", line 2", "tick_rate"],
    );
    check(parse("npcs = 'many'").unwrap_err(), &[", line 1", "string"]);
    check(parse("config = 'other.toml'").unwrap_err(), &["config"]);
    check(parse("npcs = ").unwrap_err(), &[", line 1"]);
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
