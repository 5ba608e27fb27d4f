//! Notices as other parts of the server give them out: of games by their names. What becomes of
//! them is [`crate::notices`]'s.

use serde_json::{Map, Value};

use super::Lobby;
use super::games::event;
use crate::auth::Identity;
use crate::date::Date;
use crate::notices::{GameEvent, Notice, Reached, Refused, To};
use crate::store::ReadError;
use crate::store::record::Answer;

impl Lobby {
    /// Says something to those who are meant, wherever they are in this process. What is kept for who
    /// is away is on the disk when this is done, where there is a store, with what comes of `answer`;
    /// to be awaited to the end. Not for the tick path.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was said then.
    pub(crate) async fn publish(
        &self,
        to: &To,
        notice: &Notice,
        answer: impl FnOnce(Reached) -> Option<Answer>,
    ) -> Result<Reached, Refused> {
        if let To::Game(game) = to {
            self.shared.game_named(game).ok_or(Refused::NoSuchGame)?;
        }
        let notices = &self.shared.notices;
        if !notices.are_stored(notice.class) {
            return notices.publish(to, notice, Date::now());
        }
        let written = notices.store(to, notice, answer, Date::now())?;
        let reached = written.reached;
        written.done().await.map(|()| reached)
    }

    /// Reads the notices of before: before anybody is let in.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) async fn recall_notices(&self) -> Result<(), ReadError> {
        match self.store().is_there() {
            true => self.shared.notices.follow().await,
            false => Ok(()),
        }
    }

    /// Drops the notices that wait for a player, who was erased from the store.
    pub(crate) fn forget_notices(&self, player: &Identity) {
        self.shared.notices.forget(player);
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
        event(&self.shared.hosted, game, name, fields)
    }
}
