//! A swarm of headless players that soaks a Tickwire server and judges it. `main` reads the
//! flags, [`swarm::run`] sends the bots out, [`report::Report`] says what they saw and whether
//! the stated objectives were met.
//!
//! Each bot is a task that drives a [`tickwire::session::Session`] with the real clock and a
//! socket. Nothing here knows a game: inputs are made from the schema that the server sends.

pub mod behaviours;
mod bot;
mod drops;
pub mod flags;
pub mod hostile;
mod life;
mod measure;
pub mod proxy;
pub mod report;
pub mod roles;
mod rooms;
mod sighting;
mod slow;
mod socket;
mod stamped;
pub mod swarm;
