//! From the token of a hello to an identity. Tokens are JWTs: the operator's, by a key of theirs,
//! and the server's own, with which guests and users come back. Expiry is a date: `jsonwebtoken`
//! compares it with the wall clock. The lobby calls it once for each connection.

use std::path::Path;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use super::entropy::Entropy;
use super::identity::{Identity, is_subject};
use super::replay::Replays;
use super::secret_file::{self, SECRET_BYTES_MIN, secret};
use crate::config::{Config, ConfigError, read_file};
use crate::date::Date;

/// Seconds by which two machines' clocks may differ.
const LEEWAY_S: u64 = 5;
/// For how long a guest is the same guest, in seconds.
const GUEST_S: u64 = 30 * 24 * 3600;
/// For how long a user comes back without the operator vouching again, in seconds: a long evening.
const USER_S: u64 = 12 * 3600;
/// Issuer and audience of the server's own tokens.
const OWN: &str = "tickwire";

/// The token is none that this server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthorised;

/// The keys of a server.
pub(crate) struct Tokens {
    sign: EncodingKey,
    own: (DecodingKey, Validation),
    /// The operator's key, if there is one.
    operator: Option<(DecodingKey, Validation)>,
    guests: bool,
    replays: Replays,
}

/// The server's own claims.
#[derive(Serialize, Deserialize)]
struct Own {
    sub: String,
    guest: bool,
    iss: String,
    aud: String,
    exp: u64,
}

/// As much of the operator's as matters here.
#[derive(Deserialize)]
struct Operators {
    sub: String,
    /// Seconds since 1970, whole ones or with a fraction (RFC 7519 §2).
    exp: f64,
    jti: Option<String>,
}

impl Tokens {
    /// The keys that the settings name. The server's own is random where none is given.
    ///
    /// # Errors
    /// One line: a file that can't be read, a key that is none or too short.
    pub(crate) fn new(config: &Config) -> Result<Tokens, ConfigError> {
        let own = match &config.guest_key_file {
            Some(path) => secret(path, "guest-key-file")?,
            None => {
                let key = Entropy::default().bytes::<SECRET_BYTES_MIN>();
                key.map_err(|e| ConfigError::new(format!("no random numbers: {e}")))?
                    .to_vec()
            }
        };
        let operator = match &config.auth_key_file {
            Some(path) => {
                let (key, algorithm) = operators_key(path)?;
                let (issuer, audience) = (&config.auth_issuer, &config.auth_audience);
                Some((key, validation(algorithm, issuer, audience)))
            }
            None => None,
        };
        Ok(Tokens {
            sign: EncodingKey::from_secret(&own),
            own: (
                DecodingKey::from_secret(&own),
                validation(Algorithm::HS256, OWN, OWN),
            ),
            operator,
            guests: config.guests,
            replays: Replays::default(),
        })
    }

    /// Who brings this token, and the token to come back with. Without a token, or with one of the
    /// server's own that has expired or lost its key, they are a new guest where guests are let in.
    ///
    /// # Errors
    /// Nobody who may play here.
    pub(crate) fn identify(&self, token: &str) -> Result<(Identity, String), Unauthorised> {
        let identity = if token.is_empty() {
            self.new_guest()?
        } else if is_own(token)? {
            match self.own_identity(token) {
                Some(identity) => identity,
                // Where the operator vouches for people, one who was known must not become
                // somebody else without being told.
                None if self.operator.is_none() => self.new_guest()?,
                None => return Err(Unauthorised),
            }
        } else {
            self.operators_identity(token)?
        };
        let token = self.own_token(&identity)?;
        Ok((identity, token))
    }

    fn new_guest(&self) -> Result<Identity, Unauthorised> {
        if !self.guests {
            return Err(Unauthorised);
        }
        let bytes = Entropy::default().bytes().map_err(|error| {
            tracing::error!(%error, "no random numbers");
            Unauthorised
        })?;
        Ok(Identity {
            subject: format!("{:032x}", u128::from_be_bytes(bytes)).into(),
            is_guest: true,
        })
    }

    fn own_identity(&self, token: &str) -> Option<Identity> {
        let (key, validation) = &self.own;
        let Own { sub, guest, .. } = decode(token, key, validation).ok()?.claims;
        let may_play = !guest || self.guests;
        may_play.then(|| Identity {
            subject: sub.into(),
            is_guest: guest,
        })
    }

