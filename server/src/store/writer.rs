//! The thread that writes: takes records in batches, each a transaction, and does what else is due
//! between two of them: matches count, somebody is erased, what is old is deleted. A batch that came
//! to nothing is held and tried again, with rests that grow, while further ones wait in the
//! [`Inbox`]; play goes on. [`Writer::step`] is one of its steps, which tests call by hand.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::counting;
use super::courtesy::Courtesy;
use super::erase;
use super::health::Health;
use super::inbox::{BATCH, Inbox, Request, Seen};
use super::outbox::Wanted;
use super::queue::{Entry, Lost};
use super::rated::Rated;
use super::record::Kind;
use super::retention::Retention;
use super::tables::{Failure, Tables};
use super::value::{Row, Statement};
use crate::background;
use crate::date;
use crate::metrics::Metrics;
use crate::vitals::Vitals;

/// How long the first record of a batch waits for others; not for a notice: its program waits, and
/// whom it is for.
const LINGER: Duration = Duration::from_millis(50);
/// Until what failed is tried again, at first; twice as long each time, up to the other.
const RETRY: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Until the writer looks around where nothing happens.
const REST: Duration = Duration::from_secs(1);
/// What a transaction may take.
const COMMIT: Duration = Duration::from_secs(10);
/// What counting matches may take, which waits for other nodes that do.
const COUNT: Duration = Duration::from_secs(30);
/// What erasing may take, which rewrites the tables of a person who said much.
const ERASE: Duration = Duration::from_secs(120);
/// Where there is hardly any room, what matters less than this waits.
const LEAST_WHEN_SHORT: Kind = Kind::Sanction;

/// See the module's description.
pub(crate) struct Writer {
    inbox: Arc<Inbox>,
    tables: Box<dyn Tables>,
    /// What of it is told to the operator's web hook.
    wanted: Wanted,
    retention: Retention,
    /// Whether guests have places on boards.
    ranks_guests: bool,
    health: Arc<Health>,
    rated: Arc<Rated>,
    metrics: Arc<Metrics>,
    /// What is being written.
    batch: Vec<Entry>,
    /// Since when the first record waits for others.
    lingers: Option<Instant>,
    /// Whether a delete is due before the next batch, so that deleting keeps up with writing.
    owes_delete: bool,
    /// Whether there may be matches that don't count yet: those of a process that was killed, too.
    owes_count: bool,
    /// When it may try again, after so many failures in a row.
    rests: Option<(Instant, u32)>,
    is_short: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was done: there may be more.
    Done,
    /// Nothing is to be done before.
    Until(Instant),
    /// All is done, and nothing more comes.
    Over,
}

impl Writer {
    pub(super) fn new(
        inbox: Arc<Inbox>,
        tables: Box<dyn Tables>,
        wanted: Wanted,
        (retention, ranks_guests): (Retention, bool),
        health: Arc<Health>,
        rated: Arc<Rated>,
        metrics: Arc<Metrics>,
    ) -> Writer {
        Writer {
            inbox,
            tables,
            wanted,
            retention,
            ranks_guests,
            health,
            rated,
            metrics,
            batch: Vec::new(),
            lingers: None,
            owes_delete: false,
            owes_count: true,
            rests: None,
            is_short: false,
        }
    }

