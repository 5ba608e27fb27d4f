//! What outlasts the process in tables: what was said, who was here, how matches ended, who is
//! banned. In a file of SQLite's, or in a PostgreSQL server that several nodes share; the same
//! statements for both. Rooms' states are [`crate::checkpoint`]'s.
//!
//! **Matches** that are stored are counted once each, by the same thread: [`counting`] has what comes
//! of them.
//!
//! **Writing** never waits. [`Store::put`] leaves a [`Record`] in a bounded [`queue`]; one thread
//! ([`writer`]) writes what waits every 50 ms, or 500 of them, in a transaction. Where the database
//! fails the queue holds, and where it is full what matters least is lost, counted, and shown by
//! `/readyz`. Who must know that something is on the disk asks [`Store::put_acknowledged`].
//!
//! **Reading** is async, beside the writer, bounded in number and time: [`Store::read`].
//!
//! # A new record
//!
//! 1. Its columns: a new number in `migrations/sqlite` and `migrations/postgres`, and in
//!    [`migrations`]; never a change of a number that was released. Whole numbers are `BIGINT`,
//!    times milliseconds. A dump of the version before goes to `tests/dumps`.
//! 2. A variant of [`Record`] with its [`record::Kind`] and its statement, which is written so that
//!    twice is once (`ON CONFLICT`).
//! 3. What of it is a person's: `Record::erase`, and [`erase`] for its rows. What ends: [`retention`].
//! 4. A line in `tests/cases.rs`, which run on both databases.
//!
//! # A new read
//!
//! A function on [`Store`] with a `SELECT` of at most a page (`LIMIT`), as in [`pages`]. Columns are
//! `BIGINT`, `TEXT` and `DOUBLE PRECISION`; what PostgreSQL makes `NUMERIC` of, as of a sum, is
//! cast.

pub(crate) mod boards;
mod counting;
mod courtesy;
mod erase;
mod health;
mod inbox;
pub(crate) mod matches;
pub(crate) mod means;
mod migrations;
pub(crate) mod notices;
mod open;
pub(crate) mod outbox;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "games and channels read as they come")
)]
mod pages;
pub(crate) mod people;
mod postgres;
mod queue;
mod rated;
mod reads;
pub(crate) mod record;
pub(crate) mod retention;
mod sqlite;
mod tables;
mod value;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::{Map, Value as Json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use health::Health;
use inbox::{Erased, Inbox, Request};
pub(crate) use open::{Opened, open};
pub(crate) use pages::{PAGE, SanctionsMark};
use rated::Rated;
pub(crate) use reads::ReadError;
use reads::Reads;
use record::Record;
use value::{Row, Statement, Value};

/// For what waits to be written, before something is read that must be there.
const SETTLE: Duration = Duration::from_secs(10);
/// For a person to be erased.
const ERASE: Duration = Duration::from_secs(150);
/// Rows of a person's that are read at once.
const EXPORT_ROWS: u64 = 1000;
/// Bytes of what is kept of a person. Beyond: it is to be asked for in the database.
const EXPORT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The store, or none: then nothing is kept, and nothing can be read. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Store(Option<Arc<Inner>>);

struct Inner {
    inbox: Arc<Inbox>,
    reads: Reads,
    health: Arc<Health>,
    rated: Arc<Rated>,
}

/// With the last who may put something the writer ends, also where the server did not come to its
/// end in order.
impl Drop for Inner {
    fn drop(&mut self) {
        self.inbox.finish();
    }
}

/// Why somebody was not erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EraseError {
    /// The server keeps nothing.
    NoStore,
    /// It is not done yet, and may be later.
    Late,
    /// The database says so.
    Failed(String),
}

impl Store {
    fn new(inbox: Arc<Inbox>, reads: Reads, health: Arc<Health>, rated: Arc<Rated>) -> Store {
        Store(Some(Arc::new(Inner {
            inbox,
            reads,
            health,
            rated,
        })))
    }

    /// Whether there is one.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether other servers write it too.
    pub(crate) fn is_shared(&self) -> bool {
        let store = self.0.as_ref();
        store.is_some_and(|store| store.reads.is_shared())
    }

