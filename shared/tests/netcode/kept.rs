//! Comparing what the code makes with the file that is kept.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

/// One case a line, so that a change is a readable diff.
pub(crate) fn check(name: &str, what: &str, cases: &[Value]) {
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let text = format!(
        "{{\n\"kind\": {},\n\"what\": {},\n\"cases\": [\n{}\n]\n}}\n",
        json!(name),
        json!(what),
        lines.join(",\n")
    );
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/netcode");
    let path = folder.join(format!("{name}.json"));
    if std::env::var_os("TICKWIRE_BLESS").is_some() {
        fs::create_dir_all(&folder).expect("a folder for vectors");
        fs::write(&path, &text).expect("vectors are writable");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is not what this code makes; if that was meant to change, run with TICKWIRE_BLESS=1",
        path.display()
    );
}
