//! Counts that are the same on every machine: the instructions and the simulated cache misses of
//! each stage of a tick, a client-snapshot and an entity, by callgrind (Debian's `valgrind`), at
//! one room and at a worker's forty. `bin/counted.rs` calls it.
//!
//! They are of the compiler, the C library and the sizes of the simulated caches, which are stated,
//! and of nothing that else runs on the machine. They are no times: an instruction waits or does
//! not, and the kernel's are not among them.
//!
//! - `stages`: what is counted; `requests` tells callgrind from when to when.
//! - `run`: the process under callgrind; `dumps` reads what it left.
//! - `bars`: the counts of the day when they were last taken, and what may be over them.

mod bars;
mod dumps;
mod report;
mod requests;
mod run;
mod stages;

pub use bars::{Bars, Verdict};
pub use dumps::Counts;
pub use report::Table;
pub use run::{CACHES, Counted, count, is_counted, play};
pub use stages::{Load, Stage};
