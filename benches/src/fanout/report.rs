//! The fan-out yardstick's figures, as JSON and as a table.

use std::fmt;

use serde::Serialize;

use crate::cpu_clock::median;

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
    /// Clients, in rooms of [`super::ROOM`].
    pub clients: usize,
    /// The server's CPU per snapshot over the bare loop's: the median of the pairs.
    pub ratio: f64,
    /// The least of them.
    pub ratio_min: f64,
    /// The greatest.
    pub ratio_max: f64,
    /// The server's, in microseconds: the median of its runs.
    pub cpu_us_per_snapshot: f64,
    /// The bare loop's.
    pub bare_cpu_us_per_snapshot: f64,
    /// A snapshot's bytes, without WebSocket framing: the mean.
    pub bytes_per_snapshot: f64,
    /// User-space memory that the server has more than without clients, rooms included, over
    /// the clients: the median.
    pub kib_per_connection: f64,
}

impl Row {
    pub(super) fn new(
        clients: usize,
        ratios: Vec<f64>,
        server_us: Vec<f64>,
        bare_us: Vec<f64>,
        kib: Vec<f64>,
        bytes_per_snapshot: f64,
    ) -> Row {
        Row {
            clients,
            ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_max: ratios.iter().copied().fold(0.0, f64::max),
            ratio: median(ratios),
            cpu_us_per_snapshot: median(server_us),
            bare_cpu_us_per_snapshot: median(bare_us),
            bytes_per_snapshot,
            kib_per_connection: median(kib),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>7}  {:>5}  {:>11}  {:>11}  {:>9}  {:>10}  {:>14}",
            "clients", "ratio", "spread", "server us", "bare us", "B/snapshot", "KiB/connection"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:>7}  {:>5.2}  {:>4.2}..{:>5.2}  {:>11.2}  {:>9.2}  {:>10.0}  {:>14.1}",
                row.clients,
                row.ratio,
                row.ratio_min,
                row.ratio_max,
                row.cpu_us_per_snapshot,
                row.bare_cpu_us_per_snapshot,
                row.bytes_per_snapshot,
                row.kib_per_connection,
            )?;
        }
        Ok(())
    }
}
