//! The operator's settings, resolved once and valid: what the rest of the server reads.
//! How they are written down (flags, environment, file) is `flags`; this has no I/O.
//! Bounds that clients must know too are `tickwire::limits`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tickwire::limits::{ENTITIES_MAX, PLAYERS_PER_ROOM_MAX};

mod duration;
mod file;
mod flags;
mod network;
mod origin;
mod together;

pub(crate) use duration::Span;
pub(crate) use file::read_file;
pub use flags::{ConfigError, Start, read, unknown_variables};
pub use network::Network;
pub use origin::{AllowedOrigin, Authority, Origin};

/// Ticks per second that a room may have. Above, a period is shorter than what a kernel's
/// timer keeps.
pub const TICK_RATE_MAX: u16 = 240;

/// Everything an operator can choose. [`Config::check`] holds for every value that [`read`]
/// returns; a test that fills one by hand may call it too.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where pages, the SDK and WebSockets are served. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where metrics and readiness are served; not meant for the public.
    pub ops_listen: SocketAddr,
    /// Ticks per second of every room, 1 to [`TICK_RATE_MAX`].
    pub tick_rate: u16,
    /// Snapshots per second, a divisor of `tick_rate`.
    pub snapshot_rate: u16,
    /// Entities that the game moves itself, per room.
    pub npcs: u16,
    /// Seats of a room, 1 to [`PLAYERS_PER_ROOM_MAX`].
    pub max_players: u16,
    /// Rooms at once. Beyond: `TooManyRooms`.
    pub max_rooms: u32,
    /// Sockets at once on the public port, HTTP included. Beyond: closed at accept.
    pub max_connections: u32,
    /// Bytes of each WebSocket's send buffer in the kernel, which takes twice as many and counts its
    /// own overhead among them. What a client does not read piles up there, stale: with 8,192 it
    /// is 31 snapshots of 300 B, 1.6 s at 20 Hz, with 16,384 it is 7 s. It also bounds what can be
    /// on the way: with 8,192 at least 14 KB, which is 1.2 KB at 30 Hz over a round trip of 400 ms.
    /// A larger keyframe goes out over several ticks.
    pub send_buffer: u32,
    /// Threads that tick rooms; the cores of the machine by default.
    pub workers: usize,
    /// Seed of every room's random numbers; `None`: another one for each room.
    pub seed: Option<u64>,
    /// PEM file with the certificate chain, for TLS on the public port. Read again when it
    /// changes.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with its private key. Both are given, or neither.
    pub tls_key: Option<PathBuf>,
    /// Who may open WebSockets: origins of pages and apps (`https://play.example`), `null`, and `none` for programs that name no
    /// origin. Empty: pages of the server's own host, and programs.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Proxies whose `X-Forwarded-For` is believed. Empty: nobody's, and connections from this
    /// machine are in no limit by address.
    pub trusted_proxies: Vec<Network>,
    /// Sockets at once of one address (an IPv4 address, an IPv6 network of 64 bits), HTTP
    /// included. Beyond: closed at accept, or 429 behind a proxy.
    pub max_connections_per_address: u32,
    /// New connections per second of one address, on average. Beyond: as above.
    pub connects_per_second: u32,
    /// Rooms at once that were made from one address. Beyond: `TooManyRooms`.
    pub max_rooms_per_address: u32,
    /// Rooms at once that one player made, from wherever. Beyond: `TooManyRooms`.
    pub max_rooms_per_player: u32,
    /// WebSockets at once that have not said hello. Beyond: the oldest of the heaviest prefix goes.
    pub max_ungreeted: u32,
    /// The operator's key, by which their users' tokens are checked: a secret for HS256, or an Ed25519
    /// public key in PEM. `None`: there are guests alone.
    pub auth_key_file: Option<PathBuf>,
    /// What such a token must name as its issuer.
    pub auth_issuer: String,
    /// What such a token must name as its audience.
    pub auth_audience: String,
    /// Whether players may come without a token.
    pub guests: bool,
    /// The secret by which the server signs its own tokens; `None`: a random one, so that nobody is known
    /// after a restart.
    pub guest_key_file: Option<PathBuf>,
    /// The operator's secret for the administration on the operator's port; `None`: there is none.
    pub admin_token_file: Option<PathBuf>,
    /// Where bans and mutes outlast the process; `None`: they end with it.
    pub bans_file: Option<PathBuf>,
    /// Messages that one client may send per second, on average.
    pub messages_per_second: u32,
    /// Control messages among them: requests, chat, actions, pings.
    pub control_per_second: u32,
    /// Bytes that one client may send per second, on average, frame headers included.
    pub bytes_per_second: u32,
    /// From accept to the end of an HTTP request's head.
    pub header_timeout: Duration,
    /// From the handshake to `Hello`.
    pub hello_timeout: Duration,
    /// A client that takes or acknowledges nothing, or does not finish a message, for so long is closed.
    pub stall_timeout: Duration,
    /// How long a room stays when its last player left.
    pub room_linger: Duration,
    /// A room in which nobody has sent an input or a request for so long is simulated once a second, until somebody does; zero:
    /// never. A game may forbid it.
    pub idle_after: Duration,
    /// How long the seat of a player whose connection is lost is held; zero: not at all.
    pub resume_grace: Duration,
    /// How long a stop may take until what is left is cut off.
    pub stop_deadline: Duration,
    /// Log lines as JSON objects.
    pub log_json: bool,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7777)),
            ops_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7778)),
            tick_rate: 30,
            snapshot_rate: 30,
            npcs: 20,
            max_players: 50,
            max_rooms: 1000,
            max_connections: 15_000,
            send_buffer: 8192,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            seed: None,
            tls_cert: None,
            tls_key: None,
            allowed_origins: Vec::new(),
            auth_key_file: None,
            auth_issuer: String::new(),
            auth_audience: String::new(),
            guests: true,
            guest_key_file: None,
            admin_token_file: None,
            bans_file: None,
            trusted_proxies: Vec::new(),
            max_connections_per_address: 256,
            connects_per_second: 20,
            max_rooms_per_address: 16,
            max_rooms_per_player: 8,
            max_ungreeted: 4096,
            messages_per_second: MESSAGES_PER_SECOND,
            control_per_second: 30,
            bytes_per_second: 16 * 1024,
            header_timeout: Duration::from_secs(2),
            hello_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(10),
            room_linger: Duration::from_secs(10),
            idle_after: Duration::from_secs(30),
            resume_grace: Duration::from_secs(30),
            stop_deadline: Duration::from_secs(5),
            log_json: false,
            log: "info".into(),
        }
    }
}

