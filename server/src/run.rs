//! A server from its settings to its last socket: what is checked before anyone is let in, the
//! parts that serve, and the stop in order. `serve` makes a program of it; tests call it as it is.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cluster::Joining;
use crate::config::{self, Config, GameSettings};
use crate::game::Game;
use crate::games::Games;
use crate::http::admin::Admin;
use crate::http::api::Api;
use crate::http::{self, Listeners, Public, Site};
use crate::lobby::{Lobby, Neighbours};
use crate::metrics::Metrics;
use crate::moderation::Stored;
use crate::store::{self, Opened, ReadError};
use crate::transport::Accept;
use crate::transport::certificate::Certificate;
use crate::webhooks::Webhook;

/// For the store to write what waits, however short the stop's deadline.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// A server of any games, for who has listeners, settings and a way to stop already:
/// `Server::new(config).game::<Chess>(page).game::<Go>(page).run(listeners, shutdown)`. A whole
/// program is [`Games::serve`].
pub struct Server {
    config: Config,
    games: Games,
    among: Option<(Neighbours, Option<String>)>,
}

impl Server {
    /// One with these settings, and no game yet.
    pub fn new(config: Config) -> Server {
        Server {
            config,
            games: Games::new(),
            among: None,
        }
    }

    /// The same as a node of several in this process that know one another, which clients reach at
    /// `url`, or where it listens: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn among(mut self, neighbours: &Neighbours, url: Option<String>) -> Server {
        self.among = Some((neighbours.clone(), url));
        self
    }

    /// See [`Games::game`].
    #[must_use]
    pub fn game<G: Game>(mut self, page: Site) -> Server {
        self.games = self.games.game::<G>(page);
        self
    }

    /// See [`Games::game_with`].
    #[must_use]
    pub fn game_with<G: Game>(mut self, page: Site, own: GameSettings) -> Server {
        self.games = self.games.game_with::<G>(page, own);
        self
    }

    /// Serves the games on `listeners` until `shutdown` is done, then stops in order: not ready, no
    /// new sockets, everyone is told and let go within `config.stop_deadline`.
    ///
    /// # Errors
    /// Of the kind `InvalidInput`: a game's name or schema can't be played, the settings don't
    /// hold, a file that they name can't be used. With [`crate::PartEnded`] inside: a thread or
    /// task that serves everybody ended, and the server stopped in order for that reason. Else the
    /// system's.
    pub async fn run(
        self,
        listeners: Listeners,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let address = listeners.public.local_addr()?;
        let among = self.among;
        let ready = |lobby: &Lobby| {
            if let Some((neighbours, url)) = among {
                let url = url.unwrap_or_else(|| format!("ws://{address}/ws"));
                lobby.join(&neighbours, &url);
            }
        };
        start(listeners, self.config, self.games, shutdown, ready).await
    }
}

/// Serves the game `G` alone, as [`Server::run`] does.
///
/// # Errors
/// As [`Server::run`].
pub async fn run<G: Game>(
    listeners: Listeners,
    config: Config,
    site: Site,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let server = Server::new(config).game::<G>(site);
    server.run(listeners, shutdown).await
}

/// `ready` is called when everything that the settings name was read and checked, and players are
/// about to be let in.
pub(crate) async fn start(
    listeners: Listeners,
    config: Config,
    games: Games,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Lobby),
) -> io::Result<()> {
    config.check().map_err(config::invalid)?;
    let (games, pages) = games.check(&config)?;
    let metrics = Arc::new(Metrics::new().map_err(io::Error::other)?);
    let admin = Admin::new(&config, metrics.clone()).map_err(config::invalid)?;
    let certificate = match (&config.tls_cert, &config.tls_key) {
        (Some(chain), Some(key)) => Some(Arc::new(Certificate::load(chain, key)?)),
        _ => None,
    };
    let joining = match config.cluster() {
        Some(settings) => {
            let rooms_max = config.max_rooms as usize;
            Some(Joining::new(settings, rooms_max, metrics.clone()).await?)
        }
        None => None,
    };
    let parts = joining.as_ref().map(Joining::parts);
    let Opened { store, writer } = store::open(&config, &metrics).await?;
    let stored = Stored::read(store.clone()).await?;
    let lobby = Lobby::of(&games, &config, metrics.clone(), parts, stored)?;
    lobby.recall_notices().await.map_err(unread)?;
    let vitals = lobby.vitals().clone();
    let writing = writer.map(|writer| writer.start(&vitals)).transpose()?;
    let cluster = match joining {
        Some(joining) => Some(joining.join(&lobby, &vitals).await?),
        None => None,
    };
    let webhook = Webhook::new(&config, &store, &metrics).map_err(config::invalid)?;
    let telling = webhook.map(|webhook| {
        let sending = vitals.clone().keep("the web hook", webhook.keep_sending());
        tokio::spawn(sending)
    });
    let following = lobby.moderation().is_shared().then(|| {
        let name = "what other servers order";
        tokio::spawn(vitals.clone().keep(name, lobby.clone().follow_orders()))
    });
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
        cluster.clone(),
        stopping.clone(),
    );
    let ops = tokio::spawn(vitals.clone().keep("the operator's port", ops));
    let api = match listeners.api {
        Some(listener) => {
            let certificate = certificate.clone();
            let api = Api::new(&config, &lobby, certificate, &metrics, stopping.clone());
            let api = api.map_err(config::invalid)?;
            api.recall().await.map_err(unread)?;
            Some((api, accept(listener)))
        }
        None => None,
    };
    let api = api.map(|(api, accept)| {
        let name = "the programs' port";
        tokio::spawn(vitals.clone().keep(name, api.serve(accept)))
    });
    let public = Public::new(
        &config,
        pages,
        lobby.clone(),
        certificate,
        metrics.clone(),
        stopping,
    );
    let reading = public.boards().keep_reading();
    let reading = Some(tokio::spawn(vitals.clone().keep("boards", reading)));
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
    if let (Some(cluster), None) = (&cluster, &failed) {
        tracing::info!(deadline = ?config.drain_deadline, "draining");
        let drained = cluster.drained(config.drain_deadline);
        // Who comes meanwhile is led to the other nodes.
        let is_done = tokio::select! {
            () = public.as_mut() => {
                is_open = false;
                false
            }
            is_done = drained => is_done,
        };
        if !is_done {
            tracing::warn!("rooms are still here: they stand still until another node has them");
        }
    }
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
    if let Some(cluster) = &cluster {
        cluster.leave().await;
    }
    // Handshakes that ended meanwhile.
    lobby.all_gone(config.stop_deadline).await;
    if let Some(writing) = writing {
        store.finish();
        let ended = tokio::task::spawn_blocking(move || writing.join());
        let patience = config.stop_deadline.max(LAST_WRITES);
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::error!("the store is stuck: not all is stored that was to be");
        }
    }
    ops.abort();
    let beside = [api, watching, following, reading, telling];
    beside.iter().flatten().for_each(JoinHandle::abort);
    tracing::info!("stopped");
    failed.map_or(Ok(()), |part| Err(io::Error::other(part)))
}

/// Why nothing can be read of a store that was opened.
fn unread(why: ReadError) -> io::Error {
    io::Error::other(format!("store: {why}"))
}

#[cfg(test)]
mod tests;
