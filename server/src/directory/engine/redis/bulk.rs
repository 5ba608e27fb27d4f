//! The task of the connection that checkpoints go over: many in one round trip. While there is no
//! connection everything fails at once: the next second brings newer ones. Each round trip asks for
//! the server's role, too: one that became a replica answers reads with what may be old.

use std::sync::Arc;

use bytes::Bytes;
use redis::{Pipeline, Value};
use tickwire::ids::RoomId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::calls::{Call, keep};
use super::config::Config;
use super::connection::Connection;
use super::errors::refused;
use crate::directory::engine::codec::{CHECKPOINT_HEAD_BYTES_MAX, decode_checkpoint, decode_room};
use crate::directory::engine::replies::text;
use crate::directory::engine::{Bulk, CHECKPOINT_BYTES_MAX, Checkpoint, Failure, Put};
use crate::directory::ownership::messages::Incarnation;

/// Checkpoints of one round trip, and their bytes: a server has them all in memory before it is
/// through, and does nothing else meanwhile than what other connections ask in between.
const BATCH_MAX: usize = 128;
const BATCH_BYTES_MAX: usize = CHECKPOINT_BYTES_MAX;
/// Bytes of the answers to a batch: a number each, and the role with its replicas.
const ANSWERS_BYTES_MAX: usize = 64 * 1024;

/// Connects when something is asked and keeps connected, until nobody is left who asks.
pub(super) async fn serve(config: Arc<Config>, mut orders: mpsc::Receiver<Bulk>) {
    let mut store = Store {
        backoff: Backoff::new(config.times.backoff),
        config,
        connection: None,
        tried_again_at: Instant::now(),
    };
    while let Some(order) = orders.recv().await {
        // Who asked may be gone.
        match order {
            Bulk::Put(checkpoints, done) => {
                let _ = done.send(store.put(&checkpoints).await);
            }
            Bulk::Get(room, done) => {
                let _ = done.send(store.get(room).await);
            }
            Bulk::Owners(rooms, done) => {
                let _ = done.send(store.owners(&rooms).await);
            }
        }
    }
}

struct Store {
    config: Arc<Config>,
    backoff: Backoff,
    connection: Option<Connection>,
    tried_again_at: Instant,
}

impl Store {
    /// The connection, a new one if the last broke and its time has come.
    async fn connection(&mut self) -> Result<&mut Connection, Failure> {
        let is_broken = self.connection.as_ref().is_some_and(Connection::is_broken);
        if is_broken {
            self.connection = None;
        }
        if self.connection.is_none() {
            if Instant::now() < self.tried_again_at {
                return Err(Failure::Away("it is tried again soon".to_owned()));
            }
            let opened = Connection::open(&self.config).await;
            // The first pause is none: a try that failed is followed by one all the same.
            let pause = self.backoff.pause();
            self.tried_again_at = Instant::now() + pause;
            self.connection = Some(opened?);
        }
        let none = || Failure::Away("there is no connection".to_owned());
        self.connection.as_mut().ok_or_else(none)
    }

