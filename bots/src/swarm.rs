//! The course of a run: the first bot finds the server, the others arrive over the ramp, all of
//! them are measured for the duration, then all say goodbye. Bounded in time at every step.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tickwire::session::Games;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bot::{Bot, Ending};
use crate::drops::ReturnTally;
use crate::flags::Flags;
use crate::hostile::{Answers, Breach, collect, harass};
use crate::measure::Tally;
use crate::report::{Report, Siege};
use crate::rooms::{Doors, place};
use crate::sighting::Sighting;
use crate::slow::Slowness;
use crate::socket::{Socket, fetch};

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

/// What all bots of a run share.
pub(crate) struct Swarm {
    pub(crate) flags: Flags,
    pub(crate) tally: Tally,
    pub(crate) doors: Doors,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) slowness: Slowness,
    pub(crate) returns: ReturnTally,
    pub(crate) news: mpsc::Sender<News>,
    /// What they know of the game.
    pub(crate) games: Arc<Games>,
    start: Instant,
}

/// What a bot tells at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It is in a room of these rates.
    Joined {
        /// Steps a second.
        tick_rate: u16,
        /// Ticks between snapshots.
        snapshot_every: u16,
    },
}

impl Swarm {
    /// Microseconds since the run's start.
    pub(crate) fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// The moment of so many microseconds after the run's start.
    pub(crate) fn instant(&self, us: u64) -> Instant {
        self.start + Duration::from_micros(us)
    }
}

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
pub async fn run(flags: Flags, bar: &ProgressBar) -> Result<Report, SwarmError> {
    let first = Socket::connect(&flags.url)
        .await
        .map_err(|why| SwarmError::NoServer(format!("no server at {}: {why}", flags.url)))?;
    let (news_sender, news) = mpsc::channel(1024);
    let swarm = Arc::new(Swarm {
        tally: Tally::new(),
        doors: Doors::new(flags.rooms as usize),
        stop: watch::Sender::new(false),
        slowness: Slowness::new(flags.rooms as usize),
        returns: ReturnTally::default(),
        news: news_sender,
        games: Arc::default(),
        start: Instant::now(),
        flags,
    });
    let mut course = Course {
        swarm: Arc::clone(&swarm),
        bots: JoinSet::new(),
        news,
        sighting: Sighting::default(),
        bar,
    };
    course.arrive(first).await;
    let mut siege = None;
    if swarm.flags.slows() {
        siege = Some(course.slow_down().await);
        swarm.stop.send_replace(true);
        course.leave().await;
    } else if swarm.flags.hostile_bots() == 0 {
        course.measure(swarm.flags.duration).await;
        course.await_returns().await;
        swarm.stop.send_replace(true);
        course.leave().await;
    } else {
        let camp = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| SwarmError::NoThread(error.to_string()))?;
        let (mut met, mut hostile) = course.besiege(camp.handle()).await;
        swarm.stop.send_replace(true);
        course.leave().await;
        met.answers = collect(&mut hostile, Instant::now() + LEAVE_WITHIN).await;
        camp.shutdown_background();
        siege = Some(met);
    }
    bar.finish_and_clear();
    Ok(Report::new(
        &swarm.flags,
        &swarm.tally.totals(),
        &course.sighting,
        siege.as_ref(),
        swarm.slowness.recoveries(),
        &swarm.returns.read(),
    ))
}

/// A run under way, as its conductor sees it.
struct Course<'a> {
    swarm: Arc<Swarm>,
    bots: JoinSet<Ending>,
    news: mpsc::Receiver<News>,
    sighting: Sighting,
    bar: &'a ProgressBar,
}

