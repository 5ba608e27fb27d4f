//! Notices as other parts of the server give them out: of games by their names. What becomes of
//! them is [`crate::notices`]'s.

use serde_json::{Map, Value};

use super::Lobby;
use crate::date::Date;
use crate::notices::{GameEvent, Notice, Reached, Refused, To};

impl Lobby {
    /// Says something to those who are meant, wherever they are in this process. Takes as long as
    /// it takes to put it into their mailboxes; not for the tick path.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was said then.
    pub(crate) fn publish(&self, to: &To, notice: &Notice) -> Result<Reached, Refused> {
        if let To::Game(game) = to {
            self.shared.game_named(game).ok_or(Refused::NoSuchGame)?;
        }
        self.shared.notices.publish(to, notice, Date::now())
    }

    /// An event for a notice, of the game of this name, or of the first one: see
    /// [`GameEvent::read`].
    ///
    /// # Errors
    /// One line: there is no such game, or its schema has no such event.
    pub(crate) fn event(
        &self,
        game: Option<&str>,
        name: &str,
        fields: &Map<String, Value>,
    ) -> Result<GameEvent, String> {
        let mut games = self.shared.hosted.iter();
        let hosted = games.find(|hosted| game.is_none_or(|game| game == hosted.def.name()));
        let hosted = hosted.ok_or_else(|| Refused::NoSuchGame.to_string())?;
        GameEvent::read(hosted.def.name(), hosted.def.schema(), name, fields)
    }
}
