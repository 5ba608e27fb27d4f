//! A cluster of real servers, what can happen to one, and a judge: the program `tickwire-nemesis`.
//! It is to the cluster what the ownership simulation of the server's tests is to its state machine:
//! nothing here knows how ownership works, only what must never be seen.
//!
//! [`schedule`] draws faults from a seed, [`owners`] and [`seats`] judge a [`history`]: these are
//! pure. `course` does the one and records the other, on a cluster of processes.
//!
//! Modules stand below in floors; each imports from those above it only.

// What can be done.
pub mod faults;
pub mod schedule;

// What happened, and what it means.
pub mod history;
pub mod owners;
pub mod play_log;
pub mod seats;
pub mod verdict;

// Processes, sockets, files.
mod clock;
mod engine;
pub mod flags;
mod process;
mod valve;

// A run.
mod cluster;
mod course;
mod look;

pub use course::run;
pub use flags::NemesisFlags;
