//! Pairs of runs, the server and the bare loop in turn under the same clients; and the ramp, which
//! finds how many clients the server holds. On a machine with other things to do it waits for a
//! calm time, takes fewer clients where the core can't serve as many, and takes again what was
//! disturbed: all within bounds, and all of it is in the report.

use std::io;
use std::time::Duration;

use tickwire_harness::Process;

use super::load::{Orders, Sight};
use super::process::{Role, can_pin, cores, cpu, memory_kib, start};
use super::report::{Report, Row};
use super::run::{Pair, Run, Step, percent};
use super::{RATE, ROOM};
use crate::calm::{Patience, Repeated, Watch, is_calm, repeat, until_calm};

/// A ramp ends when the 99th percentile of the gaps is beyond so many ticks.
const GAP_TICKS_MAX: f64 = 1.5;
/// The first step of a ramp, and how much larger each next one is.
const RAMP_FROM: usize = 1000;
/// See [`RAMP_FROM`].
const RAMP_BY: f64 = 1.25;
/// Times that a step of a ramp is taken again which was disturbed.
const RAMP_REPEATS: usize = 2;
/// Sockets that a process may have here, less some.
const CLIENTS_MAX: usize = 18_000;
/// Milliseconds for which it is tried whether the core serves so many clients.
const TRY_MS: u64 = 2000;
/// How many clients are tried next where these were too many.
const FEWER: f64 = 0.8;
/// Times that fewer clients are taken although the try went well, because longer runs did not.
const SECOND_THOUGHTS: usize = 2;
/// Between two looks at what others do.
const LOOK: Duration = Duration::from_secs(1);

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub struct Contest {
    /// Pairs of runs for each number of clients.
    pub pairs: usize,
    /// Pairs beyond those, at most, where some were disturbed.
    pub repeats: usize,
    /// Seconds to wait for others to leave the machine alone, for each number of clients, in all.
    pub patience_s: usize,
    /// Milliseconds of a run before it is measured.
    pub warm_ms: u64,
    /// Milliseconds that are measured.
    pub measure_ms: u64,
    /// Non-player characters of a room: with 50 players they make a snapshot what it should be.
    pub npcs: u16,
}

/// The next number of clients to try: whole rooms.
fn fewer(clients: usize) -> usize {
    ((clients as f64 * FEWER) as usize / ROOM * ROOM).max(ROOM)
}

impl Contest {
    /// Whether server and clients have a core each.
    pub fn is_pinned(&self) -> bool {
        can_pin()
    }

    /// The pairs for one number of clients, or as many of them as the core serves; `progress` hears
    /// of each.
    ///
    /// # Errors
    /// A process could not be started, or not even one room of clients was served at all.
    pub fn row(&self, asked: usize, mut progress: impl FnMut(String)) -> io::Result<Row> {
        let mut patience = self.patience();
        self.wait(&mut patience, &mut progress);
        let mut tries = Vec::new();
        let mut clients = asked;
        let mut second_thoughts = 0;
        loop {
            let tried = self.fit(clients, &mut tries, &mut patience, &mut progress)?;
            clients = tried.0;
            let pairs = self.take_pairs(clients, &tried.1, &mut patience, &mut progress)?;
            let whole = pairs.kept.iter().filter(|pair| {
                let disturbance = pair.disturbance();
                disturbance != Some(f64::INFINITY)
            });
            let enough = 2 * whole.count() > self.pairs;
            if !enough && clients > ROOM && second_thoughts < SECOND_THOUGHTS {
                second_thoughts += 1;
                progress(format!(
                    "{clients} clients were not served for long: fewer of them"
                ));
                clients = fewer(clients);
                continue;
            }
            if pairs.kept.is_empty() {
                let what = format!("no run of {clients} clients came to its end");
                return Err(io::Error::other(what));
            }
            let rooms = clients.div_ceil(ROOM);
            let alone = self.server(rooms, 1)?;
            return Ok(Row::new([asked, clients], rooms, &pairs, &alone, tries));
        }
    }

    /// Looks that may be spent on waiting.
    fn patience(&self) -> usize {
        self.patience_s.max(1)
    }

    /// Waits until others leave the machine alone, or patience ends, of which it takes what it
    /// needs; whether they do.
    fn wait(&self, patience: &mut usize, progress: &mut impl FnMut(String)) -> bool {
        if *patience == 0 {
            return false;
        }
        let waited = until_calm(*patience, || {
            let watch = Watch::start(cores(), Vec::new());
            std::thread::sleep(LOOK);
            watch.others()
        });
        *patience -= waited.looks.min(*patience);
        if waited.looks > 1 || !waited.is_calm() {
            progress(format!(
                "waited {} s for a calm time; others have {} of the cores",
                waited.looks,
                percent(waited.others)
            ));
        }
        waited.is_calm()
    }

    /// The greatest number of clients, from `clients` down, of which a short run is served whole;
    /// and that run. A single room is taken as it is.
    fn fit(
        &self,
        mut clients: usize,
        tries: &mut Vec<Step>,
        patience: &mut usize,
        progress: &mut impl FnMut(String),
    ) -> io::Result<(usize, Sight)> {
        let short = Contest {
            measure_ms: TRY_MS,
            ..self.clone()
        };
        loop {
            let run = short.server(clients, ROOM);
            let step = match &run {
                Ok(run) => Step::new(clients, run, run.is_whole()),
                Err(_) => Step::failed(clients),
            };
            progress(format!("a try: {step}"));
            let (fits, disturbed) = (step.holds, !is_calm(step.others));
            tries.push(step);
            if fits {
                return Ok((clients, run?.sight));
            }
            // It may have been others: as many again, once they are done.
            if disturbed && self.wait(patience, progress) {
                continue;
            }
            if clients <= ROOM {
                return Ok((clients, run?.sight));
            }
            clients = fewer(clients);
        }
    }

