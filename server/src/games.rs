//! The games that a process is to serve, each with its page and what it has of its own of the
//! settings. A program names them; `run` checks them at the start. From there on lobby, workers and
//! pages know a game by its place here.

use std::io;
use std::panic::catch_unwind;
use std::sync::Arc;

use crate::config::{Config, ConfigError, GameSettings, invalid};
use crate::game::{Game, GameDef};
use crate::http::{NamedPages, Site};
use crate::lobby::GameToServe;
use crate::vitals;
use crate::worker::AnyGame;

/// Games of a process: each has figures of its own and a line on the page that lists them. Beyond:
/// the server does not start.
const GAMES_MAX: usize = 64;
/// Characters of a game's name, which stands in URLs.
const NAME_CHARS_MAX: usize = 32;

/// The games of a process. The first is that of clients who name none.
///
/// ```no_run
/// # use bevy_ecs::prelude::*;
/// # use tickwire_server::game::{Game, Player, RoomOptions, Schema};
/// # struct Chess;
/// # struct Go;
/// # impl Game for Chess {
/// #     const NAME: &'static str = "chess";
/// #     type Input = ();
/// #     fn schema(_: &mut Schema<Self>) {}
/// #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
/// #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
/// # }
/// # impl Game for Go {
/// #     const NAME: &'static str = "go";
/// #     type Input = ();
/// #     fn schema(_: &mut Schema<Self>) {}
/// #     fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}
/// #     fn join(world: &mut World, _: &Player) -> Entity { world.spawn_empty().id() }
/// # }
/// use std::process::ExitCode;
/// use tickwire_server::config::GameSettings;
/// use tickwire_server::{Games, Site};
///
/// fn main() -> ExitCode {
///     let page = |html| Site::new().with_file("/index.html", html);
///     let slow = GameSettings { tick_rate: Some(10), ..GameSettings::default() };
///     Games::new()
///         .game::<Chess>(page("<!doctype html><title>Chess</title>"))
///         .game_with::<Go>(page("<!doctype html><title>Go</title>"), slow)
///         .serve()
/// }
/// ```
#[derive(Default)]
pub struct Games(Vec<Entry>);

/// One of them.
struct Entry {
    name: &'static str,
    page: Site,
    own: GameSettings,
    /// Checks its declaration for the settings that hold for it.
    declare: fn(&Config) -> io::Result<Arc<dyn AnyGame>>,
}

impl Games {
    /// None yet.
    pub fn new() -> Games {
        Games::default()
    }

    /// The same with the game `G`, whose page is at `/g/NAME/`; of a process that has no other it
    /// is at `/` too. It has the settings of the server, unless the operator's file says otherwise.
    #[must_use]
    pub fn game<G: Game>(self, page: Site) -> Games {
        self.game_with::<G>(page, GameSettings::default())
    }

    /// The same with settings of its own, before which comes what the operator's file says of this
    /// game.
    #[must_use]
    pub fn game_with<G: Game>(mut self, page: Site, own: GameSettings) -> Games {
        self.0.push(Entry {
            name: G::NAME,
            page,
            own,
            declare: declare::<G>,
        });
        self
    }

    /// Their names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|game| game.name)
    }

    /// The games, checked, and their pages, in order.
    ///
    /// # Errors
    /// Of the kind `InvalidInput`: there are none or too many, a name that can't be or is there
    /// twice, a schema or settings that can't be used, settings for a game that is not there.
    pub(crate) fn check(self, config: &Config) -> io::Result<(Vec<GameToServe>, NamedPages)> {
        check_names(&self.names().collect::<Vec<_>>(), config).map_err(invalid)?;
        let several = self.0.len() > 1;
        let mut games = Vec::with_capacity(self.0.len());
        let mut pages = Vec::with_capacity(self.0.len());
        for game in self.0 {
            let config = config.of_game(game.name, &game.own).map_err(invalid)?;
            let named = |error: io::Error| match several {
                true => invalid(format!("game {}: {error}", game.name)),
                false => error,
            };
            let def = (game.declare)(&config).map_err(named)?;
            games.push(GameToServe { def, config });
            pages.push((game.name, game.page));
        }
        Ok((games, pages))
    }
}

fn check_names(names: &[&str], config: &Config) -> Result<(), ConfigError> {
    if !(1..=GAMES_MAX).contains(&names.len()) {
        let message = format!("{} games: a server has 1 to {GAMES_MAX}", names.len());
        return Err(ConfigError::new(message));
    }
    for (place, name) in names.iter().enumerate() {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
            return Err(ConfigError::new(format!(
                "a game can't be called {name:?}: its name stands in URLs, and has 1 to {NAME_CHARS_MAX} letters, digits, \
                 - and _ of ASCII"
            )));
        }
        if names[..place].contains(name) {
            return Err(ConfigError::new(format!("two games are called {name}")));
        }
    }
    match config
        .games
        .keys()
        .find(|told| !names.contains(&told.as_str()))
    {
        None => Ok(()),
        Some(told) => Err(ConfigError::new(format!(
            "games.{told}: there is no such game here; there is {}",
            names.join(", ")
        ))),
    }
}

/// The game's declaration, checked for these settings.
pub(crate) fn declare<G: Game>(config: &Config) -> io::Result<Arc<dyn AnyGame>> {
    let declared = catch_unwind(|| GameDef::<G>::new(config.tick_rate));
    let game = declared.unwrap_or_else(|panic| {
        vitals::forget(panic);
        Err(format!("the schema of {} panicked", G::NAME))
    });
    let game = game.map_err(invalid)?;
    let checked = config.check_input(game.schema.input_bytes());
    checked.map_err(invalid)?;
    Ok(Arc::new(game))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::still::Still;

    fn refused(names: &[&str], config: &Config) -> String {
        let refused = check_names(names, config).unwrap_err().to_string();
        assert!(!refused.contains('\n'), "{refused}");
        refused
    }

    #[test]
    fn names_are_such_as_urls_have_and_one_games_alone() {
        let usual = Config::default();
        assert_eq!(check_names(&["a", "Z-9_", &"x".repeat(32)], &usual), Ok(()));
        for wrong in ["", "a b", "a/b", "..", "é", "a?b", &"x".repeat(33)] {
            let told = refused(&["fine", wrong], &usual);
            assert!(told.contains(&format!("{wrong:?}")), "{told}");
        }
        assert_eq!(refused(&["a", "b", "a"], &usual), "two games are called a");
        assert!(refused(&[], &usual).starts_with("0 games"));
        let many: Vec<String> = (0..=GAMES_MAX).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(refused(&many, &usual).starts_with("65 games"));
        assert_eq!(check_names(&many[1..], &usual), Ok(()));
    }

    #[test]
    fn settings_of_a_game_that_is_not_there_are_refused() {
        let mut config = Config::default();
        config.games.insert("still".into(), GameSettings::default());
        assert_eq!(check_names(&["still"], &config), Ok(()));
        config.games.insert("stil".into(), GameSettings::default());
        let told = refused(&["still"], &config);
        assert!(
            told.starts_with("games.stil: ") && told.ends_with("still"),
            "{told}"
        );
    }

    #[test]
    fn each_game_is_declared_for_its_own_settings() {
        let mut config = Config::default();
        let own = GameSettings {
            tick_rate: Some(60),
            ..GameSettings::default()
        };
        config.games.insert("still".into(), own);
        let games = Games::new().game::<Still>(Site::new());
        let (games, pages) = games.check(&config).unwrap();
        assert_eq!(games[0].config.tick_rate, 60);
        assert_eq!((pages.len(), pages[0].0), (1, "still"));
    }
}
