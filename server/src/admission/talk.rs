//! How much a player may say in a channel: some lines at once, and one more each second. Pure, on a
//! clock that counts in ticks of any length; rooms have theirs, `people` milliseconds.

use tickwire::ids::Tick;
use tickwire::limits::CHAT_BURST;

/// Of one player.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    /// Lines that they may say at once.
    pub(crate) left: u32,
    /// Since when more are earned.
    pub(crate) at: Tick,
}

impl Talk {
    /// Of who has said nothing yet.
    pub(crate) fn new(now: Tick) -> Talk {
        Talk {
            left: CHAT_BURST,
            at: now,
        }
    }

    /// Whether they may say another line; ticks are `per_second` a second.
    pub(crate) fn may(&mut self, now: Tick, per_second: u16) -> bool {
        self.earn(now, per_second);
        let may = self.left > 0;
        self.left -= u32::from(may);
        may
    }

    /// Whether it is as that of who has said nothing.
    pub(crate) fn is_whole(&mut self, now: Tick, per_second: u16) -> bool {
        self.earn(now, per_second);
        self.left >= CHAT_BURST
    }

    fn earn(&mut self, now: Tick, per_second: u16) {
        let earned = now.since(self.at) / u32::from(per_second.max(1));
        if earned > 0 {
            self.left = (self.left + earned).min(CHAT_BURST);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_lines_at_once_then_one_a_second() {
        let mut talk = Talk::new(Tick(100));
        let said = |talk: &mut Talk, at: u32| (0..100).filter(|_| talk.may(Tick(at), 1000)).count();
        assert_eq!(said(&mut talk, 100), CHAT_BURST as usize);
        assert_eq!(said(&mut talk, 1_099), 0);
        assert_eq!(said(&mut talk, 1_100), 1);
        assert_eq!(said(&mut talk, 4_100), 3);
        assert!(!talk.is_whole(Tick(8_100), 1000));
        assert!(talk.is_whole(Tick(9_100), 1000));
        assert_eq!(said(&mut talk, 90_000), CHAT_BURST as usize);
    }
}
