//! What is read of notices, in the order in which they were stored, and of what programs were
//! answered: at the start, and by who follows what others store.

use super::record::{Answer, Notice, Seen};
use super::retention::ANSWERS_MAX;
use super::value::{Row, Statement, Value};
use super::{ReadError, Store};

/// Notices of a page.
pub(crate) const NOTICES_PAGE: u64 = 500;
/// What was seen, and answers, of a page: where there are many they are read at the start alone.
const PAGE: u64 = 5000;

const NOTICES: &str = "SELECT player, number, id, game, text, event, fields, said_at, expires \
    FROM notices WHERE number >= $1 AND (number > $1 OR player > $2) \
    ORDER BY number, player LIMIT $3";
const SEEN: &str = "SELECT mark, player, game, number, at FROM notices_seen \
    WHERE mark > $1 ORDER BY mark LIMIT $2";
/// The newest first: where there are too many those count.
const ANSWERS: &str = "SELECT mark, body, reached_now, later, taken, at FROM api_answers \
    WHERE at >= $1 AND at <= $2 AND (at < $2 OR mark < $3) ORDER BY at DESC, mark DESC LIMIT $4";

/// A notice for one player, or for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    /// Empty: for all.
    pub(crate) player: String,
    /// With nobody in it.
    pub(crate) notice: Notice,
}

impl Store {
    /// The next notices behind that of a number for a player, by number and player.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn notices_after(
        &self,
        number: u64,
        player: &str,
    ) -> Result<Vec<Numbered>, ReadError> {
        let values: [Value; 3] = [number.into(), player.into(), NOTICES_PAGE.into()];
        let rows = self.read(Statement::new(NOTICES, values)).await?;
        rows.iter().map(numbered).collect()
    }

    /// What was seen behind a mark, each with its own; fewer than a page are the last ones. See
    /// [`Store::is_last_of_seen`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn seen_after(&self, mark: u64) -> Result<Vec<(u64, Seen)>, ReadError> {
        let rows = self.read(Statement::new(SEEN, [mark.into(), PAGE.into()]));
        let seen = |row: &Row| {
            let seen = Seen {
                player: row.text(1)?,
                game: row.text(2)?,
                number: row.count(3)?,
                at_ms: row.count(4)?,
            };
            Ok((row.count(0)?, seen))
        };
        rows.await?.iter().map(seen).collect()
    }

    /// Whether a page of so many was the last one.
    pub(crate) fn is_last_of_seen(rows: usize) -> bool {
        (rows as u64) < PAGE
    }

    /// What programs were answered since a time, oldest first; of more than are remembered the last.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn answers(&self, since_ms: u64) -> Result<Vec<Answer>, ReadError> {
        let mut all: Vec<Answer> = Vec::new();
        while all.len() < ANSWERS_MAX {
            let (at, mark) = all.last().map_or((i64::MAX as u64, ""), |last| {
                (last.at_ms, last.mark.as_str())
            });
            let values: [Value; 4] = [since_ms.into(), at.into(), mark.into(), PAGE.into()];
            let rows = self.read(Statement::new(ANSWERS, values)).await?;
            for row in &rows {
                all.push(answer(row)?);
            }
            if (rows.len() as u64) < PAGE {
                break;
            }
        }
        all.truncate(ANSWERS_MAX);
        all.reverse();
        Ok(all)
    }
}

fn numbered(row: &Row) -> Result<Numbered, ReadError> {
    Ok(Numbered {
        player: row.text(0)?,
        number: row.count(1)?,
        notice: Notice {
            id: row.text(2)?,
            players: Vec::new(),
            game: row.text(3)?,
            text: row.text(4)?,
            event: row.text(5)?,
            fields: row.text(6)?,
            said_at_ms: row.count(7)?,
            expires_ms: row.count(8)?,
            answer: None,
        },
    })
}

fn answer(row: &Row) -> Result<Answer, ReadError> {
    let small = |column| Ok::<_, ReadError>(u32::try_from(row.count(column)?).unwrap_or(u32::MAX));
    Ok(Answer {
        mark: row.text(0)?,
        body: row.text(1)?,
        reached_now: small(2)?,
        later: small(3)?,
        taken: row.int(4)? != 0,
        at_ms: row.count(5)?,
    })
}