/// As an error of the system's: what was told can't be.
pub(crate) fn invalid(why: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.to_string())
}

/// Messages per second that a client may send, up to 60 ticks a second: an input a tick, and
/// as much again.
const MESSAGES_PER_SECOND: u32 = 120;

/// The same for any tick rate: who may tick faster may send more.
fn usual_messages_per_second(tick_rate: u16) -> u32 {
    MESSAGES_PER_SECOND.max(2 * u32::from(tick_rate))
}

impl Config {
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
        within("tick-rate", self.tick_rate, 1, TICK_RATE_MAX)?;
        within("snapshot-rate", self.snapshot_rate, 1, self.tick_rate)?;
        if !self.tick_rate.is_multiple_of(self.snapshot_rate) {
            return Err(ConfigError::new(format!(
                "snapshot-rate {} does not divide tick-rate {}",
                self.snapshot_rate, self.tick_rate
            )));
        }
        // The rest of a room's entities: players, what they shoot, the room's own state.
        within("npcs", usize::from(self.npcs), 0, ENTITIES_MAX / 2)?;
        within("max-players", self.max_players, 1, PLAYERS_PER_ROOM_MAX)?;
        within("max-rooms", self.max_rooms, 1, 1 << 20)?;
        within("max-connections", self.max_connections, 1, 1 << 20)?;
        within("send-buffer", self.send_buffer, 4096, 1 << 20)?;
        within("workers", self.workers, 1, 256)?;
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::new(
                "tls-cert and tls-key are given together or not at all",
            ));
        }
        let many = 1 << 20;
        within(
            "max-connections-per-address",
            self.max_connections_per_address,
            1,
            many,
        )?;
        within("connects-per-second", self.connects_per_second, 1, many)?;
        within("max-rooms-per-address", self.max_rooms_per_address, 1, many)?;
        within("max-rooms-per-player", self.max_rooms_per_player, 1, many)?;
        within("max-ungreeted", self.max_ungreeted, 1, many)?;
        within("messages-per-second", self.messages_per_second, 1, 100_000)?;
        let (least, most) = (together::REQUESTS_PER_SECOND, 100_000);
        within("control-per-second", self.control_per_second, least, most)?;
        within("bytes-per-second", self.bytes_per_second, 1024, 1 << 30)?;
        let (least, day) = (Duration::from_millis(10), Duration::from_secs(86_400));
        let spans = [
            ("header-timeout", self.header_timeout),
            ("hello-timeout", self.hello_timeout),
            ("stall-timeout", self.stall_timeout),
        ];
        for (name, span) in spans {
            within_spans(name, span, least, day)?;
        }
        within_spans("room-linger", self.room_linger, Duration::ZERO, day)?;
        within_spans("idle-after", self.idle_after, Duration::ZERO, day)?;
        within_spans("resume-grace", self.resume_grace, Duration::ZERO, day)?;
        within_spans("stop-deadline", self.stop_deadline, Duration::ZERO, day)?;
        self.check_auth()?;
        self.check_together()
    }
}

impl Config {
    fn check_auth(&self) -> Result<(), ConfigError> {
        let has_key = self.auth_key_file.is_some();
        let has_names = !self.auth_issuer.is_empty() && !self.auth_audience.is_empty();
        if has_key && !has_names {
            return Err(ConfigError::new(
                "auth-key-file needs auth-issuer and auth-audience beside it",
            ));
        }
        if !has_key && !self.guests {
            return Err(ConfigError::new(
                "guests false needs an auth-key-file: nobody could play",
            ));
        }
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    name: &str,
    value: T,
    min: T,
    max: T,
) -> Result<(), ConfigError> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "{name} {value} is not within {min} to {max}"
    )))
}

fn within_spans(
    name: &str,
    value: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), ConfigError> {
    if value >= min && value <= max {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "{name} {value:?} is not within {min:?} to {max:?}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

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
