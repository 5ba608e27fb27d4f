//! The task of the connection that commands go over: what waits goes out together, in one round
//! trip, and its answers come back before anything else is sent. So a server that stands still has
//! no more than one batch to read when it goes on, and of the beats that waited only the newest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::{Cmd, Value};
use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::calls::{call_of, is_durable};
use super::config::Config;
use super::connection::Connection;
use super::errors::{is_cut_off, refused};
use crate::directory::engine::replies::reply_to;
use crate::directory::engine::{Event, Failure, Order};
use crate::directory::ownership::messages::{Command, Run};

/// Commands of one round trip. The rest wait for the next.
const BATCH_MAX: usize = 256;
/// Bytes of one round trip's answers: a beat's, with all rooms of a full node lost and records of
/// the longest, is below half of it.
const ANSWERS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long an adoption waits for a replica to have it, in milliseconds. Beyond: it counts all the
/// same, and a failover may lose it, which epochs are for.
const REPLICATED_MS: u32 = 50;
/// Beats in a row that a master refuses since it has too few replicas, before it is asked for anew
/// who the master is: another is, where this one was cut off. Some 3 s of beats, so that a node
/// that finds another beats there before its lease ends.
const CUT_OFF_MAX: u32 = 6;

/// Keeps connected until nobody is left who sends or listens.
pub(super) async fn serve(
    config: Arc<Config>,
    first: Connection,
    mut orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
) {
    let mut first = Some(first);
    let mut backoff = Backoff::new(config.times.backoff);
    let mut told = None;
    loop {
        let opened = match first.take() {
            Some(connection) => Ok(connection),
            None => {
                let pause = tokio::time::sleep(backoff.pause());
                if !discard(&mut orders, pause).await {
                    return;
                }
                Connection::open(&config).await
            }
        };
        let connection = match opened {
            Ok(connection) => connection,
            Err(why) => {
                // Once for each reason: tries are many.
                if told.as_ref() != Some(&why) {
                    tracing::warn!(%why, "the engine can't be reached");
                }
                told = Some(why);
                continue;
            }
        };
        if told.take().is_some() {
            tracing::info!(engine = connection.about, "the engine is there again");
        }
        let run = Run(config.runs.fetch_add(1, Ordering::Relaxed) + 1);
        config.metrics.engine_connected.set(1.0);
        if events.send(Event::Connected { run }).await.is_err() {
            return;
        }
        let mut line = Line {
            config: &config,
            connection,
            run,
            replies: 0,
            cut_off: 0,
        };
        let why = match line.hold(&mut orders, &events).await {
            Ended::Left => return,
            Ended::Broken(why) => why,
        };
        config.metrics.engine_connected.set(0.0);
        tracing::warn!(%why, engine = line.connection.about, "the engine is away");
        if line.replies > 0 {
            backoff.reset();
        }
        told = Some(why.clone());
        drop(line);
        let gone = Event::Disconnected { run, why };
        if events.send(gone).await.is_err() {
            return;
        }
    }
}

/// Drops what is ordered until `end`: it was for a connection that is gone. False: nobody is left.
async fn discard(orders: &mut mpsc::Receiver<Order>, end: impl Future<Output = ()>) -> bool {
    tokio::pin!(end);
    loop {
        tokio::select! {
            biased;
            () = &mut end => return !orders.is_closed(),
            order = orders.recv() => if order.is_none() {
                return false;
            },
        }
    }
}

/// Why a connection is no longer served.
enum Ended {
    /// Nobody sends or listens.
    Left,
    Broken(Failure),
}

/// A connection while it lasts.
struct Line<'a> {
    config: &'a Config,
    connection: Connection,
    run: Run,
    /// Commands that were answered.
    replies: u64,
    /// Beats in a row that were refused for want of replicas.
    cut_off: u32,
}

