//! Sockets: the only place of the server that knows them, beside the worker that owns a room's.
//! In the order of a connection's life: `listen`, `accept` (and its `seat`), `http`, the
//! `handshake`, then a `Conn` that lobby and workers own.

mod accept;
mod descriptors;
mod handshake;
mod http;
mod listen;
mod origin;
mod reply;
mod seat;
mod site;

pub use listen::Listeners;
pub use seat::Seat;
pub use site::Site;