    /// `tried` says what the bare loop sends.
    fn take_pairs(
        &self,
        clients: usize,
        tried: &Sight,
        patience: &mut usize,
        progress: &mut impl FnMut(String),
    ) -> io::Result<Repeated<Pair>> {
        let bounds = Patience {
            wanted: self.pairs,
            repeats: self.repeats,
        };
        let mut calm = true;
        let taken = repeat(bounds, |number| {
            if !calm {
                self.wait(patience, progress);
            }
            // Whichever comes second finds a machine that was warmed by the other.
            let server = || self.server(clients, ROOM);
            let bare = || self.bare(clients, &tried.sizes, tried.input_bytes);
            let (server, bare) = if number % 2 == 0 {
                let server = server();
                (server, bare())
            } else {
                let bare = bare();
                (server(), bare)
            };
            let pair = match (server, bare) {
                (Ok(server), Ok(bare)) => Pair { server, bare },
                (Err(error), _) | (_, Err(error)) => {
                    calm = false;
                    progress(format!("{clients} clients, pair {}: {error}", number + 1));
                    return Ok::<_, io::Error>((None, Some(f64::INFINITY)));
                }
            };
            let disturbance = pair.disturbance();
            calm = is_calm(disturbance);
            progress(pair_line(clients, number, &pair));
            Ok((Some(pair), disturbance))
        })?;
        let kept = taken.kept.into_iter().zip(taken.others);
        let (kept, others) = kept
            .filter_map(|(pair, others)| Some((pair?, others)))
            .unzip();
        Ok(Repeated {
            kept,
            others,
            repeats: taken.repeats,
        })
    }

    /// More and more clients, until the gaps are too long.
    ///
    /// # Errors
    /// See [`Contest::row`].
    pub fn ramp(&self, mut progress: impl FnMut(String)) -> io::Result<usize> {
        let mut patience = self.patience();
        self.wait(&mut patience, &mut progress);
        let mut clients = RAMP_FROM;
        let mut held = 0;
        while clients <= CLIENTS_MAX {
            // A step that holds does so whatever others did.
            let mut repeats = 0;
            let step = loop {
                let run = self.server(clients, ROOM)?;
                let holds = run.sight.gap_p99_ms <= GAP_TICKS_MAX * 1e3 / RATE as f64
                    && run.sight.ended.is_empty();
                let step = Step::new(clients, &run, holds);
                progress(step.to_string());
                if holds || is_calm(step.others) || repeats == RAMP_REPEATS {
                    break step;
                }
                repeats += 1;
                progress("others were at work: once more".to_owned());
                self.wait(&mut patience, &mut progress);
            };
            if !step.holds {
                break;
            }
            held = clients;
            clients = (clients as f64 * RAMP_BY) as usize / ROOM * ROOM;
        }
        Ok(held)
    }

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
        let server = start(&Role::Server, &args)?;
        self.load(server, clients, seats, None)
    }

    fn bare(&self, clients: usize, sizes: &[usize], input_bytes: usize) -> io::Result<Run> {
        let sizes = sizes.to_vec();
        let bare = start(&Role::Bare { clients, sizes }, &[])?;
        self.load(bare, clients, ROOM, Some(input_bytes))
    }

    fn load(
        &self,
        mut server: Process,
        clients: usize,
        seats: usize,
        bare_input_bytes: Option<usize>,
    ) -> io::Result<Run> {
        let address = server.address()?;
        let empty_kib = memory_kib(&server)?;
        let orders = Orders {
            server: address,
            clients,
            room: seats,
            bare_input_bytes,
            warm_ms: self.warm_ms,
            measure_ms: self.measure_ms,
        };
        let mut load = start(&Role::Load(orders), &[])?;
        load.wait_for("READY")?;
        let watch = Watch::start(cores(), vec![server.id(), load.id()]);
        let before = cpu(&server)?;
        let sight = load.wait_for("SAW")?;
        let after = cpu(&server)?;
        let others = watch.others();
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
            others,
            served: snapshots / (clients as f64 * RATE as f64 * seconds),
            kib: memory_kib(&server)? - empty_kib,
            sight,
        })
    }
}

fn pair_line(clients: usize, number: usize, pair: &Pair) -> String {
    let Pair { server, bare } = pair;
    let mut line = format!(
        "{clients} clients, pair {}: server {:.2} us ({:.2} user), bare {:.2} us, ratio {:.3}, gap p99 {:.1} ms, clients' core {:.0} % busy, others had {} of the cores",
        number + 1,
        server.cpu_us_per_snapshot(),
        server.user_us_per_snapshot,
        bare.cpu_us_per_snapshot(),
        server.cpu_us_per_snapshot() / bare.cpu_us_per_snapshot(),
        server.sight.gap_p99_ms,
        100.0 * server.sight.busy.max(bare.sight.busy),
        percent(pair.disturbance().filter(|share| share.is_finite())),
    );
    for (who, run) in [("server", server), ("bare loop", bare)] {
        if !run.is_whole() {
            line += &format!(
                "; the {who} got {:.0} % of the snapshots out and closed {} clients",
                100.0 * run.served,
                run.sight.ended.values().sum::<usize>()
            );
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_clients_are_whole_rooms_and_one_at_least() {
        let mut tried = vec![2000];
        while let Some(&clients) = tried.last()
            && clients > ROOM
        {
            tried.push(fewer(clients));
        }
        assert!(tried.len() < 16, "{tried:?}");
        assert!(tried.iter().all(|clients| clients % ROOM == 0), "{tried:?}");
        assert_eq!((tried[1], fewer(ROOM)), (1600, ROOM));
    }
}
