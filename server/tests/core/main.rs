//! Lobby, workers and connections over real sockets: a file a behaviour. The handshake is left
//! out, which `tests/edge` has; a client here is a socket and its frames.
#![allow(clippy::unwrap_used)]

mod amplification;
mod bad_input;
mod between_workers;
mod client;
mod failures;
mod floods;
mod future;
mod games;
mod hello;
mod idle;
mod kicks;
mod leaks;
mod moving;
mod noise;
mod options;
mod probe;
mod proxied;
mod resume;
mod rooms;
mod slow;
mod spectators;
mod stopping;
mod stuck;
mod support;
