//! How long what is kept: deletes that are small, so that nothing waits for them long, one between
//! two batches for as long as there is something to delete. Pure: the date is an argument. The
//! writer asks.

use std::time::Duration;

use super::outbox::{GIVE_UP, Kind, WAITING_MAX};
use super::value::Statement;

/// Rows of a delete: as many as a batch writes, so that deleting keeps up with writing.
const ROWS: u64 = 500;
/// Until it is looked again where nothing was to be deleted.
const REST_MS: u64 = 60_000;
/// After their last match guests have their places for so long: as long as they are known by their
/// token, where they don't come again.
const GUESTS: Duration = Duration::from_secs(30 * 86_400);
const PLACES: &str = "DELETE FROM scores WHERE (game, season, player) IN \
    (SELECT scores.game, scores.season, scores.player FROM scores \
    JOIN players ON players.player = scores.player \
    WHERE scores.player LIKE 'guest:%' AND players.last_seen < $1 LIMIT $2)";
/// Guests of whom nothing else is left, rooms, and how far somebody has read, are kept for as long as
/// chat.
const CHAT: [&str; 4] = [
    "DELETE FROM messages WHERE (channel, sequence) IN \
     (SELECT channel, sequence FROM messages WHERE said_at < $1 ORDER BY said_at LIMIT $2)",
    "DELETE FROM rooms WHERE room IN \
     (SELECT room FROM rooms WHERE opened_at < $1 ORDER BY opened_at LIMIT $2)",
    "DELETE FROM players WHERE player IN \
     (SELECT player FROM players WHERE last_seen < $1 AND player LIKE 'guest:%' \
     AND NOT EXISTS (SELECT 1 FROM scores WHERE scores.player = players.player) \
     AND NOT EXISTS (SELECT 1 FROM match_players WHERE match_players.player = players.player) \
     ORDER BY last_seen LIMIT $2)",
    "DELETE FROM directs WHERE (player, peer) IN \
     (SELECT player, peer FROM directs WHERE at < $1 ORDER BY at LIMIT $2)",
];
const NOTICES: &str = "DELETE FROM notices WHERE (player, number) IN \
    (SELECT player, number FROM notices WHERE said_at < $1 ORDER BY said_at LIMIT $2)";
/// What is over by its own word.
const EXPIRED: &str = "DELETE FROM notices WHERE (player, number) IN \
    (SELECT player, number FROM notices WHERE expires <= $1 ORDER BY expires LIMIT $2)";
/// Whatever it covers was said before.
const SEEN: &str = "DELETE FROM notices_seen WHERE (player, game) IN \
    (SELECT player, game FROM notices_seen WHERE at < $1 ORDER BY at LIMIT $2)";
const ANSWERS: &str = "DELETE FROM api_answers WHERE mark IN \
    (SELECT mark FROM api_answers WHERE at < $1 ORDER BY at, mark LIMIT $2)";
/// Beyond so many the oldest go.
const ANSWERS_BEYOND: &str = "DELETE FROM api_answers WHERE mark IN \
    (SELECT mark FROM api_answers WHERE at < \
    (SELECT at FROM api_answers ORDER BY at DESC, mark DESC LIMIT 1 OFFSET $1) \
    ORDER BY at, mark LIMIT $2)";
/// What was not told for so long, and beyond so many the oldest: by kind, in their order.
const UNTOLD: [&str; 2] = [
    "DELETE FROM outbox WHERE kind = 0 AND (channel, number) IN \
     (SELECT channel, number FROM outbox WHERE kind = 0 AND at < $1 ORDER BY at LIMIT $2)",
    "DELETE FROM outbox WHERE kind = 1 AND (channel, number) IN \
     (SELECT channel, number FROM outbox WHERE kind = 1 AND at < $1 ORDER BY at LIMIT $2)",
];
const UNTOLD_BEYOND: [&str; 2] = [
    "DELETE FROM outbox WHERE kind = 0 AND (channel, number) IN \
     (SELECT channel, number FROM outbox WHERE kind = 0 AND at < \
     (SELECT at FROM outbox WHERE kind = 0 ORDER BY at DESC LIMIT 1 OFFSET $1) \
     ORDER BY at LIMIT $2)",
    "DELETE FROM outbox WHERE kind = 1 AND (channel, number) IN \
     (SELECT channel, number FROM outbox WHERE kind = 1 AND at < \
     (SELECT at FROM outbox WHERE kind = 1 ORDER BY at DESC LIMIT 1 OFFSET $1) \
     ORDER BY at LIMIT $2)",
];
const SANCTIONS: &str = "DELETE FROM sanctions WHERE (kind, target) IN \
    (SELECT kind, target FROM sanctions WHERE until <= $1 LIMIT $2)";

/// How long a program is answered the same for one `Idempotency-Key`.
pub(crate) const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// And of how many: two minutes' worth of 2,000 requests a second, where a program asks again within
/// seconds. A hundred bytes or two each.
pub(crate) const ANSWERS_MAX: usize = 1 << 18;

/// What is kept for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    pub(super) chat: Duration,
    pub(super) notices: Duration,
}

/// See the module's description.
pub(super) struct Retention {
    spans: Spans,
    /// Which delete is next.
    next: usize,
    /// When, in milliseconds since 1970.
    due_ms: u64,
}

impl Retention {
    pub(super) fn new(spans: Spans) -> Retention {
        Retention {
            spans,
            next: 0,
            due_ms: 0,
        }
    }

    /// The next delete, if it is time. [`Retention::deleted`] follows, or not where it failed.
    pub(super) fn due(&self, now_ms: u64) -> Option<Statement> {
        (now_ms >= self.due_ms).then(|| self.delete(now_ms))
    }

    /// So many rows went: the same again if there may be more of them, else the next one.
    pub(super) fn deleted(&mut self, rows: u64, now_ms: u64) {
        if rows >= ROWS {
            return;
        }
        self.next += 1;
        if self.next > CHAT.len() + 10 {
            (self.next, self.due_ms) = (0, now_ms + REST_MS);
        }
    }

    /// Of which kind the next delete is of what the operator's web hook was not told.
    pub(super) fn gives_up(&self) -> Option<Kind> {
        match self.next {
            7 | 9 => Some(Kind::Chat),
            8 | 10 => Some(Kind::Result),
            _ => None,
        }
    }

    fn delete(&self, now_ms: u64) -> Statement {
        let before = |span: Duration| {
            let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            now_ms.saturating_sub(span)
        };
        let (sql, bound) = match self.next {
            0 => (NOTICES, before(self.spans.notices)),
            1 => (EXPIRED, now_ms),
            2 => (SANCTIONS, now_ms / 1000),
            3 => (PLACES, before(GUESTS)),
            4 => (SEEN, before(self.spans.notices)),
            5 => (ANSWERS, before(ANSWERS_KEPT)),
            6 => (ANSWERS_BEYOND, ANSWERS_MAX as u64),
            untold @ (7 | 8) => (UNTOLD[untold - 7], before(GIVE_UP)),
            untold @ (9 | 10) => (UNTOLD_BEYOND[untold - 9], WAITING_MAX),
            chat => (CHAT[chat - 11], before(self.spans.chat)),
        };
        Statement::new(sql, [bound.into(), ROWS.into()])
    }
}
