//! File descriptors: every socket takes one, and the usual soft limit of 1,024 is the first
//! thing that a server with thousands of players runs into. `run` asks once, at its start.

/// Kept free of players' sockets: listeners, logs, the operator's connections, epoll.
const RESERVED: u64 = 128;

/// How many of `wanted` sockets this process may really have, after raising its soft limit as
/// far as needed and allowed; at least 1.
pub(crate) fn allow(wanted: u32) -> u32 {
    let needed = u64::from(wanted) + RESERVED;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) => fitting(wanted, limit),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files is unknown");
            wanted
        }
    }
}

fn fitting(wanted: u32, limit: u64) -> u32 {
    // With very few descriptors a fixed reserve would leave no player any.
    let free = limit - RESERVED.min(limit / 2);
    let allowed = u32::try_from(free)
        .unwrap_or(u32::MAX)
        .clamp(1, wanted.max(1));
    if allowed < wanted {
        tracing::warn!(
            wanted,
            allowed,
            limit,
            "fewer connections than asked for: open files are limited"
        );
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_fit_into_the_limit() {
        assert_eq!(fitting(15_000, 20_000), 15_000);
        assert_eq!(fitting(19_990, 20_000), 19_872);
        assert_eq!(fitting(15_000, 1024), 896);
        assert_eq!(fitting(15_000, 64), 32);
        assert_eq!(fitting(15_000, 0), 1);
        assert_eq!(fitting(100, u64::MAX), 100);
    }
}
