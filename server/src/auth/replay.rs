//! Which numbered tokens were used already, for as long as they could be used again. Pure but for
//! its lock: the time is an argument.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Numbers remembered at once: 100,000 users who came within a token's life. Beyond: numbered
/// tokens are refused until some expire, rather than taken twice.
const NUMBERS_MAX: usize = 100_000;

/// See the module's description.
#[derive(Default)]
pub(super) struct Replays {
    /// When each can be forgotten, in seconds since 1970.
    used: Mutex<HashMap<Box<str>, u64>>,
}

impl Replays {
    /// Whether this number comes for the first time. Its token is void from `until_s` on.
    pub(super) fn first_use(&self, number: &str, until_s: u64, now_s: u64) -> bool {
        let mut used = self.used.lock();
        if used.len() >= NUMBERS_MAX {
            used.retain(|_, until_s| *until_s > now_s);
        }
        if used.len() >= NUMBERS_MAX || used.contains_key(number) {
            return false;
        }
        used.insert(number.into(), until_s);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_once_and_the_table_ends() {
        let replays = Replays::default();
        assert!(replays.first_use("a", 100, 0));
        assert!(!replays.first_use("a", 100, 99));
        for number in 1..NUMBERS_MAX {
            assert!(replays.first_use(&number.to_string(), 200, 0));
        }
        assert!(!replays.first_use("one more", 200, 50), "full");
        assert!(
            replays.first_use("one more", 200, 100),
            "the first one's time is over"
        );
        assert!(!replays.first_use("another", 200, 100));
    }
}
