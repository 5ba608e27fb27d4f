//! One client's way to the server and back, in whole messages: what came, what goes out, how full
//! the way out is, its end. [`websocket`] is the one over TCP, [`http_stream`] the one where WebSocket does not get through,
//! [`memory`] the one within a process.
//! Who the client is stands beside it, in the worker's `Session`. Owned by exactly one of the lobby
//! and a worker, and moved between them whole. Nothing here blocks or reads a clock, or knows
//! rooms.

mod accept;
pub(crate) mod certificate;
pub(crate) mod graceful_close;
pub mod http_stream;
pub mod memory;
mod outbox;
mod reading;
mod send_buffers;
mod socket;
pub(crate) mod stopping;
mod tls;
mod way;
pub mod websocket;

pub(crate) use accept::Accept;
pub use reading::{Fetched, Reading, Scratch};
pub use send_buffers::{SendBuffer, SendBuffers};
pub use way::{Backlog, Conn, End, Transport, WAITING_BYTES_MAX};
