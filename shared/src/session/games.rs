//! The games that the sessions of one process have met, so that a crowd of them holds each game's
//! schema and tables once: a swarm of 1,000 bots otherwise reads each snapshot by tables that are
//! in no cache any more. A driver gives the same one to its sessions ([`super::Session::among`]);
//! one that drives a single session needs none.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::schema::{Schema, Tables};
use crate::snapshot::layout::Layout;

/// Games that are kept apart; those that no session plays are forgotten first. Beyond: a session
/// has its own copy. A process seldom meets more than one, two while a server is replaced.
const GAMES_MAX: usize = 8;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Games(Mutex<Vec<Weak<Known>>>);

/// A game.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) schema: Schema,
    pub(super) tables: Tables,
    pub(super) layout: Layout,
}

impl Known {
    /// Of a schema and tables; the error says what is wrong with them.
    pub(super) fn new(schema: Schema, tables: Tables) -> Result<Known, String> {
        Ok(Known {
            layout: Layout::new(&schema, &tables)?,
            schema,
            tables,
        })
    }
}

impl Games {
    /// The game of a schema and tables; the error says what is wrong with them.
    pub(super) fn of(&self, schema: Schema, tables: Tables) -> Result<Arc<Known>, String> {
        // The list is whole between any two of its steps.
        let mut games = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let met = games.iter().filter_map(Weak::upgrade);
        let is_met = |known: &Arc<Known>| known.schema == schema && known.tables == tables;
        if let Some(known) = met.into_iter().find(is_met) {
            return Ok(known);
        }
        games.retain(|game| game.strong_count() > 0);
        let known = Arc::new(Known::new(schema, tables)?);
        if games.len() < GAMES_MAX {
            games.push(Arc::downgrade(&known));
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn game(name: usize) -> Schema {
        Schema {
            game: name.to_string(),
            ..Schema::default()
        }
    }

    fn meet(games: &Games, name: usize) -> Arc<Known> {
        games
            .of(game(name), Tables::default())
            .expect("the schema is sound")
    }

    #[test]
    fn a_game_is_held_once_and_forgotten_with_its_last_session() {
        let games = Games::default();
        let (first, second) = (meet(&games, 1), meet(&games, 2));
        assert!(Arc::ptr_eq(&first, &meet(&games, 1)));
        assert!(!Arc::ptr_eq(&first, &second));
        let layout = Layout::new(&game(1), &Tables::default());
        assert_eq!(Ok(&first.layout), layout.as_ref());
        drop(first);
        meet(&games, 3);
        assert_eq!(games.0.lock().expect("no panic").len(), 2);
    }

    #[test]
    fn those_beyond_the_limit_are_their_sessions_own() {
        let games = Games::default();
        let held: Vec<_> = (0..GAMES_MAX).map(|name| meet(&games, name)).collect();
        let own = meet(&games, GAMES_MAX);
        assert!(!Arc::ptr_eq(&own, &meet(&games, GAMES_MAX)));
        assert!(Arc::ptr_eq(&held[0], &meet(&games, 0)));
    }
}