    /// The file that it is in, if it is in one, which is this process's alone.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.0.as_ref()?.reads.file()
    }

    /// Has this written soon. Never waits; what is lost for want of room is counted.
    pub(crate) fn put(&self, record: Record) {
        if let Some(store) = &self.0 {
            store.health.lost(&store.inbox.put(record, None));
        }
    }

    /// The same, and says when it is on the disk; an error: it never will be.
    pub(crate) fn put_acknowledged(&self, record: Record) -> oneshot::Receiver<()> {
        let (acknowledge, written) = oneshot::channel();
        if let Some(store) = &self.0 {
            let lost = store.inbox.put(record, Some(acknowledge));
            store.health.lost(&lost);
        }
        written
    }

    /// What a `SELECT` gives. In a runtime's context.
    ///
    /// # Errors
    /// See [`ReadError`].
    async fn read(&self, select: Statement) -> Result<Vec<Row>, ReadError> {
        let store = self.0.as_ref().ok_or(ReadError::NoStore)?;
        let read = store.reads.select(select).await;
        read.inspect_err(|_| store.health.unread())
    }

    /// Waits until all that was put before is on the disk or lost; false: not in time.
    pub(crate) async fn settled(&self) -> bool {
        let Some(store) = &self.0 else {
            return true;
        };
        let (reply, settled) = oneshot::channel();
        store.inbox.ask(Request::Settle(reply))
            && matches!(timeout(SETTLE, settled).await, Ok(Ok(())))
    }

    /// Erases a player, also from what waits. What they say from now on is stored again: whoever is
    /// to be forgotten for good is not here any more.
    ///
    /// # Errors
    /// See [`EraseError`].
    pub(crate) async fn erase(&self, player: &str) -> Result<(), EraseError> {
        let store = self.0.as_ref().ok_or(EraseError::NoStore)?;
        let random = SysRng.try_next_u64();
        let random = random.map_err(|error| EraseError::Failed(error.to_string()))?;
        let who = Erased {
            player: player.to_owned(),
            nobody: format!("{}{random:016x}", erase::GONE),
        };
        let (reply, erased) = oneshot::channel();
        if !store.inbox.ask(Request::Erase(who, reply)) {
            return Err(EraseError::Late);
        }
        match timeout(ERASE, erased).await {
            Ok(Ok(erased)) => erased.map_err(EraseError::Failed),
            _ => Err(EraseError::Late),
        }
    }

    /// All that is kept of a player, as an object with a list of rows for each table.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn export(&self, player: &str) -> Result<Json, ReadError> {
        // What waits is theirs, too; where the database takes nothing it shows what it has.
        self.settled().await;
        let (mut tables, mut bytes) = (Map::new(), 0);
        for kept in &erase::KEPT {
            let mut rows = Vec::new();
            loop {
                let page = kept.page(player, EXPORT_ROWS, rows.len() as u64);
                let page = self.read(page).await?;
                let is_last = (page.len() as u64) < EXPORT_ROWS;
                for row in page {
                    bytes += row.0.iter().map(shown_bytes).sum::<usize>();
                    let columns = kept.columns.iter().map(|column| (*column).to_owned());
                    let object: Map<String, Json> =
                        columns.zip(row.0.into_iter().map(shown)).collect();
                    rows.push(Json::Object(object));
                }
                if bytes > EXPORT_BYTES_MAX {
                    let most = EXPORT_BYTES_MAX / 1024 / 1024;
                    let why = format!("more than {most} MiB are kept of them");
                    return Err(ReadError::Failed(why));
                }
                if is_last {
                    break;
                }
            }
            tables.insert(kept.table.to_owned(), Json::Array(rows));
        }
        Ok(Json::Object(tables))
    }

    /// What is wrong with it, if anything is: the server plays on.
    pub(crate) fn degraded(&self, now: Instant) -> Option<String> {
        self.0.as_ref()?.health.degraded(now)
    }

    /// Does some statements in one transaction, besides records; how many rows the last one changed.
    ///
    /// # Errors
    /// One line: it may be done, or not.
    async fn write(&self, statements: Vec<Statement>) -> Result<u64, String> {
        let store = self.0.as_ref().ok_or("there is no store")?;
        let (reply, written) = oneshot::channel();
        if !store.inbox.ask(Request::Write(statements, reply)) {
            return Err("the store has too much to do".to_owned());
        }
        match timeout(SETTLE, written).await {
            Ok(Ok(written)) => written,
            _ => Err("the store does not answer in time".to_owned()),
        }
    }

    /// Whether it takes what somebody waits for: where the database fails, or the disk is full, that
    /// would be long.
    pub(crate) fn takes(&self) -> bool {
        self.0.as_ref().is_some_and(|store| store.health.takes())
    }

    /// Nothing more comes: the writer writes what waits, and ends.
    pub(crate) fn finish(&self) {
        if let Some(store) = &self.0 {
            store.inbox.finish();
        }
    }
}

fn shown(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(value) => value.into(),
        Value::Real(value) => value.into(),
        Value::Text(text) => Json::String(text.into()),
    }
}

/// About what it takes in JSON, with its name.
fn shown_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + 16,
        _ => 32,
    }
}
