//! What servers say when something is wrong, as the engine's failures and as lines of a log.

use redis::{ErrorKind, ServerError, Value};

use crate::directory::engine::Failure;

/// What a server's error is to who asked: some are the end of the connection.
pub(super) fn refused(error: &ServerError) -> Failure {
    let told = error.details().unwrap_or_default();
    let told = line(&format!("{} {told}", error.code()));
    match error.code() {
        // It is a replica by now, starts, or ended what it held up.
        "READONLY" | "LOADING" | "MASTERDOWN" | "UNBLOCKED" => Failure::Away(told),
        _ => Failure::Refused(told),
    }
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

    #[test]
    fn what_a_server_says_stays_one_line() {
        assert_eq!(line("a\r\nb\u{1b}[0m"), "a  b [0m");
        assert_eq!(line(&"x".repeat(1000)).len(), 200);
    }
}
