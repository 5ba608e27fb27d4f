//! An order as an operator writes it: a small JSON object. Pure.

use serde::Deserialize;

use crate::config::Span;
use crate::moderation::order::{Order, REASON_CHARS_MAX, SPAN_MAX, SPAN_MIN, Verb};
use crate::moderation::target::Target;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    player: Option<String>,
    address: Option<String>,
    #[serde(rename = "for")]
    span: Option<Span>,
    #[serde(default)]
    reason: String,
}

/// The order in a request to `/admin/<action>`; `None` if there is no such action.
///
/// # Errors
/// One line: what is wrong with the body.
pub(super) fn read(action: &str, body: &[u8]) -> Option<Result<Order, String>> {
    let verb = match action {
        "kick" => Verb::Kick,
        "unban" => Verb::Unban,
        "unmute" => Verb::Unmute,
        "ban" => Verb::Ban(SPAN_MIN),
        "mute" => Verb::Mute(SPAN_MIN),
        _ => return None,
    };
    Some(order(verb, body))
}

fn order(verb: Verb, body: &[u8]) -> Result<Order, String> {
    let written: Written = serde_json::from_slice(body).map_err(|why| format!("body: {why}"))?;
    let target = match (&written.player, &written.address) {
        (Some(player), None) => Target::player(player)?,
        (None, Some(address)) => Target::address(address)?,
        _ => return Err("body: either player or address is needed".into()),
    };
    let word = verb.word();
    let verb = match (verb, written.span) {
        (Verb::Ban(_), Some(Span(span))) => Verb::Ban(span),
        (Verb::Mute(_), Some(Span(span))) => Verb::Mute(span),
        (Verb::Ban(_) | Verb::Mute(_), None) => {
            return Err(format!("body: {word} needs for, such as \"12h\" or \"7d\""));
        }
        (_, Some(_)) => return Err(format!("body: {word} takes no for")),
        (verb, None) => verb,
    };
    if let Verb::Ban(span) | Verb::Mute(span) = verb
        && !(SPAN_MIN..=SPAN_MAX).contains(&span)
    {
        return Err("body: for is not within 1s to 3650d".into());
    }
    if written.reason.chars().count() > REASON_CHARS_MAX {
        return Err(format!(
            "body: reason has more than {REASON_CHARS_MAX} characters"
        ));
    }
    Ok(Order {
        verb,
        target,
        reason: written.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn check(action: &str, body: &str) -> Result<Order, String> {
        read(action, body.as_bytes()).expect("an action")
    }

    #[test]
    fn orders_are_read() {
        let ban = r#"{"player": "user:ann", "for": "7d", "reason": "spam\n"}"#;
        let order = check("ban", ban).unwrap();
        assert_eq!(order.verb, Verb::Ban(Duration::from_secs(7 * 86_400)));
        assert_eq!(
            (order.target.to_string().as_str(), order.reason.as_str()),
            ("user:ann", "spam\n")
        );
        let mute = check("mute", r#"{"address": "2001:db8::7", "for": "30m"}"#).unwrap();
        assert_eq!(mute.target.to_string(), "2001:db8::/64");
        for (action, verb) in [
            ("kick", Verb::Kick),
            ("unban", Verb::Unban),
            ("unmute", Verb::Unmute),
        ] {
            let order = check(action, r#"{"address": "10.0.0.7"}"#).unwrap();
            assert_eq!((order.verb, order.verb.word()), (verb, action));
        }
        assert!(read("pardon", b"{}").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!(r#"{{"player": "user:a", "reason": "{}"}}"#, "x".repeat(201));
        for (action, body, word) in [
            ("kick", "", "EOF"),
            ("kick", "[]", "struct"),
            ("kick", "{}", "either"),
            (
                "kick",
                r#"{"player": "user:a", "address": "10.0.0.7"}"#,
                "either",
            ),
            ("kick", r#"{"player": "user:a", "until": 7}"#, "until"),
            ("kick", r#"{"player": "user:a"} {}"#, "trailing"),
            ("kick", r#"{"player": "ann"}"#, "guest:"),
            ("kick", r#"{"address": "ann"}"#, "10.0.0.7"),
            ("kick", r#"{"address": "0.0.0.0/0"}"#, "too wide"),
            (
                "kick",
                r#"{"player": "user:a", "for": "1s"}"#,
                "takes no for",
            ),
            ("ban", r#"{"player": "user:a"}"#, "needs for"),
            ("ban", r#"{"player": "user:a", "for": 60}"#, "string"),
            ("ban", r#"{"player": "user:a", "for": "60"}"#, "duration"),
            ("ban", r#"{"player": "user:a", "for": "0s"}"#, "1s to 3650d"),
            (
                "mute",
                r#"{"player": "user:a", "for": "3651d"}"#,
                "1s to 3650d",
            ),
            ("kick", &long, "200"),
        ] {
            let why = check(action, body).unwrap_err();
            assert!(why.contains(word) && !why.contains('\n'), "{body}: {why}");
        }
    }
}
