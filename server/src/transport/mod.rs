//! One client's way: bytes of a socket to messages and back, TLS and WebSocket framing between
//! them, what waits to be written, and the end in order. Lobby and workers own connections and
//! move them whole; nothing here knows rooms.

pub(crate) mod certificate;
pub(crate) mod conn;
mod frames;
pub(crate) mod graceful_close;
pub mod outbox;
pub(crate) mod reading;
pub(crate) mod stopping;
mod tls;

pub use conn::Conn;
