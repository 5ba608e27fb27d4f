//! The pages of a process's games: each below `/g/NAME/`, with the SDK beneath it. At the top is
//! the only game's page, or one that lists them, with the SDK beside it all the same: a bundle and
//! pages from elsewhere need not know how many games there are. Files are `site`'s.

use std::fmt::Write;

use super::site::{File, Site};
use crate::lobby::{GameIndex, OfGame, Totals};

/// Below it each game has its own.
const GAMES: &str = "/g/";

/// The pages of games by their names, in the order of their indices.
pub(crate) type NamedPages = Vec<(&'static str, Site)>;

/// What is served of a process's games.
pub(crate) struct Pages {
    games: NamedPages,
    /// Beside the list of several games.
    top: Site,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// To something of a game, or of the first one where it says none.
    In(Option<GameIndex>, &'a str),
    /// To a game's folder without the slash behind, from which its files would not be found.
    Folder(&'static str),
    /// To a game that is not there.
    Nowhere,
}

impl Pages {
    pub(super) fn new(games: NamedPages) -> Pages {
        let top = Site::new().with_file("/games.css", include_str!("games.css"));
        Pages { games, top }
    }

    /// Where `path` leads.
    pub(super) fn route<'a>(&self, path: &'a str) -> Route<'a> {
        let Some(below) = path.strip_prefix(GAMES) else {
            return Route::In(None, path);
        };
        let (name, rest) = below.split_at(below.find('/').unwrap_or(below.len()));
        let mut places = (0..=u8::MAX).map(GameIndex).zip(&self.games);
        match places.find(|(_, (game, _))| *game == name) {
            Some((_, (game, _))) if rest.is_empty() => Route::Folder(game),
            Some((index, _)) => Route::In(Some(index), rest),
            None => Route::Nowhere,
        }
    }

    /// The file at a path of a game, or at the top.
    pub(super) fn file(&self, game: Option<GameIndex>, path: &str) -> Option<&File> {
        let site = match (game, &self.games[..]) {
            (Some(game), games) => &games.get(usize::from(game.0))?.1,
            (None, [(_, only)]) => only,
            (None, _) => &self.top,
        };
        site.find(path)
    }

    /// Whether a path at the top is the list of games.
    pub(super) fn is_list(&self, path: &str) -> bool {
        self.games.len() > 1 && matches!(path, "/" | "/index.html")
    }
}

/// The page that lists games. Their names are such as need no escapes.
pub(super) fn list(games: &[OfGame<Totals>]) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Games</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"./games.css\">\n<main>\n<h1>Games</h1>\n<ul>\n",
    );
    for OfGame { game, what } in games {
        let (rooms, players) = (many(what.rooms, "room"), many(what.players, "player"));
        let spectators = match what.spectators {
            0 => String::new(),
            count => format!(", {}", many(count, "spectator")),
        };
        let _ = writeln!(
            html,
            "<li><a href=\"./g/{game}/\"><b>{game}</b> <span>{rooms}, {players}{spectators}</span></a>"
        );
    }
    html += "</ul>\n</main>\n</html>\n";
    html
}

fn many(count: u32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(names: &[&'static str]) -> Pages {
        let page = |name: &&'static str| (*name, Site::new().with_file("/index.html", *name));
        Pages::new(names.iter().map(page).collect())
    }

    fn body(pages: &Pages, path: &str) -> Option<String> {
        let Route::In(game, path) = pages.route(path) else {
            return None;
        };
        let body = &pages.file(game, path)?.plain.body;
        Some(String::from_utf8_lossy(body).into_owned())
    }

    #[test]
    fn each_game_has_its_folder_and_the_sdk_in_it() {
        let both = pages(&["chess", "go"]);
        assert_eq!(body(&both, "/g/chess/").as_deref(), Some("chess"));
        assert_eq!(body(&both, "/g/go/index.html").as_deref(), Some("go"));
        for sdk in ["/client/", "/g/go/client/", "/g/chess/client/"] {
            let module = format!("{sdk}tickwire.js");
            assert!(body(&both, &module).is_some(), "{module}");
        }
        let second = Some(GameIndex(1));
        assert_eq!(both.route("/g/go/ws"), Route::In(second, "/ws"));
        assert_eq!(both.route("/ws"), Route::In(None, "/ws"));
        assert_eq!(both.route("/g/go"), Route::Folder("go"));
        for wrong in [
            "/g/",
            "/g//",
            "/g/ch",
            "/g/chess2/",
            "/g/Chess/",
            "/g/../ws",
        ] {
            assert_eq!(both.route(wrong), Route::Nowhere, "{wrong}");
        }
        assert!(both.is_list("/") && body(&both, "/").is_none());
        assert!(body(&both, "/games.css").is_some());
    }

    #[test]
    fn the_only_game_is_at_the_top_too() {
        let one = pages(&["chess"]);
        for path in ["/", "/index.html", "/g/chess/"] {
            assert_eq!(body(&one, path).as_deref(), Some("chess"), "{path}");
        }
        assert!(!one.is_list("/") && body(&one, "/games.css").is_none());
    }

    #[test]
    fn the_list_says_what_there_is() {
        let totals = |rooms, players, spectators| Totals {
            rooms,
            players,
            spectators,
        };
        let list = list(&[
            OfGame {
                game: "chess",
                what: totals(1, 2, 0),
            },
            OfGame {
                game: "go",
                what: totals(2, 1, 3),
            },
        ]);
        assert!(
            list.contains("href=\"./g/chess/\"><b>chess</b> <span>1 room, 2 players<"),
            "{list}"
        );
        let watched = "<span>2 rooms, 1 player, 3 spectators<";
        assert!(list.contains(watched), "{list}");
    }
}
