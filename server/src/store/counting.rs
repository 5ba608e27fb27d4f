//! What matches come to once they are stored: the ratings of their players, and the players' values
//! on the board of the game and season. Each match counts once, in the transaction that also writes
//! down that it does. Rated is only for whom a token vouches: a guest who lost would be another one.
//! Guests have places on boards where the operator wants it, who begin anew there with nothing.
//! Pure: the writer has the database read and write.

use std::collections::BTreeMap;

use super::boards::GUEST;
use super::value::{NoSuchValue, Row, Statement, Value};
use crate::ratings::{Played, Rating, Side, rate};

/// Matches of a transaction: what a second of many rooms brings, and some thousands of rows at most.
const MATCHES: u64 = 16;

/// The matches with those of their players who are `whose`.
macro_rules! due {
    ($whose:literal) => {
        concat!(
            "SELECT m.room, m.epoch, m.round, m.game, m.season, m.ended_at, \
            p.player, p.team, p.place, p.score, p.has_left, r.mean, r.deviation, r.played \
            FROM (SELECT room, epoch, round, game, season, ended_at FROM matches WHERE counted = 0 \
            ORDER BY ended_at, room, round LIMIT $1) AS m \
            LEFT JOIN match_players AS p \
            ON p.room = m.room AND p.epoch = m.epoch AND p.round = m.round AND ",
            $whose,
            " LEFT JOIN ratings AS r ON r.game = m.game AND r.player = p.player \
            ORDER BY m.ended_at, m.room, m.round, p.number"
        )
    };
}

const DUE: &str = due!("p.player LIKE 'user:%'");
const DUE_WITH_GUESTS: &str = due!("(p.player LIKE 'user:%' OR p.player LIKE 'guest:%')");
const RATING: &str = "INSERT INTO ratings (game, player, mean, deviation, played, at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (game, player) DO UPDATE \
    SET mean = excluded.mean, deviation = excluded.deviation, played = excluded.played, \
    at = excluded.at";
/// The best of a season stays.
const SCORE: &str = "INSERT INTO scores (game, season, player, value, at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (game, season, player) DO UPDATE \
    SET value = excluded.value, at = excluded.at WHERE excluded.value > scores.value";
const COUNTED: &str =
    "UPDATE matches SET counted = 1 WHERE room = $1 AND epoch = $2 AND round = $3";

/// The oldest matches that don't count yet, with those of their players who do, guests among them
/// or not, and what these are rated.
pub(super) fn due(has_guests: bool) -> Statement {
    let sql = match has_guests {
        true => DUE_WITH_GUESTS,
        false => DUE,
    };
    Statement::new(sql, [MATCHES.into()])
}

/// What is to be written for the rows of [`due`].
///
/// # Errors
/// They are not what they should be.
pub(super) fn count(rows: &[Row]) -> Result<Vec<Statement>, NoSuchValue> {
    let (mut ratings, mut statements) = (BTreeMap::new(), Vec::new());
    for of_match in rows.chunk_by(|a, b| a.0.get(..3) == b.0.get(..3)) {
        let Some(first) = of_match.first() else {
            continue;
        };
        let (game, season) = (first.text(3)?, first.text(4)?);
        let ended_at = first.count(5)?;
        let mut sides = BTreeMap::<i64, (Side, Vec<String>)>::new();
        // Where nobody is known there is one row, without a player.
        for row in of_match.iter().filter(|row| row.text(6).is_ok()) {
            let player = row.text(6)?;
            statements.push(Statement::new(
                SCORE,
                [
                    (&game).into(),
                    (&season).into(),
                    (&player).into(),
                    row.int(9)?.into(),
                    ended_at.into(),
                ],
            ));
            if player.starts_with(GUEST) {
                continue;
            }
            let known = ratings
                .entry((game.clone(), player.clone()))
                .or_insert_with(|| Known::read(row));
            let rank = u32::try_from(row.int(8)?).unwrap_or(u32::MAX);
            let (side, names) = sides.entry(row.int(7)?).or_insert_with(|| {
                let players = Vec::new();
                (Side { rank, players }, Vec::new())
            });
            // They came there together; a game that says otherwise has them where the first was.
            side.rank = side.rank.min(rank);
            side.players.push(Played {
                rating: known.rating,
                left: row.int(10)? != 0,
            });
            names.push(player);
        }
        let (sides, names): (Vec<Side>, Vec<Vec<String>>) = sides.into_values().unzip();
        // Of one side alone nothing is learnt, and of more players than can be rated neither.
        if sides.len() > 1
            && let Ok(rated) = rate(&sides)
        {
            let names = names.into_iter().flatten();
            for (player, rating) in names.zip(rated.into_iter().flatten()) {
                if let Some(known) = ratings.get_mut(&(game.clone(), player)) {
                    known.learn(rating, ended_at);
                }
            }
        }
        statements.push(Statement::new(
            COUNTED,
            [
                first.text(0)?.as_str().into(),
                first.int(1)?.into(),
                first.int(2)?.into(),
            ],
        ));
    }
    statements.extend(ratings.iter().filter_map(|((game, player), known)| {
        let at = known.at_ms?;
        let Rating { mean, deviation } = known.rating;
        let values = [
            game.into(),
            player.into(),
            mean.into(),
            deviation.into(),
            known.played.into(),
            at.into(),
        ];
        Some(Statement::new(RATING, values))
    }));
    Ok(statements)
}

/// Whose rating is another one by these, and its mean: game, player, mean.
pub(super) fn ratings(statements: &[Statement]) -> Vec<(Box<str>, Box<str>, f64)> {
    let of_rating = statements.iter().filter(|of| of.sql == RATING);
    let values = of_rating.filter_map(|of| match &of.values[..] {
        [
            Value::Text(game),
            Value::Text(player),
            Value::Real(mean),
            ..,
        ] => Some((game.clone(), player.clone(), *mean)),
        _ => None,
    });
    values.collect()
}

/// What is known of a player, and has been since, a match after the other.
struct Known {
    rating: Rating,
    /// Matches that it comes of.
    played: u64,
    /// When the last one of these rows ended; `None`: none of them said anything.
    at_ms: Option<u64>,
}

impl Known {
    /// Who has not been rated, or is what nobody can be, begins.
    fn read(row: &Row) -> Known {
        let found = || {
            let (mean, deviation) = (row.real(11).ok()?, row.real(12).ok()?);
            let rating = Rating { mean, deviation };
            rating.is_sound().then_some((rating, row.count(13).ok()?))
        };
        let (rating, played) = found().unwrap_or_default();
        Known {
            rating,
            played,
            at_ms: None,
        }
    }

    fn learn(&mut self, rating: Rating, at_ms: u64) {
        self.rating = rating;
        self.played += 1;
        self.at_ms = Some(at_ms);
    }
}
