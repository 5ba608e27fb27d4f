//! Proofs that clients bring: of a seat that they had. Pure but for the system's random numbers; the
//! worker and the lobby call it.

mod seat_token;

pub(crate) use seat_token::{SeatHash, SeatToken};
