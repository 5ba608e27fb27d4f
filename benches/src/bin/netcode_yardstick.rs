//! What players feel over bad links: prediction errors, corrections, underruns, late inputs, fair
//! hits. The browser's SDK plays in Node, on virtual time, so it says the same in every run. A
//! table on the output; `--json` writes a file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tickwire_benches::netplay::{Case, Report, measure};
use tickwire_benches::node::Node;
use tickwire_benches::output::{exit_code, write_json};

/// Measures the netcode over conditioned links.
#[derive(Parser)]
#[command(name = "netcode-yardstick")]
struct Flags {
    /// Writes the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seconds of play that each row is taken from
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Of the rooms, the hands and the links
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    seed: u32,
    /// The Node program that the clients run in
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: String,
}

fn main() -> ExitCode {
    exit_code("netcode-yardstick", run(&Flags::parse()))
}

fn run(flags: &Flags) -> Result<bool, String> {
    let node = Node::find(&flags.node).map_err(|error| error.to_string())?;
    let mut report = Report::default();
    for (jitter_ms, stall_ms) in [(0, 0), (30, 0), (0, 500)] {
        for rtt_ms in [0, 60, 120, 200] {
            let case = Case {
                rtt_ms,
                jitter_ms,
                stall_ms,
                seconds: flags.seconds,
                seed: flags.seed,
            };
            let row = measure(&case, &node).map_err(|error| error.to_string())?;
            report.rows.push(row);
        }
    }
    println!(
        "arena at 30 Hz, 4 players who run and shoot among 24 drones; errors in units, of which a player runs 100 a second"
    );
    print!("{report}");
    if let Some(path) = &flags.json {
        write_json(path, &report).map_err(|error| error.to_string())?;
    }
    Ok(true)
}
