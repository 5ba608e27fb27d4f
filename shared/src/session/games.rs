//! The games that the sessions of one process have met, so that a crowd of them holds each game's
//! schema and tables once, and is sent them once: a swarm of 1,000 bots otherwise reads each
//! snapshot by tables that are in no cache any more, and a welcome is 12 KB instead of 200 B. A
//! driver gives the same one to its sessions ([`super::Session::among`]); one that drives a single
//! session needs none.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::error::SessionError;
use crate::schema::{Schema, Tables};
use crate::snapshot::layout::Layout;

/// Games that are kept apart; those that no session plays are forgotten first. Beyond: a session
/// has its own copy. A process seldom meets more than a few, twice as many while a server is
/// replaced.
const GAMES_MAX: usize = 8;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Games(Mutex<Vec<Weak<Known>>>);

/// A game.
#[derive(Debug, PartialEq)]
pub(super) struct Known {
    pub(super) schema: Schema,
    pub(super) tables: Tables,
    /// What the server calls them.
    pub(super) hashes: Hashes,
    pub(super) layout: Layout,
}

/// What a server calls a schema and tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hashes {
    pub(super) schema: String,
    pub(super) tables: String,
}

impl Known {
    /// The game of a welcome, in which may be left out what was `offered`.
    ///
    /// # Errors
    /// Something else is left out, or they are not sound.
    pub(super) fn met(
        schema: Option<Schema>,
        tables: Option<Tables>,
        hashes: Hashes,
        offered: Option<&Known>,
    ) -> Result<Known, SessionError> {
        let schema = schema.or_else(|| {
            let known = offered.filter(|known| known.hashes.schema == hashes.schema);
            known.map(|known| known.schema.clone())
        });
        let tables = tables.or_else(|| {
            let known = offered.filter(|known| known.hashes.tables == hashes.tables);
            known.map(|known| known.tables.clone())
        });
        let (Some(schema), Some(tables)) = (schema, tables) else {
            return Err(SessionError::NoSchema);
        };
        Known::new(schema, tables, hashes).map_err(SessionError::Schema)
    }

    /// Of a schema and tables; the error says what is wrong with them.
    fn new(schema: Schema, tables: Tables, hashes: Hashes) -> Result<Known, String> {
        Ok(Known {
            layout: Layout::new(&schema, &tables)?,
            schema,
            tables,
            hashes,
        })
    }
}

impl Games {
    /// A game as it is held here: the one that is met, or one that was the same.
    pub(super) fn meet(&self, met: Known) -> Arc<Known> {
        // The list is whole between any two of its steps.
        let mut games = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = games.iter().filter_map(Weak::upgrade);
        if let Some(known) = known.into_iter().find(|known| **known == met) {
            return known;
        }
        games.retain(|game| game.strong_count() > 0);
        let met = Arc::new(met);
        if games.len() < GAMES_MAX {
            games.push(Arc::downgrade(&met));
        }
        met
    }

    /// What was met last of a game; of any, where the name is empty.
    pub(super) fn last(&self, name: &str) -> Option<Arc<Known>> {
        let games = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = games.iter().rev().filter_map(Weak::upgrade);
        known.find(|known| name.is_empty() || known.schema.game == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(name: usize) -> Known {
        let schema = Schema {
            game: name.to_string(),
            ..Schema::default()
        };
        let known = Known::new(schema, Tables::default(), Hashes::default());
        known.expect("the schema is sound")
    }

    #[test]
    fn a_game_is_held_once_and_forgotten_with_its_last_session() {
        let games = Games::default();
        let (first, second) = (games.meet(game(1)), games.meet(game(2)));
        assert!(Arc::ptr_eq(&first, &games.meet(game(1))));
        assert!(!Arc::ptr_eq(&first, &second));
        assert_eq!(*first, game(1));
        drop(first);
        games.meet(game(3));
        assert_eq!(games.0.lock().expect("no panic").len(), 2);
    }

    #[test]
    fn those_beyond_the_limit_are_their_sessions_own() {
        let games = Games::default();
        let held: Vec<_> = (0..GAMES_MAX).map(|name| games.meet(game(name))).collect();
        let own = games.meet(game(GAMES_MAX));
        assert!(!Arc::ptr_eq(&own, &games.meet(game(GAMES_MAX))));
        assert!(Arc::ptr_eq(&held[0], &games.meet(game(0))));
    }

    #[test]
    fn the_last_one_of_a_name_is_offered() {
        let games = Games::default();
        assert!(games.last("").is_none());
        let held = [games.meet(game(1)), games.meet(game(2))];
        let last = |name| games.last(name).map(|known| known.schema.game.clone());
        assert_eq!(last(""), Some("2".into()));
        assert_eq!(last("1"), Some("1".into()));
        assert_eq!(last("3"), None);
        drop(held);
        assert_eq!(last("1"), None, "nobody has it any more");
    }
}
