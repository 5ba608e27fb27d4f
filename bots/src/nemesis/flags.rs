//! The command line of `tickwire-nemesis`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::faults::Kind;
use crate::duration;

/// Nodes of one run: more than anybody would put on one machine.
const NODES_MAX: i64 = 16;
/// Bots of one run: each node takes them all when it is alone, with the shares that one address has.
const BOTS_MAX: i64 = 1000;

/// Rooms of one run: lists have 100, and those that go leave others behind for a while.
const ROOMS_MAX: i64 = 50;

/// Starts a cluster, harms it, and judges whether it kept what it promises.
///
/// A redis-server, nodes of the real server and bots with seats, all on loopback. A list of faults
/// that a seed draws is done to them, and a history kept: each tick of a room with its owner, each
/// bot's seat. Exit status: 0 when every invariant held, 1 when one did not or there was no run, 2
/// for wrong flags.
#[derive(Clone, Debug, Parser)]
#[command(name = "tickwire-nemesis", version)]
pub struct NemesisFlags {
    /// For how long, of the faults' own time: rounds of faults end within it. At least one.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse)]
    pub duration: Duration,
    /// Seed of the list of faults; the same one is the same list again [default: drawn, and
    /// printed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Nodes.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=NODES_MAX))]
    pub nodes: u32,
    /// Bots that play.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=BOTS_MAX))]
    pub bots: u32,
    /// Rooms that they make and spread over evenly.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=ROOMS_MAX))]
    pub rooms: u32,
    /// What is done, separated by commas [default: all of it].
    #[arg(long, value_enum, value_name = "KINDS", value_delimiter = ',')]
    pub faults: Vec<Kind>,
    /// See the server's setting of that name.
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = duration::parse)]
    pub detached_play: Duration,
    /// The server's program [default: beside this one].
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
    /// The engine's program [default: where the system has it].
    #[arg(long, value_name = "FILE", env = "REDIS_SERVER")]
    pub redis: Option<PathBuf>,
    /// Keep logs and history in this folder [default: a temporary one, kept when something did not
    /// hold].
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Write the report here as JSON too; - for stdout instead of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl NemesisFlags {
    /// What may be done, in one order.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let all = Kind::value_variants();
        let asked = |kind: &&Kind| self.faults.is_empty() || self.faults.contains(kind);
        all.iter().filter(asked).copied().collect()
    }

    /// Flags that fit together, or what does not.
    ///
    /// # Errors
    /// One line.
    pub fn check(&self) -> Result<(), String> {
        if self.rooms > self.bots {
            let (rooms, bots) = (self.rooms, self.bots);
            return Err(format!(
                "--rooms {rooms} needs at least as many bots, not --bots {bots}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_that_are_asked_for_in_one_order() {
        let read = |line: &str| NemesisFlags::try_parse_from(line.split(' '));
        let all = read("nemesis").expect("good flags");
        assert_eq!(all.kinds(), Kind::value_variants());
        let some = read("nemesis --faults engine-empty,kill --duration 90s").expect("good flags");
        assert_eq!(some.kinds(), [Kind::Kill, Kind::EngineEmpty]);
        assert!(some.check().is_ok());
        assert!(read("nemesis --rooms 31").expect("read").check().is_err());
        for wrong in [
            "nemesis --faults rain",
            "nemesis --nodes 0",
            "nemesis --duration 5",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
