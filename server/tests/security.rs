//! `server/SECURITY.md` names only what is there: files, tests, flags, figures.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the table below a heading, split into cells.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = read("server/SECURITY.md");
    let start = page.find(heading).expect("the heading is there");
    let section = &page[start + heading.len()..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    section
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect()
}

/// What stands in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_threat_has_a_defence_in_a_file_and_a_test() {
    let rows = rows("## Threats");
    assert!(rows.len() >= 20, "{}", rows.len());
    for row in rows {
        let [threat, defence, places, tests] = row.as_slice() else {
            panic!("not four cells: {row:?}");
        };
        assert!(!defence.is_empty(), "{threat}");
        assert!(!quoted(places).is_empty(), "{threat}: no file");
        quoted(places).into_iter().for_each(|path| drop(read(path)));
        assert!(!quoted(tests).is_empty(), "{threat}: no test");
        for test in quoted(tests) {
            let (path, name) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("{threat}: {test}"));
            let text = read(path);
            let (rust, js) = (format!("fn {name}("), format!("test('{name}'"));
            let is_there = text.contains(&rust) || text.contains(&js);
            assert!(is_there, "{threat}: there is no test {test}");
        }
    }
}

#[test]
fn every_bound_has_its_flag_and_its_figure() {
    let (settings, figures) = (read("docs/settings.md"), read("docs/figures.md"));
    for row in rows("## Bounds") {
        let [bound, default, place, figure] = row.as_slice() else {
            panic!("not four cells: {row:?}");
        };
        for flag in quoted(default) {
            let known = settings.contains(&format!("`{flag}`"));
            assert!(known, "{bound}: {flag}");
        }
        quoted(place).into_iter().for_each(|path| drop(read(path)));
        let counted = quoted(figure);
        assert_eq!(counted.len(), 1, "{bound}");
        let known = figures.contains(&format!("`{}`", counted[0]));
        assert!(known, "{bound}: {figure}");
    }
}