impl Line<'_> {
    async fn hold(
        &mut self,
        orders: &mut mpsc::Receiver<Order>,
        events: &mpsc::Sender<Event>,
    ) -> Ended {
        loop {
            let mut waiting = Vec::new();
            tokio::select! {
                biased;
                () = self.connection.broken() => {
                    let why = format!("{} closed the connection", self.connection.about);
                    return Ended::Broken(Failure::Away(why));
                }
                count = orders.recv_many(&mut waiting, BATCH_MAX) => if count == 0 {
                    return Ended::Left;
                },
            }
            let told = match self.carry_out(self.batch(waiting)).await {
                Ok(told) => told,
                Err(why) => return Ended::Broken(why),
            };
            for event in told {
                if events.send(event).await.is_err() {
                    return Ended::Left;
                }
            }
        }
    }

    /// What is still to be sent: decided on this connection, and of beats the last.
    fn batch(&self, waiting: Vec<Order>) -> VecDeque<Command> {
        let mut batch = VecDeque::with_capacity(waiting.len());
        let mut has_beat = false;
        for order in waiting.into_iter().rev() {
            if order.run != self.run {
                self.config.metrics.engine_dropped.increment(1);
                continue;
            }
            let is_beat = matches!(order.command, Command::Beat { .. });
            if !is_beat || !has_beat {
                batch.push_front(order.command);
            }
            has_beat |= is_beat;
        }
        batch
    }

    /// One round trip and what came of it.
    ///
    /// # Errors
    /// The connection is of no more use.
    async fn carry_out(&mut self, batch: VecDeque<Command>) -> Result<Vec<Event>, Failure> {
        let run = self.run;
        let mut told = Vec::with_capacity(batch.len());
        let (mut sent_commands, mut calls) = (Vec::new(), Vec::new());
        for command in batch {
            match call_of(&command) {
                Ok(call) => {
                    calls.push(call);
                    sent_commands.push(command);
                }
                Err(why) => told.push(Event::Failed { run, why }),
            }
        }
        if calls.is_empty() {
            return Ok(told);
        }
        let mut after = Vec::new();
        let has_beat = sent_commands
            .iter()
            .any(|command| matches!(command, Command::Beat { .. }));
        if has_beat {
            after.push(redis::cmd("ROLE"));
        }
        if self.connection.replicas > 0 && sent_commands.iter().any(is_durable) {
            let mut wait = Cmd::new();
            wait.arg("WAIT").arg(1).arg(REPLICATED_MS);
            after.push(wait);
        }
        let sent = std::time::Instant::now();
        let limit = self.config.times.reply;
        let answers = self
            .connection
            .call(&calls, &after, ANSWERS_BYTES_MAX, limit)
            .await?;
        let metrics = &self.config.metrics;
        let (answers, afterwards) = answers.split_at(sent_commands.len());
        // First of all: what a replica answered is no answer.
        if has_beat {
            self.connection.is_master(&afterwards[0])?;
        }
        if let [.., Value::Int(0)] = afterwards {
            metrics.engine_unreplicated.increment(1);
            tracing::warn!("no replica had a change of ownership in time");
        }
        for (command, answer) in sent_commands.iter().zip(answers) {
            let is_beat = matches!(command, Command::Beat { .. });
            told.push(match answer {
                Value::ServerError(error) => match refused(error) {
                    Failure::Refused(why) => {
                        if is_beat && is_cut_off(error) {
                            self.cut_off += 1;
                        }
                        if self.cut_off >= CUT_OFF_MAX {
                            return Err(Failure::Away(why));
                        }
                        metrics.engine_refused.increment(1);
                        tracing::warn!(why, "the engine refuses a command");
                        let why = Failure::Refused(why);
                        Event::Failed { run, why }
                    }
                    broken => return Err(broken),
                },
                answer => {
                    // An answer to something else may be one of another command: nothing that
                    // comes after it can be trusted either.
                    let read = reply_to(command, answer);
                    let (reply, skipped) = read.map_err(|why| {
                        metrics.engine_garbled.increment(1);
                        Failure::Garbled(why.0)
                    })?;
                    if skipped > 0 {
                        metrics.engine_values.increment(skipped as u64);
                        tracing::warn!(skipped, "values of the engine can't be read");
                    }
                    self.replies += 1;
                    if is_beat {
                        self.cut_off = 0;
                    }
                    Event::Replied { run, sent, reply }
                }
            });
        }
        Ok(told)
    }
}
