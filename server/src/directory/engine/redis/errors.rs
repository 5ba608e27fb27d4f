//! What servers say when something is wrong, as the engine's failures and as lines of a log.

use redis::{ErrorKind, ServerError, Value};

use crate::directory::engine::Failure;

/// What a server's error is to who asked: some are the end of the connection.
pub(super) fn refused(error: &ServerError) -> Failure {
    let told = error.details().unwrap_or_default();
    let told = line(&format!("{} {told}", error.code()));
    match cause(error) {
        // It is a replica by now, starts, or ended what it held up.
        "READONLY" | "LOADING" | "MASTERDOWN" | "UNBLOCKED" => Failure::Away(told),
        _ => Failure::Refused(told),
    }
}

/// The word for what is wrong. A script's failure has it inside where the server is older than 7.0:
/// `ERR Error running script (call to f_…): @user_script: 1: -READONLY You can't write …`.
fn cause(error: &ServerError) -> &str {
    let inner = error.details().and_then(|told| told.split_once(": -"));
    match inner {
        Some((_, inner)) if error.code() == "ERR" => {
            inner.split_ascii_whitespace().next().unwrap_or_default()
        }
        _ => error.code(),
    }
}

/// Whether a master has too few replicas to take writes, as one has that was cut off from them.
pub(super) fn is_cut_off(error: &ServerError) -> bool {
    cause(error) == "NOREPLICAS"
}

/// The word that a server's error begins with.
pub(super) fn code(answer: &Value) -> Option<&str> {
    match answer {
        Value::ServerError(error) => Some(error.code()),
        _ => None,
    }
}

/// Why a connection is of no more use.
pub(super) fn failure(error: &redis::RedisError) -> Failure {
    match error.kind() {
        ErrorKind::Parse => Failure::Garbled("it is no answer of a Redis"),
        _ => Failure::Away(line(&error.to_string())),
    }
}

/// Somebody else's text as part of a line: the first 200 characters, and none that could break it.
pub(super) fn line(text: &str) -> String {
    let shown = text.chars().take(200);
    shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a Redis 6.2 and a 7.0 say it of a script.
    #[test]
    fn what_fails_in_a_script_ends_the_connection_as_what_fails_outside() {
        let said = |line: &str| match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => error,
            other => panic!("{other:?}"),
        };
        let script = "ERR Error running script (call to f_4a): @user_script:1: @user_script: 1: -";
        for (line, is_away, is_alone) in [
            ("READONLY You can't write. script: f_4a.", true, false),
            (&format!("{script}READONLY You can't write."), true, false),
            ("NOREPLICAS Not enough good replicas.", false, true),
            (&format!("{script}NOREPLICAS Not enough."), false, true),
            (&format!("{script}OOM command not allowed."), false, false),
            ("ERR too many nodes", false, false),
            ("WRONGTYPE Operation: -READONLY", false, false),
        ] {
            let error = said(line);
            let got = matches!(refused(&error), Failure::Away(_));
            assert_eq!((got, is_cut_off(&error)), (is_away, is_alone), "{line}");
        }
    }

    #[test]
    fn what_a_server_says_stays_one_line() {
        assert_eq!(line("a\r\nb\u{1b}[0m"), "a  b [0m");
        assert_eq!(line(&"x".repeat(1000)).len(), 200);
    }
}
