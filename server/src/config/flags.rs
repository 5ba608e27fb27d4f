//! Settings as operators write them: command line, `TICKWIRE_*` variables, a TOML file. One
//! struct is all three, so a setting can't exist in one and not in the others. `main` calls
//! [`read`] once; everything after it sees a [`Config`].

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use serde::Deserialize;

use super::duration::Span;
use super::file::read_file;
use super::network::Network;
use super::origin::AllowedOrigin;
use super::{Config, usual_messages_per_second};

/// Why the settings can't be used: one line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// What the command line asks for.
#[derive(Debug)]
pub enum Start {
    /// Serve with these settings.
    Run(Box<Config>),
    /// Print this (help or version) and end well.
    Print(String),
}

/// Authoritative multiplayer game-state server for browser games.
///
/// Settings come from flags, then TICKWIRE_* variables, then the file named by --config, then
/// the defaults. A list given in one place replaces that of the next. Files that settings name are read before
/// the server is reachable.
///
/// SIGTERM, SIGINT or SIGHUP stops the server: players are told when to come back, then it ends; a second one
/// ends it at once. A new certificate needs no signal.
///
/// It ends with 0 after such a stop, with 2 for settings, files or a game that can't be used, with 70 when a part
/// of it ended that must not (start it again), and with 1 for anything else, such as a port that is taken.
#[derive(Clone, Debug, Default, Parser, Deserialize)]
#[command(version, max_term_width = 100)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Flags {
    /// Address for pages, the browser SDK and WebSockets; port 0 picks a free one
    /// [default: 127.0.0.1:7777]
    #[arg(long, env = "TICKWIRE_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,

    /// Address for /metrics, /healthz, /readyz, /rooms and /admin; keep it private [default: 127.0.0.1:7778]
    #[arg(long, env = "TICKWIRE_OPS_LISTEN", value_name = "ADDR")]
    ops_listen: Option<SocketAddr>,

    /// Simulation steps per second of every room, 1 to 240 [default: 30]
    #[arg(long, env = "TICKWIRE_TICK_RATE", value_name = "HZ")]
    tick_rate: Option<u16>,

    /// Snapshots per second to each client; must divide the tick rate [default: the tick rate]
    #[arg(long, env = "TICKWIRE_SNAPSHOT_RATE", value_name = "HZ")]
    snapshot_rate: Option<u16>,

    /// Entities per room that the game moves itself [default: 20]
    #[arg(long, env = "TICKWIRE_NPCS", value_name = "COUNT")]
    npcs: Option<u16>,

    /// Seats per room, 1 to 1000 [default: 50]
    #[arg(long, env = "TICKWIRE_MAX_PLAYERS", value_name = "COUNT")]
    max_players: Option<u16>,

    /// Rooms at once [default: 1000]
    #[arg(long, env = "TICKWIRE_MAX_ROOMS", value_name = "COUNT")]
    max_rooms: Option<u32>,

    /// Sockets at once on the public port. Beyond, the oldest without a seat in a room goes, of the heaviest network; of the last quarter
    /// each address has a share of what is left for its players [default: 15000]
    #[arg(long, env = "TICKWIRE_MAX_CONNECTIONS", value_name = "COUNT")]
    max_connections: Option<u32>,

    /// Bytes of each WebSocket's send buffer, which bounds how stale a slow client's snapshots get
    /// and what can be on the way to a far one [default: 8192]
    #[arg(long, env = "TICKWIRE_SEND_BUFFER", value_name = "BYTES")]
    send_buffer: Option<u32>,

    /// Threads that run rooms, 1 to 256 [default: the number of cores]
    #[arg(long, env = "TICKWIRE_WORKERS", value_name = "COUNT")]
    workers: Option<usize>,

    /// Seed of every room's random numbers, for repeatable runs [default: random for each room]
    #[arg(long, env = "TICKWIRE_SEED", value_name = "NUMBER")]
    seed: Option<u64>,

    /// PEM file with a certificate chain: the public port speaks TLS (https, wss). Read again
    /// when it changes
    #[arg(long, env = "TICKWIRE_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// PEM file with the chain's private key
    #[arg(long, env = "TICKWIRE_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Origin whose pages may connect, such as https://play.example, or capacitor://localhost of an app; null: pages without
    /// one (files, sandboxed frames); none: programs that name none, such as bots. Repeatable, or separated by
    /// commas [default: pages of the server's own host, and programs]
    #[arg(
        long = "allowed-origin",
        env = "TICKWIRE_ALLOWED_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allowed_origin: Option<Vec<AllowedOrigin>>,

    /// Proxy whose X-Forwarded-For is believed, as 10.0.0.7 or 10.0.0.0/8; repeatable, or
    /// separated by commas. Without one, connections from this machine are in no limit by address
    #[arg(
        long,
        env = "TICKWIRE_TRUSTED_PROXY",
        value_name = "NETWORK",
        value_delimiter = ','
    )]
    trusted_proxy: Option<Vec<Network>>,

    /// Sockets at once of one IPv4 address or IPv6 /64 [default: 256]
    #[arg(
        long,
        env = "TICKWIRE_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "COUNT"
    )]
    max_connections_per_address: Option<u32>,

    /// New connections per second of one address; ten seconds' worth may come at once [default: 20]
    #[arg(long, env = "TICKWIRE_CONNECTS_PER_SECOND", value_name = "COUNT")]
    connects_per_second: Option<u32>,

    /// Rooms at once that were made from one address; four times as many from an IPv4 /24 or IPv6 /48, twice from a /56. Of the last
    /// quarter of all rooms each has a share of what is left [default: 16]
    #[arg(long, env = "TICKWIRE_MAX_ROOMS_PER_ADDRESS", value_name = "COUNT")]
    max_rooms_per_address: Option<u32>,

    /// Rooms at once that one player made, whatever the address [default: 8]
    #[arg(long, env = "TICKWIRE_MAX_ROOMS_PER_PLAYER", value_name = "COUNT")]
    max_rooms_per_player: Option<u32>,

    /// WebSockets at once that have not said hello; beyond, the oldest of the heaviest network goes [default: 4096]
    #[arg(long, env = "TICKWIRE_MAX_UNGREETED", value_name = "COUNT")]
    max_ungreeted: Option<u32>,

    /// File with the key of your users' tokens (JWT): a secret of 32 bytes or more for HS256, or an
    /// Ed25519 public key in PEM for EdDSA [default: there are guests alone]
    #[arg(long, env = "TICKWIRE_AUTH_KEY_FILE", value_name = "FILE")]
    auth_key_file: Option<PathBuf>,

    /// Issuer (iss) that those tokens must name
    #[arg(long, env = "TICKWIRE_AUTH_ISSUER", value_name = "NAME")]
    auth_issuer: Option<String>,

    /// Audience (aud) that those tokens must name
    #[arg(long, env = "TICKWIRE_AUTH_AUDIENCE", value_name = "NAME")]
    auth_audience: Option<String>,

    /// Whether players may come without a token [default: true]
    #[arg(long, env = "TICKWIRE_GUESTS", value_name = "BOOL")]
    guests: Option<bool>,

    /// File with a secret of 32 bytes or more, by which guests are known again after a restart
    /// [default: a random one for each start]
    #[arg(long, env = "TICKWIRE_GUEST_KEY_FILE", value_name = "FILE")]
    guest_key_file: Option<PathBuf>,

    /// File with a secret of 32 bytes or more, which opens /admin/… (kick, ban, mute) on the ops address to who
    /// brings it as a bearer token [default: there is no administration]
    #[arg(long, env = "TICKWIRE_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<PathBuf>,

    /// File that keeps bans and mutes over a restart; made if it is not there [default: they end with
    /// the process]
    #[arg(long, env = "TICKWIRE_BANS_FILE", value_name = "FILE")]
    bans_file: Option<PathBuf>,

    /// Messages per second that a client may send before it is closed; more than the tick rate [default: 120,
    /// or twice the tick rate]
    #[arg(long, env = "TICKWIRE_MESSAGES_PER_SECOND", value_name = "COUNT")]
    messages_per_second: Option<u32>,

    /// Control messages among them (requests, chat, actions, pings), 5 or more [default: 30]
    #[arg(long, env = "TICKWIRE_CONTROL_PER_SECOND", value_name = "COUNT")]
    control_per_second: Option<u32>,

    /// Bytes per second that a client may send before it is closed [default: 16384]
    #[arg(long, env = "TICKWIRE_BYTES_PER_SECOND", value_name = "BYTES")]
    bytes_per_second: Option<u32>,

    /// Time for an HTTP request's head to arrive; durations are like 250ms, 5s, 2m [default: 2s]
    #[arg(long, env = "TICKWIRE_HEADER_TIMEOUT", value_name = "DURATION")]
    header_timeout: Option<Span>,

    /// Time for a new WebSocket to say hello [default: 5s]
    #[arg(long, env = "TICKWIRE_HELLO_TIMEOUT", value_name = "DURATION")]
    hello_timeout: Option<Span>,

    /// A client that reads or acknowledges nothing, or does not finish a message, for so long is
    /// closed [default: 10s]
    #[arg(long, env = "TICKWIRE_STALL_TIMEOUT", value_name = "DURATION")]
    stall_timeout: Option<Span>,

    /// How long a room outlives its last player [default: 10s]
    #[arg(long, env = "TICKWIRE_ROOM_LINGER", value_name = "DURATION")]
    room_linger: Option<Span>,

    /// A room in which nobody has sent an input or a request for so long is simulated once a second until somebody does; 0s: never
    /// [default: 30s]
    #[arg(long, env = "TICKWIRE_IDLE_AFTER", value_name = "DURATION")]
    idle_after: Option<Span>,

    /// How long the seat of a player whose connection is lost is held; 0s: not at all
    /// [default: 30s]
    #[arg(long, env = "TICKWIRE_RESUME_GRACE", value_name = "DURATION")]
    resume_grace: Option<Span>,

    /// How long a stop may take [default: 5s]
    #[arg(long, env = "TICKWIRE_STOP_DEADLINE", value_name = "DURATION")]
    stop_deadline: Option<Span>,

    /// Log lines as JSON
    #[arg(
        long,
        env = "TICKWIRE_LOG_JSON",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    log_json: Option<bool>,

    /// What is logged: a level, or targets with levels such as info,tickwire_server::net=debug
    /// [default: info]
    #[arg(long, env = "TICKWIRE_LOG", value_name = "FILTER")]
    log: Option<String>,

    /// TOML file whose keys are the flags' names without the dashes in front
    #[arg(long, env = "TICKWIRE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// Settings from the command line (its first item is the program's path), the environment and
