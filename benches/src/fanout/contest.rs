//! Pairs of runs, the server and the bare loop in turn under the same clients; and the ramp, which finds
//! how many clients the server holds.

use std::io;

use super::load::Sight;
use super::process::{Process, can_pin};
use super::report::{Report, Row};
use super::{RATE, ROOM, Role};

/// Cores of whichever server runs, and of the clients.
const SERVER_CORE: usize = 0;
/// See [`SERVER_CORE`].
const LOAD_CORE: usize = 1;
/// A ramp ends when the 99th percentile of the gaps is beyond so many ticks.
const GAP_TICKS_MAX: f64 = 1.5;
/// The first step of a ramp, and how much larger each next one is.
const RAMP_FROM: usize = 1000;
/// See [`RAMP_FROM`].
const RAMP_BY: f64 = 1.25;
/// Sockets that a process may have here, less some.
const CLIENTS_MAX: usize = 18_000;

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub struct Contest {
    /// Pairs of runs for each number of clients.
    pub pairs: usize,
    /// Milliseconds of a run before it is measured.
    pub warm_ms: u64,
    /// Milliseconds that are measured.
    pub measure_ms: u64,
    /// Non-player characters of a room: with 50 players they make a snapshot what it should be.
    pub npcs: u16,
}

/// One run.
struct Run {
    sight: Sight,
    cpu_us_per_snapshot: f64,
    cpu_share: f64,
    kib_per_connection: f64,
}

/// A step of a ramp.
#[derive(Clone, Debug)]
pub struct Step {
    /// Clients.
    pub clients: usize,
    /// What the server takes of its core.
    pub cpu_share: f64,
    /// Between two snapshots of a client, in milliseconds.
    pub gap_p99_ms: f64,
    /// Snapshots that came, of those that were due.
    pub served: f64,
    /// Whether the gap is within its bound.
    pub holds: bool,
}

impl Contest {
    /// Whether server and clients have a core each.
    pub fn is_pinned(&self) -> bool {
        can_pin()
    }

    /// The pairs for one number of clients; `progress` hears of each.
    ///
    /// # Errors
    /// A process could not be started, or did not do its part.
    pub fn row(&self, clients: usize, mut progress: impl FnMut(String)) -> io::Result<Row> {
        let (mut servers, mut bares) = (Vec::new(), Vec::new());
        let mut sizes = Vec::new();
        let mut input_bytes = 0;
        for pair in 0..self.pairs {
            // Whichever comes second finds a machine that was warmed by the other.
            let server_first = pair % 2 == 0;
            if server_first {
                servers.push(self.server(clients)?);
            }
            if let (0, Some(run)) = (pair, servers.first()) {
                sizes.clone_from(&run.sight.sizes);
                input_bytes = run.sight.input_bytes;
            }
            bares.push(self.bare(clients, &sizes, input_bytes)?);
            if !server_first {
                servers.push(self.server(clients)?);
            }
            let (server, bare) = (&servers[pair], &bares[pair]);
            progress(format!(
                "{clients} clients, pair {}: server {:.2} us, bare {:.2} us, ratio {:.3}, gap p99 {:.1} ms, clients' core {:.0} % busy",
                pair + 1,
                server.cpu_us_per_snapshot,
                bare.cpu_us_per_snapshot,
                server.cpu_us_per_snapshot / bare.cpu_us_per_snapshot,
                server.sight.gap_p99_ms,
                100.0 * server.sight.busy.max(bare.sight.busy),
            ));
        }
        if let Some(run) = servers
            .iter()
            .chain(&bares)
            .find(|run| !run.sight.ended.is_empty())
        {
            let what = format!("clients were closed, by code: {:?}", run.sight.ended);
            return Err(io::Error::other(what));
        }
        let ratios = servers.iter().zip(&bares);
        let ratios = ratios.map(|(a, b)| a.cpu_us_per_snapshot / b.cpu_us_per_snapshot);
        let bytes: u64 = servers.iter().map(|run| run.sight.bytes).sum();
        let snapshots: u64 = servers.iter().map(|run| run.sight.snapshots).sum();
        let of_each = |of: fn(&Run) -> f64, runs: &[Run]| runs.iter().map(of).collect();
        Ok(Row::new(
            clients,
            ratios.collect(),
            of_each(|run| run.cpu_us_per_snapshot, &servers),
            of_each(|run| run.cpu_us_per_snapshot, &bares),
            of_each(|run| run.kib_per_connection, &servers),
            bytes as f64 / snapshots as f64,
        ))
    }

