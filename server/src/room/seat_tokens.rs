//! The tokens that open one seat: the newest, and while nobody has shown that they got it, the one
//! that it replaced. Pure; `members` keeps them for each seat, and the worker asks.

use serde::{Deserialize, Serialize};

use crate::auth::SeatHash;

/// See the module's description. Without any token a seat can't be taken again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SeatTokens {
    newest: Option<SeatHash>,
    /// The token with which the seat was taken last, until the new one is known to have arrived.
    used: Option<SeatHash>,
}

impl SeatTokens {
    /// Of a seat that was just taken.
    pub(crate) fn new(token: Option<SeatHash>) -> SeatTokens {
        SeatTokens {
            newest: token,
            used: None,
        }
    }

    /// Whether there is any token to come back with.
    pub(crate) fn is_open(&self) -> bool {
        self.newest.is_some()
    }

    /// Whether this token opens the seat.
    pub(crate) fn admits(&self, token: SeatHash) -> bool {
        self.newest == Some(token) || self.used == Some(token)
    }

    /// Of a seat that was taken again with `used`; its client is told `newest`.
    pub(crate) fn renewed(used: SeatHash, newest: SeatHash) -> SeatTokens {
        SeatTokens {
            newest: Some(newest),
            used: Some(used),
        }
    }

    /// The client has the newest token: older ones are void.
    pub(crate) fn confirm(&mut self) {
        self.used = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Entropy, SeatToken};
    use tickwire::ids::{PlayerId, RoomId};

    fn token() -> SeatHash {
        SeatToken::generate(&Entropy::default(), RoomId(1), PlayerId(0))
            .unwrap()
            .1
    }

    #[test]
    fn a_token_that_was_used_is_void_once_the_next_one_arrived() {
        let [first, second] = [token(), token()];
        let mut tokens = SeatTokens::new(Some(first));
        assert!(tokens.admits(first) && !tokens.admits(second));
        tokens = SeatTokens::renewed(first, second);
        assert!(tokens.admits(first) && tokens.admits(second));
        tokens.confirm();
        assert!(!tokens.admits(first) && tokens.admits(second));
    }

    #[test]
    fn whose_answer_is_lost_comes_back_with_the_same_token_again() {
        let [first, lost, second, third] = [token(), token(), token(), token()];
        let tokens = SeatTokens::renewed(first, lost);
        assert!(tokens.admits(first) && tokens.admits(lost));
        let tokens = SeatTokens::renewed(first, second);
        assert!(!tokens.admits(lost) && tokens.admits(first));
        let tokens = SeatTokens::renewed(second, third);
        assert!(!tokens.admits(first) && tokens.admits(second) && tokens.admits(third));
    }

    #[test]
    fn a_seat_without_a_token_opens_to_nobody() {
        assert!(!SeatTokens::default().is_open() && !SeatTokens::default().admits(token()));
    }
}