    fn operators_identity(&self, token: &str) -> Result<Identity, Unauthorised> {
        let (key, validation) = self.operator.as_ref().ok_or(Unauthorised)?;
        let Operators { sub, exp, jti } = decode(token, key, validation)
            .map_err(|error| {
                tracing::debug!(%error, "token refused");
                Unauthorised
            })?
            .claims;
        if !is_subject(&sub) {
            return Err(Unauthorised);
        }
        // A token with a number of its own is good once.
        if let Some(jti) = jti
            && !self.replays.first_use(
                &jti,
                (exp.ceil() as u64).saturating_add(LEEWAY_S),
                Date::now().0,
            )
        {
            return Err(Unauthorised);
        }
        Ok(Identity {
            subject: sub.into(),
            is_guest: false,
        })
    }

    fn own_token(&self, identity: &Identity) -> Result<String, Unauthorised> {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(OWN.to_owned());
        let lasts_s = if identity.is_guest { GUEST_S } else { USER_S };
        let claims = Own {
            sub: identity.subject.to_string(),
            guest: identity.is_guest,
            iss: OWN.to_owned(),
            aud: OWN.to_owned(),
            exp: Date::now().0 + lasts_s,
        };
        encode(&header, &claims, &self.sign).map_err(|error| {
            tracing::error!(%error, "no token could be made");
            Unauthorised
        })
    }
}

/// Which key to try: a claim as yet, which only the right key makes true.
///
/// # Errors
/// The token wants something of who checks it that nobody here knows of (RFC 7515 §4.1.11), so that
/// it would mean something else; jsonwebtoken reads `crit` and leaves it to its caller.
fn is_own(token: &str) -> Result<bool, Unauthorised> {
    let Ok(header) = decode_header(token) else {
        return Ok(false);
    };
    if header.crit.is_some() {
        tracing::debug!(crit = ?header.crit, "token refused");
        return Err(Unauthorised);
    }
    Ok(header.kid.as_deref() == Some(OWN))
}

fn validation(algorithm: Algorithm, issuer: &str, audience: &str) -> Validation {
    // One algorithm: a token does not choose how it is checked.
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation
}

