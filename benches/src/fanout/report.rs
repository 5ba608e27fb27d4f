//! The fan-out yardstick's figures, as JSON and as a table.

use std::fmt;

use serde::Serialize;

use super::run::{Pair, Run, Step, percent};
use crate::calm::{self, Ratio, Repeated};
use crate::cpu_clock::median;

/// The server's CPU per snapshot over the bare loop's, at most: the loop is on the same machine in
/// the same minute, so that this holds on any.
pub const RATIO_MAX: f64 = 1.3;

/// All figures of a call.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Runs of either server, for each row.
    pub pairs: usize,
    /// Non-player characters of a room.
    pub npcs: u16,
    /// One for each number of clients.
    pub rows: Vec<Row>,
}

/// What a number of clients costs. CPU is user and system time of the whole process.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Clients that were asked for.
    pub asked: usize,
    /// Clients, in rooms of [`super::ROOM`]: as many of those as the core serves without
    /// shedding.
    pub clients: usize,
    /// The server's CPU per snapshot over the bare loop's: the median of the pairs.
    pub ratio: f64,
    /// The least of them.
    pub ratio_min: f64,
    /// The greatest.
    pub ratio_max: f64,
    /// The server's, in microseconds: the median of its runs.
    pub cpu_us_per_snapshot: f64,
    /// What of it is spent outside of the kernel.
    pub user_us_per_snapshot: f64,
    /// The bare loop's.
    pub bare_cpu_us_per_snapshot: f64,
    /// A snapshot's bytes, without WebSocket framing: the mean.
    pub bytes_per_snapshot: f64,
    /// User-space memory that one more connection in a room takes, its player included: what the
    /// server has more with full rooms than with one client in each.
    pub kib_per_connection: f64,
    /// User-space memory of a room with one client, its drones and its share of all else included.
    pub kib_per_room: f64,
    /// The least part of the snapshots that were due which came, of the server's runs.
    pub served_min: f64,
    /// What others had of the cores, in the median pair; nothing where the system does not say.
    pub others: Option<f64>,
    /// Pairs that were taken again.
    pub repeats: usize,
    /// Pairs that count though others were at work, or though what was due did not come.
    pub disturbed: usize,
    /// Whether most pairs were calm, so that the ratio can be held to a bar.
    pub calm: bool,
    /// Short runs by which the number of clients was found.
    pub tries: Vec<Step>,
}

impl Row {
    /// Of `rooms` rooms, `alone` with one client in each; `asked` clients were wanted and `clients`
    /// are there.
    pub(super) fn new(
        [asked, clients]: [usize; 2],
        rooms: usize,
        pairs: &Repeated<Pair>,
        alone: &Run,
        tries: Vec<Step>,
    ) -> Row {
        let servers = || pairs.kept.iter().map(|pair| &pair.server);
        let us = Run::cpu_us_per_snapshot;
        let costs = pairs.kept.iter().map(|pair| calm::Pair {
            measured: us(&pair.server),
            reference: us(&pair.bare),
        });
        let ratio = Ratio::new(&Repeated {
            kept: costs.collect(),
            others: pairs.others.clone(),
            repeats: pairs.repeats,
        });
        let bytes: u64 = servers().map(|run| run.sight.bytes).sum();
        let snapshots: u64 = servers().map(|run| run.sight.snapshots).sum();
        let full = median(servers().map(|run| run.kib).collect());
        Row {
            asked,
            clients,
            ratio: ratio.ratio,
            ratio_min: ratio.ratio_min,
            ratio_max: ratio.ratio_max,
            cpu_us_per_snapshot: ratio.measured,
            user_us_per_snapshot: median(servers().map(|run| run.user_us_per_snapshot).collect()),
            bare_cpu_us_per_snapshot: ratio.reference,
            bytes_per_snapshot: bytes as f64 / snapshots as f64,
            kib_per_connection: (full - alone.kib) / clients.saturating_sub(rooms).max(1) as f64,
            kib_per_room: alone.kib / rooms as f64,
            served_min: servers().map(|run| run.served).fold(1.0, f64::min),
            // What shed has no share that could be told.
            others: ratio.others.filter(|share| share.is_finite()),
            repeats: ratio.repeats,
            disturbed: ratio.disturbed,
            calm: ratio.calm,
            tries,
        }
    }

