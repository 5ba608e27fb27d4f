//! Netcode that a client without a picture needs too: inputs waiting for their tick, the client's
//! clock and pace. All pure: times and ticks are arguments. `client-web/src/netcode` mirrors the
//! client's, and has what draws: prediction of the own entity and interpolation of the others.

pub mod clock_sync;
pub mod input_queue;
pub mod input_timing;
