//! What the smallest example promises to a newcomer: so many lines, none of them stuffed. That it
//! compiles is cargo's doing, that it moves the browser's.

use std::fs;
use std::path::Path;

/// Columns that rustfmt allows, and the page's code keeps to.
const COLUMNS_MAX: usize = 100;

/// Lines of a file of the examples that have something on them.
fn lines(file: &str) -> usize {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = fs::read_to_string(examples.join(file)).expect("a readable file");
    for line in text.lines() {
        assert!(line.chars().count() <= COLUMNS_MAX, "{file}: {line}");
        let statements = line.matches("; ").count();
        assert!(statements == 0, "{file}: two statements in a line: {line}");
    }
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn a_moving_square_is_forty_lines_of_rust_and_twenty_of_javascript() {
    let (rust, javascript) = (lines("square/main.rs"), lines("square/square.js"));
    assert!(rust <= 40, "{rust} lines of Rust");
    assert!(javascript <= 20, "{javascript} lines of JavaScript");
}
