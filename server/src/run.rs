//! A server from its settings to its last socket: what is checked before anyone is let in, the
//! parts that serve, and the stop in order. `serve` makes a program of it; tests call it as it is.

use std::future::Future;
use std::io;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{self, Config};
use crate::game::{Game, GameDef};
use crate::http::admin::Admin;
use crate::http::{self, Accept, Listeners, Public, Site};
use crate::lobby::Lobby;
use crate::metrics::Metrics;
use crate::transport::certificate::Certificate;
use crate::vitals;

/// Serves the game `G` on `listeners` until `shutdown` is done, then stops in order: not ready,
/// no new sockets, everyone is told and let go within `config.stop_deadline`.
///
/// # Errors
/// Of the kind `InvalidInput`: the game's schema can't be played, the settings don't hold, a file
/// that they name can't be used. With [`crate::PartEnded`] inside: a thread or task that serves
/// everybody ended, and the server stopped in order for that reason. Else the system's.
pub async fn run<G: Game>(
    listeners: Listeners,
    config: Config,
    site: Site,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    start::<G>(listeners, config, site, shutdown, |_| {}).await
}

/// `ready` is called when everything that the settings name was read and checked, and players are
/// about to be let in.
pub(crate) async fn start<G: Game>(
    listeners: Listeners,
    config: Config,
    site: Site,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Lobby),
) -> io::Result<()> {
    config.check().map_err(config::invalid)?;
    let game = declare::<G>(&config)?;
    let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
    let admin = Admin::new(&config, metrics.clone()).map_err(config::invalid)?;
    let certificate = match (&config.tls_cert, &config.tls_key) {
        (Some(chain), Some(key)) => Some(Arc::new(Certificate::load(chain, key)?)),
        _ => None,
    };
    let lobby = Lobby::start(Arc::new(game), &config, metrics.clone())?;
    let vitals = lobby.vitals().clone();
    let (stop, stopping) = watch::channel(false);

    let watching = certificate.clone().map(|certificate| {
        let watching = certificate.watch(metrics.clone());
        let name = "the watch over the certificate";
        tokio::spawn(vitals.clone().keep(name, watching))
    });
    let accept = |listener| Accept::new(listener, metrics.accept_errors.clone());
    let ops = http::ops::serve(
        accept(listeners.ops),
        config.header_timeout,
        admin,
        metrics.clone(),
        lobby.clone(),
        stopping.clone(),
    );
    let ops = tokio::spawn(vitals.clone().keep("the operator's port", ops));
    let public = Public::new(
        &config,
        site,
        lobby.clone(),
        certificate,
        metrics.clone(),
        stopping,
    );
    ready(&lobby);
    // Polled here and not in a task of its own: `serve` gives this future a thread. As a task it
    // waits behind those of the sockets before, and in a burst the kernel's queue overflows: 5,700
    // handshakes/s against 19,800.
    let public = public.serve(accept(listeners.public));
    let mut public = pin!(vitals.clone().keep("the public port", public));
    let mut is_open = true;
    let failed = tokio::select! {
        () = public.as_mut() => {
            is_open = false;
            Some(vitals.ended().await)
        }
        ended = vitals.ended() => Some(ended),
        () = shutdown => None,
    };
    match &failed {
        Some(part) => tracing::error!(deadline = ?config.stop_deadline, "stopping: {part}"),
        None => tracing::info!(deadline = ?config.stop_deadline, "stopping"),
    }
    vitals.let_end();
    stop.send_replace(true);
    // Pages still on their way out may take what a stop may take, no more.
    let pages = async {
        if is_open {
            let _ = tokio::time::timeout(config.stop_deadline, public).await;
        }
    };
    tokio::join!(pages, lobby.stop(config.stop_deadline));
    // Handshakes that ended meanwhile.
    lobby.all_gone(config.stop_deadline).await;
    ops.abort();
    if let Some(watching) = watching {
        watching.abort();
    }
    tracing::info!("stopped");
    failed.map_or(Ok(()), |part| Err(io::Error::other(part)))
}

/// The game's declaration, checked for these settings.
fn declare<G: Game>(config: &Config) -> io::Result<GameDef<G>> {
    let declared = catch_unwind(|| GameDef::<G>::new(config.tick_rate));
    let game = declared.unwrap_or_else(|panic| {
        vitals::forget(panic);
        Err(format!("the schema of {} panicked", G::NAME))
    });
    let game = game.map_err(config::invalid)?;
    let checked = config.check_input(game.schema.input_bytes());
    checked.map_err(config::invalid)?;
    Ok(game)
}

#[cfg(test)]
mod tests;
