//! What an operator has to say to players, as they write it: a small JSON object. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tickwire::ids::RoomId;

use crate::auth::Identity;
use crate::config::Span;
use crate::notices::{Class, GameEvent, Notice, TTL_MAX, To};

/// For how long it is kept for who is away, if nothing else is said: until tomorrow.
const TTL: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    text: String,
    event: Option<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    game: Option<String>,
    room: Option<u32>,
    player: Option<String>,
    #[serde(default)]
    durable: bool,
    #[serde(rename = "for")]
    span: Option<Span>,
}

/// The body of a request to `/admin/announce`. `event` makes one of a game's name, an event's and
/// its fields.
///
/// # Errors
/// One line: what is wrong with it.
pub(super) fn read(
    body: &[u8],
    event: impl FnOnce(Option<&str>, &str, &Map<String, Value>) -> Result<GameEvent, String>,
) -> Result<(To, Notice), String> {
    let written: Written = serde_json::from_slice(body).map_err(|why| format!("body: {why}"))?;
    let event = match written.event {
        Some(name) => {
            let game = written.game.as_deref();
            let made = event(game, &name, &written.fields);
            Some(made.map_err(|why| format!("body: {why}"))?)
        }
        None if written.fields.is_empty() => None,
        None => return Err("body: fields need an event".into()),
    };
    let to = match (written.game, written.room, written.player) {
        (None, None, None) => To::Everybody,
        (Some(game), None, None) => To::Game(game.into()),
        (None, Some(room), None) => To::Room(RoomId(room)),
        (None, None, Some(player)) => {
            let wrong = "body: player is not guest:… or user:…, as /admin/players shows it";
            To::Player(Identity::read(&player).ok_or(wrong)?)
        }
        _ => return Err("body: one of game, room and player at most".into()),
    };
    let class = match (written.durable, written.span) {
        (false, None) => Class::NowOnly,
        (false, Some(_)) => return Err("body: for needs durable".into()),
        (true, span) => {
            let ttl = span.map_or(TTL, |Span(span)| span);
            if !(Duration::from_secs(1)..=TTL_MAX).contains(&ttl) {
                return Err("body: for is not within 1s to 14d".into());
            }
            Class::Durable { ttl }
        }
    };
    let notice = Notice {
        text: written.text,
        event,
        class,
    };
    Ok((to, notice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<(To, Notice), String> {
        super::read(body, |_, name, _| Err(format!("no event {name}")))
    }

    #[test]
    fn what_is_said_to_whom_is_read() {
        let check = |body: &str, to: To, class: Class| {
            let (read_to, notice) = read(body.as_bytes()).unwrap();
            assert_eq!((read_to, notice.class), (to, class), "{body}");
            assert_eq!((&*notice.text, notice.event), ("hi", None));
        };
        let durable = |seconds| Class::Durable {
            ttl: Duration::from_secs(seconds),
        };
        check(r#"{"text":"hi"}"#, To::Everybody, Class::NowOnly);
        let game = To::Game("chess".into());
        check(r#"{"text":"hi","game":"chess"}"#, game, Class::NowOnly);
        let room = To::Room(RoomId(7));
        check(
            r#"{"text":"hi","room":7,"durable":true}"#,
            room,
            durable(86_400),
        );
        let ann = To::Player(Identity::read("user:ann").unwrap());
        check(
            r#"{"text":"hi","player":"user:ann","durable":true,"for":"12h"}"#,
            ann,
            durable(43_200),
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        let refused = |body: &str| read(body.as_bytes()).err();
        for body in [
            "",
            r#"{"text":1}"#,
            r#"{"event":"alert"}"#,
            r#"{"text":"hi","fields":{"x":1}}"#,
            r#"{"text":"hi","to":"all"}"#,
            r#"{"text":"hi","player":"ann"}"#,
            r#"{"text":"hi","player":"user:ann","room":7}"#,
            r#"{"text":"hi","for":"12h"}"#,
            r#"{"text":"hi","durable":true,"for":"15d"}"#,
        ] {
            assert!(refused(body).is_some(), "{body}");
        }
    }
}
