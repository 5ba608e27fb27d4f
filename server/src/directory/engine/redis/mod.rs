//! An engine that several nodes share: a Redis from 6.2 on, or a Valkey. Two connections, one for
//! commands and one for checkpoints, so that no blob holds up a beat. Each has a task that connects
//! again for as long as its [`Engine`](super::Engine) is there.
//!
//! The crate's own `ConnectionManager` is not used: it connects again unseen, and ownership has to
//! see every change. What stands between node and server must do the same, as a TCP proxy does.

mod backoff;
mod bulk;
mod calls;
mod commands;
pub(crate) mod config;
mod connection;
pub(crate) mod dial;
mod errors;
mod scripts;

use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Ends, Engine, Failure, queues};
use crate::config::invalid;
use backoff::Backoff;
pub(crate) use config::Config;
use connection::Connection;
#[cfg(test)]
pub(super) use scripts::sources;

/// Connects, and keeps connected from then on.
///
/// # Errors
/// One line: of the kind `InvalidInput`, what was found can't be this cluster's engine, which only
/// somebody changes; of the kind `TimedOut`, nobody was there in time, who may be later.
pub(crate) async fn start(config: Config) -> io::Result<Engine> {
    let end = Instant::now() + config.times.start;
    let mut backoff = Backoff::new(config.times.backoff);
    let first = loop {
        tokio::time::sleep(backoff.pause()).await;
        match Connection::open(&config).await {
            Ok(connection) => break connection,
            // Who starts all at once starts an engine, too, that is not up yet.
            Err(why @ (Failure::Away(_) | Failure::Late)) if Instant::now() < end => {
                tracing::debug!(%why, "no engine yet");
            }
            Err(why) => return Err(told(&why)),
        }
    };
    tracing::info!(
        engine = first.about,
        replicas = first.replicas,
        "the engine is there"
    );
    let (engine, ends) = queues();
    let config = Arc::new(config);
    let Ends {
        orders,
        events,
        bulk,
    } = ends;
    tokio::spawn(commands::serve(config.clone(), first, orders, events));
    tokio::spawn(bulk::serve(config, bulk));
    Ok(engine)
}

/// Why there is no start.
fn told(why: &Failure) -> io::Error {
    let line = format!("cluster-url: {why}");
    match why {
        Failure::Away(_) | Failure::Late => io::Error::new(io::ErrorKind::TimedOut, line),
        _ => invalid(line),
    }
}
