//! Reading, beside the writer and on connections of its own: so many at once, so many that wait
//! for their turn, and each in a bounded time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::value::{NoSuchValue, Row, Statement};
use super::{postgres, sqlite};

/// Connections that read.
const AT_ONCE: usize = 4;
/// Reads that wait for one of them. Beyond: refused.
const WAITING_MAX: usize = 256;
/// What a read may take, its wait included.
const READ: Duration = Duration::from_secs(2);
/// Rows that a read gives. A page is less.
const ROWS_MAX: usize = 10_000;

/// Why there is nothing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// The server keeps nothing.
    NoStore,
    /// Too many read.
    Busy,
    /// It took too long.
    Late,
    /// The database says so, or gave what it should not.
    Failed(String),
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ReadError::NoStore => "there is no store",
            ReadError::Busy => "too many read the store",
            ReadError::Late => "the store does not answer in time",
            ReadError::Failed(why) => why,
        })
    }
}

impl From<NoSuchValue> for ReadError {
    fn from(wrong: NoSuchValue) -> ReadError {
        ReadError::Failed(wrong.to_string())
    }
}

/// Who reads.
#[derive(Clone)]
pub(super) enum Readers {
    Sqlite(Arc<sqlite::Readers>),
    Postgres(Arc<postgres::Readers>),
}

/// See the module's description.
pub(super) struct Reads {
    readers: Readers,
    /// One for each who reads or waits to.
    come: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Reads {
    pub(super) fn new(readers: Readers) -> Reads {
        Reads {
            readers,
            come: Arc::new(Semaphore::new(AT_ONCE + WAITING_MAX)),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Whether it is a database that others write too.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.readers, Readers::Postgres(_))
    }

    /// The file that is read, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.readers {
            Readers::Sqlite(readers) => Some(readers.path()),
            Readers::Postgres(_) => None,
        }
    }

    /// What a `SELECT` gives. In a runtime's context.
    pub(super) async fn select(&self, select: Statement) -> Result<Vec<Row>, ReadError> {
        let _come = self.come.try_acquire().map_err(|_| ReadError::Busy)?;
        // What ends the read where it takes too long, once it has begun.
        let (begun, begins) = oneshot::channel();
        let read = async {
            // Never closed.
            let place = self.places.clone().acquire_owned().await;
            let place = place.map_err(|_| "no places".to_owned())?;
            match self.readers.clone() {
                Readers::Sqlite(readers) => on_a_thread(readers, select, place, begun).await,
                Readers::Postgres(readers) => {
                    let rows = readers.select(&select, ROWS_MAX).await;
                    drop(place);
                    rows
                }
            }
        };
        match timeout(READ, read).await {
            Ok(read) => read.map_err(ReadError::Failed),
            Err(_) => {
                let mut begins = begins;
                if let Ok(interrupt) = begins.try_recv() {
                    rusqlite::InterruptHandle::interrupt(&interrupt);
                }
                Err(ReadError::Late)
            }
        }
    }
}

/// Reads a file, which may wait for a disk. It has its place until it is done, also where nobody
/// waits for it any more.
async fn on_a_thread(
    readers: Arc<sqlite::Readers>,
    select: Statement,
    place: OwnedSemaphorePermit,
    begun: oneshot::Sender<rusqlite::InterruptHandle>,
) -> Result<Vec<Row>, String> {
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        let (reading, interrupt) = readers.begin()?;
        // Who waited may have gone.
        let _ = begun.send(interrupt);
        reading.select(&select, ROWS_MAX)
    });
    read.await.unwrap_or_else(|error| Err(sqlite::gone(error)))
}
