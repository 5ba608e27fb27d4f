//! An event as a program writes it: a JSON object, read into what may be published. Pure.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Value};
use tickwire::ids::RoomId;

use super::problem::Problem;
use super::strict::Strict;
use crate::auth::Identity;
use crate::notices::{Class, TTL_MAX, To};

/// See the module's description.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    pub(super) to: To,
    /// As it was written.
    pub(super) text: Option<String>,
    pub(super) event: Option<GameEvent>,
    /// A durable one is kept as long as can be, unless it is said for how long.
    pub(super) class: Class,
}

/// One of a game's, unchecked.
#[derive(Debug, PartialEq)]
pub(super) struct GameEvent {
    /// `None`: the one that it goes to.
    pub(super) game: Option<String>,
    pub(super) name: String,
    pub(super) fields: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    to: WrittenTo,
    text: Option<String>,
    event: Option<WrittenEvent>,
    class: WrittenClass,
    ttl_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEvent {
    game: Option<String>,
    name: String,
    fields: Option<Strict>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenClass {
    /// Who is away gets it later.
    Durable,
    /// Who is away never does.
    Now,
}

impl Event {
    /// Reads one.
    ///
    /// # Errors
    /// 400: it is no JSON. 422: it is none of an event.
    pub(super) fn read(body: &[u8]) -> Result<Event, Problem> {
        let written: Written = serde_json::from_slice(body).map_err(|error| {
            let status = match error.classify() {
                Category::Data => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::BAD_REQUEST,
            };
            Problem::new(status, format!("the body is no event: {error}"))
        })?;
        if written.text.is_none() && written.event.is_none() {
            return Err(wrong("text", "either it or event is needed"));
        }
        let ttl = written
            .ttl_s
            .map(|seconds| Duration::from_secs(seconds.into()));
        let is_kept = |ttl: &Duration| (Duration::from_secs(1)..=TTL_MAX).contains(ttl);
        let class = match (written.class, ttl.unwrap_or(TTL_MAX)) {
            (WrittenClass::Now, _) if ttl.is_none() => Class::NowOnly,
            (WrittenClass::Now, _) => {
                return Err(wrong("ttl_s", "is for what is durable alone"));
            }
            (WrittenClass::Durable, ttl) if is_kept(&ttl) => Class::Durable { ttl },
            (WrittenClass::Durable, _) => {
                let most = TTL_MAX.as_secs();
                return Err(wrong("ttl_s", format!("is not within 1 to {most}")));
            }
        };
        Ok(Event {
            to: written.to.0,
            text: written.text,
            event: written.event.map(GameEvent::read).transpose()?,
            class,
        })
    }
}

impl GameEvent {
    fn read(written: WrittenEvent) -> Result<GameEvent, Problem> {
        let fields = match written.fields {
            None => Map::new(),
            Some(Strict(Value::Object(fields))) => fields,
            Some(_) => return Err(wrong("event.fields", "is not an object")),
        };
        Ok(GameEvent {
            game: written.game,
            name: written.name,
            fields,
        })
    }
}

/// 422, for a field of the body.
pub(super) fn wrong(field: &str, why: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).at(field)
}

struct WrittenTo(To);

impl<'de> Deserialize<'de> for WrittenTo {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<WrittenTo, D::Error> {
        from.deserialize_any(ReadingTo).map(WrittenTo)
    }
}

struct ReadingTo;

impl<'de> Visitor<'de> for ReadingTo {
    type Value = To;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"to: "everybody", {"game": …}, {"room": …} or {"player": …}"#)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<To, E> {
        match text {
            "everybody" => Ok(To::Everybody),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<To, A::Error> {
        let none = |this: &ReadingTo| de::Error::invalid_type(de::Unexpected::Map, this);
        let to = match from.next_key::<String>()?.as_deref() {
            Some("game") => To::Game(from.next_value()?),
            Some("room") => To::Room(RoomId(from.next_value()?)),
            Some("player") => {
                let player: String = from.next_value()?;
                let identity = Identity::read(&player);
                To::Player(
                    identity
                        .ok_or_else(|| de::Error::custom("to.player is not guest:… or user:…"))?,
                )
            }
            _ => return Err(none(&self)),
        };
        match from.next_key::<String>()? {
            None => Ok(to),
            Some(_) => Err(none(&self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Event, (u16, String)> {
        Event::read(text.as_bytes())
            .map_err(|problem| (problem.status().as_u16(), format!("{problem:?}")))
    }

    fn durable(seconds: u64) -> Class {
        let ttl = Duration::from_secs(seconds);
        Class::Durable { ttl }
    }

    #[test]
    fn an_event_is_read() {
        let text = r#"{"to": {"player": "user:ann"}, "text": "hi", "class": "durable",
            "event": {"name": "alarm", "fields": {"level": 3}, "game": "chess"}, "ttl_s": 60}"#;
        let event = read(text).unwrap();
        assert_eq!(event.to, To::Player(Identity::read("user:ann").unwrap()));
        assert_eq!(
            (event.text.as_deref(), event.class),
            (Some("hi"), durable(60))
        );
        let game = event.event.unwrap();
        assert_eq!(
            (game.name.as_str(), game.game.as_deref()),
            ("alarm", Some("chess"))
        );
        assert_eq!(game.fields["level"], 3);
        let check = |to: &str, class: &str, read_class: Class, read_to: To| {
            let event = read(&format!(
                r#"{{"to": {to}, "text": "x", "class": "{class}"}}"#
            ))
            .unwrap();
            assert_eq!((event.to, event.class), (read_to, read_class), "{to}");
        };
        check(r#""everybody""#, "now", Class::NowOnly, To::Everybody);
        check(
            r#"{"game": "chess"}"#,
            "durable",
            durable(1_209_600),
            To::Game("chess".into()),
        );
        check(
            r#"{"room": 4294967295}"#,
            "now",
            Class::NowOnly,
            To::Room(RoomId(u32::MAX)),
        );
    }

    #[test]
    fn the_rest_is_refused_by_what_is_wrong() {
        let with =
            |more: &str| format!(r#"{{"to": "everybody", "text": "x", "class": "now"{more}}}"#);
        let to = |to: &str| format!(r#"{{"to": {to}, "text": "x", "class": "now"}}"#);
        let deep = with(&format!(
            r#", "event": {{"name": "a", "fields": {}"#,
            "[".repeat(16_000)
        ));
        for (text, status, words) in [
            (String::new(), 400, "EOF"),
            ("{".into(), 400, "EOF"),
            (with("") + "x", 400, "trailing"),
            (deep, 400, "recursion limit"),
            (with(r#", "ttl_s": 1e400"#), 400, "out of range"),
            ("[]".into(), 422, "invalid"),
            ("{}".into(), 422, "to"),
            (with(r#", "why": 1"#), 422, "why"),
            (with(r#", "text": "y""#), 422, "duplicate"),
            (
                with(r#", "event": {"name": "a", "fields": {"b": 1, "b": 2}}"#),
                422,
                "duplicate",
            ),
            (
                with(r#", "event": {"name": "a", "fields": [1]}"#),
                422,
                "event.fields",
            ),
            (with(r#", "ttl_s": 1"#), 422, "ttl_s"),
            (with(r#", "ttl_s": -1"#), 422, "-1"),
            (with("").replace("now", "later"), 422, "later"),
            (with("").replace(r#""text": "x", "#, ""), 422, "either"),
            (
                with(r#", "ttl_s": 0"#).replace("now", "durable"),
                422,
                "1 to 1209600",
            ),
            (
                with(r#", "ttl_s": 1209601"#).replace("now", "durable"),
                422,
                "1 to 1209600",
            ),
            (to(r#""all""#), 422, "everybody"),
            (to("{}"), 422, "everybody"),
            (to(r#"{"game": "a", "room": 1}"#), 422, "everybody"),
            (to(r#"{"room": 1, "room": 2}"#), 422, "everybody"),
            (to(r#"{"room": -1}"#), 422, "-1"),
            (to(r#"{"room": 4294967296}"#), 422, "4294967296"),
            (to(r#"{"player": "ann"}"#), 422, "user:"),
        ] {
            let (is, why) = read(&text).unwrap_err();
            assert!(
                is == status && why.contains(words),
                "{text:.200}: {is} {why}"
            );
        }
        let broken =
            Event::read(b"{\"to\": \"everybody\", \"text\": \"\xff\", \"class\": \"now\"}");
        assert_eq!(broken.unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
