//! Proofs that are brought: by clients, of who they are and of a seat that they had; by the
//! operator and their programs, of being it. The lobby asks about the first, the worker about the
//! second, `http::admin` and `http::api` about the third.

mod admin_token;
mod api_keys;
mod board_key;
mod cluster_keys;
mod derived_key;
mod entropy;
mod handle;
mod identity;
mod replay;
mod seat_token;
mod secret_file;
mod ticket;
mod tokens;

pub use identity::Identity;

pub(crate) use admin_token::AdminToken;
pub(crate) use api_keys::{ApiKey, ApiKeys, Scope};
pub(crate) use cluster_keys::ClusterKeys;
pub(crate) use entropy::Entropy;
pub(crate) use handle::{Handle, HandleKey};
pub(crate) use seat_token::{SeatKey, SeatToken};
pub(crate) use ticket::{TICKET_LIFE, Tickets};
pub(crate) use tokens::{Tokens, Unauthorised};
