//! What a game's rooms know of the match for which the lobby's queue made them. The lobby fills it,
//! the game reads it in [`RoomOptions::matched`](super::RoomOptions::matched).

use serde::{Deserialize, Serialize};

use super::Identity;

/// Who plays with whom in a room that the queue made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// What is played: a name of [`Schema::mode`](super::Schema::mode).
    pub mode: String,
    /// Where, of [`Schema::regions`](super::Schema::regions); empty where the game has none.
    pub region: String,
    /// Who was to play on each side. Not all of them may come, and a room is for those alone.
    pub teams: Vec<MatchTeam>,
}

/// One side of a match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchTeam {
    /// Its players, party by party, each as [`Identity`] is shown.
    pub players: Vec<String>,
    /// Places that nobody was found for: bots, if the mode says so and the game has some.
    pub bots: u8,
}

impl Match {
    /// The place of somebody's team in [`Match::teams`]; `None`: they are in none.
    pub fn team_of(&self, who: &Identity) -> Option<usize> {
        let who = who.to_string();
        let has = |team: &MatchTeam| team.players.contains(&who);
        self.teams.iter().position(has)
    }
}
