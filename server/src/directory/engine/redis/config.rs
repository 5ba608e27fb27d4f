//! What an operator says of an engine, and what is measured of it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use rustls::ClientConfig;

use crate::config::EngineUrl;
use crate::metrics::Metrics;

/// How long what may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// For a connection, from its name's addresses to the scripts in it.
    pub(crate) connect: Duration,
    /// For an answer. Long: who ends a connection that only waits loses rooms that it could have
    /// kept, as frozen ones go on over the same connection alone.
    pub(crate) reply: Duration,
    /// For the first connection, which is tried again and again meanwhile.
    pub(crate) start: Duration,
    /// Longest between two tries.
    pub(crate) backoff: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            connect: Duration::from_secs(5),
            reply: Duration::from_secs(20),
            start: Duration::from_secs(10),
            backoff: Duration::from_secs(2),
        }
    }
}

/// Which engine, and whose.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) url: EngineUrl,
    /// Set where the URL says TLS; see [`crate::tls_client`].
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What keys have after their `tw:`, so that regions may share a server.
    pub(crate) region: String,
    /// What the cluster's key is known by: nodes with another one are not let in.
    pub(crate) mark: [u8; 16],
    pub(crate) times: Times,
    pub(crate) metrics: Arc<Metrics>,
    /// Connections for commands that were made, by all engines of clones of this: each is another
    /// run, also where an engine takes another's place.
    pub(crate) runs: Arc<AtomicU64>,
}
