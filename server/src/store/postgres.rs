//! A PostgreSQL server: the writer's connection ([`Postgres`]), on a small runtime of the writer's
//! thread, and those that read ([`Readers`]), on the server's. Each is made anew where it failed.

mod tls;

use std::collections::HashMap;
use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};

use super::migrations::{self, due};
use super::tables::{Decide, Failure, Tables};
use super::value::{Row, Statement, Value};
use crate::config::PostgresUrl;
use tls::Tls;

/// For a connection to be made, and what is asked of it at first.
const CONNECT: Duration = Duration::from_secs(5);
/// For the tables to be brought up to date, and for another node that does it.
const MIGRATE: Duration = Duration::from_secs(60);
/// The server gives up a question of a reader that took so long, who has gone by then.
const READ_AT_MOST: &str = "SET statement_timeout = '10s'";
/// Two nodes that start at once bring the tables up to date one after the other. Any number that
/// others hardly use.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7715193)";

/// Where the server is and who it is believed to be. Clones are the same.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) url: PostgresUrl,
    /// Where the URL wants TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

/// Begins a transaction in which nobody else changes a rating, or erases one: they wait. Who only
/// reads does not.
const BEGIN_ALONE: &str = "BEGIN; LOCK TABLE ratings IN SHARE ROW EXCLUSIVE MODE";

/// A connection, with what it knows already.
struct Link {
    client: Client,
    prepared: HashMap<&'static str, tokio_postgres::Statement>,
}

impl Link {
    /// In a runtime's context, which then drives it.
    async fn new(place: &Place) -> Result<Link, String> {
        let config = place.url.config();
        let made = async {
            match &place.tls {
                Some(tls) => {
                    let (client, connection) = config.connect(Tls(tls.clone())).await?;
                    tokio::spawn(connection);
                    Ok(client)
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    tokio::spawn(connection);
                    Ok(client)
                }
            }
        };
        match timeout(CONNECT, made).await {
            Ok(Ok(client)) => Ok(Link {
                client,
                prepared: HashMap::new(),
            }),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err("no connection in time".to_owned()),
        }
    }

    async fn prepare(
        &mut self,
        sql: &'static str,
    ) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
        if let Some(prepared) = self.prepared.get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare(sql).await?;
        self.prepared.insert(sql, prepared.clone());
        Ok(prepared)
    }

    async fn transact(&mut self, statements: &[Statement]) -> Result<u64, tokio_postgres::Error> {
        self.client.batch_execute("BEGIN").await?;
        let changed = self.execute(statements).await;
        let ended = self.end(changed.is_ok()).await;
        // Why it was undone says more than that this failed, too.
        let changed = changed?;
        ended.map(|()| changed)
    }

    /// See [`Tables::decide`].
    async fn decide(
        &mut self,
        select: &Statement,
        decide: Decide<'_>,
    ) -> Result<Result<usize, Failure>, tokio_postgres::Error> {
        self.client.batch_execute(BEGIN_ALONE).await?;
        let decided = async {
            let rows = self.select(select, usize::MAX).await?;
            let statements = match decide(&rows) {
                Ok(statements) => statements,
                Err(wrong) => return Ok(Err(wrong.into())),
            };
            self.execute(&statements).await?;
            Ok(Ok(rows.len()))
        };
        let decided = decided.await;
        let ended = self.end(matches!(decided, Ok(Ok(_)))).await;
        let decided = decided?;
        ended.map(|()| decided)
    }

    /// How many rows the last one changed.
    async fn execute(&mut self, statements: &[Statement]) -> Result<u64, tokio_postgres::Error> {
        let mut ready = Vec::with_capacity(statements.len());
        for statement in statements {
            ready.push((self.prepare(statement.sql).await?, &statement.values));
        }
        // All are sent, in their order, as each is when it is first polled; then the answers come.
        let mut sent = Vec::with_capacity(ready.len());
        for (prepared, values) in &ready {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            let client = &self.client;
            let mut executed: Pin<Box<dyn Future<Output = _> + Send>> =
                Box::pin(async move { client.execute(prepared, &values).await });
            let first = poll_fn(|cx| Poll::Ready(executed.as_mut().poll(cx))).await;
            sent.push(match first {
                Poll::Ready(done) => Err(done),
                Poll::Pending => Ok(executed),
            });
        }
        let mut changed = Ok(0);
        for executed in sent {
            let done = match executed {
                Ok(executed) => executed.await,
                Err(done) => done,
            };
            // The first failure says why; after it there are only its consequences.
            changed = changed.and(done);
        }
        changed
    }

    /// Ends a transaction, in which nothing was done where it came to nothing.
    async fn end(&self, is_good: bool) -> Result<(), tokio_postgres::Error> {
        let end = if is_good { "COMMIT" } else { "ROLLBACK" };
        self.client.batch_execute(end).await
    }

    async fn select(
        &mut self,
        select: &Statement,
        rows_max: usize,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let prepared = self.prepare(select.sql).await?;
        let values: Vec<&(dyn ToSql + Sync)> =
            select.values.iter().map(|value| value as _).collect();
        let found = self.client.query(&prepared, &values).await?;
        found.iter().take(rows_max).map(row).collect()
    }

    async fn migrate(&mut self) -> Result<(), String> {
        let failed = |error: tokio_postgres::Error| told(&error);
        let transaction = self.client.transaction().await.map_err(failed)?;
        transaction.batch_execute(LOCK).await.map_err(failed)?;
        let create = transaction.batch_execute(migrations::CREATE);
        create.await.map_err(failed)?;
        let found = transaction.query_one(migrations::FOUND, &[]);
        let found = found.await.and_then(|row| row.try_get(0)).map_err(failed)?;
        for (version, step) in due(found)? {
            let made = transaction.batch_execute(step.postgres);
            made.await.map_err(failed)?;
            let noted = transaction.execute(migrations::MADE, &[&version]).await;
            noted.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }
}

