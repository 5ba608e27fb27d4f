//! One connection to one server: found by the URL, logged in, known to be one that can be used,
//! with the scripts in it. When it breaks it stays broken; who has it makes another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, ProtocolVersion, RedisConnectionInfo, Value,
};
use tickwire::ids::RoomId;
use tokio::task::JoinHandle;

use super::calls::{self, Call};
use super::config::Config;
use super::dial::{Metered, dial};
use super::errors::{code, failure, line, refused};
use super::scripts::{Digests, Script};
use crate::config::{Host, Login};
use crate::directory::engine::Failure;
use crate::metrics::Metrics;

/// The oldest version with everything that the scripts use.
const OLDEST: (u32, u32) = (6, 2);
/// Bytes that a server may say while a connection is made: `INFO` is the longest of it.
const HELLO_BYTES_MAX: usize = 64 * 1024;

/// See the module's description.
pub(super) struct Connection {
    inner: MultiplexedConnection,
    driver: JoinHandle<()>,
    left: Arc<AtomicUsize>,
    version: (u32, u32),
    digests: Digests,
    prefix: String,
    metrics: Arc<Metrics>,
    /// Replicas that were connected when it was last asked.
    pub(super) replicas: usize,
    /// Where it leads, for a line of the log.
    pub(super) about: String,
}

impl Connection {
    /// Connects, within `config.times.connect`.
    ///
    /// # Errors
    /// Nobody is there, or who is there can't be the engine.
    pub(super) async fn open(config: &Config) -> Result<Connection, Failure> {
        let opened = tokio::time::timeout(config.times.connect, open(config));
        opened.await.unwrap_or_else(|_| {
            let why = format!("{} does not answer", config.url);
            Err(Failure::Away(why))
        })
    }

    /// Ready when the connection broke while nothing was asked.
    pub(super) async fn broken(&mut self) {
        let _ = (&mut self.driver).await;
    }

    /// Whether it broke, as far as is known.
    pub(super) fn is_broken(&self) -> bool {
        self.driver.is_finished()
    }

