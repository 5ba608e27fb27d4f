//! What is read of people: who it is that a handle names, whom somebody has blocked, what they have
//! not read. Each is a few rows by a key.

use tickwire::limits::{BLOCKED_MAX, UNREAD_MAX};

use super::value::Statement;
use super::{ReadError, Store};

const OF_HANDLE: &str = "SELECT player, name FROM players WHERE handle = $1 LIMIT 1";
/// More than one may have, for the servers that share a database may each have let in the last one.
const BLOCKED: &str = "SELECT blocked, COALESCE(name, '') FROM blocks \
    LEFT JOIN players ON players.player = blocked WHERE blocks.player = $1 ORDER BY at DESC LIMIT $2";
const UNREAD: &str = "SELECT peer, COALESCE(name, ''), newest, seen FROM directs \
    LEFT JOIN players ON players.player = peer \
    WHERE directs.player = $1 AND newest > seen ORDER BY at DESC LIMIT $2";
const SECRET: &str = "SELECT value FROM secrets WHERE name = $1";

/// Somebody, by the text of their identity, and what they were called last.
pub(crate) type Named = (String, String);

/// What somebody has not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnreadOf {
    pub(crate) peer: Named,
    pub(crate) newest: u64,
    pub(crate) seen: u64,
}

impl Store {
    /// Who has a handle.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn player_of(&self, handle: &str) -> Result<Option<Named>, ReadError> {
        let select = Statement::new(OF_HANDLE, [handle.into()]);
        let rows = self.read(select).await?;
        let named = rows.first().map(|row| Ok((row.text(0)?, row.text(1)?)));
        named.transpose()
    }

    /// Whom a player has blocked, the latest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn blocked_of(&self, player: &str) -> Result<Vec<Named>, ReadError> {
        let select = Statement::new(BLOCKED, [player.into(), (2 * BLOCKED_MAX as u64).into()]);
        let rows = self.read(select).await?;
        let named = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
        named.collect()
    }

    /// Whose lines a player has not read, the latest first.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn unread_of(&self, player: &str) -> Result<Vec<UnreadOf>, ReadError> {
        // Some of them may be blocked.
        let most = (UNREAD_MAX + 2 * BLOCKED_MAX) as u64;
        let select = Statement::new(UNREAD, [player.into(), most.into()]);
        let rows = self.read(select).await?;
        let unread = rows.iter().map(|row| {
            Ok(UnreadOf {
                peer: (row.text(0)?, row.text(1)?),
                newest: row.count(2)?,
                seen: row.count(3)?,
            })
        });
        unread.collect()
    }

    /// A secret that is as old as the database.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn secret(&self, name: &str) -> Result<Option<String>, ReadError> {
        let rows = self.read(Statement::new(SECRET, [name.into()])).await?;
        Ok(rows.first().map(|row| row.text(0)).transpose()?)
    }
}
