//! From the token of a hello to an identity. Tokens are JWTs: the operator's, by a key of theirs,
//! and the server's own, with which guests and users come back. Expiry is a date: `jsonwebtoken`
//! compares it with the wall clock. The lobby calls it once for each connection.

use std::path::Path;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use super::board_key::BoardKey;
use super::cluster_keys::ClusterKeys;
use super::entropy::Entropy;
use super::handle::HandleKey;
use super::identity::{Identity, is_subject};
use super::replay::Replays;
use super::seat_token::SeatKey;
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
    seats: SeatKey,
    boards: BoardKey,
    handles: HandleKey,
    guests: bool,
    replays: Replays,
    /// Where guests' names come from.
    entropy: Entropy,
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
    /// The keys that the settings name. The server's own is that of its cluster, if it is in one;
    /// it is drawn from `entropy` where none is given, and so are guests' names.
    ///
    /// # Errors
    /// One line: a file that can't be read, a key that is none or too short.
    pub(crate) fn new(config: &Config, entropy: Entropy) -> Result<Tokens, ConfigError> {
        let own = match (&config.cluster_key_file, &config.guest_key_file) {
            (Some(path), _) => ClusterKeys::read(path)?.tokens.to_vec(),
            (None, Some(path)) => secret(path, "guest-key-file")?,
            (None, None) => {
                let key = entropy.bytes::<SECRET_BYTES_MIN>();
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
            seats: SeatKey::derive(&own),
            boards: BoardKey::derive(&own),
            handles: HandleKey::derive(&own),
            guests: config.guests,
            replays: Replays::default(),
            entropy,
        })
    }

    /// What signs seats' tokens: derived from the key of the server's own, so that whoever is known
    /// again after a restart finds their seat again too.
    pub(crate) fn seats(&self) -> &SeatKey {
        &self.seats
    }

    /// What marks rows of boards: derived like that of seats' tokens.
    pub(crate) fn boards(&self) -> &BoardKey {
        &self.boards
    }

    /// Whom the server gave this token to, to come back with; nobody is let in by it here.
    pub(crate) fn known(&self, token: &str) -> Option<Identity> {
        is_own(token).ok().filter(|is_own| *is_own)?;
        self.own_identity(token)
    }

    /// What players' handles are made with, where nothing is stored: as long as they are known again.
    pub(crate) fn handles(&self) -> &HandleKey {
        &self.handles
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
        self.vouch(identity)
    }

    /// Somebody whom another node vouches for, and the token to come back with.
    ///
    /// # Errors
    /// A guest where guests are not let in.
    pub(crate) fn vouch(&self, identity: Identity) -> Result<(Identity, String), Unauthorised> {
        let token = self.own_token(&identity)?;
        Ok((identity, token))
    }

    fn new_guest(&self) -> Result<Identity, Unauthorised> {
        if !self.guests {
            return Err(Unauthorised);
        }
        let bytes = self.entropy.bytes().map_err(|error| {
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
mod tests;
