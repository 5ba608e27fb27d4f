//! Fixtures of the benches and yardsticks: arena rooms that are played by seeded hands, a world in
//! which all entities move, recorded motion, and recordings of what a client receives. No sockets
//! but `fanout`'s, which measures what they cost.

pub mod arena_play;
pub mod calm;
pub mod counted;
pub mod cpu_clock;
pub mod drift;
pub mod fanout;
pub mod motion;
pub mod netplay;
pub mod node;
pub mod output;
pub mod recording;
pub mod training;
pub mod yardstick;
