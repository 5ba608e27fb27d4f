//! The arena as its players meet it, through a room's messages, without sockets; and the rule that
//! clients share.

mod cheating;
mod cost;
mod determinism;
mod prediction;
mod rounds;
mod rule;
mod support;
mod vectors;
