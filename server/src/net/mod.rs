//! Sockets: the only place of the server that knows them, beside the worker that owns a room's.
//! In the order of a connection's life: `listen`, `accept` (and its `seat`), `http` with what
//! `public` and `ops` answer, the `handshake`, then a `Conn` that lobby and workers own.

mod accept;
pub(crate) mod addresses;
pub(crate) mod admin;
mod authority;
pub(crate) mod certificate;
pub(crate) mod conn;
pub(crate) mod crowd;
mod descriptors;
mod echo;
mod encoding;
pub(crate) mod farewell;
mod forwarded;
mod frames;
mod handshake;
mod http;
mod json;
pub(crate) mod limiter;
mod linger;
mod listen;
pub(crate) mod ops;
mod origin;
pub mod outbox;
pub(crate) mod prefix;
mod public;
pub(crate) mod reading;
mod reply;
mod seat;
pub(crate) mod shares;
mod site;
mod tls;

pub(crate) use accept::Accept;
pub use conn::Conn;
pub use listen::Listeners;
pub(crate) use public::Public;
pub use seat::Seat;
pub use site::Site;
