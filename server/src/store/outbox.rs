//! What is still to be told to the operator's web hook: results and lines by their keys, written in
//! the transaction that stores them, so that none is lost to a kill and none is told that is not
//! stored. What is told of them is read when it is sent: of who was erased meanwhile it is nothing.
//! [`crate::webhooks`] sends. Bounded: [`WAITING_MAX`] of each kind, for [`GIVE_UP`]; then the oldest
//! go, by [`super::retention`].

use std::time::Duration;

use super::record::Record;
use super::value::{Row, Statement, Value};
use super::{ReadError, Store};

/// How long something is tried to be told.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
/// What waits, of each kind: more lines than a receiver that was away for some hours catches up
/// with, and some days' results.
pub(super) const WAITING_MAX: u64 = 65_536;

/// Kinds, by what is told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A line that was said.
    Chat = 0,
    /// How a match ended.
    Result = 1,
}

/// What of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    /// The line's channel, or the room's key.
    pub(crate) channel: String,
    /// The line's sequence, or the room's round.
    pub(crate) number: u64,
}

/// Something that may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) key: Key,
    /// How often it was tried in vain.
    pub(crate) tries: u64,
}

/// Which kinds go there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) chat: bool,
    pub(crate) results: bool,
}

const LINE: &str = "INSERT INTO outbox (kind, channel, number, at, due, tries) \
    SELECT 0, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), 0 \
    WHERE NOT EXISTS (SELECT 1 FROM messages WHERE channel = $1 AND sequence = $2) \
    ON CONFLICT DO NOTHING";
const RESULT: &str = "INSERT INTO outbox (kind, channel, number, at, due, tries) \
    SELECT 1, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), 0 \
    WHERE NOT EXISTS (SELECT 1 FROM matches WHERE room = $1 AND round = $2) \
    ON CONFLICT DO NOTHING";
const DUE: &str = "SELECT channel, number, tries FROM outbox \
    WHERE kind = $1 AND due <= $2 ORDER BY due LIMIT $3";
const DONE: &str = "DELETE FROM outbox WHERE kind = $1 AND channel = $2 AND number = $3";
const LATER: &str = "UPDATE outbox SET due = $1, tries = tries + 1 \
    WHERE kind = $2 AND channel = $3 AND number = $4";
const HOLD: &str = "UPDATE counters SET value = $1 \
    WHERE name = 'outbox_until' AND (value < $2 OR value = $3)";

impl Wanted {
    /// Adds what has a record told, before that is written: what is stored already was told, or
    /// waits.
    pub(super) fn write(self, record: &Record, now_ms: u64, into: &mut Vec<Statement>) {
        let (sql, channel, number) = match record {
            Record::Message(of) if self.chat => (LINE, &of.channel, of.sequence),
            Record::Result(of) if self.results => (RESULT, &of.room, of.round),
            _ => return,
        };
        let values = [channel.into(), number.into(), now_ms.into(), now_ms.into()];
        into.push(Statement::new(sql, values));
    }
}

impl Store {
    /// So many of a kind that are due, the first first.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn outbox(
        &self,
        kind: Kind,
        now_ms: u64,
        most: u64,
    ) -> Result<Vec<Due>, ReadError> {
        let values = [(kind as u32).into(), now_ms.into(), most.into()];
        let due = |row: &Row| {
            let key = Key {
                kind,
                channel: row.text(0)?,
                number: row.count(1)?,
            };
            Ok(Due {
                key,
                tries: row.count(2)?,
            })
        };
        let rows = self.read(Statement::new(DUE, values)).await?;
        rows.iter().map(due).collect()
    }

    /// Writes down what came of some: told, or nothing more to be told (`None`), or when they are
    /// due again.
    ///
    /// # Errors
    /// One line: it may be done, or not.
    pub(crate) async fn told(&self, outcomes: &[(Key, Option<u64>)]) -> Result<(), String> {
        let statements = outcomes.iter().map(|(key, due)| {
            let kind = Value::from(key.kind as u32);
            let (channel, number) = (Value::from(&key.channel), Value::from(key.number));
            match due {
                None => Statement::new(DONE, [kind, channel, number]),
                Some(due) => Statement::new(LATER, [(*due).into(), kind, channel, number]),
            }
        });
        self.write(statements.collect()).await.map(drop)
    }

    /// Takes it on to send what is due until a time, who had it until `mine` or nobody has it at
    /// `now`; false: another server does.
    ///
    /// # Errors
    /// One line.
    pub(crate) async fn hold_outbox(
        &self,
        until_ms: u64,
        now_ms: u64,
        mine_ms: u64,
    ) -> Result<bool, String> {
        let values = [until_ms.into(), now_ms.into(), mine_ms.into()];
        let held = self.write(vec![Statement::new(HOLD, values)]).await?;
        Ok(held > 0)
    }
}
