//! What a snapshot costs the whole server, beside a bare event-driven loop that does the same sends
//! and reads; and how many clients one core holds. A table on the output; `--json` writes a file.
//! Exit status 1 where a ratio is over its bar though the machine was calm. The program is all of
//! its processes: see `tickwire_benches::fanout::Role`.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tickwire_arena::Arena;
use tickwire_benches::fanout::load::Orders;
use tickwire_benches::fanout::{Contest, RATE, RATIO_MAX, ROOM, Role, bare, load};
use tickwire_benches::output::{exit_code, write_json};
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
    /// Pairs that may be taken again because others were at work, for each number of clients; as
    /// many as pairs, if not said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=99))]
    repeats: Option<u16>,
    /// Seconds to wait until others leave the machine alone, for each number of clients in all
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u16).range(..=3600))]
    patience: u16,
    /// The greatest ratio of the server's time to the bare loop's
    #[arg(long, value_name = "RATIO", default_value_t = RATIO_MAX)]
    max_ratio: f64,
    /// Finds how many clients are served before the p99 gap passes 1.5 ticks, instead
    #[arg(long)]
    ramp: bool,
}

fn main() -> ExitCode {
    let done = match Role::of_this_process() {
        Ok(Some(Role::Server)) => return serve::<Arena>(Site::new()),
        Ok(Some(Role::Bare { clients, sizes })) => run_bare(clients, &sizes),
        Ok(Some(Role::Load(orders))) => run_load(&orders),
        Ok(None) => judge(&Flags::parse()),
        Err(error) => Err(error),
    };
    exit_code("fanout-yardstick", done)
}

/// Whether the bar holds.
fn judge(flags: &Flags) -> io::Result<bool> {
    let contest = Contest {
        pairs: usize::from(flags.pairs),
        repeats: usize::from(flags.repeats.unwrap_or(flags.pairs)),
        patience_s: usize::from(flags.patience),
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
        let held = contest.ramp(|line| println!("{line}"))?;
        println!("{held} clients within 1.5 ticks at p99");
        return Ok(true);
    }
    let clients: Vec<usize> = flags
        .clients
        .iter()
        .map(|&clients| clients as usize)
        .collect();
    let report = contest.report(&clients, |line| eprintln!("{line}"))?;
    print!("{report}");
    if let Some(path) = &flags.json {
        write_json(path, &report)?;
    }
    let missed = report.rows.iter().filter(|row| row.misses(flags.max_ratio));
    let missed = missed.inspect(|row| {
        println!(
            "{} clients: a ratio of {:.2}, above its bar of {:.2}",
            row.clients, row.ratio, flags.max_ratio
        );
    });
    Ok(missed.count() == 0)
}

fn run_bare(clients: usize, sizes: &[usize]) -> io::Result<bool> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    bare::run(clients, sizes, |address| println!("LISTENING {address}"))?;
    Ok(true)
}

/// How long the clients stay after they were measured, if nobody ends them.
const LOAD_STAYS: Duration = Duration::from_secs(30);

fn run_load(orders: &Orders) -> io::Result<bool> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let ready = || println!("READY");
    load::run(orders, ready, |sight| {
        println!("SAW {}", serde_json::to_string(&sight)?);
        // The judge ends this process when it has looked at the server.
        std::thread::sleep(LOAD_STAYS);
        Ok(())
    })?;
    Ok(true)
}
