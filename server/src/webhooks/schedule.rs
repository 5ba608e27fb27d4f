//! When something is tried again that was not taken: soon, then ever later, each time a little off,
//! so that those which failed together do not come together. Pure.

/// After the first, second … failure, in seconds; from then on the last one again and again.
const AFTER_S: [u64; 6] = [5, 30, 120, 600, 1800, 3600];

/// When it is due again, at its so-and-so-many-th failure; `chance` is any number.
pub(super) fn due_ms(now_ms: u64, failures: u64, chance: u64) -> u64 {
    let nth = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait_ms = AFTER_S[nth.min(AFTER_S.len() - 1)] * 1000;
    // A fifth more at most.
    now_ms + wait_ms + chance % (wait_ms / 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_ever_later_and_a_little_off() {
        let check = |failures, least_s: u64| {
            for chance in [0, 1, 12_345_678, u64::MAX] {
                let due = due_ms(7, failures, chance) - 7;
                let most = least_s * 1200;
                assert!((least_s * 1000..most).contains(&due), "{failures}: {due}");
            }
        };
        check(1, 5);
        check(2, 30);
        check(6, 3600);
        check(7, 3600);
        check(u64::MAX, 3600);
        assert_ne!(due_ms(0, 1, 1), due_ms(0, 1, 2));
    }
}
