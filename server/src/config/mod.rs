//! The operator's settings, resolved once and valid: what the rest of the server reads. `serve`
//! reads them at the start ([`read()`]); a game with a `main` of its own fills a [`Config`].

mod connect_origin;
mod duration;
mod error;
mod file;
mod games;
mod network;
mod origin;
mod read;
mod settings;
mod table;
mod together;

pub use connect_origin::ConnectOrigin;
pub(crate) use duration::Span;
pub use error::ConfigError;
pub(crate) use error::invalid;
pub(crate) use file::read_file;
pub use games::GameSettings;
pub use network::Network;
pub use origin::{AllowedOrigin, Authority, Origin};
pub use read::{Start, read, unknown_variables};
pub use settings::{Config, TICK_RATE_MAX};
