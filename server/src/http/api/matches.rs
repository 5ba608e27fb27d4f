//! A game's matches as they ended, the last ones first, in pages: all of them, or those in which a
//! player was.

use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::{game, player};
use crate::auth::ApiKey;
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::store::matches::{Mark, Match};

/// Matches of a page: each is some 100 bytes a player.
const PAGE_MAX: u32 = 20;

#[derive(Serialize)]
struct Page {
    matches: Vec<Match>,
    /// What the next page comes after; none: this was the last.
    next: Option<String>,
}

pub(super) async fn answer(query: &str, caller: &ApiKey, lobby: &Lobby) -> Result<Reply, Problem> {
    let query = Query::read(query, &["game", "player", "after", "limit"], &[])?;
    let game = game::needed(&query, caller, lobby)?;
    let player = player::named(&query, "player")?;
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE_MAX)? as usize;
    let after = query.value("after").map(read_mark).transpose()?;
    // One more than is shown says whether there is another page.
    let read = lobby.store().matches(game, player, after, limit as u64 + 1);
    let mut matches = read.await.map_err(Problem::unread)?;
    let is_last = matches.len() <= limit;
    matches.truncate(limit);
    let last = matches.last().filter(|_| !is_last);
    Ok(reply::json(&Page {
        next: last.map(|last| format!("{}.{}.{}", last.ended_at_ms, last.round, last.room)),
        matches,
    }))
}

/// A match as `next` says it: when it ended, its round and its room.
fn read_mark(text: &str) -> Result<Mark<'_>, Problem> {
    let mut parts = text.splitn(3, '.');
    let mut mark = || {
        Some(Mark {
            ended_at_ms: parts.next()?.parse().ok()?,
            round: parts.next()?.parse().ok()?,
            room: parts.next()?,
        })
    };
    mark().ok_or_else(|| Problem::of_query("after", "is no next of a page before"))
}
