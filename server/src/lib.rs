//! Tickwire's server: a `bevy_ecs` world per room, ticked at a fixed rate, on WebSockets.

pub mod arena;
pub mod config;
pub mod game;
pub mod lobby;
pub mod metrics;
pub mod net;
pub mod replication;
pub mod room;
pub mod worker;