/// the file that they name. Help and version name the program, or `game` where it has no name.
///
/// # Errors
/// One line: an unknown flag or key, a value that can't be, a file that can't be read.
pub fn read(
    game: &'static str,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Start, ConfigError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let program = args.first().and_then(|path| Path::new(path).file_stem());
    let name = program.map_or(game.to_owned(), |name| name.to_string_lossy().into_owned());
    let flags = match Flags::command()
        .name(game)
        .display_name(name)
        .try_get_matches_from(args)
    {
        Ok(matches) => Flags::from_arg_matches(&matches).map_err(|e| one_line(&e))?,
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Start::Print(e.render().to_string()));
        }
        Err(e) => return Err(one_line(&e)),
    };
    let file = match &flags.config {
        Some(path) => load(path)?,
        None => Flags::default(),
    };
    let config = resolve(flags, file);
    config.check()?;
    Ok(Start::Run(Box::new(config)))
}

/// Names of `TICKWIRE_*` variables that are set and mean nothing, probably misspelled. Not an
/// error: Kubernetes makes such names for a service called `tickwire`.
pub fn unknown_variables() -> Vec<String> {
    unknown(std::env::vars_os().map(|(name, _)| name))
}

fn unknown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let command = Flags::command();
    let known: Vec<_> = command
        .get_arguments()
        .filter_map(|a| a.get_env())
        .collect();
    let mut unknown: Vec<String> = names
        .filter(|name| !known.contains(&name.as_os_str()))
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with("TICKWIRE_"))
        .collect();
    unknown.sort();
    unknown
}

