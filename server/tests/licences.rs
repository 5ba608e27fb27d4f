//! Every crate that the workspace builds with has a licence that `deny.toml` allows, and comes
//! from crates.io. Read off `cargo metadata`, which fetches what other platforms alone build with
//! where it was not fetched before; advisories are `cargo deny check`'s, which needs its database.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// The list below `key` of a table of deny.toml: texts, or what they name as their crate.
fn listed(table: &str, key: &str) -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../deny.toml");
    let text = std::fs::read_to_string(path).expect("deny.toml");
    let file: toml::Table = toml::from_str(&text).expect("TOML");
    let list = file[table][key].as_array().expect("a list");
    list.iter()
        .map(|item| item.get("crate").unwrap_or(item))
        .filter_map(|item| Some(item.as_str()?.to_owned()))
        .collect()
}

/// Whether an SPDX expression can be met with `allowed`. `AND` binds closer than `OR`.
fn met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    fn any(
        tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>,
        allowed: &BTreeSet<String>,
    ) -> bool {
        let mut met = all(tokens, allowed);
        while tokens.next_if(|token| token == "OR").is_some() {
            met |= all(tokens, allowed);
        }
        met
    }
    fn all(
        tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>,
        allowed: &BTreeSet<String>,
    ) -> bool {
        let mut met = one(tokens, allowed);
        while tokens.next_if(|token| token == "AND").is_some() {
            met &= one(tokens, allowed);
        }
        met
    }
    fn one(
        tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>,
        allowed: &BTreeSet<String>,
    ) -> bool {
        let mut name = tokens.next().expect("a licence");
        if name == "(" {
            let met = any(tokens, allowed);
            assert_eq!(tokens.next().as_deref(), Some(")"));
            return met;
        }
        if tokens.next_if(|token| token == "WITH").is_some() {
            name = format!("{name} WITH {}", tokens.next().expect("an exception"));
        }
        allowed.contains(&name)
    }
    // Before SPDX expressions, `/` stood for OR.
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    any(&mut tokens.into_iter().peekable(), allowed)
}

/// What the workspace builds with, as cargo describes it.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let Value::Array(packages) = metadata["packages"].take() else {
        panic!("no packages")
    };
    assert!(packages.len() > 50, "{}", packages.len());
    packages
}

#[test]
fn what_is_unsafe_or_too_much_is_not_built_with() {
    let denied = listed("bans", "deny");
    assert!(
        denied.contains("rsa") && denied.contains("h2"),
        "{denied:?}"
    );
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        assert!(!denied.contains(name), "{name}: see deny.toml");
    }
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed() {
    let allowed = listed("licenses", "allow");
    let mut wrong = Vec::new();
    for package in packages() {
        let name = format!("{} {}", package["name"], package["version"]);
        let licence = package["license"].as_str().unwrap_or("");
        if licence.is_empty() || !met(licence, &allowed) {
            wrong.push(format!("{name}: licence {licence:?}"));
        }
        let crates_io = "registry+https://github.com/rust-lang/crates.io-index";
        match package["source"].as_str() {
            None | Some(_) if package["source"].is_null() => {}
            Some(source) if source == crates_io => {}
            source => wrong.push(format!("{name}: source {source:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "A WITH e".to_owned()]);
    let check =
        |expression: &str, is: bool| assert_eq!(met(expression, &allowed), is, "{expression}");
    check("MIT", true);
    check("GPL", false);
    check("GPL OR MIT", true);
    check("GPL/MIT", true);
    check("MIT AND GPL", false);
    check("GPL OR MIT AND GPL", false);
    check("(GPL OR MIT) AND MIT", true);
    check("A WITH e", true);
    check("A", false);
}
