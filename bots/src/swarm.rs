//! The course of a run: the first bot finds the server, the others arrive over the ramp, all of
//! them are measured for the duration, then all say goodbye. Bounded in time at every step. Called
//! by `main`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bot;
use crate::ending::Ending;
use crate::flags::Flags;
use crate::hostile;
use crate::judge;
use crate::ops::Figures;
use crate::outcomes::{Audience, Outcomes, Stress};
use crate::report::Report;
use crate::rooms::Place;
use crate::run::{Joined, Run};
use crate::socket::Socket;
use crate::target::Target;

/// After the ramp, for the last ones to join.
const ARRIVE_WITHIN: Duration = Duration::from_secs(20);
/// Between the last arrival and the measured part: keyframes are over and clocks have settled.
const SETTLE: Duration = Duration::from_secs(1);
/// For slow bots to read what they left and to hold the current state.
const RECOVER: Duration = Duration::from_secs(2);
/// Between movements of the progress bar.
const BAR_EVERY: Duration = Duration::from_millis(250);
/// For all goodbyes.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// Why there was no run.
#[derive(Debug, PartialEq, Eq)]
pub enum SwarmError {
    /// Nobody answers at the URL; why, in one line.
    NoServer(String),
    /// The system gives no thread; why, in one line.
    NoThread(String),
}

impl fmt::Display for SwarmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SwarmError::NoServer(why) | SwarmError::NoThread(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SwarmError {}

/// Runs the swarm that the flags describe, in a tokio runtime with time and I/O. The bar is
/// moved along; a hidden one shows nothing.
pub async fn run(mut flags: Flags, bar: &ProgressBar) -> Result<Report, SwarmError> {
    for url in &mut flags.url {
        url.go_by(flags.transport);
    }
    let first = first(&flags.url).await.map_err(SwarmError::NoServer)?;
    let (run, news) = Run::new(flags, None);
    let mut course = Course {
        run: Arc::clone(&run),
        bots: JoinSet::new(),
        news,
        outcomes: Outcomes::default(),
        audience: Outcomes::default(),
        spectators: JoinSet::new(),
        bar,
    };
    course.arrive(first).await;
    if run.flags.slows() {
        let is_on = &run.slowness.is_on;
        let begin = || is_on.send_modify(|is_on| *is_on = true);
        course.measure_stress(begin).await;
        is_on.send_replace(false);
        course.bar.set_message("slow bots read again");
        course.watch(Instant::now() + RECOVER, |_| false).await;
        course.leave().await;
    } else if run.flags.hostile_bots() > 0 {
        let apart = apart()?;
        let mut hostile = JoinSet::new();
        let start = || {
            for index in 0..run.flags.hostile_bots() as usize {
                let room = index % run.flags.rooms as usize;
                let attack = hostile::attack(run.flags.breach(index), index, room, run.clone());
                hostile.spawn_on(attack, apart.handle());
            }
        };
        course.measure_stress(start).await;
        course.leave().await;
        let answers = hostile::collect(&mut hostile, Instant::now() + LEAVE_WITHIN).await;
        if let Some(stress) = &mut course.outcomes.stress {
            stress.answers = answers;
        }
        apart.shutdown_background();
    } else if run.flags.spectators > 0 {
        let apart = apart()?;
        course.measure_audience(apart.handle()).await;
        course.leave().await;
        apart.shutdown_background();
    } else {
        course.measure(run.flags.duration).await;
        course.await_returns().await;
        course.leave().await;
    }
    bar.finish_and_clear();
    Ok(judge::report(
        &run.flags,
        &run.tally.totals(),
        &course.outcomes,
        &Audience {
            totals: run.audience.totals(),
            outcomes: course.audience,
        },
        run.slowness.recoveries(),
        &run.reconnects.lock(),
    ))
}

/// A connection to the first server that is there.
///
/// # Errors
/// None is; which and why, in one line.
async fn first(urls: &[Target]) -> Result<Socket, String> {
    let mut missing = Vec::new();
    for url in urls {
        match Socket::connect(url).await {
            Ok(socket) => return Ok(socket),
            Err(why) => missing.push(format!("no server at {url}: {why}")),
        }
    }
    Err(missing.join("; "))
}

/// A run under way.
struct Course<'a> {
    run: Arc<Run>,
    bots: JoinSet<Ending>,
    news: mpsc::Receiver<Joined>,
    outcomes: Outcomes,
    /// What became of the spectators, and they.
    audience: Outcomes,
    spectators: JoinSet<Ending>,
    bar: &'a ProgressBar,
}