fn load(path: &Path) -> Result<Flags, ConfigError> {
    let text = read_file(path, "config")?;
    let shown = path.display();
    let text = String::from_utf8(text)
        .map_err(|e| ConfigError::new(format!("config {shown} can't be read: {e}")))?;
    parse(&text).map_err(|e| ConfigError::new(format!("config {shown}{e}")))
}

/// The error starts with the line's number where there is one.
fn parse(text: &str) -> Result<Flags, String> {
    toml::from_str(text).map_err(|e| {
        let line = e
            .span()
            .map(|span| text[..span.start].matches('\n').count() + 1);
        let at = line.map_or(String::new(), |line| format!(", line {line}"));
        format!("{at}: {}", e.message().replace('\n', " "))
    })
}

fn resolve(flags: Flags, file: Flags) -> Config {
    let usual = Config::default();
    let span = |flag: Option<Span>, file: Option<Span>| flag.or(file).map(|span| span.0);
    let tick_rate = flags
        .tick_rate
        .or(file.tick_rate)
        .unwrap_or(usual.tick_rate);
    Config {
        listen: flags.listen.or(file.listen).unwrap_or(usual.listen),
        ops_listen: flags
            .ops_listen
            .or(file.ops_listen)
            .unwrap_or(usual.ops_listen),
        tick_rate,
        snapshot_rate: flags
            .snapshot_rate
            .or(file.snapshot_rate)
            .unwrap_or(tick_rate),
        npcs: flags.npcs.or(file.npcs).unwrap_or(usual.npcs),
        max_players: flags
            .max_players
            .or(file.max_players)
            .unwrap_or(usual.max_players),
        max_rooms: flags
            .max_rooms
            .or(file.max_rooms)
            .unwrap_or(usual.max_rooms),
        max_connections: flags
            .max_connections
            .or(file.max_connections)
            .unwrap_or(usual.max_connections),
        send_buffer: flags
            .send_buffer
            .or(file.send_buffer)
            .unwrap_or(usual.send_buffer),
        workers: flags.workers.or(file.workers).unwrap_or(usual.workers),
        seed: flags.seed.or(file.seed),
        tls_cert: flags.tls_cert.or(file.tls_cert),
        tls_key: flags.tls_key.or(file.tls_key),
        auth_key_file: flags.auth_key_file.or(file.auth_key_file),
        auth_issuer: flags
            .auth_issuer
            .or(file.auth_issuer)
            .unwrap_or(usual.auth_issuer),
        auth_audience: flags
            .auth_audience
            .or(file.auth_audience)
            .unwrap_or(usual.auth_audience),
        guests: flags.guests.or(file.guests).unwrap_or(usual.guests),
        guest_key_file: flags.guest_key_file.or(file.guest_key_file),
        admin_token_file: flags.admin_token_file.or(file.admin_token_file),
        bans_file: flags.bans_file.or(file.bans_file),
        allowed_origins: flags
            .allowed_origin
            .or(file.allowed_origin)
            .unwrap_or(usual.allowed_origins),
        trusted_proxies: flags
            .trusted_proxy
            .or(file.trusted_proxy)
            .unwrap_or(usual.trusted_proxies),
        max_connections_per_address: flags
            .max_connections_per_address
            .or(file.max_connections_per_address)
            .unwrap_or(usual.max_connections_per_address),
        connects_per_second: flags
            .connects_per_second
            .or(file.connects_per_second)
            .unwrap_or(usual.connects_per_second),
        max_rooms_per_address: flags
            .max_rooms_per_address
            .or(file.max_rooms_per_address)
            .unwrap_or(usual.max_rooms_per_address),
        max_rooms_per_player: flags
            .max_rooms_per_player
            .or(file.max_rooms_per_player)
            .unwrap_or(usual.max_rooms_per_player),
        max_ungreeted: flags
            .max_ungreeted
            .or(file.max_ungreeted)
            .unwrap_or(usual.max_ungreeted),
        messages_per_second: flags
            .messages_per_second
            .or(file.messages_per_second)
            .unwrap_or(usual_messages_per_second(tick_rate)),
        control_per_second: flags
            .control_per_second
            .or(file.control_per_second)
            .unwrap_or(usual.control_per_second),
        bytes_per_second: flags
            .bytes_per_second
            .or(file.bytes_per_second)
            .unwrap_or(usual.bytes_per_second),
        header_timeout: span(flags.header_timeout, file.header_timeout)
            .unwrap_or(usual.header_timeout),
        hello_timeout: span(flags.hello_timeout, file.hello_timeout).unwrap_or(usual.hello_timeout),
        stall_timeout: span(flags.stall_timeout, file.stall_timeout).unwrap_or(usual.stall_timeout),
        room_linger: span(flags.room_linger, file.room_linger).unwrap_or(usual.room_linger),
        idle_after: span(flags.idle_after, file.idle_after).unwrap_or(usual.idle_after),
        resume_grace: span(flags.resume_grace, file.resume_grace).unwrap_or(usual.resume_grace),
        stop_deadline: span(flags.stop_deadline, file.stop_deadline).unwrap_or(usual.stop_deadline),
        log_json: flags.log_json.or(file.log_json).unwrap_or(usual.log_json),
        log: flags.log.or(file.log).unwrap_or(usual.log),
    }
}

/// clap explains over several lines; the first ones, up to the usage, say what is wrong.
fn one_line(error: &clap::Error) -> ConfigError {
    let text = error.render().to_string();
    let told: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty())
        .collect();
    ConfigError::new(told.join("; ").trim_start_matches("error: "))
}

#[cfg(test)]
mod tests;