/// See the module's description.
pub(super) struct Postgres {
    place: Place,
    runtime: Runtime,
    link: Option<Link>,
}

impl Postgres {
    /// Connects, and brings the tables up to date. Not in a runtime's context.
    ///
    /// # Errors
    /// One line.
    pub(super) fn open(place: Place) -> Result<Postgres, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let opened = runtime.block_on(async {
            let mut link = Link::new(&place).await?;
            let migrated = timeout(MIGRATE, link.migrate()).await;
            migrated.map_err(|_| "its tables can't be brought up to date in time")??;
            Ok::<_, String>(link)
        });
        Ok(Postgres {
            link: Some(opened?),
            place,
            runtime,
        })
    }

    /// Does a transaction on the connection there is, or a new one.
    fn within<T>(
        &mut self,
        within: Duration,
        transact: impl AsyncFnOnce(&mut Link) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        let (link, place) = (&mut self.link, &self.place);
        self.runtime.block_on(async {
            let mut held = match link.take() {
                Some(held) if !held.client.is_closed() => held,
                _ => Link::new(place).await.map_err(Failure::Away)?,
            };
            match timeout(within, transact(&mut held)).await {
                Ok(Ok(done)) => {
                    *link = Some(held);
                    Ok(done)
                }
                Ok(Err(error)) if is_about_values(&error) => {
                    *link = Some(held);
                    Err(Failure::Refused(told(&error)))
                }
                // A connection on which nobody knows what is what is not used again.
                Ok(Err(error)) => Err(Failure::Away(told(&error))),
                Err(_) => Err(Failure::Away("no answer in time".to_owned())),
            }
        })
    }
}

impl Tables for Postgres {
    fn name(&self) -> String {
        self.place.url.to_string()
    }

    fn commit(&mut self, statements: &[Statement], within: Duration) -> Result<u64, Failure> {
        self.within(within, async |link| link.transact(statements).await)
    }

    fn decide(
        &mut self,
        select: &Statement,
        decide: Decide<'_>,
        within: Duration,
    ) -> Result<usize, Failure> {
        self.within(within, async |link| link.decide(select, decide).await)?
    }
}

/// Whether the server looked at what it was given, and will never take it: data exceptions,
/// violations of keys, limits of the program.
fn is_about_values(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map(|code| code.code());
    code.is_some_and(|code| ["22", "23", "54"].iter().any(|of| code.starts_with(of)))
}

/// An error with its causes, in one line.
fn told(error: &tokio_postgres::Error) -> String {
    let mut text = match error.as_db_error() {
        Some(error) => return error.message().replace('\n', " "),
        None => error.to_string(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text.replace('\n', " ")
}

fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let values = row.columns().iter().enumerate().map(|(column, of)| {
        Ok(match *of.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(column)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(column)?.map(i64::from).into(),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(column)?.into(),
            _ => row.try_get::<_, Option<&str>>(column)?.into(),
        })
    });
    Ok(Row(values.collect::<Result<_, _>>()?))
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(value) if *of == Type::INT8 => value.to_sql(of, out),
            Value::Real(value) if *of == Type::FLOAT8 => value.to_sql(of, out),
            Value::Text(text) if *of == Type::TEXT => (&**text).to_sql(of, out),
            value => Err(format!("{value:?} is no {of}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Connections that read, as many as are asked at once.
pub(super) struct Readers {
    place: Place,
    idle: Mutex<Vec<Link>>,
}

impl Readers {
    pub(super) fn new(place: Place) -> Readers {
        let idle = Mutex::default();
        Readers { place, idle }
    }

    /// What a `SELECT` gives, so many rows at most. Dropped halfway the connection goes.
    ///
    /// # Errors
    /// One line.
    pub(super) async fn select(
        &self,
        select: &Statement,
        rows_max: usize,
    ) -> Result<Vec<Row>, String> {
        // Those that ended while nobody looked, as all do when the server is started again.
        let idle = || {
            let mut idle = self.idle.lock();
            idle.retain(|link| !link.client.is_closed());
            idle.pop()
        };
        let mut link = match idle() {
            Some(link) => link,
            None => {
                let link = Link::new(&self.place).await?;
                let bounded = link.client.batch_execute(READ_AT_MOST).await;
                bounded.map_err(|error| told(&error))?;
                link
            }
        };
        let rows = link.select(select, rows_max).await;
        let rows = rows.map_err(|error| told(&error))?;
        self.idle.lock().push(link);
        Ok(rows)
    }
}
