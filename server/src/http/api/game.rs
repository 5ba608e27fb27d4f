//! The game that a request names.

use hyper::StatusCode;

use super::problem::Problem;
use super::query::Query;
use crate::auth::ApiKey;
use crate::lobby::Lobby;

/// Whether there is a game of this name, and the key is for it.
///
/// # Errors
/// 403, 404.
pub(super) fn check(game: &str, caller: &ApiKey, lobby: &Lobby) -> Result<(), Problem> {
    if !caller.is_for(game) {
        let why = "this key is not for this game";
        return Err(Problem::new(StatusCode::FORBIDDEN, why).at("game"));
    }
    let problem = || Problem::new(StatusCode::NOT_FOUND, "there is no such game").at("game");
    lobby.game(game).map(drop).ok_or_else(problem)
}

/// The game of a request that must name one.
///
/// # Errors
/// 400, 403, 404.
pub(super) fn needed<'a>(
    query: &'a Query,
    caller: &ApiKey,
    lobby: &Lobby,
) -> Result<&'a str, Problem> {
    let game = query.value("game");
    let game = game.ok_or_else(|| Problem::of_query("game", "is needed"))?;
    check(game, caller, lobby).map(|()| game)
}
