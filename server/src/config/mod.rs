//! The operator's settings, resolved once and valid: what the rest of the server reads. `serve`
//! reads them at the start ([`read()`]); a game with a `main` of its own fills a [`Config`].

mod cluster;
mod connect_origin;
mod duration;
mod engine_url;
mod error;
mod file;
mod games;
mod network;
mod node_url;
mod origin;
mod peer_address;
mod read;
mod settings;
mod store_place;
mod table;
mod together;
mod unrepeated;
mod webhook_url;

pub(crate) use cluster::Cluster;
pub use connect_origin::ConnectOrigin;
pub(crate) use duration::Span;
pub use engine_url::EngineUrl;
pub(crate) use engine_url::{Host, Login};
pub use error::ConfigError;
pub(crate) use error::invalid;
pub(crate) use file::{Stamp, read_file, stamp};
pub use games::GameSettings;
pub use network::Network;
pub(crate) use node_url::NODE_URL_BYTES_MAX;
pub use node_url::NodeUrl;
pub use origin::{AllowedOrigin, Authority, Origin};
pub(crate) use peer_address::PEER_ADDRESS_BYTES_MAX;
pub use peer_address::PeerAddress;
pub use read::{Start, read, unknown_variables};
#[cfg(test)]
pub(crate) use settings::DETACHED_MAX;
pub use settings::{Config, TICK_RATE_MAX};
pub use store_place::{PostgresUrl, StorePlace};
pub use webhook_url::{WebhookKind, WebhookUrl};