impl Course<'_> {
    /// Starts the bots one after the other and waits until each has a seat or an end.
    async fn arrive(&mut self, first: Socket) {
        let run = Arc::clone(&self.run);
        let flags = &run.flags;
        let count = flags.bots as usize;
        let deadline = run.start + flags.ramp + ARRIVE_WITHIN;
        self.bar.set_style(style("{msg} {wide_bar} {pos}/{len}"));
        self.bar.set_length(u64::from(flags.bots));
        self.bar.set_message("bots join");
        let mut first = Some(first);
        for index in 0..count {
            let at = run.start + flags.ramp.mul_f64(index as f64 / count as f64);
            self.watch(at, |_| false).await;
            let (rooms, code) = (flags.rooms as usize, flags.code.as_deref());
            let place = Place::of(index, rooms, code, !flags.filter.is_empty());
            self.bots
                .spawn(bot::play(Arc::clone(&run), place, first.take()));
            self.bar.set_position(self.outcomes.joined);
        }
        let all = u64::from(flags.bots);
        self.watch(deadline, |seen| seen.joined + seen.never_joined >= all)
            .await;
    }

    /// Measures for a while without hostile or slow bots, then, from `begin` on, with them.
    async fn measure_stress(&mut self, begin: impl FnOnce()) {
        let run = Arc::clone(&self.run);
        self.measure(run.flags.duration / 2).await;
        let before = run.tally.take();
        begin();
        let memory_bytes = self.measure_with_memory().await;
        self.outcomes.stress = Some(Stress {
            before,
            memory_bytes,
            answers: BTreeMap::new(),
        });
    }

    /// Measures for a while without spectators, then, once they are in, with them.
    async fn measure_audience(&mut self, apart: &Handle) {
        let run = Arc::clone(&self.run);
        let flags = &run.flags;
        self.measure(flags.duration / 2).await;
        let before = run.tally.take();
        let (begin, count) = (Instant::now(), flags.spectators as usize);
        self.bar.set_message("spectators come");
        for number in 0..count {
            let at = begin + flags.ramp.mul_f64(number as f64 / count as f64);
            self.watch(at, |_| false).await;
            let place = Place::of_spectator(number, flags.rooms as usize, flags.code.as_deref());
            let looks_on = bot::play(Arc::clone(&run), place, None);
            self.spectators.spawn_on(looks_on, apart);
        }
        let (deadline, all) = (
            begin + flags.ramp + ARRIVE_WITHIN,
            u64::from(flags.spectators),
        );
        while self.audience.joined + self.audience.never_joined < all && Instant::now() < deadline {
            self.watch(Instant::now() + BAR_EVERY, |_| false).await;
        }
        self.measure(flags.duration).await;
        self.outcomes.stress = Some(Stress {
            before,
            memory_bytes: None,
            answers: BTreeMap::new(),
        });
    }

    /// Measures for the duration; the server's memory after a third of it and at its end.
    async fn measure_with_memory(&mut self) -> Option<(u64, u64)> {
        let (ops, duration) = (self.run.flags.ops, self.run.flags.duration);
        // By then all of them are at it, and what a server keeps for each is there.
        let settled = Instant::now() + SETTLE + duration / 3;
        let before = tokio::spawn(async move {
            sleep_until(settled).await;
            Figures::read(ops).await
        });
        self.measure(duration).await;
        let after = Figures::read(ops).await;
        let before = before.await.ok().flatten();
        let memory = |figures: Option<Figures>| Some(figures?.resident_bytes);
        memory(before).zip(memory(after))
    }

    /// Lets them play for so long, or until none is left.
    async fn measure(&mut self, duration: Duration) {
        let from = Instant::now() + SETTLE;
        let from_us = from.duration_since(self.run.start).as_micros() as u64;
        let to_us = from_us + duration.as_micros() as u64;
        self.run.tally.window.set(from_us, to_us);
        self.run.audience.window.set(from_us, to_us);
        self.bar.set_message("bots settle");
        self.watch(from, |_| false).await;
        self.outcomes.connected = self.outcomes.playing();
        self.audience.connected = self.audience.playing();
        let ops = self.run.flags.ops;
        let before = Figures::read(ops).await;
        self.bar.set_style(style("{msg} {wide_bar} {percent}%"));
        self.bar.set_length(duration.as_millis() as u64);
        let end = from + duration;
        while Instant::now() < end && self.outcomes.playing() > 0 {
            let now = Instant::now();
            self.bar
                .set_position(now.duration_since(from).as_millis() as u64);
            self.bar
                .set_message(format!("{} bots play", self.outcomes.playing()));
            self.watch(end.min(now + BAR_EVERY), |seen| seen.playing() == 0)
                .await;
        }
        let after = Figures::read(ops).await;
        self.outcomes.server_cpu_us = before
            .zip(after)
            .and_then(|(before, after)| after.cpu_us_since(before));
    }

    /// Waits for the bots that are away.
    async fn await_returns(&mut self) {
        let run = Arc::clone(&self.run);
        let deadline = Instant::now() + run.flags.return_within + RECOVER;
        while run.reconnects.lock().missing() > 0 && Instant::now() < deadline {
            let count = run.reconnects.lock().missing();
            self.bar.set_message(format!("{count} bots are away"));
            self.watch(Instant::now() + BAR_EVERY, |_| false).await;
        }
    }

    /// Stops the run and waits for the goodbyes. Who is not done in time is cut off; the figures
    /// are taken already.
    async fn leave(&mut self) {
        self.run.stop.send_replace(true);
        self.bar.set_message("bots leave");
        let deadline = Instant::now() + LEAVE_WITHIN;
        while let Ok(Some(ending)) = timeout_at(deadline, self.bots.join_next()).await {
            self.outcomes.note_ending(ending.ok());
        }
        while let Ok(Some(ending)) = timeout_at(deadline, self.spectators.join_next()).await {
            self.audience.note_ending(ending.ok());
        }
        self.bots.abort_all();
        self.spectators.abort_all();
    }

    /// Takes notes until a moment, or until `enough` has been seen.
    async fn watch(&mut self, until: Instant, enough: impl Fn(&Outcomes) -> bool) {
        while !enough(&self.outcomes) {
            tokio::select! {
                biased;
                Some(joined) = self.news.recv() => {
                    let Joined { tick_rate, snapshot_every, spectates } = joined;
                    let outcomes = if spectates { &mut self.audience } else { &mut self.outcomes };
                    outcomes.note_joined(tick_rate, snapshot_every);
                    self.bar.set_position(self.outcomes.joined);
                }
                Some(ending) = self.spectators.join_next() => {
                    self.audience.note_ending(ending.ok());
                }
                Some(ending) = self.bots.join_next() => self.outcomes.note_ending(ending.ok()),
                () = sleep_until(until) => return,
            }
        }
    }
}

/// A runtime for bots that are not measured, so that their work is not in the way of those that
/// are.
fn apart() -> Result<Runtime, SwarmError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| SwarmError::NoThread(error.to_string()))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
