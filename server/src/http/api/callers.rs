//! Who asks: the keys as they were last read, how often each may ask, and who brings wrong ones.
//! What a key is, is `auth`'s; `api` asks about each request.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};
use parking_lot::Mutex;

use super::problem::Problem;
use crate::admission::limiter::Budget;
use crate::auth::{ApiKey, ApiKeys};
use crate::config::{ConfigError, stamp};
use crate::http::attempts::Attempts;

/// Between two looks at the file: a key that leaked is wrong this soon after it was taken out.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Until somebody who brought wrong keys is looked at again.
const WRONG_KEYS_WAIT_S: u32 = 6;

/// See the module's description.
pub(super) struct Callers {
    path: PathBuf,
    games: Vec<&'static str>,
    known: Mutex<Known>,
    attempts: Mutex<Attempts>,
}

/// Keys, and what of its rate each has used, in the same order.
struct Known {
    keys: ApiKeys,
    budgets: Vec<Budget>,
}

impl Known {
    fn new(keys: ApiKeys) -> Known {
        let now = Instant::now();
        Known {
            budgets: keys.all().iter().map(|_| Budget::new(now)).collect(),
            keys,
        }
    }
}

impl Callers {
    /// Those in this file, of a server of these games.
    ///
    /// # Errors
    /// One line: it can't be used.
    pub(super) fn new(path: &Path, games: Vec<&'static str>) -> Result<Callers, ConfigError> {
        Ok(Callers {
            known: Mutex::new(Known::new(ApiKeys::read(path, &games)?)),
            path: path.into(),
            games,
            attempts: Mutex::default(),
        })
    }

    /// Looks after the file for as long as it is polled. One that can't be used is told, and the
    /// keys stay as they were.
    pub(super) async fn watch(&self) {
        let mut seen = stamp(&self.path);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = stamp(&self.path);
            if now == seen {
                continue;
            }
            seen = now;
            match ApiKeys::read(&self.path, &self.games) {
                Ok(keys) => {
                    tracing::info!(keys = keys.all().len(), "api-keys-file read again");
                    *self.known.lock() = Known::new(keys);
                }
                Err(error) => tracing::warn!(%error, "the keys stay as they were"),
            }
        }
    }

    /// Whose key a request brings. Who brings wrong ones is not looked at any more for a while, so
    /// that trying is slow; a right one from there has to wait as well.
    ///
    /// # Errors
    /// 401: none, or a wrong one. 429: too many wrong ones, or it is used too often.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        from: IpAddr,
        now: Instant,
    ) -> Result<Arc<ApiKey>, Problem> {
        let too_many = |why: &'static str| Problem::new(StatusCode::TOO_MANY_REQUESTS, why);
        let mut attempts = self.attempts.lock();
        if !attempts.may_try(from, now) {
            let why = "too many wrong keys from this address";
            return Err(too_many(why).after(WRONG_KEYS_WAIT_S));
        }
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let brought = match (lines.next(), lines.next()) {
            (Some(line), None) => line.as_bytes().strip_prefix(b"Bearer "),
            _ => None,
        };
        let mut known = self.known.lock();
        let Known { keys, budgets } = &mut *known;
        let Some(key) = brought.and_then(|brought| keys.whose(brought)) else {
            attempts.failed(from, now);
            let why = match brought {
                Some(_) => "there is no such key",
                None => "a key is needed, as Authorization: Bearer KEY",
            };
            return Err(Problem::new(StatusCode::UNAUTHORIZED, why));
        };
        drop(attempts);
        let place = keys.all().iter().position(|other| Arc::ptr_eq(other, key));
        let budget = place.and_then(|place| budgets.get_mut(place));
        let (per_second, burst) = (key.per_second as f32, key.burst as f32);
        if budget.is_some_and(|budget| !budget.spend(per_second, burst, now, 1.0)) {
            return Err(too_many("this key asks more often than it may").after(1));
        }
        Ok(key.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hyper::header::HeaderValue;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const FILE: &str = "[[key]]\nname = 'a'\nscopes = ['rooms:read']\nper_second = 2\nburst = 4\n\
        sha256 = '3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9'\n";

    fn callers(name: &str) -> Callers {
        let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
        std::fs::write(&path, FILE).unwrap();
        let callers = Callers::new(&path, vec!["chess"]).unwrap();
        std::fs::remove_file(path).unwrap();
        callers
    }

    fn status(callers: &Callers, lines: &[&str], from: u8, now: Instant) -> u16 {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, HeaderValue::from_str(line).unwrap());
        }
        let from = IpAddr::V4(Ipv4Addr::new(10, 0, 0, from));
        let admitted = callers.admit(&headers, from, now);
        admitted.map_or_else(|problem| problem.status().as_u16(), |_| 200)
    }

    #[test]
    fn a_key_is_used_as_often_as_it_may() {
        let (callers, start) = (callers("rates"), Instant::now());
        let key = format!("Bearer {KEY}");
        let ask = |now| status(&callers, &[&key], 1, now);
        assert_eq!([(); 6].map(|()| ask(start)), [200, 200, 200, 200, 429, 429]);
        assert_eq!(ask(start + Duration::from_millis(400)), 429);
        let later = start + Duration::from_millis(500);
        assert_eq!([(); 2].map(|()| ask(later)), [200, 429]);
    }

    #[test]
    fn wrong_keys_are_few() {
        let (callers, start) = (callers("wrong"), Instant::now());
        let key = format!("Bearer {KEY}");
        let twice: &[&str] = &[&key, &key];
        for wrong in [
            &[][..],
            twice,
            &[KEY],
            &["Bearer "],
            &["Bearer x"],
            &["bearer y"],
        ] {
            assert_eq!(status(&callers, wrong, 1, start), 401, "{wrong:?}");
        }
        let guesses = [(); 5].map(|()| status(&callers, &["Bearer x"], 1, start));
        assert_eq!(guesses, [401, 401, 401, 401, 429]);
        assert_eq!(
            status(&callers, &[&key], 1, start),
            429,
            "also the right one"
        );
        assert_eq!(
            status(&callers, &[&key], 2, start),
            200,
            "not from elsewhere"
        );
    }
}
