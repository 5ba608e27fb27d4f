//! How good players of a game are, for who has to know it soon: read some at a time, and remembered
//! for a while.

use std::collections::HashMap;
use std::time::Instant;

use super::value::{Row, Statement};
use super::{ReadError, Store};
use crate::ratings::Rating;

/// Players that one read asks for.
pub(crate) const ASKED_MAX: usize = 16;
const OF_THESE: &str = "SELECT player, mean, deviation FROM ratings WHERE game = $1 \
    AND player IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

impl Store {
    /// The mean of somebody's rating, if it was read of late.
    pub(crate) fn mean_known(&self, game: &str, player: &str, now: Instant) -> Option<f64> {
        self.0.as_ref()?.rated.mean(game, player, now)
    }

    /// The means of ratings, of [`ASKED_MAX`] players at most, in their order. Who has none is new.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn means(
        &self,
        game: &str,
        players: &[String],
    ) -> Result<Vec<f64>, ReadError> {
        let store = self.0.as_ref().ok_or(ReadError::NoStore)?;
        let changes = store.rated.changes();
        let players = &players[..players.len().min(ASKED_MAX)];
        let mut select = Statement::new(OF_THESE, [game.into()]);
        let asked = players.iter().map(String::as_str);
        let padded = asked.chain(std::iter::repeat("")).take(ASKED_MAX);
        select.values.extend(padded.map(Into::into));
        let rows = self.read(select).await?;
        let known: Result<HashMap<String, f64>, ReadError> = rows.iter().map(mean).collect();
        let known = known?;
        let mean = |player: &String| known.get(player).copied().unwrap_or(Rating::START.mean);
        let means: Vec<f64> = players.iter().map(mean).collect();
        let read = players
            .iter()
            .map(String::as_str)
            .zip(means.iter().copied());
        store.rated.keep(changes, game, read, Instant::now());
        Ok(means)
    }
}

/// What can be nobody's counts as that of who is new, as in counting.
fn mean(row: &Row) -> Result<(String, f64), ReadError> {
    let (mean, deviation) = (row.real(1)?, row.real(2)?);
    let rating = Rating { mean, deviation };
    let mean = if rating.is_sound() {
        mean
    } else {
        Rating::START.mean
    };
    Ok((row.text(0)?, mean))
}
