//! What is stored of a person, as they may ask an operator for it: all of it, and that it goes.

use std::net::SocketAddr;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::http::api::query::decoded;
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::moderation::audit;
use crate::moderation::order::{Order, Verb};
use crate::moderation::target::Target;
use crate::store::{EraseError, ReadError};

/// Why nothing came of it, and what is answered.
type Refused = (StatusCode, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    player: String,
}

/// All that is stored of the player that a query names.
///
/// # Errors
/// What is answered, and logged.
pub(super) async fn export(
    query: Option<&str>,
    who: SocketAddr,
    lobby: &Lobby,
) -> Result<Reply, Refused> {
    let asked = query.and_then(|query| query.strip_prefix("player="));
    let asked = asked.and_then(decoded).ok_or_else(|| {
        let why = "?player=… is needed, percent-encoded";
        (StatusCode::BAD_REQUEST, why.to_owned())
    })?;
    let player = player(&asked)?.to_string();
    let kept = lobby.store().export(&player).await;
    let kept = kept.map_err(|why| match why {
        ReadError::NoStore => no_store(),
        why => (StatusCode::SERVICE_UNAVAILABLE, why.to_string()),
    })?;
    audit::exported(who, &player);
    Ok(reply::json(&json!({ "player": player, "stored": kept })))
}

/// Erases the player whom an order names, whose bans and mutes end with it.
///
/// # Errors
/// What is answered, and logged.
pub(super) async fn erase(body: &[u8], who: SocketAddr, lobby: &Lobby) -> Result<Reply, Refused> {
    let written: Written = serde_json::from_slice(body)
        .map_err(|why| (StatusCode::BAD_REQUEST, format!("body: {why}")))?;
    let target = player(&written.player)?;
    if !lobby.store().is_there() {
        return Err(no_store());
    }
    // In a task of its own, since this one ends with the operator's connection.
    let lobby = lobby.clone();
    let erased = tokio::spawn(async move {
        let player = target.to_string();
        for verb in [Verb::Unban, Verb::Unmute] {
            let (target, reason) = (target.clone(), "erased".to_owned());
            // Mostly there is none.
            let _ = lobby
                .carry_out(&Order {
                    verb,
                    target,
                    reason,
                })
                .await;
        }
        // First: what a room reports of them afterwards would be stored again.
        if let Target::Player(identity) = &target
            && !lobby.forget(identity).await
        {
            return Err(EraseError::Late);
        }
        let erased = lobby.store().erase(&player).await;
        if let Target::Player(identity) = &target
            && erased.is_ok()
        {
            lobby.forget_notices(identity);
        }
        if erased.is_ok() {
            audit::erased(who, &player);
        }
        erased.map(|()| reply::json(&json!({ "erased": player })))
    });
    match erased.await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(EraseError::NoStore)) => Err(no_store()),
        Ok(Err(EraseError::Late)) => Err((
            StatusCode::SERVICE_UNAVAILABLE,
            "not done yet: give it again later".to_owned(),
        )),
        Ok(Err(EraseError::Failed(why))) => Err((StatusCode::SERVICE_UNAVAILABLE, why)),
        Err(_) => Err((StatusCode::INTERNAL_SERVER_ERROR, "it failed".to_owned())),
    }
}

fn player(text: &str) -> Result<Target, Refused> {
    Target::player(text).map_err(|why| (StatusCode::BAD_REQUEST, why))
}

fn no_store() -> Refused {
    let why = "nothing is stored here: it needs --store";
    (StatusCode::CONFLICT, why.to_owned())
}
