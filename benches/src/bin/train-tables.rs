//! Writes `server/arena/src/tables.rs`: `cargo run --release -p tickwire-benches --bin
//! train-tables`. Run it after the arena's schema or its motion changed; the server refuses tables
//! of another schema at start. The same sources give the same file.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/arena/src/tables.rs");
    match std::fs::write(&path, source(&tickwire_benches::training::train())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn source(tables: &[Vec<u16>]) -> String {
    let mut text = String::from(
        "//! What the arena's bodies start from, by layer. Written by\n\
         //! `cargo run --release -p tickwire-benches --bin train-tables`; not by hand.\n\n\
         /// Tables of the room's, an owner's and a team's layer.\n\
         #[rustfmt::skip]\n\
         pub(super) const TABLES: [&[u16]; 3] = [\n",
    );
    for table in tables {
        text += "    &[\n";
        for line in table.chunks(16) {
            text += "       ";
            for context in line {
                // Writing to a string does not fail.
                let _ = write!(text, " {context},");
            }
            text += "\n";
        }
        text += "    ],\n";
    }
    text + "];\n"
}
