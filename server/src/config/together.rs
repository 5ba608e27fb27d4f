//! Settings that are fine each but can't work together: found at the start, in one line that names
//! both, and what would do. Limits of which the smaller one simply holds (connections of all and of
//! an address) are no such pairs, nor is `max-connections` beyond the open files that the system
//! allows, which is lowered with a warning.

use std::net::SocketAddr;
use std::time::Duration;

use tickwire::limits::{ACK_DELAY_MS, EVENT_RING_TICKS};
use tickwire::protocol::frame::INPUT_HEAD_BYTES;

use super::connect_origin;
use super::error::ConfigError;
use super::settings::{Config, REQUESTS_PER_SECOND};
use super::store_place::StorePlace;

/// Bytes of a request, with its frame's header.
const REQUEST_BYTES: u32 = 64;
/// A client whose clock runs slow catches up by so many inputs more, in percent.
const CATCH_UP_PERCENT: u32 = 10;
/// A room in which somebody sends once a second, as a page in the background does, is not idle.
const IDLE_AFTER_MIN: Duration = Duration::from_secs(2);
/// Header and mask of an input's frame.
const FRAME_BYTES: u32 = 8;
/// Ticks within which a client that takes everything empties its outbox: it is written to once a
/// tick.
const TICKS_TO_DRAIN: u32 = 2;

impl Config {
    /// Whether guests have places on boards: where nobody else could, unless the operator says so.
    pub(crate) fn ranks_guests(&self) -> bool {
        let has_users = self.auth_key_file.is_some();
        self.guest_boards.unwrap_or(!has_users)
    }

    /// Ticks from one snapshot to the next, at least 1.
    pub fn snapshot_every(&self) -> u16 {
        (self.tick_rate / self.snapshot_rate.max(1)).max(1)
    }

    /// Ticks for which a seat is held, [`Config::resume_grace`] in them.
    pub fn grace_ticks(&self) -> u32 {
        // At most a day, so it fits.
        (self.resume_grace.as_secs_f64() * f64::from(self.tick_rate)).ceil() as u32
    }

