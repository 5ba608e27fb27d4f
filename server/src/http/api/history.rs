//! What was said in a channel, as it is stored: the last lines, or those before one of them, in
//! pages. A room's channel is also found by the room's number.

use hyper::StatusCode;
use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use crate::auth::ApiKey;
use crate::http::reply::{self, Reply};
use crate::lobby::Lobby;
use crate::store::record::Message;

/// Lines of a page: each is a few hundred bytes at most.
const PAGE_MAX: u32 = 50;
/// Bytes of a channel's key: more than any has.
const CHANNEL_BYTES_MAX: usize = 200;

#[derive(Serialize)]
struct Page<'a> {
    channel: &'a str,
    /// In the order in which they were said.
    lines: Vec<Line<'a>>,
    /// What the page before comes before; none: there is nothing before this one.
    next: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    /// Milliseconds since 1970.
    said_at: u64,
    /// `None`: who was erased, with what they said.
    player: Option<&'a str>,
    name: &'a str,
    text: &'a str,
}

pub(super) async fn answer(query: &str, caller: &ApiKey, lobby: &Lobby) -> Result<Reply, Problem> {
    let query = Query::read(query, &["channel", "room", "before", "limit"], &[])?;
    let limit = query.number("limit", 1..=PAGE_MAX, PAGE_MAX)? as usize;
    let before = query.value("before").map(read_sequence).transpose()?;
    let channel = channel(&query, caller, lobby).await?;
    // One more than is shown says whether there is another page.
    let read = lobby
        .store()
        .lines_before(&channel, before, limit as u64 + 1);
    let lines = read.await.map_err(Problem::unread)?;
    let beyond = lines.len().saturating_sub(limit);
    let (more, lines) = lines.split_at(beyond);
    let next = lines.first().filter(|_| !more.is_empty());
    Ok(reply::json(&Page {
        channel: &channel,
        next: next.map(|line| line.sequence),
        lines: lines.iter().map(shown).collect(),
    }))
}

/// The key of the channel that is asked for, which the caller may read.
async fn channel(query: &Query, caller: &ApiKey, lobby: &Lobby) -> Result<String, Problem> {
    let store = lobby.store();
    let (channel, game) = match (query.value("channel"), query.value("room")) {
        (Some(channel), None) if (1..=CHANNEL_BYTES_MAX).contains(&channel.len()) => {
            let game = match caller.is_for_all() {
                true => None,
                false => store.game_of(channel).await.map_err(Problem::unread)?,
            };
            (channel.to_owned(), game)
        }
        (None, Some(_)) => {
            let number = query.number("room", 0..=u32::MAX, 0)?;
            let room = store.room_of(number).await.map_err(Problem::unread)?;
            let (channel, game) = room.ok_or_else(|| {
                let why = "no room of this number is stored";
                Problem::new(StatusCode::NOT_FOUND, why).at("room")
            })?;
            (channel, Some(game))
        }
        (Some(_), None) => {
            let why = format!("is not 1 to {CHANNEL_BYTES_MAX} bytes");
            return Err(Problem::of_query("channel", why));
        }
        _ => {
            let why = "either it or room is needed, and not both";
            return Err(Problem::of_query("channel", why));
        }
    };
    // What is of no game is for who is for all.
    let may = caller.is_for_all() || game.is_some_and(|game| caller.is_for(&game));
    let why = "this key is not for this channel";
    let problem = || Problem::new(StatusCode::FORBIDDEN, why).at("channel");
    may.then_some(channel).ok_or_else(problem)
}

fn read_sequence(text: &str) -> Result<u64, Problem> {
    let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
    let sequence = text.parse().ok().filter(|_| is_plain);
    sequence.ok_or_else(|| Problem::of_query("before", "is no sequence of a line"))
}

fn shown(line: &Message) -> Line<'_> {
    Line {
        sequence: line.sequence,
        said_at: line.said_at_ms,
        player: (!line.player.is_empty()).then_some(&line.player),
        name: &line.name,
        text: &line.text,
    }
}
