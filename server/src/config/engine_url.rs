//! Where the engine of a cluster is: the URL that an operator gives, as other programs take it.
//! `directory::engine` connects there. It may have a password in it, which no line repeats.
//!
//! ```text
//! redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]                                 rediss:// by TLS
//! redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/MASTER[/DB]  rediss+sentinel:// by TLS
//! ```
//! With Sentinel, `?sentinel_username=…&sentinel_password=…` are the sentinels' own. What stands
//! for itself in a name or password and not in a URL is percent-encoded.

use std::fmt;
use std::str::FromStr;

use super::error::ConfigError;

/// The port that a server listens on if none is said, and a sentinel.
const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
/// Sentinels that are asked, one after the other.
const SENTINELS_MAX: usize = 16;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// A name or an address, IPv6 without brackets.
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// Who one is to a server, if it asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// Without what nobody is to read.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "…");
        write!(f, "{:?}:{password:?}", self.user)
    }
}

/// Sentinels that know which server is the master of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentinels {
    pub(crate) master: String,
    pub(crate) login: Login,
}

/// What the URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineUrl {
    pub(crate) tls: bool,
    /// The server, or the sentinels, at least one.
    pub(crate) hosts: Vec<Host>,
    pub(crate) sentinels: Option<Sentinels>,
    pub(crate) login: Login,
    /// The database, from 0.
    pub(crate) db: u16,
}

/// Without user and password, for lines of a log.
impl fmt::Display for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        let (tls, hosts) = (if self.tls { "s" } else { "" }, hosts.join(","));
        match &self.sentinels {
            None => write!(f, "redis{tls}://{hosts}/{}", self.db),
            Some(of) => write!(f, "redis{tls}+sentinel://{hosts}/{}/{}", of.master, self.db),
        }
    }
}

impl FromStr for EngineUrl {
    type Err = ConfigError;

    /// Reads what the module's description says.
    ///
    /// # Errors
    /// One line, which does not repeat the URL: it has a password in it.
    fn from_str(url: &str) -> Result<EngineUrl, ConfigError> {
        read(url).map_err(|why| ConfigError::new(format!("cluster-url: {why}")))
    }
}

fn read(url: &str) -> Result<EngineUrl, String> {
    let schemes = "it begins with redis://, rediss://, redis+sentinel:// or rediss+sentinel://";
    let (scheme, rest) = url.split_once("://").ok_or(schemes)?;
    let (tls, by_sentinels) = match scheme.to_ascii_lowercase().as_str() {
        "redis" => (false, false),
        "rediss" => (true, false),
        "redis+sentinel" => (false, true),
        "rediss+sentinel" => (true, true),
        _ => return Err(schemes.to_owned()),
    };
    if rest.contains('#') {
        return Err("# is written %23 in a name or password".to_owned());
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (read_login(login)?, hosts),
        None => (Login::default(), authority),
    };
    let port = if by_sentinels {
        SENTINEL_PORT
    } else {
        SERVER_PORT
    };
    let hosts: Vec<Host> = hosts
        .split(',')
        .map(|host| read_host(host, port))
        .collect::<Result<_, _>>()?;
    let (sentinels, db) = if by_sentinels {
        let (master, db) = path.split_once('/').unwrap_or((path, ""));
        let master = decoded(master)?;
        if master.is_empty() {
            return Err("the master's name follows the sentinels: HOST,HOST/MASTER".to_owned());
        }
        if hosts.len() > SENTINELS_MAX {
            return Err(format!("at most {SENTINELS_MAX} sentinels"));
        }
        let login = read_query(query)?;
        (Some(Sentinels { master, login }), db)
    } else {
        if !query.is_empty() {
            return Err("only with sentinels there is something after a ?".to_owned());
        }
        if hosts.len() > 1 {
            return Err(
                "several hosts are sentinels: redis+sentinel://HOST,HOST/MASTER".to_owned(),
            );
        }
        (None, path)
    };
    let db = if db.is_empty() { "0" } else { db };
    let db = db
        .parse()
        .map_err(|_| "the database is a number from 0 to 65535".to_owned())?;
    Ok(EngineUrl {
        tls,
        hosts,
        sentinels,
        login,
        db,
    })
}

