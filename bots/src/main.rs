//! The program around [`tickwire_bots::swarm`]: flags in, progress bar, table and JSON out, exit
//! status.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use indicatif::{ProgressBar, ProgressDrawTarget};
use tickwire_bots::flags::Flags;
use tickwire_bots::report::Report;
use tickwire_bots::swarm;

/// Files besides the bots' sockets: the runtime's own, and stdio.
const FILES_BESIDES: u64 = 64;

fn main() -> ExitCode {
    let flags = Flags::parse();
    if let Err(what) = flags.check() {
        Flags::command()
            .error(clap::error::ErrorKind::ValueValidation, what)
            .exit();
    }
    // A bot that is away may hold on to its old socket until it is back.
    let stands = if flags.cuts() || flags.returns() {
        2
    } else {
        1
    };
    let each = stands * flags.transport.sockets();
    let bots = u64::from(flags.bots) * each + u64::from(flags.hostile_bots());
    let sockets = bots + FILES_BESIDES;
    if let Ok(limit) = rlimit::increase_nofile_limit(sockets)
        && limit < sockets
    {
        eprintln!("tickwire-bots: {sockets} open files are needed, {limit} are allowed");
        return ExitCode::FAILURE;
    }
    match run(flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("tickwire-bots: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all objectives were met.
fn run(mut flags: Flags) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(flags.threads))
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    let json = flags.json.clone();
    if let Some(file) = &flags.ca {
        for url in &mut flags.url {
            url.trust(file)?;
        }
    }
    let report = runtime
        .block_on(swarm::run(flags, &bar))
        .map_err(|error| error.to_string())?;
    write(&report, json.as_deref())?;
    Ok(report.passed())
}

fn write(report: &Report, json: Option<&Path>) -> Result<(), String> {
    let Some(path) = json else {
        print!("{report}");
        return Ok(());
    };
    let mut text = serde_json::to_string_pretty(report)
        .map_err(|error| format!("the report is no JSON: {error}"))?;
    text.push('\n');
    if path == Path::new("-") {
        print!("{text}");
        return Ok(());
    }
    print!("{report}");
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