    async fn put(&mut self, checkpoints: &[Checkpoint]) -> Vec<Put> {
        let mut outcome = Vec::with_capacity(checkpoints.len());
        let mut rest = checkpoints;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take(BATCH_MAX).take_while(|checkpoint| {
                bytes += checkpoint.blob.len();
                bytes <= BATCH_BYTES_MAX
            });
            // One alone goes, or is told to be too big.
            let (batch, after) = rest.split_at(fits.count().max(1));
            rest = after;
            outcome.extend(self.put_batch(batch).await);
        }
        outcome
    }

    async fn put_batch(&mut self, batch: &[Checkpoint]) -> Vec<Put> {
        let calls: Vec<Result<Call, Failure>> = batch.iter().map(keep).collect();
        let mut sent: Vec<Call> = Vec::with_capacity(batch.len());
        let mut outcome: Vec<Option<Put>> = Vec::with_capacity(batch.len());
        for call in calls {
            outcome.push(match call {
                Ok(call) => {
                    sent.push(call);
                    None
                }
                Err(why) => Some(Put::Failed(why)),
            });
        }
        let mut answers = match self.call(&sent).await {
            Ok(answers) => answers.into_iter(),
            Err(why) => {
                let failed = |put: Option<Put>| put.unwrap_or(Put::Failed(why.clone()));
                return outcome.into_iter().map(failed).collect();
            }
        };
        let missing = || Put::Failed(Failure::Garbled("answers"));
        let mut next = || answers.next().as_ref().map_or_else(missing, put_of);
        let puts = outcome.into_iter().map(|put| put.unwrap_or_else(&mut next));
        let puts: Vec<Put> = puts.collect();
        for put in &puts {
            if let Put::Failed(why) = put {
                self.count(why);
            }
        }
        puts
    }

    async fn call(&mut self, calls: &[Call]) -> Result<Vec<Value>, Failure> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let limit = self.config.times.reply;
        let connection = self.connection().await?;
        let role = [redis::cmd("ROLE")];
        let called = connection.call(calls, &role, ANSWERS_BYTES_MAX, limit);
        let called = called.await;
        self.seen(called)
    }

    async fn get(&mut self, room: RoomId) -> Result<Option<Checkpoint>, Failure> {
        let got = self.look(room).await;
        if let Err(why) = &got {
            self.count(why);
        }
        got
    }

    async fn owners(&mut self, rooms: &[RoomId]) -> Result<Vec<Option<Incarnation>>, Failure> {
        let asked = self.ask_owners(rooms).await;
        if let Err(why) = &asked {
            self.count(why);
        }
        asked
    }

    async fn ask_owners(&mut self, rooms: &[RoomId]) -> Result<Vec<Option<Incarnation>>, Failure> {
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let limit = self.config.times.reply;
        let connection = self.connection().await?;
        let mut pipeline = Pipeline::new();
        let command = pipeline.cmd("HMGET").arg(connection.table("r"));
        for room in rooms {
            command.arg(room.0.to_string());
        }
        pipeline.cmd("ROLE");
        let asked = connection
            .round_trip(&pipeline, ANSWERS_BYTES_MAX, limit)
            .await;
        let answers = self.seen(asked)?;
        let records = match answers.first() {
            Some(Value::ServerError(error)) => return Err(refused(error)),
            Some(Value::Array(records)) if records.len() == rooms.len() => records,
            _ => return Err(Failure::Garbled("owners of rooms")),
        };
        let owner = |record: &Value| match record {
            Value::Nil => Ok(None),
            record => {
                let record = text(record).and_then(decode_room);
                record.map(|record| Some(record.owner))
            }
        };
        let owners: Result<Vec<_>, _> = records.iter().map(owner).collect();
        owners.map_err(|why| Failure::Garbled(why.0))
    }

    /// Those that are not counted where they happen.
    fn count(&self, why: &Failure) {
        let metrics = &self.config.metrics;
        match why {
            Failure::Refused(_) => metrics.engine_refused.increment(1),
            Failure::Garbled(_) | Failure::Unreadable(_) | Failure::TooBig => {
                metrics.engine_values.increment(1);
            }
            Failure::Away(_) | Failure::Late | Failure::Unsuitable(_) => {}
        }
    }

    async fn look(&mut self, room: RoomId) -> Result<Option<Checkpoint>, Failure> {
        let limit = self.config.times.reply;
        let connection = self.connection().await?;
        let (longest, mut pipeline) = (
            CHECKPOINT_BYTES_MAX + CHECKPOINT_HEAD_BYTES_MAX,
            Pipeline::new(),
        );
        // One byte more than there may be tells what is too long, however long it is.
        pipeline
            .cmd("GETRANGE")
            .arg(connection.key("ck:", room))
            .arg(0)
            .arg(longest);
        pipeline.cmd("ROLE");
        let asked = connection
            .round_trip(&pipeline, longest + ANSWERS_BYTES_MAX, limit)
            .await;
        let answers = self.seen(asked)?;
        let value = match answers.first() {
            Some(Value::ServerError(error)) => return Err(refused(error)),
            Some(value) => text(value).map_err(|why| Failure::Garbled(why.0))?,
            None => return Err(Failure::Garbled("a checkpoint")),
        };
        if value.is_empty() {
            return Ok(None);
        }
        let read = decode_checkpoint(value).map_err(|why| Failure::Unreadable(why.0));
        let (epoch, tick, blob) = read?;
        if blob.len() > CHECKPOINT_BYTES_MAX || value.len() > longest {
            return Err(Failure::TooBig);
        }
        let blob = Bytes::copy_from_slice(blob);
        Ok(Some(Checkpoint {
            room,
            epoch,
            tick,
            blob,
        }))
    }

    /// The answers but for the last, which is the server's role. A connection that failed, or leads
    /// to no master any more, is of no more use; any other begins its pauses anew.
    fn seen(&mut self, result: Result<Vec<Value>, Failure>) -> Result<Vec<Value>, Failure> {
        let seen = result.and_then(|mut answers| {
            let role = answers.pop().ok_or(Failure::Garbled("answers"))?;
            if let Some(connection) = &mut self.connection {
                connection.is_master(&role)?;
            }
            match answers.iter().find_map(away) {
                Some(why) => Err(why),
                None => Ok(answers),
            }
        });
        match &seen {
            Ok(_) => self.backoff.reset(),
            Err(_) => self.connection = None,
        }
        seen
    }
}

/// An answer after which a connection is of no more use.
fn away(answer: &Value) -> Option<Failure> {
    match answer {
        Value::ServerError(error) => {
            let why = refused(error);
            matches!(why, Failure::Away(_)).then_some(why)
        }
        _ => None,
    }
}

/// What became of one by its answer.
fn put_of(answer: &Value) -> Put {
    match answer {
        Value::Int(1) => Put::Stored,
        Value::Int(0) => Put::Fenced,
        Value::Int(-1) => Put::Unknown,
        Value::ServerError(error) => Put::Failed(refused(error)),
        _ => Put::Failed(Failure::Garbled("of a checkpoint")),
    }
}
