//! Matches as they ended, the last ones first: of a game, or those of it in which somebody played.
//! A page costs its matches and their players; of a person's also what it takes to find those.

use serde::Serialize;

use super::record::MatchPlayer;
use super::value::{Row, Statement, Value};
use super::{ReadError, Store};

/// Players of a match that are read: those who came first. A page of 20 has 5,000 of them at most.
const PLAYERS_READ_MAX: u64 = 250;

/// A match that is over. Programs are told of it so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Match {
    pub(crate) room: String,
    pub(crate) round: u64,
    pub(crate) season: String,
    #[serde(rename = "ended_at")]
    pub(crate) ended_at_ms: u64,
    /// By their places, the first [`PLAYERS_READ_MAX`]. Who was erased is nobody.
    pub(crate) players: Vec<MatchPlayer>,
}

/// A match's place among all of its game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark<'a> {
    pub(crate) ended_at_ms: u64,
    pub(crate) room: &'a str,
    pub(crate) round: u64,
}

/// The players of a `page` of matches.
macro_rules! with_players {
    ($from:literal, $of:literal, $limit:literal, $players:literal) => {
        concat!(
            "WITH page AS (SELECT m.room, m.epoch, m.round, m.season, m.ended_at FROM ",
            $from,
            " WHERE m.game = $1 AND m.ended_at <= $2 \
            AND (m.ended_at < $2 OR m.room > $3 OR (m.room = $3 AND m.round > $4)) ",
            $of,
            " ORDER BY m.ended_at DESC, m.room, m.round LIMIT ",
            $limit,
            ") SELECT page.room, page.round, page.season, page.ended_at, \
            p.player, p.name, p.team, p.place, p.score, p.has_left \
            FROM page LEFT JOIN match_players AS p ON p.room = page.room \
            AND p.epoch = page.epoch AND p.round = page.round AND p.number < ",
            $players,
            " ORDER BY page.ended_at DESC, page.room, page.round, p.number"
        )
    };
}

const OF_GAME: &str = with_players!("matches AS m", "", "$5", "$6");
const OF_PLAYER: &str = with_players!(
    "match_players AS own JOIN matches AS m \
    ON m.room = own.room AND m.epoch = own.epoch AND m.round = own.round",
    "AND own.player = $5",
    "$6",
    "$7"
);

/// One match with its game, first.
const ONE: &str = "SELECT m.game, m.room, m.round, m.season, m.ended_at, \
    p.player, p.name, p.team, p.place, p.score, p.has_left \
    FROM matches AS m LEFT JOIN match_players AS p ON p.room = m.room \
    AND p.epoch = m.epoch AND p.round = m.round AND p.number < $1 \
    WHERE m.room = $2 AND m.round = $3 ORDER BY p.number";

impl Store {
    /// The match of a room's round, if there is one, with its game.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn match_of(
        &self,
        room: &str,
        round: u64,
    ) -> Result<Option<(String, Match)>, ReadError> {
        let values: [Value; 3] = [PLAYERS_READ_MAX.into(), room.into(), round.into()];
        let mut rows = self.read(Statement::new(ONE, values)).await?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let game = first.text(0)?;
        rows.iter_mut().for_each(|row| drop(row.0.remove(0)));
        let found = grouped(&rows)?.into_iter().next();
        Ok(found.map(|found| (game, found)))
    }

    /// The last so many matches of a game before one of them, or at all; of all, or those in which
    /// somebody played.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn matches(
        &self,
        game: &str,
        player: Option<&str>,
        before: Option<Mark<'_>>,
        matches: u64,
    ) -> Result<Vec<Match>, ReadError> {
        let before = before.unwrap_or(Mark {
            ended_at_ms: i64::MAX as u64,
            room: "",
            round: 0,
        });
        let values: [Value; 6] = [
            game.into(),
            before.ended_at_ms.into(),
            before.room.into(),
            before.round.into(),
            matches.into(),
            PLAYERS_READ_MAX.into(),
        ];
        let mut select = Statement::new(OF_GAME, values);
        if let Some(player) = player {
            select.sql = OF_PLAYER;
            // Parameters first appear in their order.
            select.values.insert(4, player.into());
        }
        grouped(&self.read(select).await?)
    }
}

fn grouped(rows: &[Row]) -> Result<Vec<Match>, ReadError> {
    let mut matches = Vec::<Match>::new();
    for row in rows {
        let (room, round) = (row.text(0)?, row.count(1)?);
        if matches
            .last()
            .is_none_or(|last| (&last.room, last.round) != (&room, round))
        {
            matches.push(Match {
                room,
                round,
                season: row.text(2)?,
                ended_at_ms: row.count(3)?,
                players: Vec::new(),
            });
        }
        // A match of nobody has one row, without a player.
        if let (Some(of), Ok(player)) = (matches.last_mut(), row.text(4)) {
            of.players.push(MatchPlayer {
                player,
                name: row.text(5)?,
                team: small(row.count(6)?),
                place: small(row.count(7)?),
                score: row.int(8)?,
                left: row.int(9)? != 0,
            });
        }
    }
    Ok(matches)
}

/// It was one when it was written.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
