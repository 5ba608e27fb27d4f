//! The fan-out yardstick's figures, as JSON and as a table.

use std::fmt;

use serde::Serialize;

use super::contest::Run;
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
    /// What of it is spent outside of the kernel.
    pub user_us_per_snapshot: f64,
    /// The bare loop's.
    pub bare_cpu_us_per_snapshot: f64,
    /// A snapshot's bytes, without WebSocket framing: the mean.
    pub bytes_per_snapshot: f64,
    /// User-space memory that one more connection in a room takes, its player included: what the server has more with full
    /// rooms than with one client in each.
    pub kib_per_connection: f64,
    /// User-space memory of a room with one client, its drones and its share of all else included.
    pub kib_per_room: f64,
}

impl Row {
    /// Of `rooms` rooms, `alone` with one client in each.
    pub(super) fn new(
        clients: usize,
        rooms: usize,
        servers: &[Run],
        bares: &[Run],
        alone: &Run,
    ) -> Row {
        let of_each = |of: fn(&Run) -> f64, runs: &[Run]| runs.iter().map(of).collect();
        let us = Run::cpu_us_per_snapshot;
        let pairs = servers.iter().zip(bares);
        let ratios: Vec<f64> = pairs.map(|(a, b)| us(a) / us(b)).collect();
        let bytes: u64 = servers.iter().map(|run| run.sight.bytes).sum();
        let snapshots: u64 = servers.iter().map(|run| run.sight.snapshots).sum();
        let full = median(of_each(|run| run.kib, servers));
        Row {
            clients,
            ratio_min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratio_max: ratios.iter().copied().fold(0.0, f64::max),
            ratio: median(ratios),
            cpu_us_per_snapshot: median(of_each(us, servers)),
            user_us_per_snapshot: median(of_each(|run| run.user_us_per_snapshot, servers)),
            bare_cpu_us_per_snapshot: median(of_each(us, bares)),
            bytes_per_snapshot: bytes as f64 / snapshots as f64,
            kib_per_connection: (full - alone.kib) / clients.saturating_sub(rooms).max(1) as f64,
            kib_per_room: alone.kib / rooms as f64,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>7}  {:>5}  {:>11}  {:>9}  {:>9}  {:>9}  {:>10}  {:>14}  {:>8}",
            "clients",
            "ratio",
            "spread",
            "server us",
            "user us",
            "bare us",
            "B/snapshot",
            "KiB/connection",
            "KiB/room",
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:>7}  {:>5.2}  {:>4.2}..{:>5.2}  {:>9.2}  {:>9.2}  {:>9.2}  {:>10.0}  {:>14.1}  {:>8.0}",
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
            )?;
        }
        Ok(())
    }
}
