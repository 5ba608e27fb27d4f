//! The tokens that open one seat: the newest, and while nobody has shown that they got it, the one
//! that it replaced. Pure; `members` keeps one for each seat.

use crate::auth::SeatHash;

/// See the module's description. Without any token a seat can't be taken again.
#[derive(Default)]
pub(super) struct Pass {
    newest: Option<SeatHash>,
    /// The token with which the seat was taken last, until the new one is known to have arrived.
    used: Option<SeatHash>,
}

impl Pass {
    /// Of a seat that was just taken.
    pub(super) fn new(token: Option<SeatHash>) -> Pass {
        Pass {
            newest: token,
            used: None,
        }
    }

    /// Whether there is any token to come back with.
    pub(super) fn is_open(&self) -> bool {
        self.newest.is_some()
    }

    /// Whether this token opens the seat.
    pub(super) fn admits(&self, token: SeatHash) -> bool {
        self.newest == Some(token) || self.used == Some(token)
    }

    /// Of a seat that was taken again with `used`; its client is told `newest`.
    pub(super) fn renewed(used: SeatHash, newest: SeatHash) -> Pass {
        Pass {
            newest: Some(newest),
            used: Some(used),
        }
    }

    /// Whether an older token still opens the seat.
    pub(super) fn is_unconfirmed(&self) -> bool {
        self.used.is_some()
    }

    /// The client has the newest token: older ones are void.
    pub(super) fn confirm(&mut self) {
        self.used = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::SeatToken;
    use tickwire::ids::{PlayerId, RoomId};

    fn token() -> SeatHash {
        SeatToken::generate(RoomId(1), PlayerId(0)).unwrap().1
    }

    #[test]
    fn a_token_that_was_used_is_void_once_the_next_one_arrived() {
        let [first, second] = [token(), token()];
        let mut pass = Pass::new(Some(first));
        assert!(pass.admits(first) && !pass.admits(second));
        pass = Pass::renewed(first, second);
        assert!(pass.admits(first) && pass.admits(second) && pass.is_unconfirmed());
        pass.confirm();
        assert!(!pass.admits(first) && pass.admits(second));
    }

    #[test]
    fn whose_answer_is_lost_comes_back_with_the_same_token_again() {
        let [first, lost, second, third] = [token(), token(), token(), token()];
        let pass = Pass::renewed(first, lost);
        assert!(pass.admits(first) && pass.admits(lost));
        let pass = Pass::renewed(first, second);
        assert!(!pass.admits(lost) && pass.admits(first));
        let pass = Pass::renewed(second, third);
        assert!(!pass.admits(first) && pass.admits(second) && pass.admits(third));
    }

    #[test]
    fn a_seat_without_a_token_opens_to_nobody() {
        assert!(!Pass::default().is_open() && !Pass::default().admits(token()));
    }
}
