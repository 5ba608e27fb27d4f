//! The command line of `tickwire-proxy`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use tickwire::conditioner::Conditions;

use crate::duration;

/// Longest time of a flag: a minute is no game any more, and fits the conditioner.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Passes TCP connections on over a bad link, both ways alike. Prints LISTENING and the address.
#[derive(Clone, Debug, Parser)]
#[command(name = "tickwire-proxy", version)]
pub struct ProxyFlags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
    pub listen: SocketAddr,
    /// Where to pass on to: host and port.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7777")]
    pub to: String,
    /// Delay of everything, each way: 60ms makes a round trip of 120 ms.
    #[arg(long, value_name = "TIME", default_value = "60ms", value_parser = time)]
    pub latency: Duration,
    /// Further delay at most, each way, drawn for everything that is read at once. The order stays.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    pub jitter: Duration,
    /// How long both ways stand still at a time.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    pub stall: Duration,
    /// From the start of a stall to the next one's, counted from when a connection was made.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub stall_every: Duration,
    /// Bytes a second, each way; 0 for no limit.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub bandwidth: u32,
    /// Seed of the jitter.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u32,
}

impl ProxyFlags {
    /// What each way is like, or what does not fit together.
    ///
    /// # Errors
    /// One line.
    pub fn conditions(&self) -> Result<Conditions, String> {
        let micros = |time: Duration| time.as_micros() as u32;
        if !self.stall.is_zero() && self.stall >= self.stall_every {
            return Err("--stall must be shorter than --stall-every".to_owned());
        }
        Ok(Conditions {
            latency_us: micros(self.latency),
            jitter_us: micros(self.jitter),
            stall_every_us: if self.stall.is_zero() {
                0
            } else {
                micros(self.stall_every)
            },
            stall_us: micros(self.stall),
            bytes_per_s: self.bandwidth,
        })
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = duration::parse(text)?;
    if time > TIME_MAX {
        return Err(format!("at most {} s", TIME_MAX.as_secs()));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_conditions() {
        let read = |line: &str| ProxyFlags::try_parse_from(line.split(' '));
        let flags = read("proxy --latency 100ms --jitter 30ms --stall 500ms").expect("good flags");
        let conditions = flags.conditions().expect("they fit");
        assert_eq!(conditions.latency_us, 100_000);
        assert_eq!(conditions.jitter_us, 30_000);
        assert_eq!(
            (conditions.stall_us, conditions.stall_every_us),
            (500_000, 5_000_000)
        );
        for wrong in [
            "proxy --latency 2m",
            "proxy --listen here",
            "proxy --bandwidth -1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let flags = read("proxy --stall 5s").expect("good flags");
        assert!(flags.conditions().is_err());
    }
}
