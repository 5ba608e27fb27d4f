//! Who is who on boards that everybody sees. `http::board` asks.

use super::{GameIndex, Lobby};
use crate::auth::Identity;

impl Lobby {
    /// The name of a game.
    pub(crate) fn name_of(&self, game: GameIndex) -> Option<&'static str> {
        let game = self.shared.games.get(usize::from(game.0));
        game.map(|game| game.name)
    }

    /// Whom the server gave this token to, to come back with.
    pub(crate) fn known(&self, token: &str) -> Option<Identity> {
        self.shared.tokens.known(token)
    }

    /// What marks the row of a player, by their identity's text, on the board of a game and season.
    pub(crate) fn board_mark(&self, game: &str, season: &str, player: &str) -> String {
        self.shared.tokens.boards().mark(game, season, player)
    }
}