    /// Starts the thread, which lives until the inbox is finished and empty.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(mut self, vitals: &Vitals) -> io::Result<JoinHandle<()>> {
        let alive = vitals.part("the store's writer");
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                background::steps_aside();
                self.run();
                drop(alive);
            })
    }

    fn run(&mut self) {
        loop {
            let seen = self.look();
            match self.step(seen, Instant::now(), date::now_ms()) {
                Step::Done => {}
                Step::Until(until) => self.inbox.wait(seen, until),
                Step::Over => return,
            }
        }
    }

    /// What there is to do, for [`Writer::step`].
    pub(super) fn look(&self) -> Seen {
        self.inbox.look(self.least())
    }

    fn least(&self) -> Kind {
        match self.is_short {
            true => LEAST_WHEN_SHORT,
            false => Kind::Chat,
        }
    }

    /// Writes a batch, or does what else is due.
    pub(super) fn step(&mut self, seen: Seen, now: Instant, now_ms: u64) -> Step {
        self.metrics.store_queue_records.set(seen.records as f64);
        self.metrics.store_queue_bytes.set(seen.bytes as f64);
        if let Some((until, _)) = self.rests
            && now < until
            && !seen.is_finished
        {
            return Step::Until(until);
        }
        self.is_short = self.tables.is_short();
        if self.health.is_short(self.is_short) {
            let store = self.tables.name();
            match self.is_short {
                true => tracing::error!(store, "the disk is full: chat is not stored for now"),
                false => tracing::info!(store, "there is room again"),
            }
        }
        if !self.batch.is_empty() {
            return self.write(seen, now);
        }
        if self.owes_count {
            return self.count(seen, now);
        }
        if let Some(request) = self.inbox.request() {
            self.answer(request, now);
            return Step::Done;
        }
        if std::mem::take(&mut self.owes_delete)
            && let Some(delete) = self.retention.due(now_ms)
        {
            return self.delete(delete, now, now_ms);
        }
        let lingers = (seen.waiting > 0).then(|| *self.lingers.get_or_insert(now) + LINGER);
        if let Some(until) = lingers {
            let hurries =
                seen.hurries || seen.waiting >= BATCH || seen.has_requests || seen.is_finished;
            if hurries || now >= until {
                self.lingers = None;
                self.batch = self.inbox.take(self.least());
                return self.write(seen, now);
            }
        }
        if seen.is_finished {
            return self.end(seen);
        }
        if let Some(delete) = self.retention.due(now_ms) {
            return self.delete(delete, now, now_ms);
        }
        Step::Until(lingers.map_or(now + REST, |until| until.min(now + REST)))
    }

    fn delete(&mut self, delete: Statement, now: Instant, now_ms: u64) -> Step {
        match self.tables.commit(&[delete], COMMIT) {
            Ok(rows) => {
                if let Some(kind) = self.retention.gives_up() {
                    self.metrics.webhook_lost[kind as usize].increment(rows);
                }
                self.retention.deleted(rows, now_ms);
                self.works();
            }
            Err(failure) => self.fails(&failure, now),
        }
        Step::Done
    }

    /// Has matches count that are stored.
    fn count(&mut self, seen: Seen, now: Instant) -> Step {
        let learnt = RefCell::default();
        let decide = |rows: &[Row]| {
            let statements = counting::count(rows)?;
            *learnt.borrow_mut() = counting::ratings(&statements);
            Ok(statements)
        };
        let due = counting::due(self.ranks_guests);
        let counted = self.tables.decide(&due, &decide, COUNT);
        match counted {
            Ok(rows) => {
                for (game, player, mean) in learnt.into_inner() {
                    self.rated.learn(&game, &player, mean);
                }
                // There may be more.
                self.owes_count = rows > 0;
                self.works();
            }
            Err(Failure::Refused(why)) => {
                self.owes_count = false;
                tracing::error!(why, "matches can't be counted");
            }
            Err(failure) => {
                // The next process does, where this one ends.
                self.owes_count = !seen.is_finished;
                self.fails(&failure, now);
            }
        }
        Step::Done
    }

    /// Writes what was taken.
    fn write(&mut self, seen: Seen, now: Instant) -> Step {
        let mut statements = Vec::with_capacity(self.batch.len());
        let (now_ms, mut courtesy) = (date::now_ms(), Courtesy::new());
        for entry in &self.batch {
            courtesy.offer();
            self.wanted.write(&entry.record, now_ms, &mut statements);
            entry.record.write(&mut statements);
        }
        match self.tables.commit(&statements, COMMIT) {
            Ok(_) => {
                for entry in std::mem::take(&mut self.batch) {
                    courtesy.offer();
                    self.written(entry);
                }
                self.works();
            }
            // Another may be at fault: each by itself.
            Err(Failure::Refused(_)) => self.write_singly(now),
            Err(failure) => self.fails(&failure, now),
        }
        if self.batch.is_empty() {
            self.inbox.done();
            self.owes_delete = true;
        } else if seen.is_finished {
            return self.end(seen);
        }
        Step::Done
    }

    /// What is refused is lost, and the rest stays until the database takes it.
    fn write_singly(&mut self, now: Instant) {
        let mut batch = std::mem::take(&mut self.batch).into_iter();
        while let Some(entry) = batch.next() {
            let mut statements = Vec::new();
            let now_ms = date::now_ms();
            self.wanted.write(&entry.record, now_ms, &mut statements);
            entry.record.write(&mut statements);
            match self.tables.commit(&statements, COMMIT) {
                Ok(_) => self.written(entry),
                Err(Failure::Refused(why)) => {
                    let kind = entry.record.kind();
                    tracing::error!(?kind, why, "a record can't be stored");
                    self.lose(&[entry]);
                }
                Err(failure) => {
                    self.batch.push(entry);
                    self.batch.extend(batch);
                    self.fails(&failure, now);
                    return;
                }
            }
        }
        self.works();
    }

    fn written(&mut self, entry: Entry) {
        let kind = entry.record.kind();
        self.metrics.store_written[kind as usize].increment(1);
        self.owes_count |= kind == Kind::Result;
        if let Some(acknowledge) = entry.acknowledge {
            // Who asked may have gone.
            let _ = acknowledge.send(());
        }
    }

    fn lose(&self, entries: &[Entry]) {
        let mut lost = Lost::default();
        for entry in entries {
            lost[entry.record.kind() as usize] += 1;
        }
        self.health.lost(&lost);
    }

    fn answer(&mut self, request: Request, now: Instant) {
        match request {
            Request::Settle(reply) => _ = reply.send(()),
            Request::Write(statements, reply) => {
                let written = self.tables.commit(&statements, COMMIT);
                match &written {
                    Ok(_) => self.works(),
                    Err(failure) => self.fails(failure, now),
                }
                let _ = reply.send(written.map_err(|failure| failure.to_string()));
            }
            Request::Erase(who, reply) => {
                let statements = erase::statements(&who.player, &who.nobody);
                let erased = self.tables.commit(&statements, ERASE);
                // Whatever became of it: it is read again.
                self.rated.forget(&who.player);
                let erased = erased.and_then(|_| self.tables.scrub());
                match &erased {
                    Ok(()) => self.works(),
                    Err(failure) => self.fails(failure, now),
                }
                let _ = reply.send(erased.map_err(|failure| failure.to_string()));
            }
        }
    }

    fn works(&mut self) {
        self.rests = None;
        if self.health.works() {
            let store = self.tables.name();
            tracing::info!(store, "the store takes records again");
        }
    }

    fn fails(&mut self, failure: &Failure, now: Instant) {
        let before = self.rests.map_or(0, |(_, failures)| failures);
        let rest = RETRY.saturating_mul(1 << before.min(16)).min(RETRY_MAX);
        self.rests = Some((now + rest, before + 1));
        let error = failure.to_string();
        if self.health.fails(error.clone()) {
            let store = self.tables.name();
            tracing::error!(store, error, "nothing can be stored for now; play goes on");
        }
    }

    /// Nothing more comes: what is not written now never is.
    fn end(&mut self, seen: Seen) -> Step {
        if self.batch.is_empty() && seen.waiting > 0 {
            return Step::Done;
        }
        let mut left = std::mem::take(&mut self.batch);
        self.inbox.done();
        loop {
            let more = self.inbox.take(Kind::Chat);
            if more.is_empty() {
                break;
            }
            left.extend(more);
        }
        if !left.is_empty() {
            let records = left.len();
            tracing::error!(records, "records were not stored at the end");
            self.lose(&left);
        }
        Step::Over
    }
}
