//! The keys of programs of the operator's, and what each may do. Of a key the file has the hash
//! alone: who reads it can't act in a program's name. Hashes are compared in constant time, all of
//! them. How often a program may ask, and what becomes of wrong keys, is `http::api`'s.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use super::secret_file::SECRET_BYTES_MIN;
use crate::config::{ConfigError, read_file};

const SETTING: &str = "api-keys-file";
/// Keys of a file: one for each program, and each is compared with what is brought.
const KEYS_MAX: usize = 64;
/// Characters of a key's name, which stands in each line of the log.
const NAME_CHARS_MAX: usize = 32;
/// Bytes of a SHA-256.
const HASH_BYTES: usize = 32;
/// Requests a second that may be allowed, and at once: beyond what a machine answers.
const RATE_MAX: u32 = 100_000;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum Scope {
    #[serde(rename = "events:write")]
    EventsWrite,
    #[serde(rename = "rooms:read")]
    RoomsRead,
    #[serde(rename = "presence:read")]
    PresenceRead,
    #[serde(rename = "results:read")]
    ResultsRead,
    #[serde(rename = "chat:read")]
    ChatRead,
}

impl Scope {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scope::EventsWrite => "events:write",
            Scope::RoomsRead => "rooms:read",
            Scope::PresenceRead => "presence:read",
            Scope::ResultsRead => "results:read",
            Scope::ChatRead => "chat:read",
        }
    }
}

/// A program of the operator's.
#[derive(Debug, PartialEq)]
pub(crate) struct ApiKey {
    /// For the log.
    pub(crate) name: Box<str>,
    hash: [u8; HASH_BYTES],
    scopes: BTreeSet<Scope>,
    /// The games that it is for; `None`: all.
    games: Option<BTreeSet<Box<str>>>,
    /// Requests a second, on average.
    pub(crate) per_second: u32,
    /// And at once.
    pub(crate) burst: u32,
}

impl ApiKey {
    /// Whether it is for this.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it is for every game.
    pub(crate) fn is_for_all(&self) -> bool {
        self.games.is_none()
    }

    /// Whether it is for the game of this name.
    pub(crate) fn is_for(&self, game: &str) -> bool {
        let games = self.games.as_ref();
        games.is_none_or(|games| games.contains(game))
    }
}

/// The keys of a file.
#[derive(Debug, PartialEq)]
pub(crate) struct ApiKeys(Vec<Arc<ApiKey>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    #[serde(default)]
    key: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Box<str>,
    sha256: String,
    scopes: BTreeSet<Scope>,
    games: Option<BTreeSet<Box<str>>>,
    #[serde(default = "usual_rate")]
    per_second: u32,
    #[serde(default = "usual_burst")]
    burst: u32,
}

/// Ten times what a page that shows figures asks for.
fn usual_rate() -> u32 {
    50
}

fn usual_burst() -> u32 {
    100
}

impl ApiKeys {
    /// Those in the file that the setting names; `games` are the server's.
    ///
    /// # Errors
    /// One line: it can't be read, or has something that is no key.
    pub(crate) fn read(path: &Path, games: &[&str]) -> Result<ApiKeys, ConfigError> {
        let bytes = read_file(path, SETTING)?;
        let keys = String::from_utf8(bytes).map_err(|error| error.to_string());
        let keys = keys.and_then(|text| ApiKeys::parse(&text, games));
        let shown = path.display();
        keys.map_err(|why| ConfigError::new(format!("{SETTING} {shown} can't be used: {why}")))
    }

    fn parse(text: &str, games: &[&str]) -> Result<ApiKeys, String> {
        let file: WrittenFile = toml::from_str(text).map_err(|error| {
            let before = error.span().map(|span| text[..span.start].matches('\n'));
            let line = before.map_or(String::new(), |lines| {
                format!("line {}: ", lines.count() + 1)
            });
            line + &error.message().replace('\n', " ")
        })?;
        if !(1..=KEYS_MAX).contains(&file.key.len()) {
            let count = file.key.len();
            return Err(format!(
                "it has {count} [[key]], 1 to {KEYS_MAX} are needed"
            ));
        }
        let mut keys: Vec<Arc<ApiKey>> = Vec::new();
        for written in file.key {
            let name = written.name.clone();
            let key = key(written, games).map_err(|why| format!("key {name:?}: {why}"))?;
            let is_there = |other: &Arc<ApiKey>| other.name == key.name || other.hash == key.hash;
            if keys.iter().any(is_there) {
                return Err(format!(
                    "key {name:?}: its name or its sha256 is there twice"
                ));
            }
            keys.push(Arc::new(key));
        }
        Ok(ApiKeys(keys))
    }