    /// Whether its ratio is over a bar, and the machine was calm enough to say so.
    pub fn misses(&self, ratio_max: f64) -> bool {
        self.calm && self.ratio > ratio_max
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>7}  {:>5}  {:>11}  {:>9}  {:>9}  {:>9}  {:>10}  {:>14}  {:>8}  {:>6}",
            "clients",
            "ratio",
            "spread",
            "server us",
            "user us",
            "bare us",
            "B/snapshot",
            "KiB/connection",
            "KiB/room",
            "others",
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:>7}  {:>5.2}  {:>4.2}..{:>5.2}  {:>9.2}  {:>9.2}  {:>9.2}  {:>10.0}  {:>14.1}  {:>8.0}  {:>6}",
                row.clients,
                row.ratio,
                row.ratio_min,
                row.ratio_max,
                row.cpu_us_per_snapshot,
                row.user_us_per_snapshot,
                row.bare_cpu_us_per_snapshot,
                row.bytes_per_snapshot,
                row.kib_per_connection,
                row.kib_per_room,
                percent(row.others),
            )?;
        }
        for row in &self.rows {
            row.write_remarks(f)?;
        }
        Ok(())
    }
}

impl Row {
    /// What was not as it was asked for.
    fn write_remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clients = self.clients;
        if clients < self.asked {
            writeln!(
                f,
                "{clients} instead of {} clients, which this core does not serve without shedding:",
                self.asked
            )?;
            for step in &self.tries {
                writeln!(f, "  {step}")?;
            }
        }
        if self.repeats + self.disturbed > 0 {
            writeln!(
                f,
                "{clients} clients: {} pairs were taken again, {} count though they were disturbed",
                self.repeats, self.disturbed
            )?;
        }
        if !self.calm {
            writeln!(
                f,
                "{clients} clients: most pairs were disturbed, the least part of the snapshots that came was {:.0} %: \
                 the ratio is held to no bar",
                100.0 * self.served_min
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ratio: f64, calm: bool) -> Row {
        Row {
            asked: 2000,
            clients: 1600,
            ratio,
            ratio_min: ratio,
            ratio_max: ratio,
            cpu_us_per_snapshot: 12.0,
            user_us_per_snapshot: 4.0,
            bare_cpu_us_per_snapshot: 12.0 / ratio,
            bytes_per_snapshot: 290.0,
            kib_per_connection: 7.0,
            kib_per_room: 900.0,
            served_min: 0.8,
            others: Some(0.3),
            repeats: 2,
            disturbed: if calm { 0 } else { 5 },
            calm,
            tries: Vec::new(),
        }
    }

    #[test]
    fn a_bar_is_missed_on_a_calm_machine_alone() {
        assert!(row(1.4, true).misses(RATIO_MAX));
        assert!(!row(1.4, false).misses(RATIO_MAX));
        assert!(!row(1.2, true).misses(RATIO_MAX));
    }

    #[test]
    fn the_table_says_what_was_not_as_asked() {
        let report = Report {
            pairs: 7,
            npcs: 270,
            rows: vec![row(1.1, false)],
        };
        let table = report.to_string();
        for words in [
            "1600 instead of 2000 clients",
            "2 pairs were taken again, 5 count though",
            "snapshots that came was 80 %",
        ] {
            assert!(table.contains(words), "{table}");
        }
        let calm = Row {
            asked: 1600,
            repeats: 0,
            ..row(1.1, true)
        };
        let report = Report {
            rows: vec![calm],
            ..report
        };
        assert_eq!(report.to_string().lines().count(), 2, "{report}");
    }
}
