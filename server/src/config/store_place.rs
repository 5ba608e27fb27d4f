//! Where the store is: what an operator gives for it. `store` opens it. A URL may have a password in
//! it, which no line repeats.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use super::error::ConfigError;

/// How long bytes may wait for the other host's kernel to have them. A process there that stands
/// still is no reason to end a connection; a host that is gone is.
const DELIVERY_MAX: Duration = Duration::from_secs(10);
/// Before one of several addresses of a host is given up for the next.
const CONNECT: Duration = Duration::from_secs(3);

/// See the module's description.
#[derive(Clone, Debug, PartialEq)]
pub enum StorePlace {
    /// The file `tickwire.db` in the working directory, or nothing where that can't be had: what
    /// [`serve`](crate::serve()) takes where nothing is said.
    Usual,
    /// Nothing is kept.
    Nowhere,
    /// A file, which is made if it is not there.
    File(PathBuf),
    /// A PostgreSQL server.
    Postgres(PostgresUrl),
}

/// A PostgreSQL server, and who one is to it.
#[derive(Clone, PartialEq)]
pub struct PostgresUrl(Box<tokio_postgres::Config>);

impl PostgresUrl {
    /// What the driver is told.
    pub(crate) fn config(&self) -> &tokio_postgres::Config {
        &self.0
    }

    /// Whether it is reached by TLS, with a certificate that is checked.
    pub(crate) fn is_by_tls(&self) -> bool {
        self.0.get_ssl_mode() == SslMode::Require
    }
}

/// Without user and password, for lines of a log.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hosts, ports) = (self.0.get_hosts(), self.0.get_ports());
        f.write_str("postgres://")?;
        for (place, host) in hosts.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = ports.get(place).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.0.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StorePlace {
    type Err = ConfigError;

    /// Reads a path, a URL or `none`.
    ///
    /// # Errors
    /// One line, which does not repeat a URL.
    fn from_str(text: &str) -> Result<StorePlace, ConfigError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match (text, scheme) {
            ("none", _) => Ok(StorePlace::Nowhere),
            (_, Some("postgres" | "postgresql")) => read_url(text)
                .map(StorePlace::Postgres)
                .map_err(|why| ConfigError::new(format!("store: {why}"))),
            ("", _) | (_, Some(_)) => Err(ConfigError::new(
                "store: it is a file, postgres://USER:PASSWORD@HOST:PORT/DB, or none",
            )),
            (path, None) => Ok(StorePlace::File(path.into())),
        }
    }
}

fn read_url(url: &str) -> Result<PostgresUrl, &'static str> {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let is_mode = |pair: &&str| pair.starts_with("sslmode=");
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    let mode = match pairs().find(is_mode).map(|pair| &pair["sslmode=".len()..]) {
        None | Some("disable") => SslMode::Disable,
        Some("require" | "verify-full") => SslMode::Require,
        Some(_) => return Err("sslmode is disable, require or verify-full"),
    };
    let others: Vec<&str> = pairs().filter(|pair| !is_mode(pair)).collect();
    let url = match others.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", others.join("&")),
    };
    // The driver's own words may repeat what is wrong.
    let read: Result<tokio_postgres::Config, _> = url.parse();
    let mut config = read.map_err(|_| {
        "the URL can't be read: postgres://USER:PASSWORD@HOST:PORT/DB, with what stands for itself in \
         a name or password percent-encoded"
    })?;
    if config.get_hosts().is_empty() {
        return Err("the URL names no host: postgres://USER:PASSWORD@HOST:PORT/DB");
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err("the URL names no database: postgres://USER:PASSWORD@HOST:PORT/DB");
    }
    config.ssl_mode(mode);
    config.tcp_user_timeout(DELIVERY_MAX);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("tickwire");
    }
    Ok(PostgresUrl(Box::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> StorePlace {
        text.parse().unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_place_is_a_file_a_server_or_none() {
        assert_eq!(read("none"), StorePlace::Nowhere);
        assert_eq!(read("./none"), StorePlace::File("./none".into()));
        assert_eq!(read("/var/a b.db"), StorePlace::File("/var/a b.db".into()));
        let check = |text: &str, shown: &str, by_tls: bool| {
            let StorePlace::Postgres(url) = read(text) else {
                panic!("{text} is a server")
            };
            assert_eq!((url.to_string().as_str(), url.is_by_tls()), (shown, by_tls));
            assert!(!format!("{url:?}").contains("secret"));
        };
        check(
            "postgres://u:secret@db/game",
            "postgres://db:5432/game",
            false,
        );
        check(
            "postgresql://u:secret@db:7000/game?sslmode=verify-full",
            "postgres://db:7000/game",
            true,
        );
        check(
            "postgres://u:secret@a,b:7000/game?sslmode=require&application_name=x",
            "postgres://a:5432,b:7000/game",
            true,
        );
        check(
            "postgres://u@/game?host=/run/postgresql&sslmode=disable",
            "postgres:///run/postgresql/game",
            false,
        );
    }

    #[test]
    fn what_is_no_place_is_told_in_one_line_without_the_password() {
        for wrong in [
            "",
            "mysql://u:secret@db/game",
            "postgres://",
            "postgres://u:secret@db",
            "postgres://u:secret@db/",
            "postgres://u:secret@db:port/game",
            "postgres://u:secret@db/game?sslmode=prefer",
            "postgres://u:secret@db/game?secret=1",
        ] {
            let why = wrong.parse::<StorePlace>().expect_err(wrong).to_string();
            assert!(why.starts_with("store: "), "{wrong}: {why}");
            assert!(
                why.lines().count() == 1 && !why.contains("secret"),
                "{wrong}: {why}"
            );
        }
    }
}