    /// More and more clients, until the gaps are too long.
    ///
    /// # Errors
    /// See [`Contest::row`].
    pub fn ramp(&self, mut progress: impl FnMut(&Step)) -> io::Result<usize> {
        let mut clients = RAMP_FROM;
        let mut held = 0;
        while clients <= CLIENTS_MAX {
            let run = self.server(clients)?;
            let due = clients as f64 * (RATE * self.measure_ms) as f64 / 1e3;
            let step = Step {
                clients,
                cpu_share: run.cpu_share,
                gap_p99_ms: run.sight.gap_p99_ms,
                served: run.sight.snapshots as f64 / due,
                holds: run.sight.gap_p99_ms <= GAP_TICKS_MAX * 1e3 / RATE as f64
                    && run.sight.ended.is_empty(),
            };
            progress(&step);
            if !step.holds {
                break;
            }
            held = clients;
            clients = (clients as f64 * RAMP_BY) as usize / ROOM * ROOM;
        }
        Ok(held)
    }

    fn server(&self, clients: usize) -> io::Result<Run> {
        let rooms = clients.div_ceil(ROOM);
        let args = [
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--ops-listen", "127.0.0.1:0".to_owned()),
            ("--tick-rate", RATE.to_string()),
            ("--npcs", self.npcs.to_string()),
            ("--max-players", ROOM.to_string()),
            ("--max-rooms", rooms.to_string()),
            ("--max-connections", (clients + 64).to_string()),
            ("--workers", "1".to_owned()),
            ("--log", "error".to_owned()),
        ];
        let args: Vec<String> = args
            .into_iter()
            .flat_map(|(flag, value)| [flag.to_owned(), value])
            .collect();
        let server = Process::start(Role::Server, SERVER_CORE, &args)?;
        self.load(server, clients, None)
    }

    fn bare(&self, clients: usize, sizes: &[usize], input_bytes: usize) -> io::Result<Run> {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let args = [clients.to_string(), sizes.join(",")];
        let bare = Process::start(Role::Bare, SERVER_CORE, &args)?;
        self.load(bare, clients, Some(input_bytes))
    }

    fn load(&self, mut server: Process, clients: usize, bare: Option<usize>) -> io::Result<Run> {
        let address = server.address()?;
        let empty_kib = server.memory_kib()?;
        let mut args = vec![
            format!("--server={address}"),
            format!("--clients={clients}"),
            format!("--warm-ms={}", self.warm_ms),
            format!("--measure-ms={}", self.measure_ms),
        ];
        args.extend(bare.map(|bytes| format!("--bare-input-bytes={bytes}")));
        let mut load = Process::start(Role::Load, LOAD_CORE, &args)?;
        load.wait_for("READY")?;
        let before = server.cpu_seconds()?;
        let sight = load.wait_for("SAW")?;
        let cpu = server.cpu_seconds()? - before;
        let sight: Sight = serde_json::from_str(&sight)?;
        if sight.snapshots == 0 {
            return Err(io::Error::other("no snapshot came"));
        }
        Ok(Run {
            cpu_us_per_snapshot: cpu * 1e6 / sight.snapshots as f64,
            cpu_share: cpu * 1e3 / self.measure_ms as f64,
            kib_per_connection: (server.memory_kib()? - empty_kib) / clients as f64,
            sight,
        })
    }
}

impl Contest {
    /// Rows for these numbers of clients.
    ///
    /// # Errors
    /// See [`Contest::row`].
    pub fn report(
        &self,
        clients: &[usize],
        mut progress: impl FnMut(String),
    ) -> io::Result<Report> {
        let rows: io::Result<Vec<Row>> = clients
            .iter()
            .map(|&clients| self.row(clients, &mut progress))
            .collect();
        Ok(Report {
            pairs: self.pairs,
            npcs: self.npcs,
            rows: rows?,
        })
    }
}
