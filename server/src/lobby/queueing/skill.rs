//! How good players are, as far as the queue asks: behind a trait, so that who keeps ratings says it.

use crate::auth::Identity;
use crate::ratings::Rating;

/// How good somebody is in a mode, in the units of the mode's window. Asked when they queue, with
/// the queue's lock held: it must not wait.
pub(in crate::lobby) trait Ratings: Send + Sync {
    fn rating(&self, player: &Identity, mode: &str) -> f64;
}

/// Everybody is new.
pub(in crate::lobby) struct AllNew;

impl Ratings for AllNew {
    fn rating(&self, _: &Identity, _: &str) -> f64 {
        Rating::START.mean
    }
}
