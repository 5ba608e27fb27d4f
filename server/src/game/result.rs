//! How a round ended, as a game reports it by [`super::Out::result`]: who came where. What is kept
//! of it, and which ratings and boards come of it, is the store's.

use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire::limits::PLAYERS_PER_ROOM_MAX;

/// Characters of a season's name.
pub const SEASON_CHARS_MAX: usize = 32;
/// Players of a result: those of a full room, and as many who left before the end.
pub const STANDINGS_MAX: usize = 2 * PLAYERS_PER_ROOM_MAX as usize;

/// How a round ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundResult {
    /// Which round of the room, rising. One that was reported already is not taken again, so a
    /// room that is restored to a moment before its last report may report it once more.
    pub round: u32,
    /// Which board it counts for, at most [`SEASON_CHARS_MAX`] characters; empty where the game
    /// has one alone.
    pub season: String,
    /// Who played, in any order, at most [`STANDINGS_MAX`].
    pub standings: Vec<Standing>,
}

/// Where one came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Who: also somebody who has left since the round before was reported. A room remembers as many
    /// of those as it has seats, 64 at least. Who left and came again counts once, as they are here.
    pub player: PlayerId,
    /// Their side: those with the same number came to their place together. Where each plays alone
    /// everybody has another.
    pub team: u32,
    /// From 1; who tie have the same.
    pub place: u32,
    /// What the game counts.
    pub score: i64,
    /// Whether they left before the end.
    pub left: bool,
}

impl RoundResult {
    /// Whether it can be taken: somebody played, nobody twice, and each place is one.
    pub(crate) fn is_sound(&self) -> bool {
        let mut players: Vec<PlayerId> = self.standings.iter().map(|at| at.player).collect();
        players.sort_unstable();
        players.dedup();
        (1..=STANDINGS_MAX).contains(&self.standings.len())
            && players.len() == self.standings.len()
            && self.standings.iter().all(|at| at.place > 0)
            && self.season.chars().count() <= SEASON_CHARS_MAX
            && !self.season.chars().any(char::is_control)
    }
}

/// Places by score, the highest first; equal scores share a place: for games in which each plays
/// alone. In the order of the players that are given.
pub fn places(scores: &[i64]) -> Vec<u32> {
    let above = |score: &i64| scores.iter().filter(|other| *other > score).count();
    scores.iter().map(|score| 1 + above(score) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(player: u16) -> Standing {
        Standing {
            player: PlayerId(player),
            team: u32::from(player),
            place: 1,
            score: 0,
            left: false,
        }
    }

    #[test]
    fn who_ties_shares_a_place_and_the_next_one_is_left_out() {
        assert_eq!(places(&[5, 9, 5, 7, -1]), [3, 1, 3, 2, 5]);
        assert!(places(&[]).is_empty());
    }

    #[test]
    fn what_is_no_result_is_told_apart() {
        let of = |standings: Vec<Standing>, season: &str| RoundResult {
            round: 1,
            season: season.to_owned(),
            standings,
        };
        assert!(of(vec![standing(1), standing(2)], "summer").is_sound());
        assert!(!of(Vec::new(), "").is_sound());
        assert!(!of(vec![standing(1), standing(1)], "").is_sound());
        let nowhere = Standing {
            place: 0,
            ..standing(1)
        };
        assert!(!of(vec![nowhere], "").is_sound());
        assert!(!of(vec![standing(1)], &"s".repeat(33)).is_sound());
        assert!(!of(vec![standing(1)], "a\nb").is_sound());
        let crowd = (0..=STANDINGS_MAX as u16).map(standing).collect();
        assert!(!of(crowd, "").is_sound());
    }
}