    /// The key of one of the cluster's tables.
    pub(super) fn table(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The key of a room's value of a kind.
    pub(super) fn key(&self, kind: &str, room: RoomId) -> String {
        format!("{}{kind}{room}", self.prefix)
    }

    /// Runs commands in one round trip; answers may have so many bytes together.
    ///
    /// # Errors
    /// The connection broke, or is given up.
    pub(super) async fn round_trip(
        &mut self,
        pipeline: &Pipeline,
        bytes_max: usize,
        limit: Duration,
    ) -> Result<Vec<Value>, Failure> {
        self.left.store(bytes_max, Ordering::Relaxed);
        let answers = self.inner.send_packed_commands(pipeline, 0, pipeline.len());
        match tokio::time::timeout(limit, answers).await {
            Err(_) => {
                self.metrics.engine_late.increment(1);
                Err(Failure::Late)
            }
            Ok(Err(error)) => Err(failure(&error)),
            Ok(Ok(answers)) if answers.len() == pipeline.len() => Ok(answers),
            Ok(Ok(_)) => Err(Failure::Garbled("answers")),
        }
    }

    /// Runs scripts in one round trip, then `after`. Where somebody emptied the server of its
    /// scripts it is given them again, and runs those that it did not.
    ///
    /// # Errors
    /// As of [`Connection::round_trip`].
    pub(super) async fn call(
        &mut self,
        calls: &[Call],
        after: &[Cmd],
        bytes_max: usize,
        limit: Duration,
    ) -> Result<Vec<Value>, Failure> {
        let mut pipeline = Pipeline::with_capacity(calls.len() + after.len());
        for call in calls {
            pipeline.add_command(self.command(call));
        }
        for command in after {
            pipeline.add_command(command.clone());
        }
        let mut answers = self.round_trip(&pipeline, bytes_max, limit).await?;
        let missing: Vec<usize> = (0..calls.len())
            .filter(|&index| code(&answers[index]) == Some("NOSCRIPT"))
            .collect();
        if missing.is_empty() {
            return Ok(answers);
        }
        self.load(limit).await?;
        let mut pipeline = Pipeline::with_capacity(missing.len() + after.len());
        for &index in &missing {
            pipeline.add_command(self.command(&calls[index]));
        }
        for command in after {
            pipeline.add_command(command.clone());
        }
        let again = self.round_trip(&pipeline, bytes_max, limit).await?;
        let places = missing.into_iter().chain(calls.len()..answers.len());
        for (place, answer) in places.zip(again) {
            answers[place] = answer;
        }
        Ok(answers)
    }

    fn command(&self, call: &Call) -> Cmd {
        let mut command = Cmd::with_capacity(call.arguments.len() + 4, call.bytes() + 128);
        command.arg("EVALSHA");
        command.arg(self.digests.of(call.script));
        command.arg(1).arg(&self.prefix);
        for argument in &call.arguments {
            command.arg(argument.as_ref());
        }
        command
    }

    async fn load(&mut self, limit: Duration) -> Result<(), Failure> {
        let load = Digests::load(self.version);
        let answers = self.round_trip(&load, HELLO_BYTES_MAX, limit).await?;
        self.digests = Digests::loaded(&answers)?;
        Ok(())
    }

    /// Learns from the answer to `ROLE` how many replicas there are.
    ///
    /// # Errors
    /// It is a master no longer.
    pub(super) fn is_master(&mut self, role: &Value) -> Result<(), Failure> {
        let Value::Array(parts) = role else {
            return match role {
                Value::ServerError(error) => Err(refused(error)),
                _ => Err(Failure::Garbled("its role")),
            };
        };
        match parts.first() {
            Some(Value::BulkString(role)) if role == b"master" => {}
            _ => return Err(Failure::Away(format!("{} is a replica", self.about))),
        }
        self.replicas = match parts.get(2) {
            Some(Value::Array(replicas)) => replicas.len(),
            _ => return Err(Failure::Garbled("its replicas")),
        };
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn open(config: &Config) -> Result<Connection, Failure> {
    let Some(sentinels) = &config.url.sentinels else {
        return check(config, &config.url.hosts[0]).await;
    };
    let mut last = Failure::Away("no sentinel".to_owned());
    for sentinel in &config.url.hosts {
        let asked = ask(config, sentinel, &sentinels.master, &sentinels.login);
        // One that does not answer leaves time for the others.
        let share = config.times.connect / 2;
        match tokio::time::timeout(share, asked).await {
            Ok(Ok(master)) => return check(config, &master).await,
            Ok(Err(why)) => last = why,
            Err(_) => last = Failure::Away(format!("sentinel {sentinel} does not answer")),
        }
    }
    Err(last)
}

/// Asks a sentinel where the master is.
async fn ask(
    config: &Config,
    sentinel: &Host,
    master: &str,
    login: &Login,
) -> Result<Host, Failure> {
    let mut connection = greet(config, sentinel, login, 0).await?;
    let mut pipeline = Pipeline::new();
    let question = pipeline.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME");
    question.arg(master);
    let asked = connection.round_trip(&pipeline, HELLO_BYTES_MAX, config.times.connect);
    let answers = asked.await?;
    let texts = match answers.first() {
        Some(Value::Array(texts)) => texts.as_slice(),
        Some(Value::Nil) => {
            let why = format!("sentinel {sentinel} knows no master {master}");
            return Err(Failure::Unsuitable(why));
        }
        Some(Value::ServerError(error)) => return Err(refused(error)),
        _ => &[],
    };
    let [Value::BulkString(name), Value::BulkString(port)] = texts else {
        return Err(Failure::Garbled("where the master is"));
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let port = text(port).and_then(|port| port.parse().ok());
    match (text(name), port) {
        (Some(name), Some(port)) if name.len() <= 253 => Ok(Host { name, port }),
        _ => Err(Failure::Garbled("where the master is")),
    }
}

/// A connection that is logged in.
async fn greet(
    config: &Config,
    host: &Host,
    login: &Login,
    db: u16,
) -> Result<Connection, Failure> {
    let left = Arc::new(AtomicUsize::new(HELLO_BYTES_MAX));
    let stream: Metered = dial(host, config.tls.as_ref(), left.clone()).await?;
    let mut info = RedisConnectionInfo::default()
        .set_db(db.into())
        .set_protocol(ProtocolVersion::RESP2)
        .set_lib_name("tickwire", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &login.user {
        info = info.set_username(user);
    }
    if let Some(password) = &login.password {
        info = info.set_password(password);
    }
    // Times are ours: an answer may come late.
    let settings = AsyncConnectionConfig::new().set_response_timeout(None);
    let made = MultiplexedConnection::new_with_config(&info, stream, settings).await;
    let (inner, driver) = made.map_err(|error| {
        let told = error.detail().unwrap_or(error.category());
        match error.kind() {
            _ if error.code() == Some("LOADING") => Failure::Away(format!("{host} is loading")),
            ErrorKind::AuthenticationFailed => {
                Failure::Unsuitable(format!("{host}: the user or the password is wrong"))
            }
            ErrorKind::Server(_) | ErrorKind::Extension => {
                Failure::Unsuitable(format!("{host}: {}", line(told)))
            }
            ErrorKind::Parse => Failure::Unsuitable(format!("{host} is no Redis")),
            _ => Failure::Away(format!("{host}: {}", line(&error.to_string()))),
        }
    })?;
    Ok(Connection {
        inner,
        driver: tokio::spawn(driver),
        left,
        version: OLDEST,
        digests: Digests::default(),
        prefix: format!("{{tw:{}}}:", config.region),
        metrics: config.metrics.clone(),
        replicas: 0,
        about: host.to_string(),
    })
}

/// A connection to a master that has all that is needed, and the scripts.
async fn check(config: &Config, host: &Host) -> Result<Connection, Failure> {
    let mut connection = greet(config, host, &config.url.login, config.url.db).await?;
    let unsuitable = |why: String| Failure::Unsuitable(format!("{host}: {why}"));
    let limit = config.times.connect;
    let mut pipeline = Pipeline::new();
    pipeline.cmd("INFO").arg("server");
    pipeline.cmd("ROLE");
    pipeline.cmd("WAIT").arg(0).arg(1);
    pipeline
        .cmd("GETRANGE")
        .arg(format!("{}ck:0", connection.prefix));
    pipeline.arg(0).arg(0);
    let answers = connection.round_trip(&pipeline, HELLO_BYTES_MAX, limit);
    let answers = answers.await?;
    let info = match &answers[0] {
        Value::BulkString(info) => info,
        Value::ServerError(error) => return Err(at_start(host, refused(error))),
        _ => return Err(unsuitable("it is no Redis".to_owned())),
    };
    // What it is tells more than which of these it refuses: a replica, which may not be one for
    // long, refuses to wait for others.
    let about = about(&String::from_utf8_lossy(info));
    let (version, name) = about.map_err(&unsuitable)?;
    connection.version = version;
    let is_master = connection.is_master(&answers[1]);
    is_master.map_err(|why| at_start(host, why))?;
    for answer in &answers {
        if let Value::ServerError(error) = answer {
            return Err(at_start(host, refused(error)));
        }
    }
    let loaded = connection.load(limit).await;
    loaded.map_err(|why| at_start(host, why))?;
    let mark = calls::mark(config.mark);
    let call = Call::new(Script::Check, [mark.clone()]);
    let answers = connection
        .call(&[call], &[], HELLO_BYTES_MAX, limit)
        .await?;
    match &answers[0] {
        Value::BulkString(stored) if *stored == mark.as_bytes() => {}
        Value::BulkString(stored) if !stored.starts_with(b"1|") => {
            let why = "its values are of another version's format";
            return Err(unsuitable(why.to_owned()));
        }
        Value::BulkString(_) => {
            let why = "it is of a cluster with another cluster-key-file";
            return Err(unsuitable(why.to_owned()));
        }
        Value::ServerError(error) => return Err(at_start(host, refused(error))),
        _ => return Err(Failure::Garbled("the cluster's mark")),
    }
    connection.about = format!("{name} at {host}");
    config.metrics.engine_connections.increment(1);
    Ok(connection)
}

/// Whether what a server says of itself is one that can be used: its version and name.
fn about(info: &str) -> Result<((u32, u32), String), String> {
    let said = |name: &str| {
        let mut lines = info.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    match said("redis_mode") {
        Some("sentinel") => {
            return Err("it is a sentinel: redis+sentinel://HOST/MASTER".to_owned());
        }
        Some("cluster") => return Err("it is a part of a Redis Cluster".to_owned()),
        _ => {}
    }
    let text = said("redis_version").ok_or("it is no Redis")?;
    let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
    let version = match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor),
        _ => return Err("it has no version".to_owned()),
    };
    if version < OLDEST {
        let (major, minor) = OLDEST;
        return Err(format!(
            "its version is {}, and {major}.{minor} the oldest",
            line(text)
        ));
    }
    Ok(match said("valkey_version") {
        Some(of) => (version, format!("Valkey {}", line(of))),
        None => (version, format!("Redis {}", line(text))),
    })
}

/// What a server refuses by for now: it waits for its replicas, for memory or its disk, or is held
/// up by a script.
const FOR_NOW: [&str; 4] = ["NOREPLICAS ", "OOM ", "MISCONF ", "BUSY "];

/// A refusal while a connection is made: for good, unless the server is only on its way.
fn at_start(host: &Host, why: Failure) -> Failure {
    match why {
        Failure::Refused(why) if FOR_NOW.iter().any(|code| why.starts_with(code)) => {
            Failure::Away(format!("{host}: {why}"))
        }
        Failure::Refused(why) => Failure::Unsuitable(format!("{host}: {why}")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_itself_decides() {
        let check = |info: &str, is: Result<((u32, u32), &str), &str>| match (about(info), is) {
            (Ok((version, name)), Ok(is)) => assert_eq!((version, name.as_str()), is),
            (Err(why), Err(is)) => assert!(why.contains(is), "{why}"),
            (got, is) => panic!("{got:?} is not {is:?}"),
        };
        let plain = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        check(plain, Ok(((7, 0), "Redis 7.0.15")));
        let valkey = "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n";
        check(valkey, Ok(((7, 2), "Valkey 8.0.1")));
        check("redis_version:10.0.0\r\n", Ok(((10, 0), "Redis 10.0.0")));
        check("redis_version:6.0.16\r\n", Err("6.0.16"));
        check("redis_version:five\r\n", Err("version"));
        check("redis_version:\r\n", Err("version"));
        check("", Err("no Redis"));
        check(
            "redis_mode:cluster\r\nredis_version:7.0.0\r\n",
            Err("Cluster"),
        );
        check(
            "redis_mode:sentinel\r\nredis_version:7.0.0\r\n",
            Err("sentinel"),
        );
    }
}
