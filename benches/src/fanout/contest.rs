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

/// Less than this part of the snapshots that are due: the server sheds load, and what it saves so is
/// no measure of what a snapshot costs.
const SERVED_MIN: f64 = 0.97;

/// One run.
pub(super) struct Run {
    pub(super) sight: Sight,
    /// In the program and in the kernel, in microseconds.
    pub(super) user_us_per_snapshot: f64,
    /// See `user_us_per_snapshot`.
    pub(super) system_us_per_snapshot: f64,
    cpu_share: f64,
    /// What came of the snapshots that were due.
    served: f64,
    /// Memory that it has more than without clients.
    pub(super) kib: f64,
}

impl Run {
    pub(super) fn cpu_us_per_snapshot(&self) -> f64 {
        self.user_us_per_snapshot + self.system_us_per_snapshot
    }
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
                servers.push(self.server(clients, ROOM)?);
            }
            if let (0, Some(run)) = (pair, servers.first()) {
                sizes.clone_from(&run.sight.sizes);
                input_bytes = run.sight.input_bytes;
            }
            bares.push(self.bare(clients, &sizes, input_bytes)?);
            if !server_first {
                servers.push(self.server(clients, ROOM)?);
            }
            let (server, bare) = (&servers[pair], &bares[pair]);
            progress(format!(
                "{clients} clients, pair {}: server {:.2} us ({:.2} user), bare {:.2} us, ratio {:.3}, gap p99 {:.1} ms, clients' core {:.0} % busy",
                pair + 1,
                server.cpu_us_per_snapshot(),
                server.user_us_per_snapshot,
                bare.cpu_us_per_snapshot(),
                server.cpu_us_per_snapshot() / bare.cpu_us_per_snapshot(),
                server.sight.gap_p99_ms,
                100.0 * server.sight.busy.max(bare.sight.busy),
            ));
            check(server)?;
            check(bare)?;
        }
        let rooms = clients.div_ceil(ROOM);
        let alone = self.server(rooms, 1)?;
        Ok(Row::new(clients, rooms, &servers, &bares, &alone))
    }

    /// More and more clients, until the gaps are too long.
    ///
    /// # Errors
    /// See [`Contest::row`].
    pub fn ramp(&self, mut progress: impl FnMut(&Step)) -> io::Result<usize> {
        let mut clients = RAMP_FROM;
        let mut held = 0;
        while clients <= CLIENTS_MAX {
            let run = self.server(clients, ROOM)?;
            let step = Step {
                clients,
                cpu_share: run.cpu_share,
                gap_p99_ms: run.sight.gap_p99_ms,
                served: run.served,
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

    fn server(&self, clients: usize, seats: usize) -> io::Result<Run> {
        let rooms = clients.div_ceil(seats);
        let args = [
            ("--listen", "127.0.0.1:0".to_owned()),
            ("--ops-listen", "127.0.0.1:0".to_owned()),
            ("--tick-rate", RATE.to_string()),
            ("--npcs", self.npcs.to_string()),
            ("--max-players", seats.to_string()),
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
        self.load(server, clients, seats, None)
    }

    fn bare(&self, clients: usize, sizes: &[usize], input_bytes: usize) -> io::Result<Run> {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let args = [clients.to_string(), sizes.join(",")];
        let bare = Process::start(Role::Bare, SERVER_CORE, &args)?;
        self.load(bare, clients, ROOM, Some(input_bytes))
    }

    fn load(
        &self,
        mut server: Process,
        clients: usize,
        seats: usize,
        bare: Option<usize>,
    ) -> io::Result<Run> {
        let address = server.address()?;
        let empty_kib = server.memory_kib()?;
        let mut args = vec![
            format!("--server={address}"),
            format!("--clients={clients}"),
            format!("--room={seats}"),
            format!("--warm-ms={}", self.warm_ms),
            format!("--measure-ms={}", self.measure_ms),
        ];
        args.extend(bare.map(|bytes| format!("--bare-input-bytes={bytes}")));
        let mut load = Process::start(Role::Load, LOAD_CORE, &args)?;
        load.wait_for("READY")?;
        let before = server.cpu()?;
        let sight = load.wait_for("SAW")?;
        let after = server.cpu()?;
        let sight: Sight = serde_json::from_str(&sight)?;
        if sight.snapshots == 0 {
            return Err(io::Error::other("no snapshot came"));
        }
        let seconds = self.measure_ms as f64 / 1e3;
        let (user, system) = (after.user - before.user, after.system - before.system);
        let snapshots = sight.snapshots as f64;
        Ok(Run {
            user_us_per_snapshot: user * 1e6 / snapshots,
            system_us_per_snapshot: system * 1e6 / snapshots,
            cpu_share: (user + system) / seconds,
            served: snapshots / (clients as f64 * RATE as f64 * seconds),
            kib: server.memory_kib()? - empty_kib,
            sight,
        })
    }
}

/// Whether a run was what it should be.
fn check(run: &Run) -> io::Result<()> {
    if !run.sight.ended.is_empty() {
        let what = format!("clients were closed, by code: {:?}", run.sight.ended);
        return Err(io::Error::other(what));
    }
    if run.served < SERVED_MIN {
        let what = format!(
            "{:.0} % of the snapshots came: the core is not the server's alone, or can't serve so many",
            100.0 * run.served
        );
        return Err(io::Error::other(what));
    }
    Ok(())
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
