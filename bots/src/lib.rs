//! A swarm of headless players that soaks a Tickwire server and judges it. `main` reads the flags,
//! [`swarm::run`] sends the bots out, [`report::Report`] says what they saw and whether the stated
//! objectives were met. Beside it stand [`proxy`], a bad link between real sockets, and [`nemesis`],
//! which harms a whole cluster and judges what comes of it.
//!
//! Each bot is a task that drives a [`tickwire::session::Session`] with the real clock and a
//! socket. Nothing here knows a game: inputs are made from the schema that the server sends.
//!
//! Modules stand below in floors; each imports from those above it only.

// What is ordered, and what comes of it.
mod duration;
mod ending;
pub mod flags;
pub mod journal;
pub mod report;
pub mod roles;
mod target;

// What is measured.
mod drops;
mod gauge;
mod outcomes;
mod reconnects;
mod slow;
mod talk;
mod tally;

// The way to the server.
mod dial;
mod doors;
mod ops;
mod requests;
mod socket;
mod stamped;

// Bots.
mod bot;
pub mod chosen;
mod controls;
mod hostile;
mod player;
mod prepared;
mod rooms;
mod run;

// The course of a run, and its verdict.
mod judge;
pub mod swarm;

// Programs of their own.
#[cfg(unix)]
pub mod nemesis;
pub mod proxy;
