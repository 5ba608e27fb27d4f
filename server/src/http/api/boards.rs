//! A game's board of a season, in pages from the top or around a player: who has which place, by
//! what the game counts, and how good they are taken to be.

use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::{game, player};
use crate::auth::ApiKey;
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::store::boards::Place;

/// Rows of a page: each is some 150 bytes.
const PAGE_MAX: u32 = 100;

#[derive(Serialize)]
struct Page<'a> {
    board: Vec<Row<'a>>,
    /// What the next page comes after; none: this was the last.
    next: Option<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    place: u64,
    /// `None`: who was erased.
    player: Option<&'a str>,
    name: &'a str,
    value: i64,
    rating: Option<Rating>,
}

#[derive(Serialize)]
struct Rating {
    mean: f64,
    deviation: f64,
    played: u64,
}

pub(super) async fn answer(query: &str, caller: &ApiKey, lobby: &Lobby) -> Result<Reply, Problem> {
    let query = Query::read(query, &["game", "season", "around", "after", "limit"], &[])?;
    let game = game::needed(&query, caller, lobby)?;
    let season = query.value("season").unwrap_or("");
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE_MAX)?;
    let after = query.value("after").map(read_mark).transpose()?;
    let store = lobby.store();
    // One more than is shown says whether there is another page.
    let read = match (player::named(&query, "around")?, after) {
        (Some(_), Some(_)) => {
            return Err(Problem::of_query("around", "is not taken beside after"));
        }
        (Some(player), None) => {
            // Where fewer stand above the page is filled from below.
            let (above, below) = (u64::from((limit - 1) / 2), u64::from(limit));
            let read = store.board_around(game, season, player, (above, below));
            read.await
        }
        (None, after) => store.board(game, season, after, u64::from(limit) + 1).await,
    };
    let mut places = read.map_err(Problem::unread)?;
    let limit = limit as usize;
    let is_last = places.len() <= limit;
    places.truncate(limit);
    let last = places.last().filter(|_| !is_last);
    Ok(reply::json(&Page {
        next: last.map(|last| format!("{}.{}", last.value, last.player)),
        board: places.iter().map(row).collect(),
    }))
}

fn row(of: &Place) -> Row<'_> {
    Row {
        place: of.place,
        player: (!of.is_erased()).then_some(&of.player),
        name: &of.name,
        value: of.value,
        rating: of.rating.map(|rating| Rating {
            mean: rating.mean,
            deviation: rating.deviation,
            played: rating.played,
        }),
    }
}

/// A place on the board as `next` says it: a value and a player.
fn read_mark(text: &str) -> Result<(i64, &str), Problem> {
    let mark = text
        .split_once('.')
        .and_then(|(value, player)| Some((value.parse().ok()?, player)));
    mark.ok_or_else(|| Problem::of_query("after", "is no next of a page before"))
}
