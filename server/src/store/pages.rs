//! What is read of the tables, a page at a time.

use super::record::{Message, Sanction, Terms};
use super::value::{Row, Statement};
use super::{ReadError, Store};

/// Lines of a page.
pub(crate) const PAGE: u64 = 50;
/// Bans and mutes that are read at once.
const SANCTIONS_PAGE: u64 = 1000;

const BEFORE: &str = "SELECT channel, sequence, said_at, player, name, text, nonce FROM messages \
    WHERE channel = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3";
const ROOM: &str =
    "SELECT room, game FROM rooms WHERE number = $1 ORDER BY opened_at DESC, room LIMIT 1";
const GAME: &str = "SELECT game FROM rooms WHERE room = $1";
const AFTER: &str = "SELECT channel, sequence, said_at, player, name, text, nonce FROM messages \
    WHERE channel = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
const NEWEST: &str = "SELECT COALESCE(MAX(sequence), 0) FROM messages WHERE channel = $1";
const SANCTIONS: &str = "SELECT kind, target, until, since, reason FROM sanctions \
    WHERE kind = $1 AND target > $2 AND until > $3 ORDER BY target LIMIT $4";
/// No sum leaves 64 bits. Of two orders for one target the later one differs in when it was given, or
/// until when it holds, or is the same one.
const SANCTIONS_MARK: &str = "SELECT COUNT(*), \
    CAST(COALESCE(SUM(since % 1000003), 0) AS BIGINT), \
    CAST(COALESCE(SUM(until % 1000033), 0) AS BIGINT) FROM sanctions";

/// By which it is seen that sanctions were changed; another one is no more than likely where they
/// were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SanctionsMark([u64; 3]);

impl Store {
    /// The last [`PAGE`] lines of a channel before a sequence, or at all, oldest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn messages_before(
        &self,
        channel: &str,
        before: Option<u64>,
    ) -> Result<Vec<Message>, ReadError> {
        self.lines_before(channel, before, PAGE).await
    }

    /// The same of so many lines.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn lines_before(
        &self,
        channel: &str,
        before: Option<u64>,
        lines: u64,
    ) -> Result<Vec<Message>, ReadError> {
        let before = before.unwrap_or(u64::MAX);
        let values = [channel.into(), before.into(), lines.into()];
        let rows = self.read(Statement::new(BEFORE, values)).await?;
        rows.iter().rev().map(message).collect()
    }

    /// The key and the game of the last room that had this number, which lines of it are stored by.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn room_of(&self, number: u32) -> Result<Option<(String, String)>, ReadError> {
        let rows = self.read(Statement::new(ROOM, [number.into()])).await?;
        let room = |row: &Row| Ok((row.text(0)?, row.text(1)?));
        rows.first().map(room).transpose()
    }

    /// The game of the room of this key, if it is one's.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn game_of(&self, room: &str) -> Result<Option<String>, ReadError> {
        let rows = self.read(Statement::new(GAME, [room.into()])).await?;
        let game = rows.first().map(|row| row.text(0));
        Ok(game.transpose()?)
    }

    /// The first [`PAGE`] lines of a channel after a sequence, oldest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn messages_after(
        &self,
        channel: &str,
        after: u64,
    ) -> Result<Vec<Message>, ReadError> {
        let values = [channel.into(), after.into(), PAGE.into()];
        let rows = self.read(Statement::new(AFTER, values)).await?;
        rows.iter().map(message).collect()
    }

    /// The sequence of a channel's newest line, 0 where there is none.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn newest_message(&self, channel: &str) -> Result<u64, ReadError> {
        let rows = self.read(Statement::new(NEWEST, [channel.into()])).await?;
        Ok(rows.first().map_or(Ok(0), |row| row.count(0))?)
    }

    /// The mark of all sanctions: one row, however many there are.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn sanctions_mark(&self) -> Result<SanctionsMark, ReadError> {
        let rows = self.read(Statement::new(SANCTIONS_MARK, [])).await?;
        let mut mark = SanctionsMark::default();
        if let Some(row) = rows.first() {
            for (place, sum) in mark.0.iter_mut().enumerate() {
                *sum = row.count(place)?;
            }
        }
        Ok(mark)
    }

    /// All bans or mutes that hold after a date.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn sanctions(
        &self,
        kind: &'static str,
        now: u64,
    ) -> Result<Vec<Sanction>, ReadError> {
        let mut all: Vec<Sanction> = Vec::new();
        loop {
            let last = all.last().map_or("", |last| &last.target);
            let values = [kind.into(), last.into(), now.into(), SANCTIONS_PAGE.into()];
            let rows = self.read(Statement::new(SANCTIONS, values)).await?;
            let is_last = (rows.len() as u64) < SANCTIONS_PAGE;
            for row in rows {
                all.push(Sanction {
                    kind,
                    target: row.text(1)?,
                    terms: Some(Terms {
                        until: row.count(2)?,
                        since: row.count(3)?,
                        reason: row.text(4)?,
                    }),
                });
            }
            if is_last {
                return Ok(all);
            }
        }
    }
}

fn message(row: &Row) -> Result<Message, ReadError> {
    Ok(Message {
        channel: row.text(0)?,
        sequence: row.count(1)?,
        said_at_ms: row.count(2)?,
        player: row.text(3)?,
        name: row.text(4)?,
        text: row.text(5)?,
        nonce: row.int(6).ok().map(i64::cast_unsigned),
    })
}
