//! Instructions and simulated cache misses of each stage of a tick, and whether they are within
//! their bars. A table on the output; exit status 1 where a count is above its bar. `make counts`
//! builds it with the optimised code that it needs.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use tickwire_benches::counted::{self, Bars, CACHES, Table};
use tickwire_benches::output::write_json;

/// Counts instructions and cache misses, under valgrind.
#[derive(Parser)]
#[command(name = "counted")]
struct Flags {
    /// The bars
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.json"))]
    bars: PathBuf,
    /// Takes today's counts as the bars, instead of judging them
    #[arg(long)]
    write: bool,
    /// Writes the counts to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The valgrind program
    #[arg(long, value_name = "PROGRAM", default_value = "valgrind")]
    valgrind: String,
}

fn main() -> ExitCode {
    let done = if counted::is_counted() {
        counted::play().map(|()| true)
    } else {
        run(&Flags::parse())
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("counted: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: &Flags) -> io::Result<bool> {
    if cfg!(debug_assertions) {
        return Err(io::Error::other(
            "this is not the code that a server runs: build it as `make counts` does",
        ));
    }
    let all = counted::count(&flags.valgrind)?;
    println!(
        "arena, rooms of 50 players and 270 drones; capture of 320 entities without rules; caches (bytes, ways, line): {}",
        CACHES
            .map(|(which, geometry)| format!("{} {geometry}", which.trim_start_matches('-')))
            .join("; ")
    );
    print!("{}", Table(&all));
    let counts = Bars::of(rustc()?, &all);
    if let Some(path) = &flags.json {
        write_json(path, &counts)?;
    }
    if flags.write {
        write_json(&flags.bars, &counts)?;
        return Ok(true);
    }
    let bars: Bars = serde_json::from_str(&std::fs::read_to_string(&flags.bars)?)?;
    if !bars.are_comparable(&counts) {
        println!(
            "not judged: the bars are of {} on {}, this is {} on {}",
            bars.rustc, bars.architecture, counts.rustc, counts.architecture
        );
        return Ok(true);
    }
    let verdicts = bars.judge(&counts);
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let holds = !verdicts.iter().any(counted::Verdict::fails);
    if holds {
        println!("all {} counts are within their bars", counts.counts.len());
    }
    Ok(holds)
}

/// The compiler's version, without its day: `rustc 1.95.0`.
fn rustc() -> io::Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(program).arg("--version").output()?.stdout;
    let said = String::from_utf8_lossy(&said);
    let words: Vec<&str> = said.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}
