//! Settings that are fine each but can't work together: found at the start, in one line that names both, and what
//! would do. Limits of which the smaller one simply holds (connections of all and of an address) are no such pairs,
//! nor is `max-connections` beyond the open files that the system allows, which is lowered with a warning.

use std::time::Duration;

use tickwire::limits::{ACK_DELAY_MS, EVENT_RING_TICKS};
use tickwire::protocol::frame::INPUT_HEAD_BYTES;

use super::{Config, ConfigError};

/// Requests a second of a player who does nothing wrong: pings, chat, actions, what a lobby asks for.
pub(super) const REQUESTS_PER_SECOND: u32 = 5;
/// Bytes of one of them, with its frame's header.
const REQUEST_BYTES: u32 = 64;
/// A client whose clock runs slow catches up by so many inputs more, in percent.
const CATCH_UP_PERCENT: u32 = 10;
/// Header and mask of an input's frame.
const FRAME_BYTES: u32 = 8;
/// Ticks within which a client that takes everything empties its outbox: it is written to once a tick.
const TICKS_TO_DRAIN: u32 = 2;

impl Config {
    /// What [`Config::check`] holds for pairs.
    pub(super) fn check_together(&self) -> Result<(), ConfigError> {
        let inputs = self.inputs_per_second();
        let acks = 1000 / ACK_DELAY_MS;
        let messages = inputs.max(acks) + REQUESTS_PER_SECOND;
        if self.messages_per_second < messages {
            return refuse(format!(
                "messages-per-second {} is too few for tick-rate {}: a client sends an input a tick and some requests; \
                 messages-per-second {messages} would do",
                self.messages_per_second, self.tick_rate
            ));
        }
        if self.snapshot_every() > EVENT_RING_TICKS as u16 {
            let least = (u32::from(self.tick_rate)).div_ceil(EVENT_RING_TICKS);
            return refuse(format!(
                "snapshot-rate {} is too low for tick-rate {}: events of {EVENT_RING_TICKS} ticks are kept for the next \
                 snapshot; a divisor of the tick rate from {least} on would do",
                self.snapshot_rate, self.tick_rate
            ));
        }
        let drained = Duration::from_secs(1) * TICKS_TO_DRAIN / u32::from(self.tick_rate);
        if self.stall_timeout < drained {
            return refuse(format!(
                "stall-timeout {:?} is too short for tick-rate {}: a client is written to once a tick; stall-timeout \
                 {}ms would do",
                self.stall_timeout,
                self.tick_rate,
                drained.as_millis() + 1
            ));
        }
        self.check_ports()?;
        let names = [
            ("auth-issuer", &self.auth_issuer),
            ("auth-audience", &self.auth_audience),
        ];
        match names.iter().find(|(_, name)| !name.is_empty()) {
            Some((setting, name)) if self.auth_key_file.is_none() => refuse(format!(
                "{setting} {name:?} needs auth-key-file beside it: without a key no token is looked at"
            )),
            _ => Ok(()),
        }
    }

    /// Whether a client may send the inputs of a game, whose fields take so many bytes.
    ///
    /// # Errors
    /// One line with what would do.
    pub(crate) fn check_input(&self, field_bytes: usize) -> Result<(), ConfigError> {
        let input = FRAME_BYTES + (INPUT_HEAD_BYTES + field_bytes) as u32;
        let bytes = self.inputs_per_second() * input + REQUESTS_PER_SECOND * REQUEST_BYTES;
        if self.bytes_per_second >= bytes {
            return Ok(());
        }
        refuse(format!(
            "bytes-per-second {} is too few for tick-rate {}: an input of this game takes {input} bytes; \
             bytes-per-second {bytes} would do",
            self.bytes_per_second, self.tick_rate
        ))
    }

    fn inputs_per_second(&self) -> u32 {
        (u32::from(self.tick_rate) * (100 + CATCH_UP_PERCENT)).div_ceil(100)
    }

    /// The system says only that the second one is taken.
    fn check_ports(&self) -> Result<(), ConfigError> {
        let (public, ops) = (self.listen, self.ops_listen);
        let overlap = public.ip() == ops.ip()
            || public.ip().is_unspecified() && public.is_ipv4() == ops.is_ipv4()
            || ops.ip().is_unspecified() && public.is_ipv4() == ops.is_ipv4();
        if public.port() == ops.port() && public.port() != 0 && overlap {
            return refuse(format!(
                "listen {public} and ops-listen {ops} are one port: give ops-listen another, which stays private"
            ));
        }
        Ok(())
    }
}

fn refuse(message: String) -> Result<(), ConfigError> {
    Err(ConfigError::new(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        let checked = config.check().and_then(|()| config.check_input(8));
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn what_cannot_work_together_is_refused_with_what_would() {
        let check = |change: fn(&mut Config), words: &[&str]| {
            let refusal = refusal(change).expect("it is refused");
            let all = words.iter().all(|word| refusal.contains(word));
            assert!(all && !refusal.contains('\n'), "{words:?}: {refusal}");
        };
        check(
            |c| c.messages_per_second = 5,
            &[
                "messages-per-second 5 ",
                "tick-rate 30",
                "messages-per-second 38 ",
            ],
        );
        check(
            |c| (c.tick_rate, c.snapshot_rate) = (240, 60),
            &["messages-per-second 120 ", "tick-rate 240", "269"],
        );
        check(
            |c| c.bytes_per_second = 1024,
            &["bytes-per-second 1024 ", "tick-rate 30", "27 bytes", "1211"],
        );
        check(
            |c| {
                (c.tick_rate, c.snapshot_rate) = (240, 2);
                c.messages_per_second = 1000;
            },
            &["snapshot-rate 2 ", "tick-rate 240", "from 4 on"],
        );
        check(
            |c| {
                (c.tick_rate, c.snapshot_rate) = (1, 1);
                c.stall_timeout = Duration::from_secs(1);
            },
            &["stall-timeout 1s ", "tick-rate 1", "2001ms"],
        );
        check(
            |c| c.ops_listen = c.listen,
            &["listen 127.0.0.1:7777 ", "ops-listen 127.0.0.1:7777 "],
        );
        check(
            |c| c.ops_listen = "0.0.0.0:7777".parse().expect("an address"),
            &["ops-listen 0.0.0.0:7777 "],
        );
        check(
            |c| c.auth_issuer = "me".into(),
            &["auth-issuer", "auth-key-file"],
        );
        check(
            |c| c.auth_audience = "all".into(),
            &["auth-audience", "auth-key-file"],
        );
    }

    /// What is told to do does.
    #[test]
    fn what_would_do_does() {
        for change in [
            (|c| c.messages_per_second = 38) as fn(&mut Config),
            |c| c.bytes_per_second = 1211,
            |c| {
                (c.tick_rate, c.snapshot_rate) = (240, 4);
                c.messages_per_second = 269;
            },
            |c| {
                (c.tick_rate, c.snapshot_rate) = (1, 1);
                c.stall_timeout = Duration::from_millis(2001);
            },
            |c| c.ops_listen = "[::]:7777".parse().expect("an address"),
            |c| (c.listen.set_port(0), c.ops_listen.set_port(0)).0,
        ] {
            assert_eq!(refusal(change), None);
        }
    }

    /// Of two limits the smaller one holds.
    #[test]
    fn a_limit_beyond_another_is_no_contradiction() {
        let change = |c: &mut Config| {
            c.max_connections = 4;
            c.max_rooms = 1;
        };
        assert_eq!(refusal(change), None);
    }
}
