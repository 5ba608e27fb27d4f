//! The course of a run: the cluster starts, bots take seats, the plan's steps are carried out, and
//! at each look everything has to be in order within a while. It ends with the plan, or sooner
//! where something did not hold. Called by the program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clock::Clock;
use super::cluster::Cluster;
use super::faults::{Kind, Step};
use super::flags::NemesisFlags;
use super::history::{BotNote, History};
use super::look;
use super::owners::{self, Owners};
use super::schedule::Plan;
use super::seats::{self, Seats};
use super::verdict::{Seen, Verdict};
use crate::bot;
use crate::dial::fetch;
use crate::ending::Ending;
use crate::flags::Flags;
use crate::journal::Journal;
use crate::rooms::Place;
use crate::run::Run;

/// For the nodes to be ready, and for the bots to have their seats.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// For everything to be in order at a look.
const IN_ORDER_WITHIN: Duration = Duration::from_secs(20);
/// For all goodbyes.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks at what happens.
const TURN: Duration = Duration::from_millis(50);
/// Between two looks at the lists.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs what the flags say, from the program's main thread: what it starts ends with that.
///
/// # Errors
/// There was no run; why, in one line.
pub async fn run(flags: &NemesisFlags) -> Result<Verdict, String> {
    let seed = flags.seed.unwrap_or_else(rand::random);
    let folder = folder(flags)?;
    let plan = Plan::draw(seed, &flags.kinds(), flags.nodes as usize, flags.duration);
    eprintln!(
        "nemesis: seed {seed}, {} faults, {}",
        plan.faults.len(),
        folder.display()
    );
    let clock = Clock::new()?;
    let mut history = History::default();
    let cluster = Cluster::start(flags, &folder, clock, &mut history).await?;
    let mut course = Course {
        clock,
        cluster,
        history,
        journal: Arc::default(),
        bots: JoinSet::new(),
        seen: Seen {
            seed,
            ..Seen::default()
        },
    };
    let ran = course.run(flags, &plan).await;
    course.write(&folder);
    let verdict = ran.map(|(owners, seats)| Verdict::new(course.seen, &owners, &seats));
    let is_fine = verdict.as_ref().is_ok_and(Verdict::passed);
    if is_fine && flags.keep.is_none() {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        eprintln!("nemesis: logs and history are in {}", folder.display());
    }
    verdict
}

fn folder(flags: &NemesisFlags) -> Result<PathBuf, String> {
    let own = format!("tickwire-nemesis-{}", std::process::id());
    let folder = flags.keep.clone();
    let folder = folder.unwrap_or_else(|| std::env::temp_dir().join(own));
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}

/// A run under way.
struct Course {
    clock: Clock,
    cluster: Cluster,
    history: History,
    journal: Arc<Journal>,
    bots: JoinSet<Ending>,
    seen: Seen,
}

impl Course {
    async fn run(&mut self, flags: &NemesisFlags, plan: &Plan) -> Result<(Owners, Seats), String> {
        self.await_nodes().await?;
        let run = self.send_bots(flags)?;
        self.await_seats(flags.bots as usize).await?;
        let begin = Instant::now();
        self.carry_out(plan).await?;
        self.seen.seconds = begin.elapsed().as_secs_f64();
        let judged = self.judge();
        run.stop.send_replace(true);
        let leave = async { while self.bots.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LEAVE_WITHIN, leave).await;
        self.cluster.end();
        Ok(judged)
    }

    async fn await_nodes(&mut self) -> Result<(), String> {
        let until = Instant::now() + STARTS_WITHIN;
        for node in self.cluster.ops() {
            while fetch(node, "/readyz").await.is_none() {
                self.cluster.watch(&mut self.history)?;
                if let Some(what) = self.cluster.faults.first() {
                    return Err(what.clone());
                }
                if Instant::now() > until {
                    return Err(format!("the node at {node} is not ready"));
                }
                sleep(TURN).await;
            }
        }
        Ok(())
    }

    fn send_bots(&mut self, flags: &NemesisFlags) -> Result<Arc<Run>, String> {
        let (doors, bots, rooms) = (self.cluster.doors().join(","), flags.bots, flags.rooms);
        let words = format!("bots --url {doors} --bots {bots} --rooms {rooms} --come-back");
        let words = words.split(' ').map(OsString::from);
        let swarm = Flags::try_parse_from(words).map_err(|error| error.to_string())?;
        // Nobody waits for its news.
        let (run, _) = Run::new(swarm, Some(self.journal.clone()));
        for index in 0..bots as usize {
            let place = Place::of(index, rooms as usize, None, false);
            self.bots.spawn(bot::play(run.clone(), place, None));
        }
        Ok(run)
    }

