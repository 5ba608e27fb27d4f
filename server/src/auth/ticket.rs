//! A ticket: the proof with which one node of a cluster sends somebody to another one, who they are
//! and to which room. A JWT by a key that the nodes share, good for seconds, once, and at one
//! node; the client brings it as the token of its hello. The lobby issues and redeems it.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use tickwire::ids::RoomId;

use super::entropy::Entropy;
use super::identity::{Identity, is_subject};
use super::replay::Replays;
use super::tokens::Unauthorised;
use crate::date::Date;

/// For how long a ticket is good: a connection on a poor link, with two tries.
pub(crate) const TICKET_LIFE: Duration = Duration::from_secs(10);
/// Seconds by which two nodes' clocks may differ.
const LEEWAY_S: u64 = 5;
/// Issuer of tickets, and their key's name.
const NAME: &str = "tickwire-ticket";

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Who brings it.
    pub(crate) who: Identity,
    /// Where they may go, private or not.
    pub(crate) room: RoomId,
}

/// The tickets of a node.
pub(crate) struct Tickets {
    sign: EncodingKey,
    check: (DecodingKey, Validation),
    entropy: Entropy,
    used: Replays,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    guest: bool,
    room: u32,
    iss: String,
    /// The URL by which clients reach the node that takes it.
    aud: String,
    exp: u64,
    jti: String,
}

impl Tickets {
    /// By a key that all nodes have, for the node that clients reach at `url`.
    pub(crate) fn new(key: &[u8], url: &str, entropy: Entropy) -> Tickets {
        // One algorithm: a token does not choose how it is checked.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_S;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[NAME]);
        validation.set_audience(&[url]);
        Tickets {
            sign: EncodingKey::from_secret(key),
            check: (DecodingKey::from_secret(key), validation),
            entropy,
            used: Replays::default(),
        }
    }

    /// A ticket for `who` to a room of the node that clients reach at `url`, from `now` on. `None`:
    /// the system has no random numbers.
    pub(crate) fn issue(
        &self,
        who: &Identity,
        room: RoomId,
        url: &str,
        now: Date,
    ) -> Option<String> {
        let number = self.entropy.bytes().map_err(|error| error.to_string());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(NAME.to_owned());
        let ticket = number.and_then(|number| {
            let claims = Claims {
                sub: who.subject.to_string(),
                guest: who.is_guest,
                room: room.0,
                iss: NAME.to_owned(),
                aud: url.to_owned(),
                exp: now.after(TICKET_LIFE).0,
                jti: format!("{:032x}", u128::from_be_bytes(number)),
            };
            encode(&header, &claims, &self.sign).map_err(|error| error.to_string())
        });
        ticket
            .inspect_err(|error| tracing::error!(%error, "no ticket could be made"))
            .ok()
    }

    /// What a token says if it is a ticket, `None` if it is none. It is good once.
    ///
    /// # Errors
    /// It is forged, expired, used, or for another node.
    pub(crate) fn redeem(&self, token: &str) -> Result<Option<Ticket>, Unauthorised> {
        let header = decode_header(token).ok();
        let Some(header) = header.filter(|header| header.kid.as_deref() == Some(NAME)) else {
            return Ok(None);
        };
        // It would mean something that nobody here knows of (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return Err(Unauthorised);
        }
        let (key, validation) = &self.check;
        let claims = decode::<Claims>(token, key, validation).map_err(|error| {
            tracing::debug!(%error, "ticket refused");
            Unauthorised
        })?;
        let claims = claims.claims;
        let until = claims.exp.saturating_add(LEEWAY_S);
        let is_first = self.used.first_use(&claims.jti, until, Date::now().0);
        if !is_first || !is_subject(&claims.sub) {
            return Err(Unauthorised);
        }
        Ok(Some(Ticket {
            who: Identity {
                subject: claims.sub.into(),
                is_guest: claims.guest,
            },
            room: RoomId(claims.room),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
    const URL: &str = "wss://play.example/n/2/ws";

    fn node(key: &[u8], url: &str) -> Tickets {
        Tickets::new(key, url, Entropy::default())
    }

    fn ada() -> Identity {
        Identity::read("user:ada").unwrap()
    }

    fn issue(from: &Tickets, now: Date) -> String {
        from.issue(&ada(), RoomId(7), URL, now).unwrap()
    }

    #[test]
    fn a_ticket_says_who_goes_where_once_at_one_node() {
        let (door, target) = (node(KEY, "wss://play.example/n/1/ws"), node(KEY, URL));
        let ticket = issue(&door, Date::now());
        assert_eq!(door.redeem(&ticket), Err(Unauthorised), "for another node");
        let said = Ticket {
            who: ada(),
            room: RoomId(7),
        };
        assert_eq!(target.redeem(&ticket), Ok(Some(said.clone())));
        assert_eq!(target.redeem(&ticket), Err(Unauthorised), "used");
        assert_eq!(target.redeem(&issue(&door, Date::now())), Ok(Some(said)));
    }

    #[test]
    fn forged_and_expired_ones_are_refused_and_other_tokens_are_none() {
        let target = node(KEY, URL);
        let forged = issue(&node(b"another key, of thirty-two bytes", URL), Date::now());
        assert_eq!(target.redeem(&forged), Err(Unauthorised));
        let old = Date(Date::now().0 - TICKET_LIFE.as_secs() - LEEWAY_S - 2);
        assert_eq!(target.redeem(&issue(&target, old)), Err(Unauthorised));
        let good = issue(&target, Date::now());
        let (front, last) = good.split_at(good.len() - 1);
        let turned = format!("{front}{}", if last == "A" { "Q" } else { "A" });
        assert_eq!(target.redeem(&turned), Err(Unauthorised));
        for none in ["", "x", "a.b.c"] {
            assert_eq!(target.redeem(none), Ok(None));
        }
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("tickwire".to_owned());
        let claims = serde_json::json!({ "sub": "ada" });
        let other = encode(&header, &claims, &EncodingKey::from_secret(KEY)).unwrap();
        assert_eq!(target.redeem(&other), Ok(None), "a guest's");
    }

    /// It stands in a hello, which has 4,096 bytes.
    #[test]
    fn the_longest_fits_a_hello() {
        let who = Identity::read(&format!("user:{}", "\u{10FFFF}".repeat(128))).unwrap();
        let target = node(KEY, URL);
        let url = "x".repeat(512);
        let ticket = target.issue(&who, RoomId(u32::MAX), &url, Date::now());
        let bytes = ticket.unwrap().len();
        assert!(bytes < 2200, "{bytes}");
    }
}
