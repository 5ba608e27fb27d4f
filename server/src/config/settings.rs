//! Every setting of an operator, each declared once: type, default, unit, range and help. Its flag,
//! `TICKWIRE_*` variable and key of the file are the field's name; `read` makes them, a test holds
//! `docs/settings.md` to them. What settings may be together is `together`'s. Bounds that clients
//! must know too are `tickwire::limits`.

// The texts are the help as well, where an address stands as it is typed.
#![allow(rustdoc::bare_urls)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Command, FromArgMatches};
use tickwire::limits::{ENTITIES_MAX, PLAYERS_PER_ROOM_MAX};

use super::GameSettings;
use super::connect_origin::ConnectOrigin;
use super::duration::parse_duration;
use super::engine_url::EngineUrl;
use super::error::ConfigError;
use super::network::Network;
use super::node_url::NodeUrl;
use super::origin::AllowedOrigin;
use super::peer_address::PeerAddress;
use super::store_place::StorePlace;
use super::unrepeated::Unrepeated;
use super::webhook_url::{WebhookKind, WebhookUrl};

/// Ticks per second that a room may have. Above, a period is shorter than what a kernel's
/// timer keeps.
pub const TICK_RATE_MAX: u16 = 240;
/// Requests a second of a player who does nothing wrong: pings, chat, actions, what a lobby asks
/// for.
pub(super) const REQUESTS_PER_SECOND: u32 = 5;
/// Messages per second that a client may send, up to 60 ticks a second: an input a tick, and
/// as much again.
const MESSAGES_PER_SECOND: u32 = 120;
/// Spectators of one room: as many as a worker that has nothing else to do writes to in a period.
/// Beyond: a relay's task.
pub(super) const SPECTATORS_PER_ROOM_MAX: u16 = 5000;
/// More of anything than a machine holds.
const MANY: u32 = 1 << 20;
/// The region of a node that names none.
pub(super) const REGION: &str = "main";
/// Play without the engine, of who says nothing of it.
pub(super) const DETACHED: Duration = Duration::from_secs(90);
/// Longest play without the engine that may be asked for. An hour is enough for whoever mends it.
pub(crate) const DETACHED_MAX: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);
/// Longest that anything may be kept: ten years.
const KEPT_MAX: Duration = Duration::from_secs(3650 * 86_400);
/// Shorter ones would end whoever is not on the same machine.
const SHORTEST: Duration = Duration::from_millis(10);

/// Settings as `name: type, range;`, with their help and what clap must know besides.
macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty $(, $range:expr)?;)+) => {
        /// Everything an operator can choose. [`Config::check`] holds for every value that
        /// [`read()`](super::read()) returns; who fills one by hand may call it too.
        #[derive(Clone, Debug, PartialEq, Args)]
        #[group(skip)]
        pub struct Config {
            $(#[arg(long)] $(#[$meta])* pub $name: $type,)+

            /// What games have of their own, by their names: `[games.NAME]` in the file.
            #[arg(skip)]
            pub games: BTreeMap<String, GameSettings>,
        }

        impl Config {
            /// Whether each is within its range.
            pub(super) fn check_each(&self) -> Result<(), ConfigError> {
                $($(within(stringify!($name), self.$name, $range)?;)?)+
                Ok(())
            }
        }
    };
}

