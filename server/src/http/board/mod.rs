//! Boards as pages show them: `GET /api/board`, the first of a game and season by name and value,
//! for everybody; `GET /api/board/own`, where somebody stands, for who brings the token that the
//! server gave them. What programs read of boards, with identities and ratings, is `api`'s.
//!
//! Everybody's is read in the background ([`Boards::keep_reading`]) and answered as it was read
//! last: no request for it waits for the store, and a crowd costs the store what one costs.

mod own;
mod shown;

use std::sync::Arc;
use std::time::Instant;

use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;

use super::api::problem::Problem;
use super::api::query::Query;
use super::json;
use super::reply::{self, Reply};
use super::site::File;
use crate::game::SEASON_CHARS_MAX;
use crate::lobby::{GameIndex, Lobby};
use crate::metrics::Metrics;
use crate::store::ReadError;
use crate::store::boards::Place;
use own::Own;
use shown::{Board, Found, Shown};

/// Rows of a board.
const ROWS: u64 = 100;

/// See the module's description.
pub(crate) struct Boards {
    lobby: Lobby,
    metrics: Arc<Metrics>,
    shown: Mutex<Shown>,
    own: Own,
    /// A board is asked for that was not read yet.
    is_wanted: Notify,
}

/// A board as it is written.
#[derive(Serialize)]
struct Page<'a> {
    game: &'a str,
    season: &'a str,
    /// Whether the server keeps results at all.
    stored: bool,
    board: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    place: u64,
    /// As they called themselves last; empty: they were erased.
    name: &'a str,
    value: i64,
    /// Whether nobody vouches for them.
    guest: bool,
    /// By which who is told theirs finds their row; `None`: nobody's.
    mark: Option<String>,
}

/// Where somebody stands.
#[derive(Serialize)]
struct OwnPage<'a> {
    /// `None`: they are on no board of this game and season.
    own: Option<Row<'a>>,
}

impl Boards {
    pub(super) fn new(lobby: Lobby, metrics: Arc<Metrics>) -> Boards {
        let games = lobby.games().into_iter().map(|game| game.game);
        Boards {
            shown: Mutex::new(Shown::new(games.collect(), Instant::now())),
            own: Own::default(),
            is_wanted: Notify::new(),
            lobby,
            metrics,
        }
    }

    /// Reads what is asked for, and what usually is, for as long as it is polled.
    pub(crate) async fn keep_reading(self: Arc<Self>) {
        loop {
            let now = Instant::now();
            let due = self.shown.lock().due(now);
            match due {
                Ok(board) => self.read(board).await,
                Err(then) => {
                    let rest = tokio::time::sleep_until(then.into());
                    tokio::select! {
                        () = rest => {}
                        () = self.is_wanted.notified() => {}
                    }
                }
            }
        }
    }

    async fn read(&self, board: Board) {
        let (game, season) = (board.game, &*board.season);
        let read = self.lobby.store().board(game, season, None, ROWS).await;
        let is_stored = !matches!(read, Err(ReadError::NoStore));
        let places = match read {
            Err(ReadError::NoStore) => Ok(Vec::new()),
            read => read,
        };
        let file = places.ok().and_then(|places| {
            let page = Page {
                game,
                season,
                stored: is_stored,
                board: places.iter().map(|of| self.row(&board, of)).collect(),
            };
            let text = json::write(&page).ok()?;
            Some((File::new("application/json", text.into()), places.len()))
        });
        match &file {
            Some(_) => self.metrics.boards_read.increment(1),
            // As it was, until it can be read again; the store says why.
            None => self.metrics.boards_unread.increment(1),
        }
        self.shown.lock().read(&board, file, Instant::now());
    }

    fn row<'a>(&self, board: &Board, of: &'a Place) -> Row<'a> {
        let mark = || {
            let lobby = &self.lobby;
            lobby.board_mark(board.game, &board.season, &of.player)
        };
        Row {
            place: of.place,
            name: &of.name,
            value: of.value,
            guest: of.is_guest(),
            mark: (!of.is_erased()).then(mark),
        }
    }

    /// The board that this path and query ask for.
    pub(super) fn answer(
        &self,
        game: Option<GameIndex>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Reply {
        let board = match self.named(game, query) {
            Ok(board) => board,
            Err(problem) => return problem.reply(),
        };
        let found = self.shown.lock().find(&board, Instant::now());
        match found {
            Found::Board(file) => reply::file(&file, headers),
            Found::Unread => {
                self.is_wanted.notify_one();
                reply::later("the board is not read yet\n")
            }
            Found::Full => {
                self.metrics.boards_refused.increment(1);
                reply::unavailable("too many boards are asked for\n")
            }
        }
    }

    /// Where somebody stands on the board that this path and query ask for.
    pub(super) async fn answer_own(
        &self,
        game: Option<GameIndex>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Reply {
        let board = match self.named(game, query) {
            Ok(board) => board,
            Err(problem) => return problem.reply(),
        };
        let Some(who) = bearer(headers).and_then(|token| self.lobby.known(token)) else {
            return reply::unauthorised("whose place? by the token of the last welcome\n");
        };
        let store = self.lobby.store();
        let player = who.to_string();
        match self.own.place(store, &board, &player).await {
            Ok(place) => reply::json(&OwnPage {
                own: place.as_ref().map(|of| self.row(&board, of)),
            }),
            Err(why) => {
                self.metrics.places_refused.increment(1);
                match why {
                    ReadError::Busy => reply::later("too many ask where they stand\n"),
                    _ => reply::unavailable("the store can't be read\n"),
                }
            }
        }
    }

    /// The board that is meant: of the path's game, or the one that the query names, or the only
    /// one.
    fn named(&self, game: Option<GameIndex>, query: Option<&str>) -> Result<Board, Problem> {
        let names: &[&str] = match game {
            Some(_) => &["season"],
            None => &["game", "season"],
        };
        let query = Query::read(query.unwrap_or(""), names, &[])?;
        let season = query.value("season").unwrap_or("");
        if season.chars().count() > SEASON_CHARS_MAX || season.chars().any(char::is_control) {
            return Err(Problem::of_query("season", "no season is called so"));
        }
        let lobby = &self.lobby;
        let game = match (game, query.value("game")) {
            (Some(game), _) => lobby.name_of(game),
            (None, Some(name)) => lobby.game(name),
            (None, None) => match lobby.only_game() {
                None => {
                    return Err(Problem::of_query(
                        "game",
                        "of which game? there are several",
                    ));
                }
                only => only,
            },
        };
        let nowhere = || Problem::new(StatusCode::NOT_FOUND, "there is no such game").at("game");
        Ok(Board {
            game: game.ok_or_else(nowhere)?,
            season: season.into(),
        })
    }
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let line = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = line.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
