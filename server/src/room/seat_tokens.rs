//! Which tokens open one seat, by their serials: the newest, and while nobody has shown that they
//! got it, those from the one on with which the seat was taken last. Pure; `members` keeps them for
//! each seat, the worker asks and hands tokens out (`auth::SeatKey`).

use serde::{Deserialize, Serialize};

/// Serials that a seat may have had beyond those that it remembers, when its room is made of a
/// save: who takes their seat again gets one each time, and how often is bounded by the price of
/// requests (2 a second). So a room may be two days behind.
const UNREMEMBERED: u64 = 1 << 20;

/// See the module's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeatTokens {
    least: u64,
    newest: u64,
    /// The newest of those that may have been handed out: by a process that was killed before the
    /// room was saved again, it may be one beyond the newest that is known.
    most: u64,
}

impl SeatTokens {
    /// Of a seat that was just taken; `order` rises with every one of the room's. So a token of a
    /// seat of before, even if it had the same number and was the same person's, opens no other.
    pub(crate) fn new(order: u32) -> SeatTokens {
        let first = u64::from(order) << 32;
        SeatTokens::alone(first)
    }

    /// One opens it.
    fn alone(serial: u64) -> SeatTokens {
        SeatTokens {
            least: serial,
            newest: serial,
            most: serial,
        }
    }

    /// The serial of the newest, which is the one to hand out.
    pub(crate) fn newest(self) -> u64 {
        self.newest
    }

    /// Whether a token of this serial opens the seat.
    pub(crate) fn admit(self, serial: u64) -> bool {
        (self.least..=self.most).contains(&serial)
    }

    /// Of a seat that was taken again with `used`, which goes on to open it until the new one is
    /// known to have arrived.
    pub(crate) fn renewed(self, used: u64) -> SeatTokens {
        let newest = self.newest.max(used).saturating_add(1);
        SeatTokens {
            least: used,
            newest,
            most: self.most.max(newest),
        }
    }

    /// Of a seat that was taken again without a token: all before are void.
    pub(crate) fn replaced(self) -> SeatTokens {
        SeatTokens::alone(self.newest.saturating_add(1))
    }

    /// Of a seat as it was saved: tokens that may have been handed out since open it too, and new
    /// ones come behind them.
    pub(super) fn unremembered(self) -> SeatTokens {
        let newest = self.newest.saturating_add(UNREMEMBERED);
        SeatTokens {
            least: self.least,
            newest,
            most: self.most.max(newest.saturating_add(UNREMEMBERED)),
        }
    }

    /// The client has the newest token: older ones are void.
    pub(super) fn confirm(&mut self) {
        *self = SeatTokens::alone(self.newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_used_is_void_once_the_next_one_arrived() {
        let tokens = SeatTokens::new(1);
        let first = tokens.newest();
        let mut tokens = tokens.renewed(first);
        let second = tokens.newest();
        assert!(second != first && tokens.admit(first) && tokens.admit(second));
        assert!(!tokens.admit(second + 1), "it was not handed out");
        tokens.confirm();
        assert!(!tokens.admit(first) && tokens.admit(second));
    }

    #[test]
    fn whose_answer_is_lost_comes_back_with_the_same_token_again() {
        let first = SeatTokens::new(0);
        let lost = first.renewed(first.newest());
        let second = lost.renewed(first.newest());
        assert!(second.admit(first.newest()) && second.newest() > lost.newest());
        let third = second.renewed(second.newest());
        assert!(!third.admit(first.newest()) && third.admit(second.newest()));
        assert!(third.admit(third.newest()));
    }

    #[test]
    fn a_seat_that_is_taken_without_a_token_voids_all_before() {
        let first = SeatTokens::new(5);
        let tokens = first.renewed(first.newest()).replaced();
        assert!(!tokens.admit(first.newest()) && !tokens.admit(first.newest() + 1));
        assert!(tokens.admit(tokens.newest()));
    }

    #[test]
    fn no_token_of_another_seat_opens_this_one() {
        let mut before = SeatTokens::new(3);
        (0..1000).for_each(|_| before = before.renewed(before.newest()));
        let next = SeatTokens::new(4);
        assert!(!next.admit(before.newest()) && !before.admit(next.newest()));
    }

    /// Two processes one after the other are killed before they save the room.
    #[test]
    fn a_seat_that_is_restored_twice_of_the_same_save_takes_what_was_handed_out_in_between() {
        let saved = SeatTokens::new(2);
        let mut token = saved.newest();
        for _ in 0..4 {
            let mut restored = saved.unremembered();
            assert!(restored.admit(token));
            restored = restored.renewed(token);
            assert!(restored.newest() > token && restored.admit(token));
            token = restored.newest();
            restored.confirm();
            assert!(restored.admit(token) && !restored.admit(token + 1));
        }
        assert!(!saved.admit(token));
    }

    /// The save is of before the token that the client has.
    #[test]
    fn a_restored_seat_takes_what_was_handed_out_after_it_was_saved() {
        let saved = SeatTokens::new(2).replaced();
        let mut later = saved;
        for _ in 0..5 {
            later = later.renewed(later.newest());
            later.confirm();
        }
        let restored = saved.unremembered();
        assert!(!saved.admit(later.newest()) && restored.admit(later.newest()));
        assert!(!restored.admit(SeatTokens::new(2).newest()), "void before");
        let again = restored.renewed(later.newest());
        assert!(again.newest() > later.newest() && !again.admit(saved.newest()));
    }
}