    async fn await_seats(&mut self, count: usize) -> Result<(), String> {
        let until = Instant::now() + STARTS_WITHIN;
        loop {
            let seats = self.judge().1;
            let seated = count - seats.away.len().min(count);
            let seen = self.history.notes.len();
            if seats.away.is_empty() && seen >= count {
                return Ok(());
            }
            self.note_endings();
            let ended = self.seen.ended.first();
            if ended.is_some() || Instant::now() > until {
                let why = ended.map_or("no more in time", String::as_str);
                return Err(format!(
                    "{} of {count} bots have seats: {why}",
                    seated.min(seen)
                ));
            }
            sleep(TURN).await;
        }
    }

    async fn carry_out(&mut self, plan: &Plan) -> Result<(), String> {
        for planned in &plan.faults {
            let name = planned.fault.kind.to_possible_value();
            let name = name.map_or(String::new(), |name| name.get_name().to_owned());
            self.seen.faults.entry(name).or_default();
        }
        let mut begin = Instant::now();
        let mut faults = plan.faults.iter().peekable();
        for (at, step) in plan.steps() {
            while begin.elapsed() < at {
                sleep(TURN.min(at.saturating_sub(begin.elapsed()))).await;
                self.cluster.watch(&mut self.history)?;
            }
            while let Some(planned) = faults.next_if(|planned| planned.at <= at) {
                eprintln!("{:>8.2} {}", at.as_secs_f64(), planned.fault);
                self.count(planned.fault.kind);
            }
            self.cluster.carry_out(step, &mut self.history).await?;
            if step == Step::Look {
                let looked = Instant::now();
                self.look().await?;
                begin += looked.elapsed();
                if !self.is_fine() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, kind: Kind) {
        if let Some(name) = kind.to_possible_value() {
            *self
                .seen
                .faults
                .entry(name.get_name().to_owned())
                .or_default() += 1;
        }
    }

    /// Everything is in order within a while.
    async fn look(&mut self) -> Result<(), String> {
        self.seen.looks += 1;
        let until = Instant::now() + IN_ORDER_WITHIN;
        loop {
            self.cluster.watch(&mut self.history)?;
            let lists = look::lists(&self.cluster.doors()).await;
            let (_, seats) = self.judge();
            let mut ticked = BTreeMap::new();
            for tick in &self.history.ticks {
                let last_ns: &mut u64 = ticked.entry(tick.room).or_default();
                *last_ns = tick.at_ns.max(*last_ns);
            }
            let now_ns = self.clock.now_ns();
            let mut troubles = look::troubles(&lists, &ticked, &seats.rooms, now_ns);
            let away = seats.away.iter();
            troubles.extend(away.map(|bot| format!("bot {bot} has no seat")));
            if troubles.is_empty() {
                eprintln!("         all in order, {} losses so far", seats.losses);
                return Ok(());
            }
            if Instant::now() > until {
                self.seen.out_of_order.extend(troubles);
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Whether every invariant holds so far.
    fn is_fine(&mut self) -> bool {
        let (owners, seats) = self.judge();
        Verdict::new(self.seen.clone(), &owners, &seats).passed()
    }

    /// Brings the history up to date and judges it.
    fn judge(&mut self) -> (Owners, Seats) {
        self.note_endings();
        self.cluster.read_logs(&mut self.history.ticks);
        let (notes, dropped) = self.journal.notes();
        let notes = notes.into_iter().map(|note| BotNote {
            at_ns: self.clock.ns_of(note.at),
            bot: note.bot,
            event: note.event,
        });
        self.history.notes = notes.collect();
        if dropped > 0 {
            let what = format!("{dropped} notes of bots are lost");
            self.seen.ended = vec![what];
        }
        let owners = owners::judge(&self.history);
        let seats = seats::judge(&self.history, &owners.takeovers);
        (owners, seats)
    }

    /// A bot that ends before it is told to, and a node likewise, is something to be seen.
    fn note_endings(&mut self) {
        while let Some(ended) = self.bots.try_join_next() {
            let what = match ended {
                Ok(ending) => format!("a bot ended: {:?}", ending.cause),
                Err(_) => "a bot panicked".to_owned(),
            };
            self.seen.ended.push(what);
        }
        self.seen.ended.append(&mut self.cluster.faults);
    }

    /// Writes down what happened, a line each: deeds, then notes. The ticks are in the play logs.
    fn write(&self, folder: &Path) {
        let lines = || {
            let mut file = std::fs::File::create(folder.join("history.txt"))?;
            for deed in &self.history.deeds {
                let process = deed.process.map_or(String::new(), |n| format!(" ({n})"));
                writeln!(file, "{} {}{process}", deed.at_ns, deed.step)?;
            }
            for note in &self.history.notes {
                writeln!(file, "{} bot {} {:?}", note.at_ns, note.bot, note.event)?;
            }
            Ok::<(), std::io::Error>(())
        };
        if let Err(error) = lines() {
            eprintln!("nemesis: {}: {error}", folder.display());
        }
    }
}