    /// Whether the values make sense, each and together.
    ///
    /// # Errors
    /// One line that names the setting and what it may be.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_each()?;
        self.check_rates()?;
        self.check_files()?;
        connect_origin::check(&self.servers_of_pages())?;
        self.check_ports()?;
        self.check_cluster()
    }

    fn check_rates(&self) -> Result<(), ConfigError> {
        if !self.tick_rate.is_multiple_of(self.snapshot_rate) {
            return refuse(format!(
                "snapshot-rate {} does not divide tick-rate {}",
                self.snapshot_rate, self.tick_rate
            ));
        }
        if !self.idle_after.is_zero() && self.idle_after < IDLE_AFTER_MIN {
            return refuse(format!(
                "idle-after {:?} is too short: a page in the background sends but once a second; idle-after 2s would do, \
                 or 0s",
                self.idle_after
            ));
        }
        let inputs = self.inputs_per_second();
        let acks = 1000 / ACK_DELAY_MS;
        let messages = inputs.max(acks) + REQUESTS_PER_SECOND;
        if self.messages_per_second < messages {
            return refuse(format!(
                "messages-per-second {} is too few for tick-rate {}: a client that catches up sends {} inputs or \
                 acknowledgements a second, and {REQUESTS_PER_SECOND} requests beside them; messages-per-second {messages} \
                 would do",
                self.messages_per_second,
                self.tick_rate,
                inputs.max(acks)
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
                drained.as_nanos().div_ceil(1_000_000)
            ));
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), ConfigError> {
        let (one, other) = ("api-listen", "api-keys-file");
        if let Some((given, missing)) = match (&self.api_listen, &self.api_keys_file) {
            (Some(_), None) => Some((one, other)),
            (None, Some(_)) => Some((other, one)),
            _ => None,
        } {
            return refuse(format!(
                "{given} needs {missing} beside it: nobody could come in"
            ));
        }
        if self.webhook_url.is_some() != self.webhook_key_file.is_some() {
            return refuse("webhook-url and webhook-key-file are given together or not at all");
        }
        if self.webhook_ca_file.is_some() && !self.webhook_url.as_ref().is_some_and(|url| url.tls) {
            return refuse("webhook-ca-file is for a webhook-url of https");
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return refuse("tls-cert and tls-key are given together or not at all");
        }
        let names = [
            ("auth-issuer", &self.auth_issuer),
            ("auth-audience", &self.auth_audience),
        ];
        let named = names.iter().find(|(_, name)| !name.is_empty());
        let by_tls = matches!(&self.store, Some(StorePlace::Postgres(url)) if url.is_by_tls());
        if self.store_ca_file.is_some() && !by_tls {
            return refuse(
                "store-ca-file is for a database that is reached by TLS: \
                 postgres://…?sslmode=verify-full",
            );
        }
        match (&self.auth_key_file, named) {
            (Some(_), _) if names.iter().any(|(_, name)| name.is_empty()) => {
                refuse("auth-key-file needs auth-issuer and auth-audience beside it")
            }
            (None, _) if !self.guests => {
                refuse("guests false needs an auth-key-file: nobody could play")
            }
            (None, Some((setting, name))) => refuse(format!(
                "{setting} {name:?} needs auth-key-file beside it: without a key no token is \
                 looked at"
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
        let (public, ops) = (("listen", self.listen), ("ops-listen", self.ops_listen));
        let api = self.api_listen.map(|at| ("api-listen", at));
        let peers = self.peer_listen.map(|at| ("peer-listen", at));
        let ports: Vec<_> = [Some(public), Some(ops), api, peers]
            .into_iter()
            .flatten()
            .collect();
        for (index, (private, other)) in ports.iter().enumerate() {
            let before = ports[..index].iter();
            if let Some((one, at)) = before.into_iter().find(|(_, at)| overlap(*at, *other)) {
                return refuse(format!(
                    "{one} {at} and {private} {other} are one port: give {private} another, which stays private"
                ));
            }
        }
        Ok(())
    }
}

/// Whether the system gives only one of them.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_all = one.ip().is_unspecified() || other.ip().is_unspecified();
    let hosts = one.ip() == other.ip() || is_all && one.is_ipv4() == other.is_ipv4();
    one.port() == other.port() && one.port() != 0 && hosts
}

fn refuse(message: impl Into<String>) -> Result<(), ConfigError> {
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
                "33 inputs",
                "5 requests",
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
            &["stall-timeout 1s ", "tick-rate 1", "2000ms"],
        );
        check(
            |c| c.idle_after = Duration::from_millis(1999),
            &["idle-after 1.999s ", "2s", "0s"],
        );
        check(
            |c| c.stall_timeout = Duration::from_millis(66),
            &["stall-timeout 66ms ", "tick-rate 30", "67ms"],
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
            |c| c.api_listen = Some(c.ops_listen),
            &["api-listen needs api-keys-file"],
        );
        check(
            |c| c.api_keys_file = Some("keys.toml".into()),
            &["api-keys-file needs api-listen"],
        );
        check(
            |c| {
                c.api_keys_file = Some("keys.toml".into());
                c.api_listen = Some(c.ops_listen);
            },
            &["ops-listen 127.0.0.1:7778 ", "api-listen 127.0.0.1:7778 "],
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
                c.stall_timeout = Duration::from_secs(2);
            },
            |c| c.stall_timeout = Duration::from_millis(67),
            |c| c.idle_after = Duration::from_secs(2),
            |c| c.idle_after = Duration::ZERO,
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

    #[test]
    fn defaults_are_valid() {
        Config::default().check().unwrap();
    }

    #[test]
    fn each_bound_is_named() {
        let check = |change: fn(&mut Config), word: &str| {
            let mut config = Config::default();
            change(&mut config);
            let message = config.check().unwrap_err().to_string();
            assert!(
                message.contains(word) && !message.contains('\n'),
                "{message}"
            );
        };
        check(|c| c.tick_rate = 0, "tick-rate");
        check(|c| c.tick_rate = 241, "tick-rate");
        check(|c| c.snapshot_rate = 0, "snapshot-rate");
        check(|c| c.snapshot_rate = 60, "snapshot-rate");
        check(|c| c.snapshot_rate = 7, "does not divide");
        check(|c| c.npcs = 5000, "npcs");
        check(|c| c.max_players = 0, "max-players");
        check(|c| c.max_players = 1001, "max-players");
        check(|c| c.max_rooms = 0, "max-rooms");
        check(|c| c.max_connections = 0, "max-connections");
        check(|c| c.send_buffer = 4095, "send-buffer");
        check(|c| c.workers = 0, "workers");
        check(
            |c| c.max_connections_per_address = 0,
            "max-connections-per-address",
        );
        check(|c| c.connects_per_second = 0, "connects-per-second");
        check(|c| c.max_rooms_per_address = 0, "max-rooms-per-address");
        check(|c| c.max_rooms_per_player = 0, "max-rooms-per-player");
        check(|c| c.max_ungreeted = 0, "max-ungreeted");
        check(|c| c.tls_cert = Some("cert.pem".into()), "tls-key");
        check(|c| c.messages_per_second = 0, "messages-per-second");
        check(|c| c.control_per_second = 0, "control-per-second");
        check(|c| c.bytes_per_second = 10, "bytes-per-second");
        check(|c| c.hello_timeout = Duration::ZERO, "hello-timeout");
        check(|c| c.stop_deadline = Duration::MAX, "stop-deadline");
        check(|c| c.auth_key_file = Some("key".into()), "auth-issuer");
        check(|c| c.guests = false, "guests");
        check(|c| c.store_ca_file = Some("ca.pem".into()), "store-ca-file");
        check(
            |c| c.webhook_url = "http://a".parse().ok(),
            "webhook-key-file",
        );
        check(
            |c| c.webhook_ca_file = Some("ca.pem".into()),
            "webhook-ca-file",
        );
        check(|c| c.keep_chat = Duration::from_secs(1), "keep-chat");
        check(|c| c.keep_notices = Duration::MAX, "keep-notices");
    }

    #[test]
    fn snapshots_every_so_many_ticks() {
        let config = Config {
            tick_rate: 60,
            snapshot_rate: 20,
            ..Config::default()
        };
        assert_eq!(config.snapshot_every(), 3);
    }
}
