//! The arena as its players meet it, through a room's messages, without sockets; and the rule that
//! clients share.

mod cheating;
#[path = "../../../tests/continuation/mod.rs"]
mod continuation;
mod cost;
mod determinism;
mod prediction;
mod rounds;
mod rule;
mod saved;
mod support;
mod vectors;
