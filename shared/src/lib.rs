//! Tickwire's shared half: the protocol, the snapshot codec, the client's netcode and the
//! demo game's rules.
//!
//! Nothing here opens a socket, reads a clock or draws a random seed by itself: bytes, times
//! and seeds are arguments, so every test of it is exact and instant. The server, the bots and
//! the benches call it; `client-web/src` mirrors it file by file in JavaScript.

pub mod arena;
pub mod codec;
pub mod exact;
pub mod ids;
pub mod limits;
pub mod netcode;
pub mod protocol;
pub mod schema;
pub mod session;
pub mod snapshot;
