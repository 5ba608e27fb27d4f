//! Proofs that clients bring: of who they are, and of a seat that they had. The lobby asks about the
//! first, the worker about the second.

mod identity;
mod replay;
mod seat_token;
mod tokens;

pub use identity::Identity;

pub(crate) use seat_token::{SeatHash, SeatToken};
pub(crate) use tokens::{Tokens, Unauthorised};
