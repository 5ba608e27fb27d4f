//! One file on this machine, by SQLite: the writer's connection ([`Sqlite`]) and those that read
//! beside it ([`Readers`]). The file is one server's, by a lock beside it. Its journal is written
//! ahead and synced with each transaction, so that what is committed is there after a power cut.

mod ballast;
mod private;

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{
    Connection, ErrorCode, InterruptHandle, OpenFlags, ToSql, TransactionBehavior, params_from_iter,
};

use super::courtesy::Courtesy;
use super::migrations::{self, due};
use super::tables::{Decide, Failure, Tables};
use super::value::{Row, Statement, Value};
use ballast::Ballast;

/// How long the writer waits for readers, where it has to.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared: more than there are.
const PREPARED_MAX: usize = 64;

/// See the module's description.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
    ballast: Ballast,
    /// Nobody else has the file for as long as this is open.
    _lock: File,
}

impl Sqlite {
    /// Opens the file, which is made if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// One line.
    pub(super) fn open(path: &Path) -> Result<Sqlite, String> {
        let lock = lock(&beside(path, ".lock"))?;
        private::open(path).map_err(|error| error.to_string())?;
        let mut connection = open(path).map_err(|error| error.to_string())?;
        migrate(&mut connection)?;
        Ok(Sqlite {
            connection,
            path: path.to_owned(),
            ballast: Ballast::new(beside(path, ".ballast")),
            _lock: lock,
        })
    }

    fn decided(
        &mut self,
        select: &Statement,
        decide: Decide<'_>,
    ) -> rusqlite::Result<Result<usize, Failure>> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let rows = read(&transaction, select, usize::MAX)?;
        let statements = match decide(&rows) {
            Ok(statements) => statements,
            Err(wrong) => return Ok(Err(wrong.into())),
        };
        execute(&transaction, &statements)?;
        transaction.commit()?;
        Ok(Ok(rows.len()))
    }

    /// What a failure of SQLite's means.
    fn failure(&mut self, error: &rusqlite::Error) -> Failure {
        let why = error.to_string();
        match error.sqlite_error_code() {
            // What the file system says is not always what is the matter.
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
                self.ballast.give_up_if_full();
                Failure::Away(why)
            }
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange,
            ) => Failure::Refused(why),
            Some(_) => Failure::Away(why),
            // Not SQLite's own: the statement and its values don't fit together.
            None => Failure::Refused(why),
        }
    }
}

impl Tables for Sqlite {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn commit(&mut self, statements: &[Statement], _: Duration) -> Result<u64, Failure> {
        let done = transact(&mut self.connection, statements);
        done.map_err(|error| self.failure(&error))
    }

    fn decide(
        &mut self,
        select: &Statement,
        decide: Decide<'_>,
        _: Duration,
    ) -> Result<usize, Failure> {
        let done = self.decided(select, decide);
        done.map_err(|error| self.failure(&error))?
    }

    /// Pages that were split keep copies of rows in what is free of them, whatever `secure_delete`
    /// says: the file is written anew, and the journal cut off.
    fn scrub(&mut self) -> Result<(), Failure> {
        let written = self.connection.execute_batch("VACUUM");
        let cut = written.and_then(|()| {
            let is_busy = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
            self.connection.query_row(cut, [], is_busy)
        });
        match cut {
            Ok(0) => Ok(()),
            Ok(_) => Err(Failure::Away("somebody reads the file".to_owned())),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn is_short(&mut self) -> bool {
        !self.ballast.is_held()
    }
}

fn transact(connection: &mut Connection, statements: &[Statement]) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = execute(&transaction, statements)?;
    transaction.commit()?;
    Ok(changed)
}

/// How many rows the last one changed.
fn execute(connection: &Connection, statements: &[Statement]) -> rusqlite::Result<u64> {
    let (mut changed, mut courtesy) = (0, Courtesy::new());
    for Statement { sql, values } in statements {
        courtesy.offer();
        let mut prepared = connection.prepare_cached(sql)?;
        changed = prepared.execute(params_from_iter(values))? as u64;
    }
    Ok(changed)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), String> {
    let failed = |error: rusqlite::Error| error.to_string();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.map_err(failed)?;
    transaction
        .execute_batch(migrations::CREATE)
        .map_err(failed)?;
    let found = transaction.query_row(migrations::FOUND, [], |row| row.get(0));
    for (version, step) in due(found.map_err(failed)?)? {
        transaction.execute_batch(step.sqlite).map_err(failed)?;
        let made = transaction.execute(migrations::MADE, [version]);
        made.map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

fn lock(path: &Path) -> Result<File, String> {
    let file = private::open(path).map_err(|error| error.to_string())?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err("another server has it".to_owned()),
        Err(TryLockError::Error(error)) => Err(error.to_string()),
    }
}

/// A file of the same name with something behind it.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    name.into()
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// Connections that read, as many as are asked at once. They see what was committed, and hold
/// nobody up.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// A connection that somebody has.
pub(super) struct Reading<'a> {
    readers: &'a Readers,
    connection: Connection,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Readers {
        Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection, and what ends what it does.
    ///
    /// # Errors
    /// One line.
    pub(super) fn begin(&self) -> Result<(Reading<'_>, InterruptHandle), String> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_to_read(&self.path).map_err(|error| error.to_string())?,
        };
        let interrupt = connection.get_interrupt_handle();
        let readers = self;
        Ok((
            Reading {
                readers,
                connection,
            },
            interrupt,
        ))
    }
}

impl Reading<'_> {
    /// What a `SELECT` gives, so many rows at most.
    ///
    /// # Errors
    /// One line.
    pub(super) fn select(self, select: &Statement, rows_max: usize) -> Result<Vec<Row>, String> {
        let read = read(&self.connection, select, rows_max);
        let read = read.map_err(|error| error.to_string())?;
        self.readers.idle.lock().push(self.connection);
        Ok(read)
    }
}

fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
    Ok(connection)
}

fn read(
    connection: &Connection,
    select: &Statement,
    rows_max: usize,
) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare_cached(select.sql)?;
    let columns = prepared.column_count();
    let mut found = prepared.query(params_from_iter(&select.values))?;
    let mut rows = Vec::new();
    while rows.len() < rows_max
        && let Some(row) = found.next()?
    {
        let values = (0..columns).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Integer(value) => Value::Int(value),
                ValueRef::Real(value) => Value::Real(value),
                ValueRef::Text(text) => Value::from(&*String::from_utf8_lossy(text)),
                ValueRef::Null | ValueRef::Blob(_) => Value::Null,
            })
        });
        rows.push(Row(values.collect::<rusqlite::Result<_>>()?));
    }
    Ok(rows)
}

/// As an error of the system's: for who waits for a thread that reads.
pub(super) fn gone(error: tokio::task::JoinError) -> String {
    io::Error::other(error).to_string()
}
