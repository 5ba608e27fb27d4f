//! The listed rooms of this server, page by page, in the order of their numbers: what each says of
//! itself in lists, and who of how many is there. Private rooms are in no list.

use serde::Serialize;
use tickwire::ids::RoomId;

use super::game;
use super::problem::Problem;
use super::query::Query;
use crate::auth::ApiKey;
use crate::http::reply::{self, Reply};
use crate::lobby::{ListedRoom, Lobby, OfGame};

/// Rooms of a page: each is some 300 bytes, and up to 1 KB with much metadata.
const PAGE_MAX: u32 = 100;

#[derive(Serialize)]
struct Page {
    rooms: Vec<OfGame<ListedRoom>>,
    /// What the next page comes after; none: this was the last.
    next: Option<RoomId>,
}

pub(super) fn answer(query: &str, caller: &ApiKey, lobby: &Lobby) -> Result<Reply, Problem> {
    let query = Query::read(query, &["game", "after", "limit"], &[])?;
    let game = query.value("game");
    if let Some(game) = game {
        game::check(game, caller, lobby)?;
    }
    let after = RoomId(query.number("after", 0..=u32::MAX, 0)?);
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE_MAX)? as usize;
    let is_wanted = |name: &str| caller.is_for(name) && game.is_none_or(|game| game == name);
    // One more than is shown says whether there is another page.
    let mut rooms = lobby.listed_after(after, limit + 1, &is_wanted);
    let is_last = rooms.len() <= limit;
    rooms.truncate(limit);
    let last = rooms.last().map(|room| room.what.id);
    Ok(reply::json(&Page {
        next: last.filter(|_| !is_last),
        rooms,
    }))
}
