//! Bytes and time that a moving entity costs a tick, on recorded motion, in the codec that ships
//! and in what it is compared with. A table on the output; `--json` and `--svg` write files. Exit
//! status 1 where a time is above its bar, as a ratio to the reference work's.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tickwire_benches::arena_play::Hands;
use tickwire_benches::calm::Patience;
use tickwire_benches::motion::Motion;
use tickwire_benches::node::{Node, NodeError};
use tickwire_benches::output::{exit_code, write, write_json};
use tickwire_benches::yardstick::{Effort, Missed, Report, measure, measure_arena, svg};

/// Measures the snapshot codec on recorded motion.
#[derive(Parser)]
#[command(name = "codec-yardstick")]
struct Flags {
    /// Writes the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the bytes as a bar plot to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Samples of which the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Samples of each figure that may be taken again because others were at work
    #[arg(long, value_name = "N", default_value_t = 9)]
    repeats: u16,
    /// The Node program that decodes in JavaScript
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: String,
}

fn main() -> ExitCode {
    exit_code("codec-yardstick", run(&Flags::parse()))
}

/// How long a sample takes, at least: long beside the hundredths of a second in which the system
/// says who had the cores.
const SAMPLE: Duration = Duration::from_millis(400);
/// Processes of JavaScript that count: the median of each counts already.
const PROCESSES: usize = 3;

/// Whether all bars hold.
fn run(flags: &Flags) -> Result<bool, String> {
    let node = match Node::find(&flags.node) {
        Ok(node) => Some(node),
        Err(error @ NodeError::Missing) => {
            println!("JavaScript is skipped: {error}");
            None
        }
        Err(error) => return Err(error.to_string()),
    };
    let effort = Effort {
        patience: Patience {
            wanted: usize::from(flags.runs),
            repeats: usize::from(flags.repeats),
        },
        sample: SAMPLE,
        processes: Patience {
            wanted: PROCESSES.min(usize::from(flags.runs)),
            repeats: PROCESSES.min(usize::from(flags.repeats)),
        },
        rooms: 8,
    };
    let mut report = Report::default();
    for motion in Motion::ALL {
        let rows = measure(motion, &motion.record(), effort, node.as_ref())
            .map_err(|error| format!("{}: {error}", motion.name()))?;
        report.rows.extend(rows);
    }
    for hands in Hands::ALL {
        measure_arena(&mut report, hands, effort, node.as_ref())
            .map_err(|error| format!("{}: {error}", hands.name()))?;
    }
    println!("30 Hz, 1 cm, 8-bit heading, health; all move; every tick decoded and compared");
    print!("{report}");
    if let Some(path) = &flags.json {
        write_json(path, &report).map_err(|error| error.to_string())?;
    }
    if let Some(path) = &flags.svg {
        write(path, &svg(&report.rows)).map_err(|error| error.to_string())?;
    }
    Ok(!report.missed().iter().any(Missed::fails))
}
