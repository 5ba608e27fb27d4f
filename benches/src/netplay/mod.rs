//! What a player feels over a bad link: a real server of the arena and the browser's SDK as it is
//! shipped, joined by conditioners on virtual time, so that every figure is the same in every run.
//! The clients run in Node (`benches/js/netplay`) and tell what they send, predict and draw; what
//! that is worth is judged here. Called by `netcode-yardstick` and by the test of its bars. No
//! sockets and no clocks.

mod case;
mod clients;
mod others;
mod own;
mod player;
mod report;
mod run;
mod seen;
mod shots;

pub use case::Case;
pub use report::{Report, Row};
pub use run::measure;
