//! What the kernel says of this process. Linux only; elsewhere the figures stay 0.

use std::fs::read_to_string;

/// Units of CPU time a second in `/proc`: the same on every Linux (`USER_HZ`).
const CLOCK_TICKS: f64 = 100.0;

/// Memory that is in RAM, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    parse_status(&read_to_string("/proc/self/status").ok()?)
}

/// CPU time of all threads, user and kernel, in seconds.
pub(super) fn cpu_seconds() -> Option<f64> {
    parse_stat(&read_to_string("/proc/self/stat").ok()?)
}

fn parse_status(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The name in parentheses may hold anything; utime and stime are the 12th and 13th behind it.
fn parse_stat(stat: &str) -> Option<f64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / CLOCK_TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_among_others() {
        let status = "Name:\ta\nVmPeak:\t  99 kB\nVmRSS:\t   12345 kB\nRssAnon:\t 1 kB\n";
        assert_eq!(parse_status(status), Some(12_345 * 1024));
        assert_eq!(parse_status("Name:\ta\n"), None);
    }

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 900 0 0 0 150 75 0 0 20 0 5 0 1 2 3";
        assert_eq!(parse_stat(stat), Some(2.25));
        assert_eq!(parse_stat("42 (a) S 1"), None);
    }
}