fn read_login(text: &str) -> Result<Login, String> {
    let (user, password) = text
        .split_once(':')
        .ok_or("a password has a : before it, as in :PASSWORD@HOST")?;
    let said = |text: &str| Ok::<_, String>(Some(decoded(text)?).filter(|text| !text.is_empty()));
    let login = Login {
        user: said(user)?,
        password: said(password)?,
    };
    if login.user.is_some() && login.password.is_none() {
        return Err("a user has a password: USER:PASSWORD@HOST".to_owned());
    }
    Ok(login)
}

pub(super) fn read_host(text: &str, port: u16) -> Result<Host, String> {
    let wrong = || "a host is NAME, NAME:PORT or [IPV6]:PORT".to_owned();
    let (name, after) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']').ok_or_else(wrong)?;
            if name.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(wrong());
            }
            (name, after)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match after.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port != 0),
        None if after.is_empty() => Some(port),
        None => None,
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(wrong());
    }
    Ok(Host {
        name: name.to_owned(),
        port: port.ok_or_else(wrong)?,
    })
}

fn read_query(query: &str) -> Result<Login, String> {
    let mut login = Login::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "sentinel_username" => login.user = Some(decoded(value)?),
            "sentinel_password" => login.password = Some(decoded(value)?),
            _ => {
                let names = "sentinel_username and sentinel_password";
                return Err(format!("after the ? there are {names} alone"));
            }
        }
    }
    if login.user.is_some() && login.password.is_none() {
        return Err("sentinel_username has a sentinel_password".to_owned());
    }
    Ok(login)
}

/// A part of the URL with its percent-encoded bytes.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || "a % has two hexadecimal digits after it, and % itself is %25".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, port: u16) -> Host {
        let name = name.to_owned();
        Host { name, port }
    }

    fn login(user: &str, password: &str) -> Login {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Login {
            user: said(user),
            password: said(password),
        }
    }

    #[test]
    fn urls_are_read_as_other_programs_read_them() {
        let plain = EngineUrl {
            tls: false,
            hosts: vec![host("localhost", 6379)],
            sentinels: None,
            login: Login::default(),
            db: 0,
        };
        let check = |url: &str, is: &EngineUrl| {
            assert_eq!(url.parse::<EngineUrl>().as_ref(), Ok(is), "{url}");
        };
        check("redis://localhost", &plain);
        check("redis://localhost:6379/0", &plain);
        check("REDIS://localhost/", &plain);
        let mut with = plain.clone();
        with.hosts = vec![host("::1", 7000)];
        with.tls = true;
        with.login = login("", "p:a@ss%");
        with.db = 3;
        check("rediss://:p:a@ss%25@[::1]:7000/3", &with);
        with.login = login("us/er", "pass");
        check("rediss://us%2Fer:pass@[::1]:7000/3", &with);
        assert_eq!(with.to_string(), "rediss://[::1]:7000/3");
        let mut by = plain;
        by.hosts = vec![host("a", 26379), host("10.0.0.2", 26380)];
        by.login = login("tickwire", "secret");
        by.db = 2;
        by.sentinels = Some(Sentinels {
            master: "my-master".to_owned(),
            login: login("", "other"),
        });
        let url = "redis+sentinel://tickwire:secret@a,10.0.0.2:26380/my-master/2\
            ?sentinel_password=other";
        check(url, &by);
        let shown = format!("{by} {by:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("other"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_url_is_told_in_one_line_without_the_password() {
        for wrong in [
            "",
            "localhost:6379",
            "http://secret@localhost",
            "redis://",
            "redis://user:secret@",
            "redis://user@localhost",
            "redis://user:@localhost",
            "redis://localhost:0",
            "redis://localhost:secret",
            "redis://localhost:65536",
            "redis://[::1",
            "redis://[localhost]:6379",
            "redis://a b",
            "redis://a,b",
            "redis://localhost/first",
            "redis://localhost/70000",
            "redis://localhost?db=1",
            "redis://:secret%2@localhost",
            "redis://:secret%ff@localhost",
            "redis://:se#cret@localhost",
            "redis+sentinel://a,b",
            "redis+sentinel://a,,b/main",
            "redis+sentinel://a/main/x",
            "redis+sentinel://a/main?password=secret",
            "redis+sentinel://a/main?sentinel_username=u",
            &format!("redis+sentinel://{}/main", vec!["a"; 17].join(",")),
        ] {
            let why = wrong.parse::<EngineUrl>().expect_err(wrong).to_string();
            assert!(why.starts_with("cluster-url: "), "{wrong}: {why}");
            assert!(
                why.lines().count() == 1 && !why.contains("secret"),
                "{wrong}: {why}"
            );
        }
    }
}
