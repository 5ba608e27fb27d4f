//! The public and the operator's port as strangers see them: raw bytes on real sockets. Playing
//! is tested elsewhere; here a WebSocket ends with its handshake.

#![allow(clippy::unwrap_used)] // A test that meets an error fails.

mod addresses;
mod admin;
mod api;
mod games;
mod handshakes;
mod limits;
mod moderation;
mod nodes;
mod notices;
mod ops;
mod people;
mod play_log;
mod player;
mod process;
mod requests;
mod shares;
mod state;
mod stderr;
mod stopping;
mod stored;
mod streams;
mod support;
mod tls;
mod webhooks;
