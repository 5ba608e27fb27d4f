//! What a player feels over a bad link: real rooms of the arena, real sessions and netcode, joined by conditioners on
//! virtual time, so that every figure is the same in every run. Called by `netcode-yardstick` and by the test of its bars.
//! No sockets and no clocks; what the JavaScript side draws is tested in `client-web`.

mod columns;
mod hands;
mod lateness;
mod others;
mod own;
mod player;
mod report;
mod run;
mod shots;

pub use report::{Report, Row};
pub use run::{Case, measure};
