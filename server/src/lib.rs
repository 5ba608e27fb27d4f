//! Tickwire's server: a `bevy_ecs` world per room, ticked at a fixed rate, on WebSockets.
//!
//! A program brings a [`game::Game`] and its page and calls [`run`]; the arena's does it in
//! `main`. Modules stand in the order in which data flows: sockets, lobby, workers, rooms, the
//! game, and what goes back.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::Config;
use crate::game::{Game, GameDef};
use crate::lobby::Lobby;
use crate::metrics::Metrics;
use crate::net::{Accept, Listeners, Public};

pub mod arena;
pub mod config;
pub mod game;
pub mod lobby;
pub mod metrics;
pub mod net;
pub mod replication;
pub mod room;
mod serve;
pub mod worker;

pub use net::Site;
pub use serve::serve;

/// Serves the game `G` on `listeners` until `shutdown` is done, then stops in order: not ready,
/// no new sockets, everyone is told and let go within `config.stop_deadline`.
///
/// # Errors
/// The game's schema can't be played, or the settings don't hold.
pub async fn run<G: Game>(
    listeners: Listeners,
    config: Config,
    site: Site,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
    config.check().map_err(|e| invalid(e.to_string()))?;
    let game = GameDef::<G>::new(config.tick_rate).map_err(invalid)?;
    let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
    let lobby = Lobby::start(Arc::new(game), &config, metrics.clone())?;
    let (stop, stopping) = watch::channel(false);

    let accept = |listener| Accept::new(listener, metrics.accept_errors.clone());
    let ready = {
        let (lobby, stopping) = (lobby.clone(), stopping.clone());
        move || !*stopping.borrow() && lobby.ready()
    };
    let ops = tokio::spawn(net::ops::serve(
        accept(listeners.ops),
        config.header_timeout,
        metrics.clone(),
        ready,
    ));
    let public = Public::new(&config, site, lobby.clone(), metrics.clone(), stopping);
    let public = tokio::spawn(public.serve(accept(listeners.public)));

    shutdown.await;
    tracing::info!(deadline = ?config.stop_deadline, "stopping");
    stop.send_replace(true);
    lobby.stop(config.stop_deadline).await;
    // Pages still on their way out may take what a stop may take, no more.
    let _ = tokio::time::timeout(config.stop_deadline, public).await;
    ops.abort();
    tracing::info!("stopped");
    Ok(())
}
