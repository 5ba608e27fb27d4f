//! Boards: the values of a game and season, the highest first. Who ties shares a place; among them
//! the order is that of their names in the tables, which is the same at each look. What is shown is
//! of one moment. A page costs its rows, and their places what has to be counted above them.

use super::erase::GONE;
use super::value::{Row, Statement, Value};
use super::{ReadError, Store};

/// How the identity of a guest begins.
pub(super) const GUEST: &str = "guest:";

/// One on a board.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// From 1; as many as are above, and one more.
    pub(crate) place: u64,
    pub(crate) player: String,
    /// Empty of whom no name is known.
    pub(crate) name: String,
    pub(crate) value: i64,
    /// `None`: they were in no match that says how good they are.
    pub(crate) rating: Option<Rated>,
}

impl Place {
    /// Whether it is nobody's whom one could name.
    pub(crate) fn is_erased(&self) -> bool {
        self.player.starts_with(GONE)
    }

    /// Whether nobody vouches for them.
    pub(crate) fn is_guest(&self) -> bool {
        self.player.starts_with(GUEST)
    }
}

/// How good somebody is taken to be in a game; see [`crate::ratings::Rating`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rated {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    /// Matches that it comes of.
    pub(crate) played: u64,
}

/// What follows the rows of a `page`: who they are, and how many stand above the first of them, by
/// their value and by the order of those who tie.
macro_rules! board {
    ($page:literal) => {
        concat!(
            "WITH ",
            $page,
            ", first AS (SELECT value, player FROM page ORDER BY value DESC, player LIMIT 1) \
            SELECT page.player, COALESCE(players.name, ''), page.value, \
            ratings.mean, ratings.deviation, ratings.played, \
            (SELECT COUNT(*) FROM scores WHERE game = $1 AND season = $2 \
            AND value > (SELECT value FROM first)), \
            (SELECT COUNT(*) FROM scores WHERE game = $1 AND season = $2 \
            AND value = (SELECT value FROM first) AND player < (SELECT player FROM first)) \
            FROM page LEFT JOIN players ON players.player = page.player \
            LEFT JOIN ratings ON ratings.game = $1 AND ratings.player = page.player \
            ORDER BY page.value DESC, page.player"
        )
    };
}

const BELOW: &str = board!(
    "page AS (SELECT player, value FROM scores WHERE game = $1 AND season = $2 \
    AND value <= $3 AND (value < $3 OR player > $4) ORDER BY value DESC, player LIMIT $5)"
);
const AROUND: &str = board!(
    "own AS (SELECT value FROM scores WHERE game = $1 AND season = $2 AND player = $3), \
    above AS (SELECT player, value FROM scores WHERE game = $1 AND season = $2 \
    AND value >= (SELECT value FROM own) AND (value > (SELECT value FROM own) OR player <= $3) \
    ORDER BY value, player DESC LIMIT $4), \
    below AS (SELECT player, value FROM scores WHERE game = $1 AND season = $2 \
    AND value <= (SELECT value FROM own) AND (value < (SELECT value FROM own) OR player > $3) \
    ORDER BY value DESC, player LIMIT $5), \
    page AS (SELECT player, value FROM above UNION ALL SELECT player, value FROM below)"
);

impl Store {
    /// The first so many of a board after a value and player on it, or at all.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn board(
        &self,
        game: &str,
        season: &str,
        after: Option<(i64, &str)>,
        rows: u64,
    ) -> Result<Vec<Place>, ReadError> {
        let (value, player) = after.unwrap_or((i64::MAX, ""));
        let values: [Value; 5] = [
            game.into(),
            season.into(),
            value.into(),
            player.into(),
            rows.into(),
        ];
        placed(&self.read(Statement::new(BELOW, values)).await?)
    }

    /// Somebody on a board with so many above them and below; empty if they are not on it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn board_around(
        &self,
        game: &str,
        season: &str,
        player: &str,
        (above, below): (u64, u64),
    ) -> Result<Vec<Place>, ReadError> {
        let values: [Value; 5] = [
            game.into(),
            season.into(),
            player.into(),
            // With the player.
            (above + 1).into(),
            below.into(),
        ];
        placed(&self.read(Statement::new(AROUND, values)).await?)
    }
}

/// Rows that follow each other, with their places.
fn placed(rows: &[Row]) -> Result<Vec<Place>, ReadError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let (mut value, higher) = (first.int(2)?, first.count(6)?);
    let (mut place, mut above) = (higher + 1, higher + first.count(7)?);
    let mut board = Vec::with_capacity(rows.len());
    for row in rows {
        let own = row.int(2)?;
        if own != value {
            (value, place) = (own, above + 1);
        }
        above += 1;
        board.push(Place {
            place,
            player: row.text(0)?,
            name: row.text(1)?,
            value,
            rating: rated(row),
        });
    }
    Ok(board)
}

fn rated(row: &Row) -> Option<Rated> {
    Some(Rated {
        mean: row.real(3).ok()?,
        deviation: row.real(4).ok()?,
        played: row.count(5).ok()?,
    })
}