settings! {
    /// Address for pages, the browser SDK and WebSockets; port 0 picks a free one
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:7777")]
    listen: SocketAddr;

    /// Address for /metrics, /healthz, /readyz, /rooms and /admin; keep it private
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:7778")]
    ops_listen: SocketAddr;

    /// Simulation steps per second of every room, 1 to 240
    #[arg(value_name = "HZ", default_value_t = 30)]
    tick_rate: u16, 1..=TICK_RATE_MAX;

    /// Snapshots per second to each client; must divide the tick rate [default: the tick rate]
    #[arg(value_name = "HZ", default_value_t = 30, hide_default_value = true)]
    snapshot_rate: u16, 1..=TICK_RATE_MAX;

    // The rest of a room's entities: players, what they shoot, the room's own state.
    /// Entities per room that the game moves itself
    #[arg(value_name = "COUNT", default_value_t = 20)]
    npcs: u16, 0..=(ENTITIES_MAX / 2) as u16;

    /// Seats per room, 1 to 1000
    #[arg(value_name = "COUNT", default_value_t = 50)]
    max_players: u16, 1..=PLAYERS_PER_ROOM_MAX;

    // One costs a room what a player does but for their inputs and their avatar: 200 of them four
    // times a room of 50. Their writes come after the players', so that these feel it last.
    /// Spectators per room, who have no seat; 0: none may look on
    #[arg(value_name = "COUNT", default_value_t = 200)]
    max_spectators: u16, 0..=SPECTATORS_PER_ROOM_MAX;

    /// Rooms at once
    #[arg(value_name = "COUNT", default_value_t = 1000)]
    max_rooms: u32, 1..=MANY;

    /// Sockets at once on the public port. Beyond, the oldest without a seat in a room goes, of the
    /// heaviest network; of the last quarter each address has a share of what is left for its
    /// players. Up to 64 more are there for a moment, which can't play
    #[arg(value_name = "COUNT", default_value_t = 15_000)]
    max_connections: u32, 1..=MANY;

    // The kernel takes twice as many and counts its own overhead among them. What a client does not
    // read piles up there, stale: with 8,192 it is 31 snapshots of 300 B, 1.6 s at 20 Hz, with
    // 16,384 it is 7 s. On the way can be, with 8,192, at least 14 KB, which is 1.2 KB at 30 Hz
    // over a round trip of 400 ms. A larger keyframe goes out over several ticks.
    /// Bytes of each WebSocket's send buffer, which bounds how stale a slow client's snapshots get
    /// and what can be on the way to a far one
    #[arg(value_name = "BYTES", default_value_t = 8192)]
    send_buffer: u32, 4096..=1 << 20;

    /// Threads that run rooms, 1 to 256 [default: the number of cores]
    #[arg(value_name = "COUNT", default_value_t = cores(), hide_default_value = true)]
    workers: usize, 1..=256;

    /// Seed of every room's random numbers, for repeatable runs [default: random for each room]
    #[arg(value_name = "NUMBER")]
    seed: Option<u64>;

    /// PEM file with a certificate chain: the public port speaks TLS (https, wss). Read again
    /// when it changes
    #[arg(value_name = "FILE")]
    tls_cert: Option<PathBuf>;

    /// PEM file with the chain's private key
    #[arg(value_name = "FILE")]
    tls_key: Option<PathBuf>;

    /// Origin whose pages may connect, such as https://play.example, or capacitor://localhost of an
    /// app; null: pages without one (files, sandboxed frames); none: programs that name none, such
    /// as bots. Repeatable, or separated by commas [default: pages of the server's own host, and
    /// programs]
    #[arg(long = "allowed-origin", value_name = "ORIGIN", value_delimiter = ',')]
    allowed_origins: Vec<AllowedOrigin>;

    /// Server that pages may connect to besides their own, such as wss://b.example, where a
    /// redirect sends them there; that of --node-url goes without saying. Repeatable, or separated
    /// by commas, up to 64
    #[arg(long = "connect-origin", value_name = "SERVER", value_delimiter = ',')]
    connect_origins: Vec<ConnectOrigin>;

    /// Proxy whose X-Forwarded-For is believed, as 10.0.0.7 or 10.0.0.0/8; repeatable, or
    /// separated by commas. Without one, connections from this machine are in no limit by address
    #[arg(long = "trusted-proxy", value_name = "NETWORK", value_delimiter = ',')]
    trusted_proxies: Vec<Network>;

    /// Sockets at once of one IPv4 address or IPv6 /64
    #[arg(value_name = "COUNT", default_value_t = 256)]
    max_connections_per_address: u32, 1..=MANY;

    /// New connections per second of one address; ten seconds' worth may come at once
    #[arg(value_name = "COUNT", default_value_t = 20)]
    connects_per_second: u32, 1..=MANY;

    /// Rooms at once that were made from one address; four times as many from an IPv4 /24 or IPv6
    /// /48, twice from a /56. Of the last quarter of all rooms each has a share of what is left
    #[arg(value_name = "COUNT", default_value_t = 16)]
    max_rooms_per_address: u32, 1..=MANY;

    /// Rooms at once that one player made, whatever the address
    #[arg(value_name = "COUNT", default_value_t = 8)]
    max_rooms_per_player: u32, 1..=MANY;

    /// WebSockets at once that have not said hello; beyond, the oldest of the heaviest network goes
    #[arg(value_name = "COUNT", default_value_t = 4096)]
    max_ungreeted: u32, 1..=MANY;

    /// File with the key of your users' tokens (JWT): a secret of 32 bytes or more for HS256, or an
    /// Ed25519 public key in PEM for EdDSA [default: there are guests alone]
    #[arg(value_name = "FILE")]
    auth_key_file: Option<PathBuf>;

    /// Issuer (iss) that those tokens must name
    #[arg(value_name = "NAME", default_value = "", hide_default_value = true)]
    auth_issuer: String;

    /// Audience (aud) that those tokens must name
    #[arg(value_name = "NAME", default_value = "", hide_default_value = true)]
    auth_audience: String;

    /// Whether players may come without a token
    #[arg(value_name = "BOOL", action = ArgAction::Set, default_value_t = true)]
    guests: bool;

    /// File with a secret of 32 bytes or more, by which guests are known again after a restart
    /// [default: one beside the file of --store; else a random one for each start]
    #[arg(value_name = "FILE")]
    guest_key_file: Option<PathBuf>;

    /// Whether guests have places on boards, until 30 days after their last match [default: where
    /// there is no --auth-key-file]
    #[arg(value_name = "BOOL", action = ArgAction::Set)]
    guest_boards: Option<bool>;

    /// File with a secret of 32 bytes or more, which opens /admin/… (kick, ban, mute) on the ops
    /// address to who brings it as a bearer token [default: there is no administration]
    #[arg(value_name = "FILE")]
    admin_token_file: Option<PathBuf>;

    /// Address for /api/v1/…, by which programs of yours see who plays and say
    /// something to them; keep it
    /// private. With --tls-cert it speaks TLS, unless it is of this machine alone [default: there is
    /// none]
    #[arg(value_name = "ADDR")]
    api_listen: Option<SocketAddr>;

    /// TOML file with the keys that open /api/v1/…: of each the name, the SHA-256, and what it is
    /// for (docs/api.md). Read again when it changes
    #[arg(value_name = "FILE")]
    api_keys_file: Option<PathBuf>;

    /// File that keeps bans and mutes over a restart, in the place of the store; made if it is not
    /// there [default: they are in the store]
    #[arg(value_name = "FILE")]
    bans_file: Option<PathBuf>;

    /// Folder that keeps rooms over a stop, a crash or a kill, with a file for each; made if it is
    /// not there [default: they end with the process]
    #[arg(value_name = "DIR")]
    state_file: Option<PathBuf>;

    /// What keeps chat, results, bans and mutes: a file (SQLite), postgres://USER:PASSWORD@HOST:PORT/DB,
    /// by TLS with ?sslmode=verify-full, or none. A password belongs into the variable or the file
    /// of settings [default: tickwire.db in the working directory, or none where that can't be]
    #[arg(value_name = "PLACE", value_parser = Unrepeated::<StorePlace>::new(), hide_env_values = true)]
    store: Option<StorePlace>;

    /// PEM file with the authorities that are believed for the database of --store [default: those
    /// of the system]
    #[arg(value_name = "FILE")]
    store_ca_file: Option<PathBuf>;

    /// How long what was said is kept, and rooms and guests of whom nothing else is left; 1h or more
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "30d")]
    keep_chat: Duration, HOUR..=KEPT_MAX;

    /// How long notices are kept for who is away, 1h or more
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "14d")]
    keep_notices: Duration, HOUR..=KEPT_MAX;

    /// URL of yours to which results are posted, signed as Standard Webhooks are (docs/webhooks.md);
    /// needs --webhook-key-file and a store. A URL with a secret in it belongs into the variable or
    /// the file of settings [default: nothing is]
    #[arg(value_name = "URL", value_parser = Unrepeated::<WebhookUrl>::new(), hide_env_values = true)]
    webhook_url: Option<WebhookUrl>;

    /// File with the secret by which that is signed: whsec_ and 24 to 64 bytes in base64
    #[arg(value_name = "FILE")]
    webhook_key_file: Option<PathBuf>;

    /// What is posted there: results, chat, or both with a comma
    #[arg(value_name = "KINDS", value_delimiter = ',', default_value = "results")]
    webhook_kinds: Vec<WebhookKind>;

    /// PEM file with the authorities that are believed for an https --webhook-url [default: those of
    /// the system]
    #[arg(value_name = "FILE")]
    webhook_ca_file: Option<PathBuf>;

    /// File to which each tick of a room is appended with its owner, in 32 bytes, for who judges a
    /// cluster (tickwire-nemesis)
    #[arg(value_name = "FILE")]
    play_log: Option<PathBuf>;

    /// Redis or Valkey that keeps what several nodes share, such as redis://USER:PASSWORD@HOST:PORT;
    /// rediss:// by TLS, redis+sentinel:// by sentinels. A password belongs into the variable or the
    /// file: every process of a machine can read its command lines [default: this server is alone]
    #[arg(value_name = "URL", value_parser = Unrepeated::<EngineUrl>::new(), hide_env_values = true)]
    cluster_url: Option<EngineUrl>;

    /// Where clients reach this node and no other, such as wss://play.example/n/1/ws; it ends with
    /// /ws
    #[arg(value_name = "URL")]
    node_url: Option<NodeUrl>;

    /// Address for the other nodes' connections; keep it private
    #[arg(value_name = "ADDR")]
    peer_listen: Option<SocketAddr>;

    /// Host and port by which the other nodes reach this one, which are its name among them
    /// [default: --peer-listen]
    #[arg(value_name = "HOST:PORT")]
    peer_advertise: Option<PeerAddress>;

    /// File with a secret of 32 bytes or more, the same at all nodes: they know each other by it,
    /// and all guests
    #[arg(value_name = "FILE")]
    cluster_key_file: Option<PathBuf>;

    /// Cluster among those that share a --cluster-url: 1 to 32 small letters, digits and hyphens
    #[arg(value_name = "NAME", default_value = REGION)]
    cluster_region: String;

    /// PEM file with the authorities that are believed for rediss:// [default: those of the system]
    #[arg(value_name = "FILE")]
    cluster_ca_file: Option<PathBuf>;

    /// How long rooms are played on without the engine, up to 1h, where no other node has contact
    /// with it; 0s: not at all
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "90s")]
    detached_play: Duration, Duration::ZERO..=DETACHED_MAX;

    /// Messages per second that a client may send before it is closed: a tenth more than the tick
    /// rate, and 5 requests, at least [default: 120, or twice the tick rate]
    #[arg(value_name = "COUNT", default_value_t = MESSAGES_PER_SECOND, hide_default_value = true)]
    messages_per_second: u32, 1..=100_000;

    /// Control messages among them (requests, chat, actions, pings), 5 or more
    #[arg(value_name = "COUNT", default_value_t = 30)]
    control_per_second: u32, REQUESTS_PER_SECOND..=100_000;

    /// Bytes per second that a client may send before it is closed
    #[arg(value_name = "BYTES", default_value_t = 16 * 1024)]
    bytes_per_second: u32, 1024..=1 << 30;

    /// Time for an HTTP request's head to arrive; durations are like 250ms, 5s, 2m
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "2s")]
    header_timeout: Duration, SHORTEST..=DAY;

    /// Time for a new WebSocket to say hello
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    hello_timeout: Duration, SHORTEST..=DAY;

    /// A client that reads or acknowledges nothing, or does not finish a message, for so long is
    /// closed
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "10s")]
    stall_timeout: Duration, SHORTEST..=DAY;

    /// How long a room outlives its last player
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "10s")]
    room_linger: Duration, Duration::ZERO..=DAY;

    /// A room in which nobody has sent an input or a request for so long, 2s or more, is simulated
    /// once a second until somebody does; 0s: never
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    idle_after: Duration, Duration::ZERO..=DAY;

    /// Every so often each worker hands a room to the next one, whatever they have to do: to
    /// measure that nobody notices; 0s: never
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "0s")]
    shuffle_rooms: Duration, Duration::ZERO..=DAY;

    /// How long the seat of a player whose connection is lost is held; 0s: not at all
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    resume_grace: Duration, Duration::ZERO..=DAY;

    /// How long a stop may take
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    stop_deadline: Duration, Duration::ZERO..=DAY;

    /// How long a node's rooms may take to go to other nodes before a stop; 0s: they are taken over
    /// after it
    #[arg(value_name = "DURATION", value_parser = parse_duration, default_value = "30s")]
    drain_deadline: Duration, Duration::ZERO..=DAY;

    /// Log lines as JSON
    #[arg(
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value_t = false
    )]
    log_json: bool;

    /// What is logged: a level, or targets with levels such as info,tickwire_server::http=debug
    #[arg(value_name = "FILTER", default_value = "info")]
    log: String;
}

impl Default for Config {
    /// What is declared, whatever the environment says.
    fn default() -> Self {
        let command = Config::augment_args(Command::new("").no_binary_name(true));
        let matches = command.try_get_matches_from(None::<&str>);
        let config = matches.and_then(|matches| Config::from_arg_matches(&matches));
        config.expect("what is declared is complete and valid")
    }
}

impl Config {
    /// Sets what goes by the tick rate unless it is given itself.
    pub(super) fn follow_tick_rate(&mut self, is_given: impl Fn(&str) -> bool) {
        if !is_given("snapshot_rate") {
            self.snapshot_rate = self.tick_rate;
        }
        if !is_given("messages_per_second") {
            let twice = 2 * u32::from(self.tick_rate);
            self.messages_per_second = self.messages_per_second.max(twice);
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn within<T: PartialOrd + Debug>(
    field: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (name, least, most) = (field.replace('_', "-"), range.start(), range.end());
    let message = format!("{name} {value:?} is not within {least:?} to {most:?}");
    Err(ConfigError::new(message))
}
