//! Fixtures of the benches: arena rooms that are played by seeded hands, a world in which all
//! entities move, and recordings of what a client receives. No sockets: those are the bots' to load.

pub mod arena_play;
pub mod drift;
pub mod recording;
pub mod training;
