//! From the settings of a node to its place in the cluster: the key, the peers' port and the engine
//! first, so that what is wrong with them ends the start; then, with the lobby, the task, and the
//! first answer of the engine.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Cluster;
use super::keeper::EngineKeeper;
use super::link::keys::ClusterKey;
use super::link::{Link, Port};
use super::name::{Name, incarnation};
use super::node::{Drained, Node};
use super::status::{self, Status};
use super::task::{StartEngine, Task, Wanted};
use super::work::Work;
use crate::auth::{ClusterKeys, Entropy};
use crate::config::{Cluster as Settings, ConfigError, invalid};
use crate::directory::claims::Claims;
use crate::directory::engine::{Engine, redis};
use crate::directory::ownership::messages::Incarnation;
use crate::directory::ownership::{Ownership, State, Timing};
use crate::lobby::{Lobby, NodeParts};
use crate::metrics::Metrics;
use crate::tls_client;
use crate::vitals::Vitals;

/// For the first answer of an engine that is connected. Longer: it stands still, and so would the
/// node.
const FIRST_BEAT: Duration = Duration::from_secs(10);

/// A node before it has a lobby.
pub(crate) struct Joining {
    name: Name,
    me: Incarnation,
    own: Ownership,
    keys: ClusterKeys,
    claims: Arc<Claims>,
    engine: Engine,
    start_engine: StartEngine,
    peers: Port,
    entropy: Entropy,
    metrics: Arc<Metrics>,
}

impl Joining {
    /// With these settings, for so many rooms at once. In a runtime's context.
    ///
    /// # Errors
    /// Of the kind `InvalidInput`, one line: what they name can't be used. Of the kind `TimedOut`:
    /// the engine is not there. Else the system's.
    pub(crate) async fn new(
        settings: Settings<'_>,
        rooms_max: usize,
        metrics: Arc<Metrics>,
    ) -> io::Result<Joining> {
        let entropy = Entropy::default();
        let keys = ClusterKeys::read(settings.key_file).map_err(invalid)?;
        let peers = Port::bind(settings.peer_listen).await;
        let peers = peers.map_err(|error| {
            let at = settings.peer_listen;
            io::Error::new(error.kind(), format!("peer-listen {at}: {error}"))
        })?;
        let node = settings.peer_name(peers.address()?);
        let config = engine_config(&settings, &keys, metrics.clone()).map_err(invalid)?;
        let engine = redis::start(config.clone()).await?;
        let me = incarnation(&entropy).map_err(invalid)?;
        let name = Name {
            began: Instant::now(),
            node,
            url: settings.url.to_string(),
            timing: Timing {
                detached: settings.detached,
                ..Timing::default()
            },
            rooms_max,
        };
        let own = name.ownership(Duration::ZERO, me);
        Ok(Joining {
            claims: Arc::new(Claims::new(name.began, me, own.lease())),
            name,
            me,
            own,
            keys,
            engine,
            start_engine: Arc::new(move || start_again(config.clone())),
            peers,
            entropy,
            metrics,
        })
    }

    /// What the lobby needs of it.
    pub(crate) fn parts(&self) -> NodeParts {
        let engine = self.engine.checkpoints();
        let (claims, metrics) = (self.claims.clone(), self.metrics.clone());
        NodeParts {
            keeper: Box::new(EngineKeeper::new(engine, claims.clone(), metrics)),
            claims,
        }
    }

    /// Takes the node's place, with its lobby, before anybody is let in.
    ///
    /// # Errors
    /// The engine does not answer, or the system's.
    pub(crate) async fn join(self, lobby: &Lobby, vitals: &Vitals) -> io::Result<Cluster> {
        let Joining {
            name,
            me,
            own,
            keys,
            claims,
            engine,
            start_engine,
            peers,
            entropy,
            metrics,
        } = self;
        let key = ClusterKey::new(&keys.link);
        let (link, told) = Link::new(
            peers,
            key,
            name.node.clone(),
            me,
            entropy.clone(),
            metrics.clone(),
        )?;
        let lobby = lobby.join_cluster(me, &name.url, &keys);
        let checkpoints = engine.checkpoints();
        let (work, outcomes) =
            Work::new(checkpoints, claims.clone(), lobby.clone(), metrics.clone());
        let (wanted, is_wanted) = watch::channel(Wanted::Play);
        let (shown, status) = watch::channel(Status::of(&name, me));
        let task = Task {
            name,
            me,
            node: Node::new(own),
            engine: Some(engine),
            start_engine,
            starting: None,
            link,
            peers: told,
            claims,
            lobby,
            work,
            outcomes,
            entropy,
            metrics,
            wanted: is_wanted,
            status: shown,
            states: Default::default(),
            tell_at: Duration::ZERO,
            common_at: None,
            seek_at: Duration::ZERO,
            is_seeking: false,
            is_connected: false,
            seen: (State::New, Drained::No, Duration::ZERO),
        };
        let running = vitals.clone().keep("the cluster's task", task.run());
        let cluster = Cluster {
            wanted: Arc::new(wanted),
            status,
            task: Arc::new(Mutex::new(Some(tokio::spawn(running)))),
        };
        let mut status = cluster.status.clone();
        let attached = status.wait_for(|status| status.state == status::word(State::Attached));
        match tokio::time::timeout(FIRST_BEAT, attached).await {
            Ok(Ok(_)) => Ok(cluster.clone()),
            // It may by the next start.
            _ => {
                let why = "cluster-url: the engine does not answer";
                Err(io::Error::new(io::ErrorKind::TimedOut, why))
            }
        }
    }
}

fn engine_config(
    settings: &Settings<'_>,
    keys: &ClusterKeys,
    metrics: Arc<Metrics>,
) -> Result<redis::Config, ConfigError> {
    let authorities = settings.authorities()?;
    let tls = settings.engine.tls;
    let authorities = authorities.as_ref().map(|(path, pem)| (*path, &pem[..]));
    let tls = tls.then(|| tls_client::believing(authorities, "cluster-url", "cluster-ca-file"));
    Ok(redis::Config {
        url: settings.engine.clone(),
        tls: tls.transpose()?,
        region: settings.region.to_owned(),
        mark: keys.mark,
        times: Default::default(),
        metrics,
        runs: Default::default(),
    })
}

/// Another connection, or none for now.
fn start_again(config: redis::Config) -> JoinHandle<Option<Engine>> {
    tokio::spawn(async move {
        let started = redis::start(config).await;
        let told = started.inspect_err(|error| tracing::warn!(%error, "no engine yet"));
        told.ok()
    })
}