fn operators_key(path: &Path) -> Result<(DecodingKey, Algorithm), ConfigError> {
    let bytes = read_file(path, "auth-key-file")?;
    if bytes.starts_with(b"-----BEGIN") {
        let key = DecodingKey::from_ed_pem(&bytes).map_err(|error| {
            let shown = path.display();
            ConfigError::new(format!(
                "auth-key-file {shown} is no Ed25519 public key in PEM: {error}"
            ))
        })?;
        return Ok((key, Algorithm::EdDSA));
    }
    let secret = secret_file::long_enough(bytes, path, "auth-key-file")?;
    Ok((DecodingKey::from_secret(&secret), Algorithm::HS256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::path::PathBuf;

    const SECRET: &[u8] = b"a secret that is long enough: 0123456789";
    /// RFC 8410's example of an Ed25519 key, and its public half.
    const PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    /// A key file that is gone with the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, bytes: &[u8]) -> File {
            let path = std::env::temp_dir().join(format!("tickwire-{}-{name}", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            File(path)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn config(key: Option<&File>) -> Config {
        Config {
            auth_key_file: key.map(|file| file.0.clone()),
            auth_issuer: "https://login.example".into(),
            auth_audience: "game".into(),
            ..Config::default()
        }
    }

    fn claims() -> Value {
        json!({"sub": "ann", "iss": "https://login.example", "aud": "game", "exp": Date::now().0 + 60})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[key] = value;
        claims
    }

    fn signed(claims: &Value, algorithm: Algorithm) -> String {
        let key = EncodingKey::from_secret(SECRET);
        encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    #[test]
    fn guests_are_themselves_again() {
        let tokens = Tokens::new(&Config::default()).unwrap();
        let (ann, token) = tokens.identify("").unwrap();
        let (bo, _) = tokens.identify("").unwrap();
        assert!(ann.is_guest && ann != bo);
        assert_eq!(tokens.identify(&token).unwrap().0, ann);
        // After a restart with another key they are somebody new, and not locked out.
        let restarted = Tokens::new(&Config::default()).unwrap();
        assert_ne!(restarted.identify(&token).unwrap().0, ann);
        assert_eq!(
            tokens.identify("x"),
            Err(Unauthorised),
            "no key for others'"
        );
        let key = File::new("guest", &[7; 32]);
        let kept = Config {
            guest_key_file: Some(key.0.clone()),
            ..Config::default()
        };
        let (cy, token) = Tokens::new(&kept).unwrap().identify("").unwrap();
        assert_eq!(Tokens::new(&kept).unwrap().identify(&token).unwrap().0, cy);
    }

    #[test]
    fn the_operators_tokens_are_checked_in_every_part() {
        let file = File::new("matrix", SECRET);
        let tokens = Tokens::new(&config(Some(&file))).unwrap();
        let ann = tokens
            .identify(&signed(&claims(), Algorithm::HS256))
            .unwrap()
            .0;
        assert_eq!((&*ann.subject, ann.is_guest), ("ann", false));
        let refused = |token: &str, why: &str| {
            assert_eq!(tokens.identify(token), Err(Unauthorised), "{why}");
        };
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            refused(&signed(&claims(), algorithm), "another algorithm");
        }
        let [head, body, _] = signed(&claims(), Algorithm::HS256)
            .split('.')
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        refused(&format!("{none}.{body}."), "no signature wanted");
        refused(&format!("{head}.{body}."), "no signature");
        refused(&format!("{head}.{body}.AAAA"), "a wrong signature");
        let other = EncodingKey::from_secret(&[9; 32]);
        let forged = encode(&Header::default(), &claims(), &other).unwrap();
        refused(&forged, "another key");
        let now = Date::now().0;
        for (key, value) in [
            ("exp", json!(now - LEEWAY_S - 2)),
            ("exp", json!(now - 30)),
            ("exp", json!((now + 60).to_string())),
            ("exp", json!("soon")),
            ("exp", Value::Null),
            ("nbf", json!(now + 60)),
            ("aud", json!("another")),
            ("aud", json!(["another"])),
            ("iss", json!("https://evil.example")),
            ("sub", json!("")),
            ("sub", json!("x".repeat(129))),
            ("sub", json!("a\nb")),
            ("sub", json!(7)),
        ] {
            refused(
                &signed(&with(key, value.clone()), Algorithm::HS256),
                &format!("{key} {value}"),
            );
        }
        for missing in ["exp", "iss", "aud", "sub"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(missing);
            refused(&signed(&claims, Algorithm::HS256), missing);
        }
        let late = with("exp", json!(now - 2));
        assert!(
            tokens.identify(&signed(&late, Algorithm::HS256)).is_ok(),
            "clocks differ a little"
        );
        let mut own = Header::new(Algorithm::HS256);
        own.kid = Some(OWN.into());
        let key = EncodingKey::from_secret(SECRET);
        refused(
            &encode(&own, &claims(), &key).unwrap(),
            "the operator's key is not the server's",
        );
    }

    #[test]
    fn what_a_token_says_is_critical_is_not_overlooked() {
        let file = File::new("crit", SECRET);
        let tokens = Tokens::new(&config(Some(&file))).unwrap();
        let with_crit = |crit: &[&str], kid: Option<&str>| {
            let mut header = Header::new(Algorithm::HS256);
            header.crit = Some(crit.iter().map(|name| (*name).to_owned()).collect());
            header.kid = kid.map(str::to_owned);
            encode(&header, &claims(), &EncodingKey::from_secret(SECRET)).unwrap()
        };
        for crit in [&["b64"][..], &["exp"], &[], &["a", "b"]] {
            for kid in [None, Some(OWN)] {
                let token = with_crit(crit, kid);
                assert_eq!(
                    tokens.identify(&token),
                    Err(Unauthorised),
                    "{crit:?} {kid:?}"
                );
            }
        }
        // Also where a token that is none would make a guest of who brings it.
        let guests = Tokens::new(&Config::default()).unwrap();
        let token = with_crit(&["b64"], Some(OWN));
        assert_eq!(guests.identify(&token), Err(Unauthorised));
        // Of another type than a list it is no header.
        for crit in ["\"b64\"", "7", "[7]", "{}"] {
            let header = format!(r#"{{"alg":"HS256","crit":{crit}}}"#);
            assert_eq!(
                tokens.identify(&signed_raw(&header, &claims())),
                Err(Unauthorised),
                "{crit}"
            );
        }
    }

    /// Signed with a header as it is written.
    fn signed_raw(header: &str, claims: &Value) -> String {
        let base64 = |bytes: &[u8]| {
            const DIGITS: &[u8; 64] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let digits = bytes.chunks(3).flat_map(|three| {
                let bits = (0..3).fold(0, |n, i| n << 8 | u32::from(*three.get(i).unwrap_or(&0)));
                (0..=three.len()).map(move |i| DIGITS[(bits >> (18 - 6 * i)) as usize & 63])
            });
            String::from_utf8(digits.collect()).unwrap()
        };
        let message = format!(
            "{}.{}",
            base64(header.as_bytes()),
            base64(claims.to_string().as_bytes())
        );
        let key = EncodingKey::from_secret(SECRET);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256);
        format!("{message}.{}", signature.unwrap())
    }

    #[test]
    fn dates_may_have_fractions() {
        let file = File::new("fractions", SECRET);
        let tokens = Tokens::new(&config(Some(&file))).unwrap();
        let now = Date::now().0 as f64;
        let check = |key: &str, value: Value, good: bool| {
            let mut claims = with(key, value.clone());
            claims["jti"] = json!(format!("{key} {value}"));
            let token = signed(&claims, Algorithm::HS256);
            assert_eq!(tokens.identify(&token).is_ok(), good, "{key} {value}");
            // Good once, however long it lasts.
            assert_eq!(
                tokens.identify(&token),
                Err(Unauthorised),
                "{key} {value} again"
            );
        };
        check("exp", json!(now + 60.5), true);
        check("exp", json!(now + 0.25), true);
        check("exp", json!(1e15), true);
        check("exp", json!(1e300), false);
        check("exp", json!(u64::MAX), true);
        check("exp", json!(now - 60.5), false);
        check("exp", json!(0.5), false);
        check("exp", json!(-1e300), false);
        check("exp", json!(-1), false);
        check("exp", json!([now + 60.0]), false);
        check("nbf", json!(now - 0.5), true);
        check("nbf", json!(now + 60.5), false);
        check("nbf", json!(1e300), false);
        check("nbf", json!(-1), false);
        check("iat", json!(now - 0.125), true);
        check("iat", json!(-1e300), true);
    }

    #[test]
    fn ed25519_keys_are_taken_and_not_mistaken_for_secrets() {
        let file = File::new("ed", PUBLIC_PEM.as_bytes());
        let tokens = Tokens::new(&config(Some(&file))).unwrap();
        let key = EncodingKey::from_ed_pem(PRIVATE_PEM.as_bytes()).unwrap();
        let token = encode(&Header::new(Algorithm::EdDSA), &claims(), &key).unwrap();
        assert_eq!(&*tokens.identify(&token).unwrap().0.subject, "ann");
        // Who knows the public key signs with it as if it were a secret.
        let public = EncodingKey::from_secret(PUBLIC_PEM.as_bytes());
        let confused = encode(&Header::new(Algorithm::HS256), &claims(), &public).unwrap();
        assert_eq!(tokens.identify(&confused), Err(Unauthorised));
        let private = File::new("private", PRIVATE_PEM.as_bytes());
        assert!(
            Tokens::new(&config(Some(&private))).is_err(),
            "the public half is wanted"
        );
    }

    #[test]
    fn a_numbered_token_is_good_once_and_its_user_comes_back_with_the_servers() {
        let file = File::new("replay", SECRET);
        let tokens = Tokens::new(&config(Some(&file))).unwrap();
        let once = signed(&with("jti", json!("1")), Algorithm::HS256);
        let (ann, own) = tokens.identify(&once).unwrap();
        assert_eq!(tokens.identify(&once), Err(Unauthorised), "replayed");
        assert_eq!(tokens.identify(&own).unwrap().0, ann);
        assert_eq!(tokens.identify(&own).unwrap().0, ann, "as often as need be");
        let unnumbered = signed(&claims(), Algorithm::HS256);
        assert!((0..2).all(|_| tokens.identify(&unnumbered).is_ok()));
        // A user whose token lost its key is told so, rather than made a guest.
        let restarted = Tokens::new(&config(Some(&file))).unwrap();
        assert_eq!(restarted.identify(&own), Err(Unauthorised));
    }

    #[test]
    fn where_guests_are_not_let_in_nobody_becomes_one() {
        let file = File::new("closed", SECRET);
        let mut closed = config(Some(&file));
        closed.guests = false;
        let tokens = Tokens::new(&closed).unwrap();
        assert_eq!(tokens.identify(""), Err(Unauthorised));
        assert!(
            tokens
                .identify(&signed(&claims(), Algorithm::HS256))
                .is_ok()
        );
    }

    #[test]
    fn weak_and_missing_keys_are_refused_at_start() {
        for (name, bytes) in [
            ("empty", &b""[..]),
            ("short", &[b'x'; 31]),
            ("breaks", b"x\n\n\n"),
        ] {
            let file = File::new(name, bytes);
            let error = Tokens::new(&config(Some(&file))).err().unwrap().to_string();
            assert!(
                error.contains("needs 32") && !error.contains('\n'),
                "{error}"
            );
        }
        let gone = Config {
            auth_key_file: Some("/nonexistent/key".into()),
            ..Config::default()
        };
        let error = Tokens::new(&gone).err().unwrap().to_string();
        assert!(error.contains("/nonexistent/key"), "{error}");
    }
}
