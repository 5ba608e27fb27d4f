//! A game's matches as they ended, the last ones first, in pages: all of them, or those in which a
//! player was.

use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::{game, player};
use crate::auth::ApiKey;
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::store::matches::{self, Mark};
use crate::store::record::MatchPlayer;

/// Matches of a page: each is some 100 bytes a player.
const PAGE_MAX: u32 = 20;

#[derive(Serialize)]
struct Page<'a> {
    matches: Vec<Match<'a>>,
    /// What the next page comes after; none: this was the last.
    next: Option<String>,
}

#[derive(Serialize)]
struct Match<'a> {
    room: &'a str,
    round: u64,
    season: &'a str,
    /// Milliseconds since 1970.
    ended_at: u64,
    players: Vec<Player<'a>>,
}

#[derive(Serialize)]
struct Player<'a> {
    /// `None`: who was erased.
    player: Option<&'a str>,
    name: &'a str,
    team: u32,
    place: u32,
    score: i64,
    left: bool,
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
        matches: matches.iter().map(shown).collect(),
    }))
}

fn shown(of: &matches::Match) -> Match<'_> {
    Match {
        room: &of.room,
        round: of.round,
        season: &of.season,
        ended_at: of.ended_at_ms,
        players: of.players.iter().map(came).collect(),
    }
}

fn came(of: &MatchPlayer) -> Player<'_> {
    Player {
        player: (!of.player.is_empty()).then_some(&of.player),
        name: &of.name,
        team: of.team,
        place: of.place,
        score: of.score,
        left: of.left,
    }
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
