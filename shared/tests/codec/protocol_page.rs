//! `PROTOCOL.md` moves with the code: it carries a hash of the sources that make the wire, and
//! names every message and close code. After a change of those sources, read the page against
//! them, then write the hash with `TICKWIRE_BLESS=1 cargo test -p tickwire --test codec`.

use std::fs;
use std::path::{Path, PathBuf};

use tickwire::protocol::{CloseCode, close_code::SeatAfter};

/// Files, and folders with all that is in them.
const SOURCES: [&str; 6] = [
    "src/codec.rs",
    "src/ids.rs",
    "src/limits.rs",
    "src/protocol",
    "src/schema",
    "src/snapshot",
];
/// Of these what only the server does, before there is a body.
const NOT_OF_THE_WIRE: [&str; 2] = ["src/snapshot/complete.rs", "src/snapshot/training.rs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sources below a path, in an order that is the same everywhere.
fn sources(path: PathBuf) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path];
    }
    let entries = fs::read_dir(&path).expect("a folder of sources");
    let mut below: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    below.sort();
    below.into_iter().flat_map(sources).collect()
}

/// FNV-1a over the sources, without what a formatter or a comment changes.
fn source_hash(root: &Path) -> String {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let skipped = NOT_OF_THE_WIRE.map(|source| root.join(source));
    let all = SOURCES
        .into_iter()
        .flat_map(|source| sources(root.join(source)));
    for source in all.filter(|source| !skipped.contains(source)) {
        let text = fs::read_to_string(&source).expect("a source of the wire");
        let code = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with("//"));
        for byte in code.flat_map(str::bytes).filter(|byte| *byte != b' ') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    format!("{hash:016x}")
}

#[test]
fn the_page_was_read_against_the_sources() {
    let path = root().join("PROTOCOL.md");
    let page = fs::read_to_string(&path).expect("PROTOCOL.md");
    let hash = source_hash(&root());
    let mark = "Sources of this page: `";
    let at = page
        .find(mark)
        .expect("the page ends with its sources' hash")
        + mark.len();
    let kept = &page[at..at + 16];
    if kept != hash && std::env::var_os("TICKWIRE_BLESS").is_some() {
        fs::write(&path, page.replace(kept, &hash)).expect("PROTOCOL.md is writable");
    } else {
        assert_eq!(
            kept, hash,
            "the wire's sources changed: bring PROTOCOL.md up to date, then bless it"
        );
    }
}

#[test]
fn the_page_names_every_message_and_close_code() {
    let page = fs::read_to_string(root().join("PROTOCOL.md")).expect("PROTOCOL.md");
    for source in ["client_message", "server_message"] {
        let path = root().join(format!("src/protocol/{source}.rs"));
        let text = fs::read_to_string(path).expect("the messages");
        // Variants and public types stand at one level of indentation, or at none.
        let names = text.lines().filter_map(|line| {
            let line = line.strip_prefix("pub enum ").or_else(|| {
                line.strip_prefix("    ")
                    .filter(|rest| rest.starts_with(char::is_uppercase))
            })?;
            line.split(|c: char| !c.is_alphanumeric()).next()
        });
        for name in names.filter(|name| !name.ends_with("Message")) {
            assert!(page.contains(&format!("`{name}`")), "{name} of {source}");
        }
    }
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("9. "));
    let rows = section.expect("the close codes").lines();
    let rows: Vec<Vec<&str>> = rows
        .filter(|line| line.starts_with("| 1") || line.starts_with("| 4"))
        .map(|line| line.split(" | ").collect())
        .collect();
    assert_eq!(rows.len(), CloseCode::ALL.len());
    for (row, code) in rows.iter().zip(CloseCode::ALL) {
        assert_eq!(row[0], format!("| {}", code.number()));
        let back = if code.is_final() { "no" } else { "yes" };
        let seat = match code.seat() {
            SeatAfter::Held => "held |",
            SeatAfter::GoesOn => "goes on |",
            SeatAfter::GivenUp => "given up |",
        };
        assert_eq!(row[2..], [back, seat], "{code}");
    }
}

/// What a page calls a close code is one: four digits from 4 on after "with" or "code".
#[test]
fn the_pages_name_no_other_close_code() {
    let docs = fs::read_dir(root().join("../docs")).into_iter().flatten();
    let docs = docs.filter_map(|entry| Some(entry.ok()?.path()));
    let pages = [
        "PROTOCOL.md",
        "../README.md",
        "../client-web/README.md",
        "../server/SECURITY.md",
    ]
    .map(|page| root().join(page));
    let mut named = 0;
    for page in pages.into_iter().chain(docs) {
        let text = fs::read_to_string(&page).expect("a page");
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let is_code = pair[1].len() == 4 && pair[1].starts_with('4');
            if let ["with" | "code", number] = pair[..]
                && is_code
                && let Ok(number) = number.parse()
            {
                assert!(
                    CloseCode::of(number).is_some(),
                    "{number} in {}",
                    page.display()
                );
                named += 1;
            }
        }
    }
    assert!(named > 10, "{named}");
}
