//! What a snapshot costs the whole server, beside a bare event-driven loop that does the same sends and
//! reads; and how many clients one core holds. A table on the output; `--json` writes a file. The program is
//! all of its processes: see `tickwire_benches::fanout::Role`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tickwire_benches::fanout::load::Orders;
use tickwire_benches::fanout::{Contest, RATE, ROOM, Report, Role, bare, load};
use tickwire_server::arena::Arena;
use tickwire_server::{Site, serve};

/// Measures what a snapshot costs, beside a bare epoll loop.
#[derive(Parser)]
#[command(name = "fanout-yardstick")]
struct Flags {
    /// Writes the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Numbers of clients, in rooms of 50
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "2000,500", value_parser = clap::value_parser!(u32).range(1..=18_000))]
    clients: Vec<u32>,
    /// Pairs of runs for each number of clients
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=99))]
    pairs: u16,
    /// Seconds that are measured of a run
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Drones in each room: so many make a snapshot about 300 B
    #[arg(long, value_name = "N", default_value_t = 270)]
    npcs: u16,
    /// Finds how many clients are served before the p99 gap passes 1.5 ticks, instead
    #[arg(long)]
    ramp: bool,
}

/// What the clients' process is told.
#[derive(Parser)]
struct LoadFlags {
    #[command(flatten)]
    orders: Orders,
}

fn main() -> ExitCode {
    let done = match Role::of_this_process() {
        Role::Server => return serve::<Arena>(Site::new()),
        Role::Bare => run_bare(),
        Role::Load => run_load(),
        Role::Judge => judge(&Flags::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout-yardstick: {error}");
            ExitCode::FAILURE
        }
    }
}

fn judge(flags: &Flags) -> io::Result<()> {
    let contest = Contest {
        pairs: usize::from(flags.pairs),
        warm_ms: 1500,
        measure_ms: u64::from(flags.seconds) * 1000,
        npcs: flags.npcs,
    };
    println!(
        "arena, rooms of {ROOM} with {} drones, {RATE} Hz, {RATE} inputs/s from each client; one worker, {}",
        flags.npcs,
        if contest.is_pinned() {
            "a core for the server and one for the clients"
        } else {
            "nothing pinned"
        }
    );
    if flags.ramp {
        let held = contest.ramp(|step| {
            println!(
                "{:>6} clients: gap p99 {:>6.1} ms, {:>3.0} % of the snapshots, {:>3.0} % of a core",
                step.clients,
                step.gap_p99_ms,
                100.0 * step.served,
                100.0 * step.cpu_share
            );
        })?;
        println!("{held} clients within 1.5 ticks at p99");
        return Ok(());
    }
    let clients: Vec<usize> = flags
        .clients
        .iter()
        .map(|&clients| clients as usize)
        .collect();
    let report = contest.report(&clients, |line| eprintln!("{line}"))?;
    print!("{report}");
    match &flags.json {
        Some(path) => write(path, &report),
        None => Ok(()),
    }
}

fn write(path: &Path, report: &Report) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    std::fs::write(path, json)
}

fn run_bare() -> io::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let mut args = std::env::args().skip(1);
    let clients = args.next().and_then(|text| text.parse().ok());
    let sizes = args.next().unwrap_or_default();
    let sizes: Result<Vec<usize>, _> = sizes.split(',').map(str::parse).collect();
    let wrong = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let clients = clients.ok_or(io::ErrorKind::InvalidInput)?;
    bare::run(clients, &sizes.map_err(wrong)?, |address| {
        println!("LISTENING {address}");
    })
}

fn run_load() -> io::Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let flags = LoadFlags::parse();
    let sight = load::run(&flags.orders, || println!("READY"))?;
    println!("SAW {}", serde_json::to_string(&sight)?);
    Ok(())
}
