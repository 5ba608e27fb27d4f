//! What an operator says of an engine, and what is measured of it.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::config::ConfigError;
use crate::directory::engine::url::EngineUrl;
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
    /// Set where the URL says TLS; see [`tls`](super::dial::tls).
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What keys have after their `tw:`, so that regions may share a server; see [`region`].
    pub(crate) region: String,
    /// What the cluster's key is known by: nodes with another one are not let in.
    pub(crate) mark: [u8; 16],
    pub(crate) times: Times,
    pub(crate) metrics: Arc<Metrics>,
}

/// Characters of a region's name.
const REGION_CHARS: usize = 32;

/// A region's name, which is a part of keys and of the patterns that a user may have.
///
/// # Errors
/// It is not 1 to 32 small letters, digits and hyphens.
pub(crate) fn region(name: &str) -> Result<String, ConfigError> {
    let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if name.is_empty() || name.len() > REGION_CHARS || !name.chars().all(is_plain) {
        let what = "1 to 32 small letters, digits and hyphens";
        return Err(ConfigError::new(format!("region: its name is {what}")));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_can_be_no_part_of_another_pattern() {
        for name in ["eu", "us-east-1", &"a".repeat(32)] {
            assert_eq!(region(name).as_deref(), Ok(name));
        }
        for wrong in [
            "",
            "EU",
            "eu}",
            "*",
            "[a]",
            "a b",
            "a:b",
            "é",
            &"a".repeat(33),
        ] {
            assert!(region(wrong).is_err(), "{wrong}");
        }
    }
}