    /// Whose key this is.
    pub(crate) fn whose(&self, brought: &[u8]) -> Option<&Arc<ApiKey>> {
        // So short a one could be guessed by who has the file.
        let is_strong = brought.len() >= SECRET_BYTES_MIN;
        let brought = digest(&SHA256, brought);
        let mut found = None;
        for key in &self.0 {
            if verify_slices_are_equal(brought.as_ref(), &key.hash).is_ok() {
                found = Some(key);
            }
        }
        found.filter(|_| is_strong)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Arc<ApiKey>] {
        &self.0
    }
}

fn key(written: Written, games: &[&str]) -> Result<ApiKey, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = written.name;
    if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.chars().all(is_plain) {
        return Err(format!(
            "name is not 1 to {NAME_CHARS_MAX} letters, digits, hyphens, underscores and dots"
        ));
    }
    let hash = hash(&written.sha256).ok_or("sha256 is not 64 hexadecimal digits")?;
    if written.scopes.is_empty() {
        return Err("scopes is empty: it may do nothing".into());
    }
    if written.games.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err("games is empty: it is for none".into());
    }
    let mut named = written.games.iter().flatten();
    if let Some(game) = named.find(|game| !games.contains(&&***game)) {
        let all = games.join(", ");
        return Err(format!("games: {game:?} is none of {all}"));
    }
    for (what, value) in [("per_second", written.per_second), ("burst", written.burst)] {
        if !(1..=RATE_MAX).contains(&value) {
            return Err(format!("{what} {value} is not within 1 to {RATE_MAX}"));
        }
    }
    Ok(ApiKey {
        name,
        hash,
        scopes: written.scopes,
        games: written.games,
        per_second: written.per_second,
        burst: written.burst,
    })
}

fn hash(hex: &str) -> Option<[u8; HASH_BYTES]> {
    let mut hash = [0; HASH_BYTES];
    if hex.len() != 2 * HASH_BYTES || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn parse(text: &str) -> Result<ApiKeys, String> {
        ApiKeys::parse(text, &["chess", "go"])
    }

    fn sha(key: &[u8]) -> String {
        let hash = digest(&SHA256, key);
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn a_key_is_known_by_its_hash_and_does_what_it_is_for() {
        let (one, other) = (sha(KEY), sha(b"short"));
        let text = format!(
            "[[key]]\nname = 'detector'\nsha256 = '{one}'\nscopes = ['rooms:read']\ngames = ['chess']\n\
             [[key]]\nname = 'short'\nsha256 = '{other}'\nscopes = ['presence:read']\nper_second = 7\nburst = 9\n"
        );
        let keys = parse(&text).unwrap();
        let key = keys.whose(KEY).unwrap();
        assert_eq!(
            (&*key.name, key.per_second, key.burst),
            ("detector", 50, 100)
        );
        assert!(key.may(Scope::RoomsRead) && !key.may(Scope::PresenceRead));
        assert!(key.is_for("chess") && !key.is_for("go"));
        assert!(keys.all()[1].is_for("go"));
        assert_eq!((keys.all()[1].per_second, keys.all()[1].burst), (7, 9));
        for wrong in [
            &KEY[1..],
            b"",
            b"short",
            one.as_bytes(),
            &[KEY, b"\n"].concat(),
        ] {
            assert_eq!(keys.whose(wrong), None, "{wrong:?}");
        }
        assert_eq!(
            keys.whose(b"short"),
            None,
            "the file has its hash, but it is too short"
        );
    }

    #[test]
    fn what_is_no_key_is_named_in_one_line() {
        let good = |more: &str| {
            let sha = sha(KEY);
            format!("[[key]]\nname = 'a'\nsha256 = '{sha}'\nscopes = ['rooms:read']\n{more}")
        };
        assert!(parse(&good("")).is_ok());
        for (text, word) in [
            (String::new(), "0 [[key]]"),
            (good("").repeat(KEYS_MAX + 1), "65 [[key]]"),
            (good("").repeat(2), "twice"),
            ("[[key]]\nname = 'a'".into(), "sha256"),
            (good("token = 'x'"), "token"),
            (good("games = ['chess', 'draughts']"), "draughts"),
            (good("games = []"), "games is empty"),
            (good("per_second = 0"), "per_second 0"),
            (good("burst = 100001"), "burst 100001"),
            (good("").replace("'a'", "'a b'"), "name"),
            (good("").replace("'a'", "''"), "name"),
            (
                good("").replace("sha256 = '", "sha256 = '0"),
                "64 hexadecimal",
            ),
            (
                good("").replace("sha256 = '3", "sha256 = '+"),
                "64 hexadecimal",
            ),
            (good("").replace("['rooms:read']", "[]"), "scopes"),
            (good("").replace("rooms:read", "rooms:write"), "rooms:write"),
            ("[[key]\n".into(), "line 1"),
        ] {
            let why = parse(&text).unwrap_err();
            assert!(why.contains(word) && !why.contains('\n'), "{text}: {why}");
        }
    }
}
