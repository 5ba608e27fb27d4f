//! The parts of netcode that both ends share the idea of: inputs waiting for their tick, the
//! client's clock and pace, prediction of the own entity and interpolation of the others. All pure:
//! times and ticks are arguments. `client-web/src/netcode` mirrors the client's.

pub mod clock_sync;
pub mod input_queue;
pub mod input_timing;
pub mod interpolation;
pub mod prediction;
pub mod pursuit;
pub mod smoothing;
