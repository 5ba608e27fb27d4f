//! Where players are: of each that is asked for whether they are connected, at whatever node,
//! and in which games and rooms.

use hyper::StatusCode;
use serde::Serialize;

use super::player;
use super::problem::Problem;
use super::query::Query;
use crate::auth::{ApiKey, Identity};
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::presence::Whereabouts;

/// Players of a request: as many as a page of friends has.
const PLAYERS_MAX: usize = 100;
/// Connections of a player that are shown: a few tabs and devices. Beyond: those that came last are
/// left out.
const CONNECTIONS_MAX: usize = 16;

#[derive(Serialize)]
struct Answer<'a> {
    players: Vec<Player<'a>>,
}

#[derive(Serialize)]
struct Player<'a> {
    player: &'a str,
    online: bool,
    connections: Vec<Whereabouts>,
}

pub(super) async fn answer(query: &str, caller: &ApiKey, lobby: &Lobby) -> Result<Reply, Problem> {
    let query = Query::read(query, &[], &["player"])?;
    let asked: Vec<&str> = query.values("player").collect();
    if !(1..=PLAYERS_MAX).contains(&asked.len()) {
        let why = format!("1 to {PLAYERS_MAX} of them are needed");
        return Err(Problem::of_query("player", why));
    }
    let identities = asked.iter().map(|text| player::read(text, "player"));
    let identities: Vec<Identity> = identities.collect::<Result<_, _>>()?;
    let found = lobby.whereabouts(&identities).await;
    let found = found.ok_or_else(|| {
        let why = "the cluster does not answer";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).after(1)
    })?;
    let players = asked
        .into_iter()
        .zip(found)
        .map(|(player, mut connections)| {
            connections.retain(|connection| caller.is_for(connection.game));
            connections.truncate(CONNECTIONS_MAX);
            let online = !connections.is_empty();
            Player {
                player,
                online,
                connections,
            }
        });
    Ok(reply::json(&Answer {
        players: players.collect(),
    }))
}