impl Course<'_> {
    /// Starts the bots one after the other and waits until each has a seat or an end.
    async fn arrive(&mut self, first: Socket) {
        let swarm = Arc::clone(&self.swarm);
        let flags = &swarm.flags;
        let count = flags.bots as usize;
        let deadline = swarm.start + flags.ramp + ARRIVE_WITHIN;
        self.bar.set_style(style("{msg} {wide_bar} {pos}/{len}"));
        self.bar.set_length(u64::from(flags.bots));
        self.bar.set_message("bots join");
        let mut first = Some(first);
        for index in 0..count {
            let at = swarm.start + flags.ramp.mul_f64(index as f64 / count as f64);
            self.watch(at, |_| false).await;
            let (room, way) = place(index, flags.rooms as usize, flags.code.as_deref());
            let bot = Bot {
                index,
                room,
                way,
                swarm: Arc::clone(&swarm),
            };
            self.bots.spawn(bot.live(first.take()));
            self.bar.set_position(self.sighting.joined);
        }
        let all = u64::from(flags.bots);
        self.watch(deadline, |seen| seen.joined + seen.never_joined >= all)
            .await;
    }

    /// Measures for a while without hostile bots, then with them. They live in a runtime of their
    /// own, so that their work is not in the way of those that are measured.
    async fn besiege(&mut self, camp: &Handle) -> (Siege, JoinSet<(Breach, Answers)>) {
        let swarm = Arc::clone(&self.swarm);
        let flags = &swarm.flags;
        self.measure(flags.duration / 2).await;
        let calm = swarm.tally.take();
        let mut hostile = JoinSet::new();
        for index in 0..flags.hostile_bots() as usize {
            let room = index % flags.rooms as usize;
            let breach = flags.breach(index);
            hostile.spawn_on(harass(breach, index, room, Arc::clone(&swarm)), camp);
        }
        let siege = Siege {
            calm,
            memory_bytes: self.measure_with_memory().await,
            answers: BTreeMap::new(),
        };
        (siege, hostile)
    }

    /// Measures for a while with all bots reading, then with some that are slow, then lets those
    /// read again.
    async fn slow_down(&mut self) -> Siege {
        let swarm = Arc::clone(&self.swarm);
        self.measure(swarm.flags.duration / 2).await;
        let calm = swarm.tally.take();
        swarm.slowness.is_on.send_replace(true);
        let memory_bytes = self.measure_with_memory().await;
        swarm.slowness.is_on.send_replace(false);
        self.bar.set_message("slow bots read again");
        self.watch(Instant::now() + RECOVER, |_| false).await;
        Siege {
            calm,
            memory_bytes,
            answers: BTreeMap::new(),
        }
    }

    /// Measures for the duration; the server's memory after a third of it and at its end.
    async fn measure_with_memory(&mut self) -> Option<(u64, u64)> {
        let (ops, duration) = (self.swarm.flags.ops, self.swarm.flags.duration);
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
        let from_us = from.duration_since(self.swarm.start).as_micros() as u64;
        let to_us = from_us + duration.as_micros() as u64;
        self.swarm.tally.window.set(from_us, to_us);
        self.bar.set_message("bots settle");
        self.watch(from, |_| false).await;
        self.sighting.connected = self.sighting.playing();
        let ops = self.swarm.flags.ops;
        let before = Figures::read(ops).await;
        self.bar.set_style(style("{msg} {wide_bar} {percent}%"));
        self.bar.set_length(duration.as_millis() as u64);
        let end = from + duration;
        while Instant::now() < end && self.sighting.playing() > 0 {
            let now = Instant::now();
            self.bar
                .set_position(now.duration_since(from).as_millis() as u64);
            self.bar
                .set_message(format!("{} bots play", self.sighting.playing()));
            self.watch(end.min(now + BAR_EVERY), |seen| seen.playing() == 0)
                .await;
        }
        let after = Figures::read(ops).await;
        self.sighting.server_cpu_us = before
            .zip(after)
            .and_then(|(before, after)| after.cpu_us_since(before));
    }

    /// Waits for the bots that are away.
    async fn await_returns(&mut self) {
        let swarm = Arc::clone(&self.swarm);
        let deadline = Instant::now() + swarm.flags.return_within + RECOVER;
        while swarm.returns.away() > 0 && Instant::now() < deadline {
            let count = swarm.returns.away();
            self.bar.set_message(format!("{count} bots are away"));
            self.watch(Instant::now() + BAR_EVERY, |_| false).await;
        }
    }

    /// Waits for the goodbyes. Who is not done in time is cut off; the figures are taken already.
    async fn leave(&mut self) {
        self.bar.set_message("bots leave");
        let deadline = Instant::now() + LEAVE_WITHIN;
        while let Ok(Some(ending)) = timeout_at(deadline, self.bots.join_next()).await {
            self.sighting.note_ending(ending.ok());
        }
        self.bots.abort_all();
    }

    /// Takes notes until a moment, or until `enough` has been seen.
    async fn watch(&mut self, until: Instant, enough: impl Fn(&Sighting) -> bool) {
        while !enough(&self.sighting) {
            tokio::select! {
                biased;
                Some(news) = self.news.recv() => {
                    let News::Joined { tick_rate, snapshot_every } = news;
                    self.sighting.note_joined(tick_rate, snapshot_every);
                    self.bar.set_position(self.sighting.joined);
                }
                Some(ending) = self.bots.join_next() => self.sighting.note_ending(ending.ok()),
                () = sleep_until(until) => return,
            }
        }
    }
}

/// What the server says of itself at its operator port.
#[derive(Clone, Copy)]
struct Figures {
    resident_bytes: u64,
    cpu_s: f64,
    snapshots: f64,
}

impl Figures {
    async fn read(ops: Option<SocketAddr>) -> Option<Figures> {
        let text = fetch(ops?, "/metrics").await?;
        let figure = |name: &str| {
            let mut lines = text.lines();
            let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            rest?.parse::<f64>().ok()
        };
        Some(Figures {
            resident_bytes: figure("process_resident_memory_bytes")? as u64,
            cpu_s: figure("tickwire_cpu_seconds")?,
            snapshots: figure("tickwire_snapshots_sent_total")?,
        })
    }

    /// CPU time per snapshot since `before`, in microseconds.
    fn cpu_us_since(self, before: Figures) -> Option<f64> {
        let snapshots = self.snapshots - before.snapshots;
        (snapshots > 0.0).then(|| (self.cpu_s - before.cpu_s) * 1e6 / snapshots)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
