//! The arena as its players meet it: through a room's messages, without sockets.

mod cheating;
mod cost;
mod determinism;
mod prediction;
mod rounds;
mod support;
