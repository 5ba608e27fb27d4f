//! The demo game as far as server and clients must agree on it: the map, the input and the
//! movement rule. Not what only the server decides (shots, damage, rounds): that is
//! `tickwire_server::arena`.
//!
//! The browser's mirror is `client-web/demo/arena_rule.js`; `shared/vectors/arena_step.json`
//! holds both to the same million steps.

pub mod control;
pub mod kind;
pub mod map;
pub mod phase;
pub mod rule;

pub use control::Control;
pub use kind::Kind;
pub use phase::Phase;
pub use rule::{Mover, step};
